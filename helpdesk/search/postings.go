package search

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// postingsReader goes through one list of postings, document by document, without
// unpacking where the term stands in those that nobody looks at. A common word's list
// has a million documents, so a posting is read eight bytes at once: those of a mail
// seldom have more.
type postingsReader struct {
	data      []byte
	from, at  int // of the places in the document in hand, and where the next posting begins
	documents int // that the segment has

	ordinal uint32 // of the document in hand
	count   uint32 // how often the term occurs in it
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
		if at+8 <= len(data) {
			word := binary.LittleEndian.Uint64(data[at:])
			delta, count := uint32(word&0x7f), word>>8&0x7f
			size := placesSize[min(count, maxQuick+1)][endings(word)]
			if word&0x8080 == 0 && delta != 0 && size != 0 {
				from := at + 2
				at = from + int(size)
				if ordinal += delta; ordinal < least {
					continue
				}
				p.from, p.at, p.ordinal, p.count = from, at, ordinal, uint32(count)
				if int(ordinal) >= p.documents {
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
	if p.at >= len(p.data) || p.err != nil {
		return false
	}
	delta, n := binary.Uvarint(p.data[p.at:])
	count, m := binary.Uvarint(p.data[p.at+max(n, 0):])
	ordinal := uint64(p.ordinal+1) + delta - 1 // of the first, MaxUint32+1 is 0
	if n <= 0 || m <= 0 || delta == 0 || ordinal >= uint64(p.documents) || count > uint64(len(p.data)) {
		p.err = errPostings
		return false
	}
	p.ordinal, p.count, p.from = uint32(ordinal), uint32(count), p.at+n+m
	if p.at = skip(p.data, p.from, int(count)); p.at < 0 {
		p.at, p.err = p.from, errPostings
	}
	return p.err == nil
}

// endings has a bit for each of the last six bytes of a word, set where a number ends there.
func endings(word uint64) uint64 {
	const together = 0x0102040810204080 // brings the lowest bits of all bytes into the highest byte
	return (^word >> 23 & 0x010101010101) * together >> 56
}

// maxQuick is how many places a posting can have that fits into eight bytes.
const maxQuick = 6

// placesSize is how many bytes the places of a posting take, by how many they are and
// by endings; 0 where that is more than six.
var placesSize = func() (sizes [maxQuick + 2][1 << maxQuick]uint8) {
	for count := 1; count <= maxQuick; count++ {
		for ends := range sizes[count] {
			if bits.OnesCount(uint(ends)) < count {
				continue
			}
			rest := ends
			for range count - 1 {
				rest &= rest - 1
			}
			sizes[count][ends] = uint8(bits.TrailingZeros(uint(rest)) + 1)
		}
	}
	return sizes
}()

// skip returns where n numbers end that begin at data[at]; -1 where there are fewer.
func skip(data []byte, at, n int) int {
	for n > 0 && at+8 <= len(data) {
		ends := ^binary.LittleEndian.Uint64(data[at:]) & 0x8080808080808080
		if here := bits.OnesCount64(ends); here < n {
			at, n = at+8, n-here
			continue
		}
		for ; n > 1; n-- {
			ends &= ends - 1
		}
		return at + bits.TrailingZeros64(ends)/8 + 1
	}
	for ; n > 0; at++ {
		if at >= len(data) {
			return -1
		}
		if data[at] < 0x80 {
			n--
		}
	}
	return at
}

// encoded is where the term stands in the document in hand, as it is stored.
func (p *postingsReader) encoded() []byte { return p.data[p.from:p.at] }

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
