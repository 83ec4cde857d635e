package store

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// Each layer of a write set shows what a map shows after the same updates, in both
// directions and from every key, also when newer updates have been written since.
func TestLayersShowTheirUpdates(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	set := newWriteSet()
	want := map[string]change{}
	states := []map[string]change{{}}
	for number := uint64(1); number <= 40; number++ {
		for range random.IntN(12) {
			key := fmt.Sprintf("%02d", random.IntN(60))
			c := change{key: []byte(key), value: fmt.Appendf(nil, "%s by %d", key, number), number: number}
			if random.IntN(3) == 0 {
				c.value, c.deleted = nil, true
			}
			set.set(c)
			want[key] = c
		}
		states = append(states, maps.Clone(want))
	}
	for through, state := range states {
		checkLayer(t, layer{set, uint64(through)}, state)
	}
	checkLayer(t, layer{layer{set, 17}.copied(), everything}, states[17])
}

// Writes that are looked for beside the last ones are where a search puts them, on every
// floor: tables that grow at their ends, at their beginnings, in the middle, and one whose
// few keys are written again and again.
func TestWritesBesideTheLast(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	beside, searched := newWriteSet(), newWriteSet()
	for number := uint64(1); number <= 3000; number++ {
		keys := map[string]bool{fmt.Sprintf("t/up/%04d", random.IntN(3000)/100*100): true}
		for name, at := range map[string]uint64{"t/up/": number, "t/down/": 9999 - number, "i/up/down/": 9999 - number/7, "t/random/": random.Uint64N(9999), "t/same/": number % 3} {
			if random.IntN(5) > 0 {
				keys[fmt.Sprintf("%s%04d", name, at)] = true
			}
		}
		for key := range keys {
			c := change{key: []byte(key), number: number}
			beside.setBeside(c)
			searched.set(c)
		}
	}
	want := slices.Collect(layer{searched, everything}.all())
	if got := slices.Collect(layer{beside, everything}.all()); !slices.EqualFunc(got, want, func(a, b change) bool {
		return a.number == b.number && bytes.Equal(a.key, b.key)
	}) {
		t.Fatalf("%d writes are seen, want %d, or others", len(got), len(want))
	}
	if beside.count != searched.count || beside.bytes != searched.bytes {
		t.Errorf("counts %d writes of %d bytes, want %d of %d", beside.count, beside.bytes, searched.count, searched.bytes)
	}
	checkFloors(t, beside)
}

// checkFloors checks that each floor has the writes that reach it, in order.
func checkFloors(t *testing.T, s *writeSet) {
	t.Helper()
	reaching := make([]int, maxTower)
	for n := s.first[0].Load(); n != nil; n = n.next[0].Load() {
		for floor := range n.next {
			reaching[floor]++
		}
	}
	for floor, want := range reaching {
		count := 0
		for n := s.first[floor].Load(); n != nil; count++ {
			next := n.next[floor].Load()
			if next != nil && !n.isBefore(next.key, next.number) {
				t.Fatalf("floor %d: %q of %d is before %q of %d", floor, n.key, n.number, next.key, next.number)
			}
			n = next
		}
		if count != want {
			t.Errorf("floor %d has %d writes, want %d", floor, count, want)
		}
	}
}

func checkLayer(t *testing.T, l layer, state map[string]change) {
	t.Helper()
	keys := slices.Sorted(maps.Keys(state))
	var shown []string
	for c := range l.all() {
		shown = append(shown, string(c.key))
		if w := state[string(c.key)]; w.number != c.number || w.deleted != c.deleted || !bytes.Equal(w.value, c.value) {
			t.Fatalf("through %d: %q is %v, want %v", l.through, c.key, c, w)
		}
	}
	if !slices.Equal(shown, keys) {
		t.Fatalf("through %d: shows %q, want %q", l.through, shown, keys)
	}
	for i := range 62 {
		at := fmt.Appendf(nil, "%02d", i)
		c, found := l.get(at)
		if w, has := state[string(at)]; has != found || c.number != w.number {
			t.Fatalf("through %d: get %q: %v, %v", l.through, at, c, found)
		}
		split, exact := slices.BinarySearch(keys, string(at))
		behind := split
		if exact {
			behind++
		}
		expect(t, l, Range{Start: at}, nil, keys[split:])
		expect(t, l, Range{}, at, keys[behind:])
		before := slices.Clone(keys[:split])
		slices.Reverse(before)
		expect(t, l, Range{End: at, Reverse: true}, nil, before)
		expect(t, l, Range{Reverse: true}, at, before)
	}
}

// expect looks for the first of keys.
func expect(t *testing.T, l layer, within Range, last []byte, keys []string) {
	t.Helper()
	c, ok := l.next(within, last)
	if ok != (len(keys) > 0) || ok && string(c.key) != keys[0] {
		t.Fatalf("through %d, %v after %q: %q, %v, want the first of %q", l.through, within, last, c.key, ok, keys)
	}
}
