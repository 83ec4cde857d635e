package similar

import (
	"math"
	"slices"
)

// A topic rises where there are clearly more tickets than in the weeks before.
const (
	risingLeast  = 5    // tickets in the week
	risingTimes  = 1.5  // as many as usual
	risingChance = 0.01 // of all topics that are said to rise, how many may by chance
)

// chanceOf is how often chance alone would put at least now of all tickets into
// the week, if weeks were alike: a binomial test of now against the sum of the
// weeks before. Where those weeks differ more than chance would let them, all
// counts weigh less by as much (a quasi-Poisson dispersion), since such a topic
// comes in waves. It is 1 where there is nothing to compare with.
func chanceOf(now int, before []int) float64 {
	if len(before) == 0 || now == 0 {
		return 1
	}
	sum := 0
	for _, n := range before {
		sum += n
	}
	waves := 1.0
	if mean := float64(sum) / float64(len(before)); len(before) > 2 && mean > 0 {
		var squares float64
		for _, n := range before {
			squares += (float64(n) - mean) * (float64(n) - mean)
		}
		waves = max(1, squares/float64(len(before)-1)/mean)
	}
	x, y := int(float64(now)/waves), int(math.Ceil(float64(sum)/waves))
	return tail(x, x+y, 1/float64(1+len(before)))
}

// tail is the chance of at least k of n, each with chance p.
func tail(k, n int, p float64) (sum float64) {
	if k <= 0 {
		return 1
	}
	of := func(n int) float64 { v, _ := math.Lgamma(float64(n) + 1); return v }
	for i := k; i <= n; i++ {
		sum += math.Exp(of(n) - of(i) - of(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}

// discoveries tells which of several tests to believe, so that of those believed
// at most a share of risingChance is chance (Benjamini and Hochberg, 1995).
func discoveries(chances []float64) []bool {
	sorted := slices.Sorted(slices.Values(chances))
	limit := -1.0
	for i, c := range sorted {
		if c <= risingChance*float64(i+1)/float64(len(sorted)) {
			limit = c
		}
	}
	believed := make([]bool, len(chances))
	for i, c := range chances {
		believed[i] = c <= limit
	}
	return believed
}
