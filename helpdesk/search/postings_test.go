package search

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// FuzzPostings reads lists of any bytes: nothing panics, what is wrong is corrupt, and reading
// document by document, from any one on, tells what decoding all of it does.
func FuzzPostings(f *testing.F) {
	const documents = 1000
	list := func(postings ...[]uint32) (list []byte) { // of each the step to its document, then positions
		for _, p := range postings {
			list = appendPosting(list, int(p[0]), appendPlaces(nil, p[1:]))
		}
		return list
	}
	many := []uint32{1}
	for place := range uint32(200) {
		many = append(many, place*200)
	}
	for _, seed := range [][]byte{nil, {0}, {1, 0}, {1, 1}, {1, 1, 0x80}, {1, 2, 0x80, 0x80}, {0, 1, 5}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 5},
		list([]uint32{1, 0}, []uint32{3, 5, 9, 300}, []uint32{400, 70_000}), list([]uint32{2, 1, 2, 3, 4, 5, 6, 7, 8, 9}, many, []uint32{1, 128}), list([]uint32{1, 4}, []uint32{999, 4}, []uint32{1, 4})} {
		f.Add(seed, uint32(3))
	}
	f.Fuzz(func(t *testing.T, list []byte, step uint32) {
		all, err := decodePostings(nil, list)
		if err != nil && !errors.Is(err, store.ErrCorrupt) {
			t.Fatalf("decode: %v", err)
		}
		whole := err == nil && !slices.ContainsFunc(all, func(p posting) bool { return p.ordinal() >= documents })
		var read []posting
		for p := readPostings(list, documents); p.next(); {
			before := len(read)
			for places := (placesReader{encoded: p.encoded()}); places.next(); {
				read = append(read, posting(uint64(p.ordinal)<<32|uint64(places.place)))
			}
			if count := int(p.count()); whole && count != len(read)-before {
				t.Fatalf("document %d: counted %d places of %d", p.ordinal, count, len(read)-before)
			}
		}
		if whole && !slices.Equal(read, all) {
			t.Fatalf("read %d places, decoded %d", len(read), len(all))
		}
		step = step%300 + 1
		least, p := uint32(0), readPostings(list, documents)
		for p.advance(max(least, p.ordinal+1)) {
			from := slices.IndexFunc(all, func(o posting) bool { return o.ordinal() >= least })
			if whole && (from < 0 || all[from].ordinal() != p.ordinal || !bytes.Equal(list[p.from:p.at], p.encoded())) {
				t.Fatalf("the first document from %d on is %d", least, p.ordinal)
			}
			least = p.ordinal + step
		}
		if whole && p.err != nil {
			t.Fatalf("read a list that can be decoded: %v", p.err)
		}
	})
}
