package store

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
)

// Records are packed with S2, a relative of Snappy that takes some microseconds,
// and a dictionary, without which records of this size hardly become smaller:
// names of fields are most of them. A packed record is
//
//	version | packedFlag, dictionary (1 byte), CRC-32C of the rest (4 bytes), S2 block
//
// The checksum tells of damage, which S2 does not notice by itself. Long records have no
// dictionary, and their checksum is of the two bytes before it too.
const (
	packedFlag   = 0x80
	packedHeader = 1 + 1 + crc32.Size

	// minPacked is the shortest record worth packing, in bytes.
	minPacked = 48
	// dictionaryLimit is from how many bytes on a record is packed without the dictionary:
	// in 10 KiB of text that saved 0.5 % and took twice the time.
	dictionaryLimit = 4096
)

// dictionarySample is records of the helpdesk as they were when packing began.
// What was packed with it can be read with nothing else: it never changes. A
// better one becomes a second dictionary.
//
//go:embed records.dict
var dictionarySample []byte

// These say which dictionary a record was packed with.
const (
	noDictionary     = 0
	dictionaryNumber = 1
)

// packBuffers are for packing into, since how long the packed form is shows only then,
// and for unpacking.
var packBuffers = sync.Pool{New: func() any {
	buffer := make([]byte, maxKeptBuffer)
	return &buffer
}}

var (
	dictionary = sync.OnceValue(func() *s2.Dict { return s2.MakeDict(dictionarySample, nil) })
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// pack returns the stored form of a record: its version byte and its data, packed
// where that makes it shorter, in memory of its own. In haste it is packed without the
// dictionary, for the sake of the checksum even where it becomes longer.
func pack(record []byte, haste bool) []byte {
	if len(record) < minPacked {
		return slices.Clone(record)
	}
	kept := packBuffers.Get().(*[]byte)
	defer packBuffers.Put(kept)
	space := *kept
	if need := s2.MaxEncodedLen(len(record) - 1); need > len(space) {
		space = make([]byte, need)
	}
	number := byte(dictionaryNumber)
	var block []byte
	if len(record) < dictionaryLimit && !haste {
		block = dictionary().Encode(space, record[1:])
	} else {
		number, block = noDictionary, s2.Encode(space, record[1:])
	}
	if len(block)+packedHeader >= len(record) && !haste {
		return slices.Clone(record)
	}
	packed := make([]byte, packedHeader+len(block))
	copy(packed[packedHeader:], block)
	packed[0], packed[1] = record[0]|packedFlag, number
	binary.BigEndian.PutUint32(packed[2:], packedSum(packed))
	return packed
}

// packedSum is the checksum of a packed record.
func packedSum(packed []byte) (sum uint32) {
	if packed[1] == noDictionary {
		sum = crc32.Checksum(packed[:2], castagnoli)
	}
	return crc32.Update(sum, castagnoli, packed[packedHeader:])
}

// unpack returns the version and the data of a stored record, which is where the record
// is or, where it fits, in space.
func unpack(stored, space []byte) (version byte, data []byte, err error) {
	switch {
	case len(stored) == 0:
		return 0, nil, fmt.Errorf("%w: the record is empty", ErrCorrupt)
	case stored[0]&packedFlag == 0:
		return stored[0], stored[1:], nil
	case len(stored) < packedHeader:
		return 0, nil, fmt.Errorf("%w: the record ends within its header", ErrCorrupt)
	case stored[1] > dictionaryNumber:
		return 0, nil, fmt.Errorf("%w: packed with dictionary %d, this program knows %d; use a newer program", ErrNewer, stored[1], dictionaryNumber)
	case packedSum(stored) != binary.BigEndian.Uint32(stored[2:]):
		return 0, nil, fmt.Errorf("%w: the checksum of the record differs", ErrCorrupt)
	}
	size, err := s2.DecodedLen(stored[packedHeader:])
	if err == nil && size > MaxValueSize {
		err = errors.New("it would be larger than any value")
	}
	if err == nil && stored[1] == noDictionary {
		data, err = s2.Decode(space, stored[packedHeader:])
	} else if err == nil {
		data, err = dictionary().Decode(space, stored[packedHeader:])
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%w: unpack the record: %w", ErrCorrupt, err)
	}
	return stored[0] &^ packedFlag, data, nil
}
