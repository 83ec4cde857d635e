package similar

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/madoguchi/madoguchi/store"
)

// hit is a message whose vector is near one that was asked for.
type hit struct {
	message    string
	generation uint64
	score      float32 // cosine, -1 to 1
}

// spread describes the scores of all vectors: what is near depends on the model.
type spread struct {
	n            int
	sum, squares float64
}

func (s *spread) add(score float64) {
	s.n++
	s.sum += score
	s.squares += score * score
}

func (s *spread) join(o spread) {
	s.n, s.sum, s.squares = s.n+o.n, s.sum+o.sum, s.squares+o.squares
}

// enough says from which score on a vector is near: well above what any two
// messages have in common, which some models put at 0.1 and some at 0.7.
func (s spread) enough() float32 {
	const few, ofFew, least, most, deviations = 100, 0.5, 0.3, 0.9, 2.5
	if s.n < few {
		return ofFew
	}
	mean := s.sum / float64(s.n)
	deviation := math.Sqrt(max(s.squares/float64(s.n)-mean*mean, 0))
	return float32(min(max(mean+deviations*deviation, least), most))
}

// A scan is parted among processors where it is long.
const (
	scanParts    = 4
	vectorsAPart = 4096
)

// nearest compares with every vector of a space, and returns the keep nearest to
// any of the queries, best first.
func (ix *Index) nearest(ctx context.Context, s *space, queries []vector, keep int) ([]hit, spread, error) {
	parts := max(1, min(scanParts, runtime.GOMAXPROCS(0), int(s.Generation/vectorsAPart)))
	found, spreads := make([][]hit, parts), make([]spread, parts)
	group, scanning := errgroup.WithContext(ctx)
	for i := range parts {
		rng := store.Range{Start: segmentKey(s.ID, uint64(i)*s.Generation/uint64(parts)), End: segmentKey(s.ID, uint64(i+1)*s.Generation/uint64(parts))}
		if i == parts-1 {
			rng.End = kindKey(s.ID, kindSegment+1)
		}
		group.Go(func() error {
			return ix.db.View(scanning, func(r store.Reader) (err error) {
				found[i], spreads[i], err = scan(scanning, r, rng, s.Dimensions, queries, keep)
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, spread{}, err
	}
	var all spread
	for _, part := range spreads {
		all.join(part)
	}
	hits := slices.Concat(found...)
	slices.SortFunc(hits, byScore)
	hits, err := ix.living(ctx, s, hits[:min(len(hits), keep)])
	return hits, all, err
}

func byScore(a, b hit) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.generation, a.generation))
}

// scan goes through the segments of a range.
func scan(ctx context.Context, r store.Reader, rng store.Range, dimensions int, queries []vector, keep int) ([]hit, spread, error) {
	best, all := make([]hit, 0, keep+1), spread{}
	for e, err := range r.Scan(rng) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, all, err
		}
		part, err := decodeSegment(e.Value)
		if err != nil {
			return nil, all, err
		}
		if part.dimensions != dimensions {
			continue // verify tells of it
		}
		first := firstOf(e.Key)
		for i := range part.count {
			steps, step := part.stepsOf(i), part.step(i)
			score := float32(-1)
			for _, q := range queries {
				score = max(score, float32(dot(q.steps, steps))*step*q.step)
			}
			all.add(float64(score))
			if len(best) < keep || score > best[len(best)-1].score {
				best = insert(best, hit{part.message(i), first + uint64(i), score}, keep)
			}
		}
	}
	return best, all, nil
}

func insert(best []hit, h hit, keep int) []hit {
	at, _ := slices.BinarySearchFunc(best, h, byScore)
	best = slices.Insert(best, at, h)
	return best[:min(len(best), keep)]
}

func firstOf(key []byte) (first uint64) {
	for _, b := range key[len(key)-8:] {
		first = first<<8 | uint64(b)
	}
	return first
}

// living leaves out vectors of words that were replaced since.
func (ix *Index) living(ctx context.Context, s *space, hits []hit) (living []hit, err error) {
	err = ix.db.View(ctx, func(r store.Reader) error {
		living = nil
		for _, h := range hits {
			p, found, err := readPlace(r, s.ID, h.message)
			if err != nil {
				return err
			}
			if found && p.generation == h.generation {
				living = append(living, h)
			}
		}
		return nil
	})
	return living, err
}

// vectorOf returns the vector of a message; false where it has none.
func vectorOf(r store.Reader, s *space, message string) (v vector, found bool, err error) {
	p, found, err := readPlace(r, s.ID, message)
	if err != nil || !found || p.generation == 0 {
		return v, false, err
	}
	before := store.Range{Start: kindKey(s.ID, kindSegment), End: segmentKey(s.ID, p.generation+1), Reverse: true}
	for e, err := range r.Scan(before) {
		if err != nil {
			return v, false, err
		}
		part, err := decodeSegment(e.Value)
		if err != nil {
			return v, false, err
		}
		i := int(p.generation - firstOf(e.Key))
		if i >= part.count || part.message(i) != message {
			return v, false, errPlace
		}
		return part.entry(i).vector, true, nil
	}
	return v, false, errPlace
}

var errPlace = errors.Join(errors.New("a vector is not where its place says"), store.ErrCorrupt)
