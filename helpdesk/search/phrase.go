package search

import (
	"bytes"
	"math/bits"
	"slices"
)

// hit is a document that holds the words of a clause in one field, and how often.
type hit struct {
	ordinal uint32
	count   uint32
}

// tally is what one goroutine finds of the documents that hold the words of a clause.
type tally struct {
	words     *wordHits
	digest    uint64    // of the clause
	not       bool      // the clause puts tickets out
	found     ticketSet // that fulfil the clauses before; only these matter
	fulfilled ticketSet // of which a document holds the words

	// counting is for all documents that hold the words, those of other tickets too.
	counting  bool
	documents int

	hits  []hit  // of the tickets that matter
	kept  *[]hit // what becomes of them
	parts []fieldHits
	sums  termSums // memory, empty between segments
}

// matching finds the documents of a segment that hold tokens side by side in a field.
type matching struct {
	*tally
	lists     [][][]byte // of each token, of each of its terms
	distances []uint32   // of each token from the first
	segment   *segment
	dead      deadSet
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

// matters tells whether it is to be known if a document holds the words.
func (m *matching) matters(ordinal uint32) bool {
	return (m.counting || m.found.has(m.segment.tickets[ordinal])) && !m.dead.has(ordinal)
}

// add counts a document that holds the words, and keeps it if its ticket matters.
func (m *matching) add(ordinal, count uint32) {
	if m.dead.has(ordinal) {
		return
	}
	m.documents++
	ticket := m.segment.tickets[ordinal]
	if !m.found.has(ticket) {
		return
	}
	m.fulfilled.add(ticket)
	if !m.not {
		m.hits = append(m.hits, hit{ordinal, count})
	}
}

func (m *matching) matchTerm(list []byte) error {
	p := readPostings(list, len(m.segment.tickets))
	for p.next() {
		m.add(p.ordinal, p.count)
	}
	return p.err
}

// matchTerms adds up how often any of the terms occurs.
func (m *matching) matchTerms(lists [][]byte) error {
	sums := m.sums.of(len(m.segment.tickets))
	for _, list := range lists {
		p := readPostings(list, len(m.segment.tickets))
		for p.next() {
			sums.counts[p.ordinal] += p.count
			sums.held[p.ordinal/64] |= 1 << (p.ordinal % 64)
		}
		if p.err != nil {
			return p.err
		}
	}
	for i, word := range sums.held {
		for ; word != 0; word &= word - 1 {
			ordinal := uint32(i*64 + bits.TrailingZeros64(word))
			m.add(ordinal, sums.counts[ordinal])
		}
	}
	sums.clear()
	return nil
}

// termSums are how often terms occur in the documents of a segment together.
type termSums struct {
	counts []uint32
	held   []uint64 // a bit for each document that has one
}

// of returns s with room for so many documents.
func (s *termSums) of(documents int) *termSums {
	s.counts = slices.Grow(s.counts[:0], documents)[:documents]
	s.held = slices.Grow(s.held[:0], (documents+63)/64)[:(documents+63)/64]
	return s
}

// clear forgets what is held; there is little of it, as a rule.
func (s *termSums) clear() {
	for i, word := range s.held {
		for ; word != 0; word &= word - 1 {
			s.counts[i*64+bits.TrailingZeros64(word)] = 0
		}
		s.held[i] = 0
	}
}

// matchPhrase goes through the lists of all tokens at once.
func (m *matching) matchPhrase() error {
	readers := make([]postingsReader, len(m.lists))
	for i, terms := range m.lists {
		readers[i] = readPostings(terms[0], len(m.segment.tickets))
		if !readers[i].next() {
			return readers[i].err
		}
	}
	phrase := phraseCounter{readers: readers, distances: m.distances}
	for at, agreed := uint32(0), 0; ; at, agreed = at+1, 0 {
		for i := 0; agreed < len(readers); i++ {
			if i == len(readers) {
				i = 0
			}
			p := &readers[i]
			if p.ordinal < at && !p.advance(at) {
				return p.err
			}
			if agreed++; p.ordinal > at {
				at, agreed = p.ordinal, 1
			}
		}
		if m.matters(at) {
			if count := phrase.count(); count > 0 {
				m.add(at, count)
			}
		}
	}
}

// phraseCounter counts how often terms stand side by side in a document.
type phraseCounter struct {
	readers   []postingsReader // all at the same document
	distances []uint32         // of each term from the first
	kept      []uint32
}

func (c *phraseCounter) count() uint32 {
	first, rarest, together := &c.readers[0], 0, true
	for i := 1; i < len(c.readers); i++ {
		p := &c.readers[i]
		together = together && alwaysBeside(first, p, c.distances[i])
		if p.count < c.readers[rarest].count {
			rarest = i
		}
	}
	if together {
		return first.count
	}
	c.kept = c.kept[:0]
	for p := (placesReader{encoded: c.readers[rarest].encoded()}); p.next(); {
		if p.place >= c.distances[rarest] {
			c.kept = append(c.kept, p.place-c.distances[rarest])
		}
	}
	for i := range c.readers {
		if i != rarest && len(c.kept) > 0 {
			c.kept = keepBeside(c.kept, c.readers[i].encoded(), c.distances[i])
		}
	}
	return uint32(len(c.kept))
}

// alwaysBeside tells of most documents in which b follows at a distance wherever a stands
// that it does so: the steps from one place to the next are then the same.
func alwaysBeside(a, b *postingsReader, distance uint32) bool {
	if a.count != b.count {
		return false
	}
	x, y := placesReader{encoded: a.encoded()}, placesReader{encoded: b.encoded()}
	return x.next() && y.next() && x.place+distance == y.place && (a.count == 1 || bytes.Equal(x.encoded, y.encoded))
}

// keepBeside keeps the places that have one of the others at a distance.
func keepBeside(places []uint32, others []byte, distance uint32) []uint32 {
	kept, other := places[:0], placesReader{encoded: others}
	if !other.next() {
		return kept
	}
	for _, place := range places {
		for other.place < place+distance {
			if !other.next() {
				return kept
			}
		}
		if other.place == place+distance {
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
		if int(ordinal) >= len(m.segment.tickets) {
			return errPostings
		}
		for ; i < len(kept) && kept[i].ordinal() == ordinal; i++ {
			count++
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
