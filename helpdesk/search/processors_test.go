package search

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
)

// ShareAlways makes searches use every idle processor, however little there is to match, as if there were four.
func (ix *Index) ShareAlways() { ix.alone, ix.processors.count = 0, 4 }

func TestUnitsAreSharedOutOnceEach(t *testing.T) {
	p := processors{count: 4}
	for _, goroutines := range []int{1, 3, 100} {
		var together sync.Mutex
		var seen []int
		var begun sync.WaitGroup // panics where more begin than should
		begun.Add(min(goroutines, 4))
		err := p.share(t.Context(), 100, goroutines, func(units iter.Seq[int]) error {
			begun.Done()
			begun.Wait()
			mine := slices.Collect(units)
			together.Lock()
			defer together.Unlock()
			seen = append(seen, mine...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(seen)
		for unit := range 100 {
			if len(seen) != 100 || seen[unit] != unit {
				t.Fatalf("100 units for %d goroutines were done as %v", goroutines, seen)
			}
		}
		if busy := p.busy.Load(); busy != 0 {
			t.Errorf("%d processors are busy afterwards", busy)
		}
	}
}

func TestSearchesAtOnceTakeNoFurtherProcessors(t *testing.T) {
	p := processors{count: 2}
	calls := 0
	err := p.share(t.Context(), 10, 1, func(iter.Seq[int]) error {
		p.busy.Add(1) // another search's
		defer p.busy.Add(-1)
		return p.share(t.Context(), 10, 10, func(units iter.Seq[int]) error {
			calls++
			for range units {
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls != 1 {
		t.Errorf("a search beside as many as there are processors uses %d goroutines, want its own", calls)
	}
}

func TestPanicIsTheErrorOfOneSearch(t *testing.T) {
	p := processors{count: 4}
	err := p.share(t.Context(), 100, 4, func(units iter.Seq[int]) error {
		for unit := range units {
			if unit == 50 {
				panic("a list that is not as it should be")
			}
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "not as it should be") || !strings.Contains(err.Error(), "TestPanicIsTheErrorOfOneSearch") {
		t.Errorf("a panic is returned as %v; want what it said, and where it was", err)
	}
	if busy := p.busy.Load(); busy != 0 {
		t.Errorf("%d processors are busy after a panic", busy)
	}
}

func TestNoUnitsAfterTheEnd(t *testing.T) {
	p := processors{count: 4}
	ctx, cancel := context.WithCancel(t.Context())
	err := p.share(ctx, 1000, 4, func(units iter.Seq[int]) error {
		cancel()
		for unit := range units {
			t.Errorf("unit %d was begun after the search was cancelled", unit)
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled search ends with %v", err)
	}

	refused := errors.New("refused")
	err = p.share(t.Context(), 1000, 1, func(units iter.Seq[int]) error {
		for range units {
			return refused
		}
		return nil
	})
	if !errors.Is(err, refused) {
		t.Errorf("a search that fails ends with %v, want %v", err, refused)
	}
}
