package store

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

const (
	// minPreallocation and maxPreallocation bound the zeros kept behind the data;
	// between them they are as many as the data itself.
	minPreallocation = 1 << 20
	maxPreallocation = 16 << 20

	// preallocationStep is written and synced at a time: a commit that meets one
	// waits no longer than for this.
	preallocationStep = 256 << 10
)

// preallocator keeps a stretch of written zeros between the data of a bbolt file
// and its end. A commit into it overwrites blocks that exist; one into a hole, or
// into blocks that fallocate merely promised, makes the file system also commit
// its journal, which costs as much again as syncing the data.
//
// It only ever appends, which the kernel does at the end of the file whatever that
// is at the moment, and bbolt makes a file longer before it writes there. So its
// zeros never meet data, and nobody has to wait for it.
type preallocator struct {
	file   *os.File
	used   chan int64   // the length of the data when it came near the end
	size   atomic.Int64 // of the file, as last looked at
	idle   atomic.Bool  // it could not write more, or never wanted to
	broken atomic.Pointer[error]
	closed bool
	done   chan struct{}
}

// startPreallocator makes sure that the file at path, of which the first used bytes
// are data, has room now and gets more in time. Where that is not wanted or brings nothing, or the
// disk is full, it rests: bbolt grows its file itself then.
func startPreallocator(path string, used int64, wanted bool) (*preallocator, error) {
	p := &preallocator{used: make(chan int64, 1), done: make(chan struct{})}
	if !wanted || !overwritesInPlace(path) {
		p.idle.Store(true)
		close(p.done)
		return p, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("open to preallocate: %w", err)
	}
	p.file = file
	p.extend(used + minPreallocation/2)
	go p.run()
	return p, nil
}

// reached tells how long the data is. It never waits.
func (p *preallocator) reached(used int64) {
	if p.idle.Load() || p.size.Load()-used >= preallocation(used)/2 {
		return
	}
	select {
	case p.used <- used:
	default: // it is at work
	}
}

// preallocation is how many zeros are wanted behind used bytes of data.
func preallocation(used int64) int64 {
	return min(max(used, minPreallocation), maxPreallocation)
}

func (p *preallocator) run() {
	defer close(p.done)
	for used := range p.used {
		p.extend(used + preallocation(used))
	}
}

// extend appends zeros until the file is size bytes long. A full disk ends it for
// good. So does a sync that fails, which is kept: it may have taken the report of
// another's write with it.
func (p *preallocator) extend(size int64) {
	zeros := make([]byte, preallocationStep)
	for !p.idle.Load() {
		info, err := p.file.Stat()
		if err != nil {
			p.idle.Store(true)
			return
		}
		p.size.Store(info.Size())
		if info.Size() >= size {
			return
		}
		if _, err := p.file.Write(zeros); err != nil {
			p.idle.Store(true)
		}
		if err := p.file.Sync(); err != nil {
			err = fmt.Errorf("preallocate: %w", err)
			p.broken.Store(&err)
			p.idle.Store(true)
		}
	}
}

// err is the error of a failed sync.
func (p *preallocator) err() error {
	if err := p.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// close waits until nothing more is written. It may be called again, but not
// while reached runs.
func (p *preallocator) close() error {
	if p.file == nil {
		return nil
	}
	p.idle.Store(true)
	if !p.closed {
		p.closed = true
		close(p.used)
	}
	<-p.done
	if err := p.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close what preallocates: %w", err)
	}
	return nil
}
