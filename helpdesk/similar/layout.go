package similar

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// root says which spaces there are.
type root struct {
	Use  uint32 // answers questions; 0 while there is none
	Next uint32 // takes its place once the history is in it; 0 for none
	Last uint32 // the newest that was begun
}

// space is the vectors of one model.
type space struct {
	ID         uint32
	Model      string
	Digest     string // of the model's files, as Ollama says it
	Dimensions int    // 0 until the first vector
	BegunAt    time.Time
	// From is the event at which the space began. Events after it are followed,
	// up to Cursor; those before it are gone through backwards, down to Back.
	From, Cursor, Back uint64
	Generation         uint64 // of the newest vector
	Vectors            int
	Refused            int // messages that the model makes no vector of
	// Tail are the newest segments, as long as they are small.
	Tail []segmentInfo
}

// segmentInfo is a run of vectors with generations one after another.
type segmentInfo struct {
	First uint64
	Count int
}

func (s *space) complete() bool { return s.Back == 0 }

var (
	roots = store.NewTable(store.Spec[root]{Name: "similarroot", Version: 1,
		Key: func(*root) []byte { return store.Key{}.Text("spaces") }})
	spaces = store.NewTable(store.Spec[space]{Name: "similarspace", Version: 1,
		Key: func(s *space) []byte { return spaceKey(s.ID) }})
)

func spaceKey(id uint32) []byte { return binary.BigEndian.AppendUint32(nil, id) }

func readRoot(r store.Reader) (*root, error) {
	found, err := roots.Get(r, store.Key{}.Text("spaces"))
	if errors.Is(err, store.ErrNotFound) {
		return &root{}, nil
	}
	return found, err
}

// Keys beside the tables, all under "v/", then the space and a kind:
//
//	v/<space>p<message>      generation of its vector (0: the model made none), digest of its text
//	v/<space>s<generation>   the segment that begins with this generation
//
// Numbers are four and eight bytes, highest first.
const (
	keySpace    = "v/"
	kindPlace   = 'p'
	kindSegment = 's'
)

func kindKey(space uint32, kind byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte(keySpace), space), kind)
}

func placeKey(space uint32, message string) []byte {
	return append(kindKey(space, kindPlace), message...)
}

func segmentKey(space uint32, first uint64) []byte {
	return binary.BigEndian.AppendUint64(kindKey(space, kindSegment), first)
}

// place says which vector is a message's, and what text it was made of.
type place struct {
	generation uint64
	digest     uint64
}

func (p place) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.generation), p.digest)
}

func decodePlace(value []byte) (place, error) {
	if len(value) != 16 {
		return place{}, fmt.Errorf("place of a vector: %w", store.ErrCorrupt)
	}
	return place{binary.BigEndian.Uint64(value), binary.BigEndian.Uint64(value[8:])}, nil
}

func readPlace(r store.Reader, space uint32, message string) (p place, found bool, err error) {
	value, err := r.Get(placeKey(space, message))
	if errors.Is(err, store.ErrNotFound) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	p, err = decodePlace(value)
	return p, err == nil, err
}
