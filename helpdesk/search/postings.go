package search

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// postingsReader goes through one list of postings, document by document. A common word's
// list has a million documents, and most are only passed: a posting says how many bytes its
// places take, so that they are stepped over without being looked at.
type postingsReader struct {
	data      []byte
	from, at  int // of the places in the document in hand, and where the next posting begins
	documents int // that the segment has

	ordinal uint32 // of the document in hand
	err     error
}

func readPostings(data []byte, documents int) postingsReader {
	return postingsReader{data: data, documents: documents, ordinal: math.MaxUint32}
}

// next goes on to the next document; false at the end and after an error.
func (p *postingsReader) next() bool { return p.advance(p.ordinal + 1) }

// advance goes on by at least one document, to the first that is not before least; false at
// the end and after an error.
func (p *postingsReader) advance(least uint32) bool {
	data, at, ordinal := p.data, p.at, p.ordinal
	for {
		if at+2 <= len(data) {
			head := binary.LittleEndian.Uint16(data[at:])
			if delta := uint32(head & 0xff); head&0x8080 == 0 && delta != 0 { // a byte each, as in nearly all of a long list
				from := at + 2
				at = from + int(head>>8)
				if ordinal += delta; ordinal < least {
					continue
				}
				p.from, p.at, p.ordinal = from, at, ordinal
				if int(ordinal) >= p.documents || at > len(data) {
					p.err = errPostings
				}
				return p.err == nil
			}
		}
		p.at, p.ordinal = at, ordinal
		if !p.step() {
			return false
		}
		if at, ordinal = p.at, p.ordinal; ordinal >= least {
			return true
		}
	}
}

// step goes on to the next document, whatever its numbers take.
func (p *postingsReader) step() bool {
	if p.at == len(p.data) || p.err != nil {
		return false
	}
	delta, places, rest := splitPosting(p.data[min(p.at, len(p.data)):])
	ordinal := uint64(p.ordinal+1) + delta - 1 // of the first, MaxUint32+1 is 0
	if delta == 0 || ordinal >= uint64(p.documents) {
		p.err = errPostings
		return false
	}
	p.at = len(p.data) - len(rest)
	p.ordinal, p.from = uint32(ordinal), p.at-len(places)
	return true
}

// splitPosting takes the first posting off a list: by how much its document's ordinal is higher
// than the one before, and its places as they are stored. The step is 0 where there is no posting.
func splitPosting(list []byte) (delta uint64, places, rest []byte) {
	delta, n := binary.Uvarint(list)
	if n <= 0 || delta > math.MaxInt32 {
		return 0, nil, nil
	}
	size, m := binary.Uvarint(list[n:])
	if from := n + m; m > 0 && size <= uint64(len(list)-from) {
		return delta, list[from : from+int(size)], list[from+int(size):]
	}
	return 0, nil, nil
}

// appendPosting appends the next posting to a list.
func appendPosting(to []byte, delta int, places []byte) []byte {
	to = binary.AppendUvarint(to, uint64(delta))
	to = binary.AppendUvarint(to, uint64(len(places)))
	return append(to, places...)
}

// appendPlaces appends positions as a posting has them: each as the step from the one before.
func appendPlaces(to []byte, positions []uint32) []byte {
	var before uint32
	for _, p := range positions {
		to = binary.AppendUvarint(to, uint64(p-before))
		before = p
	}
	return to
}

// encoded is where the term stands in the document in hand, as it is stored.
func (p *postingsReader) encoded() []byte { return p.data[p.from:p.at] }

// lastBytes has the highest bit of each byte of a word. A number's last byte has it not.
const lastBytes = 0x8080808080808080

// count is how often the term occurs in the document in hand.
func (p *postingsReader) count() (n uint32) {
	places := p.encoded()
	if len(places) <= 8 && p.from+8 <= len(p.data) {
		word := ^binary.LittleEndian.Uint64(p.data[p.from:]) & lastBytes
		return uint32(bits.OnesCount64(word << (64 - 8*len(places))))
	}
	for ; len(places) >= 8; places = places[8:] {
		n += uint32(bits.OnesCount64(^binary.LittleEndian.Uint64(places) & lastBytes))
	}
	for _, b := range places {
		n += uint32(b>>7 ^ 1)
	}
	return n
}

// placesReader goes through the places of a posting.
type placesReader struct {
	encoded []byte
	place   uint32
}

func (p *placesReader) next() bool {
	step, shift := uint32(0), 0
	for i, b := range p.encoded {
		step |= uint32(b&0x7f) << shift
		if b < 0x80 {
			p.place, p.encoded = p.place+step, p.encoded[i+1:]
			return true
		}
		shift += 7
	}
	return false
}
