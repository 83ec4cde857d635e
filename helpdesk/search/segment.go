package search

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"

	"github.com/madoguchi/madoguchi/store"
)

// builder makes the entries of a new segment.
type builder struct {
	documents []byte // as stored
	count     int
	first     uint64 // generation
	last      uint64
	length    uint64
	lists     map[string]*postingsBuilder
	touched   []*postingsBuilder // by the document in hand
	key       []byte
	places    []byte // memory for those of a term in a document
}

// postingsBuilder makes the postings of a term.
type postingsBuilder struct {
	encoded   []byte
	last      int      // ordinal
	positions []uint32 // in the document in hand
}

func newBuilder() *builder { return &builder{lists: map[string]*postingsBuilder{}} }

// add appends a document; generations ascend.
func (b *builder) add(d *document, generation uint64) {
	var next [fieldCount]uint32
	length := 0
	for _, part := range d.texts {
		base := next[part.field]
		tokenize(part.text, func(text []byte, t token) bool {
			b.occurs(text, part.field, base+t.position)
			next[part.field] = base + t.position + breakDistance
			length++
			return true
		})
	}
	for _, fact := range d.facts { // here a key must only stay a key: names of tags and addresses are bounded elsewhere
		b.occurs([]byte(bound(fact, 1024)), fieldFact, 0)
	}
	for _, list := range b.touched {
		b.places = appendPlaces(b.places[:0], list.positions)
		list.encoded = appendPosting(list.encoded, b.count-list.last, b.places)
		list.last, list.positions = b.count, list.positions[:0]
	}
	b.touched = b.touched[:0]
	b.addRecord(documentRecord{generation: generation, ticket: d.ticket, at: seconds(d.at.Unix()), length: uint64(length), piece: d.piece})
}

// occurs notes where a term stands in the document in hand.
func (b *builder) occurs(term []byte, f field, position uint32) {
	b.key = appendTermKey(b.key[:0], term, f)
	list := b.lists[string(b.key)]
	if list == nil {
		list = &postingsBuilder{last: -1}
		b.lists[string(b.key)] = list
	}
	if len(list.positions) == 0 {
		b.touched = append(b.touched, list)
	}
	list.positions = append(list.positions, position)
}

func (b *builder) addRecord(r documentRecord) {
	if b.count == 0 {
		b.first, b.last = r.generation, r.generation
	}
	b.documents = r.append(b.documents, b.last)
	b.last = r.generation
	b.length += r.length
	b.count++
}

// seconds bounds a time to what a document holds.
func seconds(unix int64) uint32 { return uint32(min(max(unix, 1), math.MaxUint32)) }

// pack returns what is to be stored of the segment, nothing where it has no document.
func (b *builder) pack(epoch, segment uint32) []store.Entry {
	if b.count == 0 {
		return nil
	}
	w := blockWriter{epoch: epoch, segment: segment}
	for _, key := range slices.Sorted(maps.Keys(b.lists)) {
		w.add([]byte(key), b.lists[key].encoded)
	}
	w.end()
	return append(w.entries, store.Entry{Key: segmentKey(epoch, kindDocuments, segment), Value: b.documents})
}

func (b *builder) info(segment uint32) segmentInfo {
	return segmentInfo{ID: segment, First: b.first, Last: b.last, Documents: b.count, Length: b.length}
}

// documentRecord is a document as its segment lists it.
type documentRecord struct {
	generation uint64
	ticket     uint64
	at         uint32 // Unix seconds
	length     uint64 // tokens
	piece      string
}

func (r documentRecord) append(to []byte, before uint64) []byte {
	to = binary.AppendUvarint(to, r.generation-before)
	to = binary.AppendUvarint(to, r.ticket)
	to = binary.AppendUvarint(to, uint64(r.at))
	to = binary.AppendUvarint(to, r.length)
	to = binary.AppendUvarint(to, uint64(len(r.piece)))
	return append(to, r.piece...)
}

// segment is the list of a segment's documents in memory; it never changes. What was counted
// in it is kept beside.
type segment struct {
	epoch       uint32
	id          uint32
	generations []uint32 // above first
	first       uint64
	tickets     []uint32
	at          []uint32
	lengths     []uint16
	kinds       []byte   // first bytes of the pieces
	offsets     []uint32 // of each record in the stored list
	counts      wordCounts
}

var errDocuments = fmt.Errorf("documents of a search segment: %w", store.ErrCorrupt)

