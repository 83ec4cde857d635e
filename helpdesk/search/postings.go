package search

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sync"
)

// postingsReader goes through one list of postings, document by document, without
// unpacking the positions of those that nobody looks at.
type postingsReader struct {
	data      []byte
	at        int
	documents int // that the segment has
	positions int // of the document in hand that were not read yet

	ordinal uint32 // of the document in hand
	count   uint32 // how often the term occurs in it
	err     error
}

func readPostings(data []byte, documents int) postingsReader {
	return postingsReader{data: data, documents: documents, ordinal: math.MaxUint32}
}

// next goes on to the next document; false at the end and after an error.
func (p *postingsReader) next() bool {
	p.skip()
	if p.at >= len(p.data) || p.err != nil {
		if p.at > len(p.data) {
			p.err = errPostings
		}
		return false
	}
	delta, count := p.varint(), p.varint()
	ordinal := uint64(p.ordinal+1) + delta - 1 // of the first, MaxUint32+1 is 0
	if p.err != nil || delta == 0 || ordinal >= uint64(p.documents) || count > uint64(len(p.data)) {
		p.err = errPostings
		return false
	}
	p.ordinal, p.count, p.positions = uint32(ordinal), uint32(min(count, math.MaxUint16-1)), int(count)
	return true
}

// skip passes over the positions that were not read yet, and returns them encoded.
func (p *postingsReader) skip() []byte {
	from := min(p.at, len(p.data))
	for ; p.positions > 0; p.positions-- {
		for p.at < len(p.data) && p.data[p.at] >= 0x80 {
			p.at++
		}
		p.at++
	}
	return p.data[from:min(p.at, len(p.data))]
}

func (p *postingsReader) varint() uint64 {
	if p.at < len(p.data) && p.data[p.at] < 0x80 {
		p.at++
		return uint64(p.data[p.at-1])
	}
	v, n := binary.Uvarint(p.data[min(p.at, len(p.data)):])
	if n <= 0 {
		p.err = errPostings
		return 0
	}
	p.at += n
	return v
}

// places appends where the term stands in the document in hand.
func (p *postingsReader) places(to []uint32) []uint32 {
	var place uint64
	for ; p.positions > 0 && p.err == nil; p.positions-- {
		place += p.varint()
		to = append(to, uint32(place))
	}
	return to
}

// matching finds the documents of a segment that hold tokens side by side in a field.
type matching struct {
	lists     [][][]byte // of each token, of each of its terms
	distances []uint32   // of each token from the first
	dead      deadSet
	documents int
	hits      []hit // those found are appended, by ordinal
}

func (m *matching) match() error {
	single := !slices.ContainsFunc(m.lists, func(terms [][]byte) bool { return len(terms) != 1 })
	switch {
	case slices.ContainsFunc(m.lists, func(terms [][]byte) bool { return len(terms) == 0 }):
		return nil
	case len(m.lists) == 1 && single:
		return m.matchTerm(m.lists[0][0])
	case len(m.lists) == 1:
		return m.matchTerms(m.lists[0])
	case single:
		return m.matchPhrase()
	}
	return m.matchPhraseOfTerms()
}

func (m *matching) add(ordinal, count uint32) {
	if !m.dead.has(ordinal) {
		m.hits = append(m.hits, hit{ordinal, count})
	}
}

func (m *matching) matchTerm(list []byte) error {
	p := readPostings(list, m.documents)
	for p.next() {
		m.add(p.ordinal, p.count)
	}
	return p.err
}

// matchTerms adds up how often any of the terms occurs.
func (m *matching) matchTerms(lists [][]byte) error {
	counts, held := make([]uint32, m.documents), make([]uint64, (m.documents+63)/64)
	for _, list := range lists {
		p := readPostings(list, m.documents)
		for p.next() {
			counts[p.ordinal] += p.count
			held[p.ordinal/64] |= 1 << (p.ordinal % 64)
		}
		if p.err != nil {
			return p.err
		}
	}
	for i, word := range held {
		for ; word != 0; word &= word - 1 {
			ordinal := uint32(i*64 + bits.TrailingZeros64(word))
			m.add(ordinal, min(counts[ordinal], math.MaxUint16-1))
		}
	}
	return nil
}

// matchPhrase goes through the lists of all tokens at once.
func (m *matching) matchPhrase() error {
	readers := make([]postingsReader, len(m.lists))
	for i, terms := range m.lists {
		readers[i] = readPostings(terms[0], m.documents)
		if !readers[i].next() {
			return readers[i].err
		}
	}
	var kept, more []uint32
	for {
		highest, together := readers[0].ordinal, true
		for i := range readers[1:] {
			together = together && readers[i+1].ordinal == readers[0].ordinal
			highest = max(highest, readers[i+1].ordinal)
		}
		if together {
			kept = readers[0].places(kept[:0])
			for i := 1; i < len(readers) && len(kept) > 0; i++ {
				more = readers[i].places(more[:0])
				kept = beside(kept, more, m.distances[i])
			}
			if len(kept) > 0 {
				m.add(highest, uint32(min(len(kept), math.MaxUint16-1)))
			}
			highest++
		}
		for i := range readers {
			for readers[i].ordinal < highest {
				if !readers[i].next() {
					return readers[i].err
				}
			}
		}
	}
}

// beside keeps the places in a that have one in b at a distance. It reuses the memory
// of a.
func beside(a, b []uint32, distance uint32) []uint32 {
	kept := a[:0]
	j := 0
	for _, place := range a {
		for j < len(b) && b[j] < place+distance {
			j++
		}
		if j == len(b) {
			break
		}
		if b[j] == place+distance {
			kept = append(kept, place)
		}
	}
	return kept
}

// matchPhraseOfTerms is for phrases with a token that stands for several terms: their
// occurrences are put in order first.
func (m *matching) matchPhraseOfTerms() error {
	var kept []posting
	for n, terms := range m.lists {
		var all []posting
		for _, list := range terms {
			var err error
			if all, err = decodePostings(all, list); err != nil {
				return err
			}
		}
		if len(terms) > 1 {
			slices.Sort(all)
		}
		if n == 0 {
			kept = all
		} else {
			kept = adjacent(kept, all, posting(m.distances[n]))
		}
	}
	for i := 0; i < len(kept); {
		ordinal, count := kept[i].ordinal(), uint32(0)
		if int(ordinal) >= m.documents {
			return errPostings
		}
		for ; i < len(kept) && kept[i].ordinal() == ordinal; i++ {
			count = min(count+1, math.MaxUint16-1)
		}
		m.add(ordinal, count)
	}
	return nil
}

// adjacent keeps the occurrences in a that have one in b at a distance. It
// reuses the memory of a.
func adjacent(a, b []posting, distance posting) []posting {
	kept := a[:0]
	j := 0
	for _, p := range a {
		for j < len(b) && b[j] < p+distance {
			j++
		}
		if j == len(b) {
			break
		}
		if b[j] == p+distance {
			kept = append(kept, p)
		}
	}
	return kept
}

// spareHits keeps the memory of hits between searches: those of a common word take
// some MiB.
type spareHits struct{ pool sync.Pool }

func (s *spareHits) take() *[]hit {
	if kept, ok := s.pool.Get().(*[]hit); ok {
		*kept = (*kept)[:0]
		return kept
	}
	return new([]hit)
}

func (s *spareHits) giveBack(found []*clauseHits) {
	for _, f := range found {
		s.pool.Put(f.hits)
	}
}
