package storetest

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// Operation is one thing that a process did to a file, or a mark between two.
type Operation struct {
	Kind   OperationKind
	File   string // within the directory
	Offset int64  // of a Write; the new size of a Truncate
	Data   []byte // of a Write
	Note   string // of a Mark
}

// OperationKind tells operations apart.
type OperationKind byte

// The kinds of operations.
const (
	Write OperationKind = iota + 1
	Truncate
	Sync
	Mark
	Unknown // a write whose bytes could not be read: the trace is of no use
)

// Trace is what was done to the files of a directory, in order.
type Trace struct {
	Base       map[string][]byte // the files as they were
	Operations []Operation
}

// Image is what a power cut leaves: what was synced is there, and of what was written since, anything
// may be: each sector of 512 bytes is there or is not.
type Image struct {
	Files map[string][]byte
	Marks []string // that were made before
	What  string   // which operation was the last, and what became of the writes after the last syncs
}

// WriteTo makes the files in a directory.
func (i Image) WriteTo(directory string) error {
	for name, data := range i.Files {
		if err := os.WriteFile(filepath.Join(directory, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// fate says how much of an unsynced write is there.
type fate func(r *rand.Rand, write, last int) sectors

// sectors tells which sectors of a write are there, and which hold neither the old nor
// the new.
type sectors struct {
	there   func(r *rand.Rand) bool
	garbage bool
}

func always(*rand.Rand) bool { return true }
func never(*rand.Rand) bool  { return false }
func half(r *rand.Rand) bool { return r.IntN(2) == 0 }
func whole(keep bool) sectors {
	return sectors{there: map[bool]func(*rand.Rand) bool{true: always, false: never}[keep]}
}

// fates are tried at each operation, in turn.
var fates = []struct {
	name string
	fate fate
}{
	{"all of it", func(*rand.Rand, int, int) sectors { return whole(true) }},
	{"none of it", func(*rand.Rand, int, int) sectors { return whole(false) }},
	{"all but the last", func(_ *rand.Rand, write, last int) sectors { return whole(write != last) }},
	{"the last alone", func(_ *rand.Rand, write, last int) sectors { return whole(write == last) }},
	{"the last torn", func(_ *rand.Rand, write, last int) sectors {
		if write == last {
			return sectors{there: half}
		}
		return whole(true)
	}},
	{"each torn", func(*rand.Rand, int, int) sectors { return sectors{there: half} }},
	{"some of them", func(r *rand.Rand, _, _ int) sectors { return whole(half(r)) }},
	{"the last with flipped bits", func(_ *rand.Rand, write, last int) sectors {
		return sectors{there: always, garbage: write == last}
	}},
}

// Images yields what a power cut right after each operation may leave, about count of them
// in all, chosen by seed where there are more.
func (t *Trace) Images(seed uint64, count int) iter.Seq[Image] {
	return func(yield func(Image) bool) {
		r := rand.New(rand.NewPCG(seed, 0))
		all := len(t.Operations) * len(fates)
		for at := range t.Operations {
			for _, f := range fates {
				if all > count && r.IntN(all) >= count {
					continue
				}
				if !yield(t.image(at+1, f.name, f.fate, r)) {
					return
				}
			}
		}
	}
}

// image is what is left of the first n operations.
func (t *Trace) image(n int, name string, f fate, r *rand.Rand) Image {
	done := t.Operations[:n]
	synced := map[string]int{} // the last sync of each file
	image := Image{Files: map[string][]byte{}, What: fmt.Sprintf("after operation %d of %d, of the unsynced writes %s", n, len(t.Operations), name)}
	var unsynced []int
	for i, o := range done {
		switch o.Kind {
		case Sync:
			synced[o.File] = i
		case Mark:
			image.Marks = append(image.Marks, o.Note)
		}
	}
	for i, o := range done {
		if o.Kind == Write && i > synced[o.File] {
			unsynced = append(unsynced, i)
		}
	}
	for file, data := range maps.All(t.Base) {
		image.Files[file] = slices.Clone(data)
	}
	for i, o := range done {
		keep := whole(true)
		if o.Kind == Write && i > synced[o.File] {
			keep = f(r, i, unsynced[len(unsynced)-1])
		}
		switch o.Kind {
		case Write:
			image.write(o, keep, r)
		case Truncate:
			data := image.Files[o.File]
			image.Files[o.File] = slices.Grow(data[:min(int64(len(data)), o.Offset)], int(o.Offset))[:o.Offset]
			clear(image.Files[o.File][min(int64(len(data)), o.Offset):])
		}
	}
	return image
}

func (i Image) write(o Operation, keep sectors, r *rand.Rand) {
	const sector = 512
	data := i.Files[o.File]
	if end := o.Offset + int64(len(o.Data)); end > int64(len(data)) {
		data = append(data, make([]byte, end-int64(len(data)))...)
	}
	for at := 0; at < len(o.Data); {
		size := min(sector-int(o.Offset+int64(at))%sector, len(o.Data)-at)
		if keep.there(r) {
			copy(data[o.Offset+int64(at):], o.Data[at:at+size])
		}
		at += size
	}
	if keep.garbage && len(o.Data) > 0 {
		data[o.Offset+int64(r.IntN(len(o.Data)))] ^= 1 << r.IntN(8)
	}
	i.Files[o.File] = data
}
