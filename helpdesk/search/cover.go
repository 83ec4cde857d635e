package search

import "slices"

// cover chooses the tokens that have to be looked at to tell that all stand side by side,
// such that their lists have the fewest bytes. Of a run's pairs of characters no two
// neighbours may be left out: each character is then in one that is looked at, and those
// that remain can stand only in one run (see [token]).
func cover(tokens []queryToken, bytes []int) []int {
	least := make([]int, len(tokens))  // bytes of the lists up to this one, if it is looked at
	before := make([]int, len(tokens)) // which one is looked at before it, -1 for none
	for i := range tokens {
		least[i], before[i] = bytes[i], i-1
		if i == 0 {
			continue
		}
		if i > 1 && tokens[i].goesOn && tokens[i-1].goesOn && least[i-2] <= least[i-1] {
			before[i] = i - 2
		}
		least[i] += least[before[i]]
	}
	var chosen []int
	for i := len(tokens) - 1; i >= 0; i = before[i] {
		chosen = append(chosen, i)
	}
	slices.Reverse(chosen)
	return chosen
}
