package search

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/madoguchi/madoguchi/store"
)

// format is raised when what is indexed or how changes: an index of another
// format is made anew.
const format = 7

// root says which index is in use. A rebuild makes the next epoch beside it.
type root struct {
	Epoch     uint32 // in use; 0 while there is none
	LastEpoch uint32 // the newest that was begun
	Format    int
}

// manifest lists the segments of one epoch, oldest generations first.
type manifest struct {
	Epoch       uint32
	Cursor      uint64 // the last event that the segments know of
	Revision    uint64 // counts the changes
	LastSegment uint32
	Generation  uint64 // the newest
	Segments    []segmentInfo
	Garbage     []uint32 // segments whose keys are to be removed
}

// segmentInfo describes an immutable segment. Dead is how many of its documents
// were replaced or removed since; which ones is kept beside it.
type segmentInfo struct {
	ID          uint32
	First, Last uint64 // generations
	Documents   int
	Dead        int
	Length      uint64 // of all its documents, in tokens
}

var (
	roots = store.NewTable(store.Spec[root]{Name: "searchroot", Version: 1,
		Key: func(*root) []byte { return store.Key{}.Text("index") }})
	manifests = store.NewTable(store.Spec[manifest]{Name: "searchmanifest", Version: 1,
		Key: func(m *manifest) []byte { return epochKey(m.Epoch) }})
)

func epochKey(epoch uint32) []byte { return binary.BigEndian.AppendUint32(nil, epoch) }

func readRoot(r store.Reader) (*root, error) {
	found, err := roots.Get(r, store.Key{}.Text("index"))
	if errors.Is(err, store.ErrNotFound) {
		return &root{}, nil
	}
	return found, err
}

// Keys beside the tables, all under "s/", then epoch and kind:
//
//	s/<epoch>p<piece>                    generation and digest of a piece
//	s/<epoch>d<segment>                  the documents of a segment, in order
//	s/<epoch>x<segment>                  a bit for each document that is dead
//	s/<epoch>b<segment><term>\0<field>   terms up to this one, and their postings
//
// Numbers are four bytes, highest first.
const (
	space         = "s/"
	kindPiece     = 'p'
	kindDocuments = 'd'
	kindDead      = 'x'
	kindBlock     = 'b'
)

func spaceKey(epoch uint32, kind byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte(space), epoch), kind)
}

func pieceKey(epoch uint32, piece string) []byte {
	return append(spaceKey(epoch, kindPiece), bound(piece, 1024)...)
}

func segmentKey(epoch uint32, kind byte, segment uint32) []byte {
	return binary.BigEndian.AppendUint32(spaceKey(epoch, kind), segment)
}

func blockKey(epoch, segment uint32, last []byte) []byte {
	return append(segmentKey(epoch, kindBlock, segment), last...)
}

// appendTermKey appends a term with its field, as blocks have it.
func appendTermKey(to, term []byte, f field) []byte { return append(append(to, term...), 0, byte(f)) }

// place is where a piece is and what it was made of.
type place struct {
	generation uint64
	digest     uint64
}

func (p place) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.AppendUvarint(nil, p.generation), p.digest)
}

func readPlace(r store.Reader, epoch uint32, piece string) (p place, found bool, err error) {
	value, err := r.Get(pieceKey(epoch, piece))
	if errors.Is(err, store.ErrNotFound) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	p, err = decodePlace(value)
	return p, err == nil, err
}

func decodePlace(value []byte) (p place, err error) {
	n := 0
	p.generation, n = binary.Uvarint(value)
	if n <= 0 || len(value) != n+8 {
		return p, fmt.Errorf("place of a piece: %w", store.ErrCorrupt)
	}
	p.digest = binary.BigEndian.Uint64(value[n:])
	return p, nil
}
