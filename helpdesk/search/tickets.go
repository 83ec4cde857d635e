package search

import (
	"iter"
	"math/bits"
)

// ticketSet has a bit for each ticket, by number.
type ticketSet []uint64

func newTicketSet(tickets int) ticketSet { return make(ticketSet, (tickets+63)/64) }

func (s ticketSet) has(ticket uint32) bool { return s[ticket/64]&(1<<(ticket%64)) != 0 }
func (s ticketSet) add(ticket uint32)      { s[ticket/64] |= 1 << (ticket % 64) }

func (s ticketSet) empty() bool {
	for _, word := range s {
		if word != 0 {
			return false
		}
	}
	return true
}

// addAll adds the tickets of another set of the same size.
func (s ticketSet) addAll(other ticketSet) {
	for i := range s {
		s[i] |= other[i]
	}
}

// keep takes out the tickets that are not in another set of the same size, or those that are.
func (s ticketSet) keep(other ticketSet, not bool) {
	for i := range s {
		if not {
			s[i] &^= other[i]
		} else {
			s[i] &= other[i]
		}
	}
}

// all yields the tickets by number.
func (s ticketSet) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(uint32(i*64 + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}
