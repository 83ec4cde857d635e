package similar

import (
	"math"
	"slices"
)

// cluster groups vectors: on average, the members of a group are at least as
// alike as the returned score, which is at least least. Groups of one are left
// out; the largest comes first.
//
// It is average linkage by chains of nearest neighbours (Murtagh, 1983): time
// and memory grow with the square of the number of vectors, which the caller
// bounds. The order of the vectors decides between equals, so the same vectors
// give the same groups.
func cluster(list []vector, least float32) (groups [][]int, enough float32) {
	if len(list) < 2 {
		return nil, least
	}
	c := newLinkage(list)
	pairs := slices.Clone(c.scores)
	c.link()
	enough = c.cut(pairs, least)
	return c.groups(enough), enough
}

// linkage is a matrix of how alike groups are; a group that was taken into
// another is no longer there.
type linkage struct {
	n      int
	scores []float32
	size   []int
	gone   []bool
	merges []merging
}

type merging struct {
	into, from int
	score      float32
}

func newLinkage(list []vector) *linkage {
	c := &linkage{n: len(list), scores: make([]float32, len(list)*len(list)), size: make([]int, len(list)), gone: make([]bool, len(list))}
	for i, v := range list {
		c.size[i] = 1
		for j := range i {
			score := product(v, list[j])
			c.scores[i*c.n+j], c.scores[j*c.n+i] = score, score
		}
	}
	return c
}

// product is the cosine of two vectors.
func product(a, b vector) float32 {
	var sum int32
	for i, s := range a.steps {
		sum += int32(s) * int32(b.steps[i])
	}
	return float32(sum) * a.step * b.step
}

// link merges until one group is left, along chains in which each is the nearest
// of the one before.
func (c *linkage) link() {
	var chain []int
	for left := c.n; left > 1; {
		if len(chain) == 0 {
			chain = append(chain, slices.Index(c.gone, false))
		}
		top := chain[len(chain)-1]
		before := -1
		if len(chain) > 1 {
			before = chain[len(chain)-2]
		}
		next := c.nearest(top, before)
		if next != before {
			chain = append(chain, next)
			continue
		}
		c.merge(min(top, next), max(top, next))
		chain = chain[:len(chain)-2]
		left--
	}
}

// nearest is the group most like i; preferred where others are no more so.
func (c *linkage) nearest(i, preferred int) int {
	best, score := preferred, float32(math.Inf(-1))
	if preferred >= 0 {
		score = c.scores[i*c.n+preferred]
	}
	for j := range c.n {
		if j != i && !c.gone[j] && c.scores[i*c.n+j] > score {
			best, score = j, c.scores[i*c.n+j]
		}
	}
	return best
}

func (c *linkage) merge(into, from int) {
	c.merges = append(c.merges, merging{into, from, c.scores[into*c.n+from]})
	a, b := float32(c.size[into]), float32(c.size[from])
	for j := range c.n {
		if j == into || j == from || c.gone[j] {
			continue
		}
		score := (a*c.scores[into*c.n+j] + b*c.scores[from*c.n+j]) / (a + b)
		c.scores[into*c.n+j], c.scores[j*c.n+into] = score, score
	}
	c.size[into] += c.size[from]
	c.gone[from] = true
}

// groups are what the merges that are alike enough give. With average linkage no
// merge is above one that is less alike, so each can be looked at by itself.
func (c *linkage) groups(enough float32) [][]int {
	parent := make([]int, c.n)
	for i := range parent {
		parent[i] = i
	}
	var root func(int) int
	root = func(i int) int {
		if parent[i] != i {
			parent[i] = root(parent[i])
		}
		return parent[i]
	}
	for _, m := range c.merges {
		if m.score >= enough {
			parent[root(m.from)] = root(m.into)
		}
	}
	members := map[int][]int{}
	for i := range c.n {
		members[root(i)] = append(members[root(i)], i)
	}
	var groups [][]int
	for i := range c.n {
		if list := members[i]; len(list) > 1 {
			groups = append(groups, list)
		}
	}
	slices.SortStableFunc(groups, func(a, b []int) int { return len(b) - len(a) })
	return groups
}

const (
	// candidates is how many ways to cut are compared.
	candidates = 32
	// broad is how good a cut is enough, of the best: mails from one form are so
	// alike that the best parts a topic by its wordings.
	broad = 0.5
)

// cut says from which score on groups are one: the lowest, of at least least, that
// parts the vectors well, by the mean silhouette (Rousseeuw, 1987). What is alike
// differs between models, and between languages; this asks only that groups are
// closer within than to each other.
func (c *linkage) cut(pairs []float32, least float32) float32 {
	var scores []float32
	for _, m := range c.merges {
		if m.score >= least {
			scores = append(scores, m.score)
		}
	}
	slices.Sort(scores)
	scores = slices.Compact(scores)
	n := min(candidates, len(scores))
	cuts, qualities := make([]float32, n), make([]float64, n)
	for i := range n {
		cuts[i] = scores[i*len(scores)/n]
		qualities[i] = c.silhouette(pairs, c.groups(cuts[i]))
	}
	for i, q := range qualities {
		if q > 0 && q >= broad*slices.Max(qualities) {
			return cuts[i]
		}
	}
	return least
}

// silhouette is, on average, how much nearer a vector is to its own group than to
// the nearest other, relative to the farther of them; 0 for one alone.
func (c *linkage) silhouette(pairs []float32, groups [][]int) float64 {
	label := make([]int, c.n) // 0: alone
	for g, members := range groups {
		for _, m := range members {
			label[m] = g + 1
		}
	}
	sum, sums := 0.0, make([]float64, len(groups)+1)
	for i := range c.n {
		if label[i] == 0 {
			continue
		}
		clear(sums)
		nearest := math.Inf(1) // of those that are alone too
		for j := range c.n {
			apart := 1 - float64(pairs[i*c.n+j])
			if j != i {
				sums[label[j]] += apart
				if label[j] == 0 {
					nearest = min(nearest, apart)
				}
			}
		}
		own := sums[label[i]] / float64(len(groups[label[i]-1])-1)
		for g, members := range groups {
			if g+1 != label[i] {
				nearest = min(nearest, sums[g+1]/float64(len(members)))
			}
		}
		if most := max(own, nearest); most > 0 && !math.IsInf(most, 1) { // one group of all parts nothing
			sum += (nearest - own) / most
		}
	}
	return sum / float64(c.n)
}
