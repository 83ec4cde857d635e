package search

import (
	"cmp"
	"encoding/binary"
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
		m.add(p.ordinal, p.count())
	}
	return p.err
}

// matchTerms adds up how often any of the terms occurs.
func (m *matching) matchTerms(lists [][]byte) error {
	sums := m.sums.of(len(m.segment.tickets))
	for _, list := range lists {
		p := readPostings(list, len(m.segment.tickets))
		for p.next() {
			sums.counts[p.ordinal] += p.count()
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

// matchPhrase goes through the shortest list, and in the others to the documents of it that
// matter.
func (m *matching) matchPhrase() error {
	phrase := phraseCounter{terms: make([]phraseTerm, len(m.lists))}
	for i, terms := range m.lists {
		phrase.terms[i] = phraseTerm{readPostings(terms[0], len(m.segment.tickets)), m.distances[i]}
	}
	slices.SortFunc(phrase.terms, func(a, b phraseTerm) int { return cmp.Compare(len(a.data), len(b.data)) })
	for i := range phrase.terms {
		if p := &phrase.terms[i]; !p.next() {
			return p.err
		}
	}
	shortest, others := &phrase.terms[0], phrase.terms[1:]
	for more := true; more; {
		at := shortest.ordinal
		least, agreed := at+1, m.matters(at)
		for i := 0; i < len(others) && agreed; i++ {
			p := &others[i]
			if p.ordinal < at && !p.advance(at) {
				return p.err
			}
			agreed, least = p.ordinal == at, max(least, p.ordinal)
		}
		if agreed {
			if count := phrase.count(); count > 0 {
				m.add(at, count)
			}
		}
		more = shortest.advance(least)
	}
	return shortest.err
}

// phraseTerm is a term of a phrase.
type phraseTerm struct {
	postingsReader
	distance uint32 // from the first of the phrase
}

// phraseCounter counts how often terms stand side by side in a document.
type phraseCounter struct {
	terms []phraseTerm // all at the same document
	kept  []uint32     // memory for where the phrase may begin
}

func (c *phraseCounter) count() uint32 {
	rarest := &c.terms[0]
	for i := range c.terms {
		if p := &c.terms[i]; p.at-p.from < rarest.at-rarest.from {
			rarest = p
		}
	}
	c.kept = rarest.beginnings(c.kept[:0])
	for i := 0; i < len(c.terms) && len(c.kept) > 0; i++ {
		if p := &c.terms[i]; p != rarest {
			c.kept = p.keep(c.kept)
		}
	}
	return uint32(len(c.kept))
}

// beginnings appends where a phrase may begin that has the term in the document in hand.
func (t *phraseTerm) beginnings(to []uint32) []uint32 {
	for p := (placesReader{encoded: t.encoded()}); p.next(); {
		if p.place >= t.distance {
			to = append(to, p.place-t.distance)
		}
	}
	return to
}

// keep keeps the beginnings, in order, from which the term stands at its distance. Where it
// stands is nearly always told in steps of one byte or two: these are read without a branch, as
// which of them it is cannot be foreseen.
func (t *phraseTerm) keep(beginnings []uint32) []uint32 {
	kept, data, at, place := beginnings[:0], t.data, t.from, uint32(0)
	for i := 0; i < len(beginnings); {
		if wanted := beginnings[i] + t.distance; at > t.from && place >= wanted {
			if place == wanted {
				kept = append(kept, beginnings[i])
			}
			i++
			continue
		}
		if at >= t.at {
			break
		}
		if at+2 <= len(data) {
			if word := uint32(binary.LittleEndian.Uint16(data[at:])); word&0x8080 != 0x8080 {
				long := word >> 7 & 1
				place, at = place+(word&0x7f|word>>1&(long*0x3f80)), at+1+int(long)
				continue
			}
		}
		step, n := binary.Uvarint(data[at:t.at])
		if n <= 0 {
			break
		}
		place, at = place+uint32(step), at+n
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