func readSegment(r store.Reader, epoch uint32, info segmentInfo) (*segment, error) {
	value, err := r.Get(segmentKey(epoch, kindDocuments, info.ID))
	if err != nil {
		return nil, fmt.Errorf("search segment %d: %w", info.ID, err)
	}
	s := &segment{epoch: epoch, id: info.ID, first: info.First}
	before := info.First
	for offset := 0; offset < len(value); {
		record, size := decodeRecord(value[offset:], before)
		if size == 0 || record.piece == "" || record.generation-info.First > math.MaxUint32 || record.ticket > math.MaxUint32 {
			return nil, fmt.Errorf("%w: segment %d at byte %d", errDocuments, info.ID, offset)
		}
		before = record.generation
		s.generations = append(s.generations, uint32(record.generation-info.First))
		s.tickets = append(s.tickets, uint32(record.ticket))
		s.at = append(s.at, record.at)
		s.lengths = append(s.lengths, uint16(min(record.length, math.MaxUint16)))
		s.kinds = append(s.kinds, record.piece[0])
		s.offsets = append(s.offsets, uint32(offset))
		offset += size
	}
	if len(s.tickets) != info.Documents {
		return nil, fmt.Errorf("%w: segment %d lists %d of %d", errDocuments, info.ID, len(s.tickets), info.Documents)
	}
	return s, nil
}

// decodeRecord returns a size of 0 for bytes that are no record.
func decodeRecord(data []byte, before uint64) (r documentRecord, size int) {
	var values [5]uint64
	for i := range values {
		v, n := binary.Uvarint(data[size:])
		if n <= 0 {
			return r, 0
		}
		values[i] = v
		size += n
	}
	if uint64(len(data)-size) < values[4] || values[2] > math.MaxUint32 {
		return r, 0
	}
	end := size + int(values[4])
	return documentRecord{generation: before + values[0], ticket: values[1], at: uint32(values[2]), length: values[3], piece: string(data[size:end])}, end
}

// record reads the whole record of a document.
func (s *segment) record(r store.Reader, ordinal uint32) (documentRecord, error) {
	value, err := r.Get(segmentKey(s.epoch, kindDocuments, s.id))
	if err != nil {
		return documentRecord{}, err
	}
	before := s.first
	if ordinal > 0 {
		before += uint64(s.generations[ordinal-1])
	}
	record, size := decodeRecord(value[s.offsets[ordinal]:], before)
	if size == 0 {
		return record, errDocuments
	}
	return record, nil
}

// ordinal finds the document of a generation.
func (s *segment) ordinal(generation uint64) (int, bool) {
	wanted := uint32(generation - s.first)
	i := sort.Search(len(s.generations), func(i int) bool { return s.generations[i] >= wanted })
	return i, i < len(s.generations) && s.generations[i] == wanted
}

// deadSet has a bit for each document of a segment.
type deadSet []byte

func readDead(r store.Reader, epoch uint32, info segmentInfo) (deadSet, error) {
	value, err := r.Get(segmentKey(epoch, kindDead, info.ID))
	if errors.Is(err, store.ErrNotFound) {
		value, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	dead := make(deadSet, (info.Documents+7)/8)
	copy(dead, value)
	return dead, nil
}

func (d deadSet) has(ordinal uint32) bool { return d[ordinal/8]&(1<<(ordinal%8)) != 0 }
func (d deadSet) set(ordinal uint32)      { d[ordinal/8] |= 1 << (ordinal % 8) }

// A posting is one occurrence of a term: the document's ordinal in its segment,
// and below it the position within the field.
type posting uint64

func (p posting) ordinal() uint32 { return uint32(p >> 32) }

// decodePostings appends the occurrences in value, in order.
func decodePostings(to []posting, value []byte) ([]posting, error) {
	ordinal := -1
	for len(value) > 0 {
		delta, encoded, rest := splitPosting(value)
		if delta == 0 || len(encoded) == 0 {
			return to, errPostings
		}
		value = rest
		if ordinal += int(delta); ordinal > math.MaxInt32 {
			return to, errPostings
		}
		places := placesReader{encoded: encoded}
		for places.next() {
			to = append(to, posting(uint64(ordinal)<<32|uint64(places.place)))
		}
		if len(places.encoded) > 0 {
			return to, errPostings
		}
	}
	return to, nil
}

var errPostings = fmt.Errorf("postings of a search segment: %w", store.ErrCorrupt)
