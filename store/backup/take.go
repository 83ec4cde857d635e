package backup

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Copy is one backup, as its file in the directory says it in JSON.
type Copy struct {
	ID      string    `json:"id"` // the time, by which it is named
	At      time.Time `json:"at"` // when it was begun, in UTC
	Program string    `json:"program"`
	Format  int       `json:"format"`
	Size    int64     `json:"size"` // bytes of the store
	Blocks  int       `json:"blocks"`
	New     int64     `json:"new"` // bytes that were written for it; the rest was there
	Digest  string    `json:"digest"`
	// Turn is one more than the greatest of the copies that were there: the order in which
	// they were made, whatever the clock said. 0 in copies of earlier versions.
	Turn uint64 `json:"turn,omitempty"`

	// Verified is when it was last read wholly and found whole; zero: never.
	Verified time.Time `json:"-"`
	// Fault says why it cannot be used, nil where it can.
	Fault error `json:"-"`
}

const (
	copySuffix     = ".copy"
	verifiedSuffix = ".verified"
	idLayout       = "20060102T150405Z"
)

// Progress is told how many bytes of the store are done.
type Progress func(done int64)

// Take makes a copy of what from writes, as of at, by a program of this version. It
// has its name, and is in List, only when all of it is on the disk. A Take that was
// broken off, or ran out of space, leaves what it had to the next.
func (d *Directory) Take(ctx context.Context, at time.Time, program string, from func(context.Context, io.Writer) error, progress Progress) (Copy, error) {
	lock, err := d.lock(true)
	if err != nil {
		return Copy{}, err
	}
	defer lock.Close()
	c, err := d.take(ctx, at, program, from, progress)
	if err != nil {
		return Copy{}, fmt.Errorf("make a backup in %s: %w", d.path, err)
	}
	return c, nil
}

func (d *Directory) take(ctx context.Context, at time.Time, program string, from func(context.Context, io.Writer) error, progress Progress) (Copy, error) {
	known, err := d.readCatalogue()
	if err != nil {
		return Copy{}, err
	}
	if err := known.salvage(); err != nil {
		return Copy{}, err
	}
	w := &blockWriter{ctx: ctx, packs: packWriter{catalogue: known}, block: make([]byte, 0, blockSize), progress: progress}
	err = from(ctx, w)
	if err == nil {
		err = w.finish()
	}
	if err != nil {
		w.packs.abandon()
		return Copy{}, err
	}
	if w.size == 0 {
		return Copy{}, errors.New("there was nothing to copy")
	}
	c := Copy{At: at.UTC().Truncate(time.Second), Program: program, Format: formatNow, Size: w.size, Blocks: len(w.list) / sha256.Size, New: w.packs.written, Turn: 1}
	earlier, err := d.List()
	if err != nil {
		return Copy{}, err
	}
	for _, e := range earlier {
		c.Turn = max(c.Turn, e.Turn+1)
	}
	for c.ID = c.At.Format(idLayout); ; c.ID = c.At.Format(idLayout) { // never two of one name
		if _, err := os.Stat(d.copyPath(c.ID)); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return Copy{}, err
		}
		c.At = c.At.Add(time.Second)
	}
	sum := sha256.Sum256(w.list)
	c.Digest = hex.EncodeToString(sum[:])
	line, err := json.Marshal(c)
	if err != nil {
		return Copy{}, err
	}
	return c, writeWhole(d.copyPath(c.ID), slices.Concat(line, []byte("\n"), w.list))
}

func (d *Directory) copyPath(id string) string { return filepath.Join(d.copies(), id+copySuffix) }

// blockWriter cuts what is written to it into blocks.
type blockWriter struct {
	ctx      context.Context
	packs    packWriter
	block    []byte
	list     []byte // digests, one after another
	size     int64
	progress Progress
}

func (w *blockWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		n := min(blockSize-len(w.block), len(p))
		w.block = append(w.block, p[:n]...)
		p = p[n:]
		if len(w.block) == blockSize {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

func (w *blockWriter) flush() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	id := digest(sha256.Sum256(w.block))
	if _, known := w.packs.catalogue.blocks[id]; !known {
		if err := w.packs.put(id, w.block); err != nil {
			return err
		}
	}
	w.list = append(w.list, id[:]...)
	w.size += int64(len(w.block))
	w.block = w.block[:0]
	if w.progress != nil {
		w.progress(w.size)
	}
	return nil
}

func (w *blockWriter) finish() error {
	if len(w.block) > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	return w.packs.end()
}

// List returns all copies, the oldest first, in the order in which they were made: a clock
// that was ahead for a while must not leave a copy that is the newest for as long. One that
// cannot be used says why.
func (d *Directory) List() ([]Copy, error) {
	entries, err := os.ReadDir(d.copies())
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	var list []Copy
	for _, entry := range entries {
		id, is := strings.CutSuffix(entry.Name(), copySuffix)
		if !is {
			continue
		}
		c, _, err := d.read(id)
		if err != nil {
			c = Copy{ID: id, Fault: err}
			c.At, _ = time.Parse(idLayout, id)
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Copy) int { return cmp.Or(cmp.Compare(a.Turn, b.Turn), strings.Compare(a.ID, b.ID)) })
	return list, nil
}

// Newest returns the newest copy that can be used, one that was verified before
// others. ErrNone where there is none.
func (d *Directory) Newest() (Copy, error) {
	list, err := d.List()
	if err != nil {
		return Copy{}, err
	}
	var newest *Copy
	for i, c := range list {
		if c.Fault == nil && (newest == nil || !c.Verified.IsZero() || newest.Verified.IsZero()) {
			newest = &list[i]
		}
	}
	if newest == nil {
		return Copy{}, fmt.Errorf("%w in %s", ErrNone, d.path)
	}
	return *newest, nil
}

// read reads what a copy says of itself, and which blocks it is made of.
func (d *Directory) read(id string) (Copy, []byte, error) {
	if _, err := time.Parse(idLayout, id); err != nil {
		return Copy{}, nil, fmt.Errorf("%w %q: backups are named like %s", ErrNone, id, idLayout)
	}
	document, err := os.ReadFile(d.copyPath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return Copy{}, nil, fmt.Errorf("%w %s in %s", ErrNone, id, d.path)
	}
	if err != nil {
		return Copy{}, nil, err
	}
	line, list, _ := bytes.Cut(document, []byte("\n"))
	var c Copy
	if err := json.Unmarshal(line, &c); err != nil {
		return Copy{}, nil, fmt.Errorf("%w %s: %w", ErrDamaged, id, err)
	}
	sum := sha256.Sum256(list)
	switch {
	case c.Format > formatNow:
		return Copy{}, nil, fmt.Errorf("%w: %s is of format %d", ErrNewer, id, c.Format)
	case hex.EncodeToString(sum[:]) != c.Digest || len(list) != c.Blocks*sha256.Size || c.ID != id:
		return Copy{}, nil, fmt.Errorf("%w %s: its list of blocks is not what was written", ErrDamaged, id)
	}
	if verified, err := os.ReadFile(filepath.Join(d.copies(), id+verifiedSuffix)); err == nil {
		c.Verified, _ = time.Parse(time.RFC3339, strings.TrimSpace(string(verified)))
	}
	return c, list, nil
}
