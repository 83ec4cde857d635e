package store_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// damagedStore is a store that was closed in order, and what it held.
type damagedStore struct {
	path string
	file []byte
	held map[string]string
}

// newDamagedStore writes in several commits, so that pages are freed and used again, values
// of several pages among them.
func newDamagedStore(t *testing.T) damagedStore {
	t.Helper()
	s := damagedStore{path: filepath.Join(memoryDirectory(t), "store")}
	for round := range 3 {
		j, err := store.Open(s.path, store.BoltOptions{NoPreallocation: true})
		if err != nil {
			t.Fatal(err)
		}
		update(t, j, func(tx store.Tx) error {
			for i := range 400 {
				if i%(round+1) != 0 {
					continue
				}
				value := strings.Repeat(fmt.Sprintf("%d.%d ", round, i), 60)
				if i%50 == 0 {
					value = strings.Repeat(value, 40)
				}
				if err := tx.Put(fmt.Appendf(nil, "key %s %03d", strings.Repeat("k", 100), i), []byte(value)); err != nil {
					return err
				}
			}
			return tx.Delete(fmt.Appendf(nil, "key %s %03d", strings.Repeat("k", 100), 7*round))
		})
		s.held = content(t, j)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if s.file, err = os.ReadFile(s.path); err != nil {
		t.Fatal(err)
	}
	inUse := binary.NativeEndian.Uint64(s.file[s.newest()*os.Getpagesize()+56:])
	s.file = s.file[:inUse*uint64(os.Getpagesize())] // without the room behind the data
	return s
}

// write puts the file back, with page after page changed by damage.
func (s damagedStore) write(t *testing.T, damage func(page []byte), pages ...int) {
	t.Helper()
	file := append([]byte{}, s.file...)
	for _, id := range pages {
		damage(file[id*os.Getpagesize() : (id+1)*os.Getpagesize()])
	}
	if err := os.WriteFile(s.path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s damagedStore) pages() int { return len(s.file) / os.Getpagesize() }

// newest is which of the first two pages a commit wrote last.
func (s damagedStore) newest() int {
	transaction := func(id int) uint64 { return binary.NativeEndian.Uint64(s.file[id*os.Getpagesize()+64:]) }
	if transaction(1) > transaction(0) {
		return 1
	}
	return 0
}

// freeList is the page with the list of free pages.
func (s damagedStore) freeList() int {
	return int(binary.NativeEndian.Uint64(s.file[s.newest()*os.Getpagesize()+48:]))
}

// recovered reads what can be read of the store into a new one.
func (s damagedStore) recovered(t *testing.T) (store.Recovery, map[string]string) {
	t.Helper()
	to, err := store.OpenBolt(s.path+"-recovered", store.BoltOptions{NoPreallocation: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(to.Close(), os.Remove(s.path+"-recovered")); err != nil {
			t.Error(err)
		}
	}()
	before, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := store.Recover(t.Context(), s.path, to, func(done, total int64) {
		if done < 0 || done > total {
			t.Errorf("%d of %d bytes are done", done, total)
		}
	})
	if err != nil && !errors.Is(err, store.ErrCorrupt) {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(s.path); err != nil || string(after) != string(before) {
		t.Errorf("the damaged file was changed (%v)", err)
	}
	return r, content(t, to)
}

func zero(page []byte) { clear(page) }

func TestADamagedListOfFreePagesIsMadeAnew(t *testing.T) {
	s := newDamagedStore(t)
	for name, damage := range map[string]func([]byte){
		"zeros":                 zero,
		"another kind":          func(page []byte) { page[8] = 2 },
		"a page that is in use": func(page []byte) { copy(page[24:32], page[16:24]) },
		"beyond the file":       func(page []byte) { page[16+5] = 1 },
		"more than it holds":    func(page []byte) { page[11] = 0x7f },
	} {
		t.Run(name, func(t *testing.T) {
			s.write(t, damage, s.freeList())
			var told []string
			options := store.BoltOptions{NoPreallocation: true, Mended: func(what string) { told = append(told, what) }}
			for range 2 { // once is enough
				j, err := store.Open(s.path, options)
				if err != nil {
					t.Fatal(err)
				}
				if got := content(t, j); !maps.Equal(got, s.held) {
					t.Error("what is there differs")
				}
				update(t, j, put("other", strings.Repeat("x", 100_000)))
				update(t, j, func(tx store.Tx) error { return tx.Delete([]byte("other")) })
				if err := j.Check(t.Context(), func(d store.Damage) { t.Error(d) }); err != nil {
					t.Error(err)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if len(told) != 1 || !strings.Contains(told[0], "free pages") {
				t.Errorf("told: %q", told)
			}
		})
	}
}

// Of the two pages that lead to the data one may be damaged without harm. Where it was the
// one that led to the newest state, the state before is not taken for it.
func TestAPageThatLeadsToTheDataIsDamaged(t *testing.T) {
	s := newDamagedStore(t)
	s.write(t, zero, 1-s.newest())
	told := ""
	j, err := store.Open(s.path, store.BoltOptions{NoPreallocation: true, Mended: func(what string) { told += what }})
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, j); !maps.Equal(got, s.held) || !strings.Contains(told, "newest") {
		t.Errorf("the older one: told %q, or what is there differs", told)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pages := range [][]int{{s.newest()}, {0, 1}} {
		s.write(t, zero, pages...)
		if _, err := store.Open(s.path, store.BoltOptions{NoPreallocation: true}); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "madoguchi recover") {
			t.Errorf("pages %v: %v", pages, err)
		}
		r, got := s.recovered(t)
		if !maps.Equal(got, s.held) || len(r.Lost) > 0 || len(r.Remarks) != len(pages)+1 {
			t.Errorf("pages %v: %d of %d entries are recovered, %d places lost, remarks %q", pages, len(got), len(s.held), len(r.Lost), r.Remarks)
		}
	}
}

// Every page in turn is gone. What is not there afterwards was named as lost, and what is
// there is what was there; the branches cost nothing, since what they led to is found.
func TestWhatIsNotDamagedIsRecovered(t *testing.T) {
	s := newDamagedStore(t)
	lossless, branches := 0, 0
	for id := range s.pages() {
		if binary.NativeEndian.Uint64(s.file[id*os.Getpagesize():]) != uint64(id) {
			continue // within a long value, which bears no sum here
		}
		s.write(t, zero, id)
		r, got := s.recovered(t)
		for key, value := range s.held {
			switch stored, there := got[key]; {
			case there && stored != value:
				t.Fatalf("page %d: %s holds something else, remarks %q", id, key, r.Remarks)
			case !there && !lostIn(r, key):
				t.Fatalf("page %d: %s is lost, and the report does not say so: %v", id, key, r.Lost)
			}
		}
		for key := range got {
			if _, held := s.held[key]; !held {
				t.Fatalf("page %d: %s is there, which was deleted", id, key)
			}
		}
		if len(s.held)-len(got) > 15 {
			t.Errorf("page %d: %d entries are lost", id, len(s.held)-len(got))
		}
		if len(got) == len(s.held) {
			lossless++
		}
		if r.Found > 0 && s.file[id*os.Getpagesize()+8] == 1 {
			branches++
		}
	}
	if lossless == 0 || lossless == s.pages() || branches < 2 {
		t.Errorf("of %d pages %d cost nothing, and %d were branches: it proves little", s.pages(), lossless, branches)
	}
}

func lostIn(r store.Recovery, key string) bool {
	for _, d := range r.Lost {
		if key >= string(d.Start) && (d.End == nil || key < string(d.End)) {
			return true
		}
	}
	return false
}

// A page that bears a wrong number is read all the same, and a file that was cut short as
// far as it goes.
func TestRecoverReadsDamagedPages(t *testing.T) {
	s := newDamagedStore(t)
	for id := 2; id < s.pages(); id++ {
		if s.file[id*os.Getpagesize()+8] != 2 {
			continue
		}
		s.write(t, func(page []byte) { page[1] ^= 0x40 }, id)
		if r, got := s.recovered(t); !maps.Equal(got, s.held) || len(r.Lost) > 0 {
			t.Errorf("page %d with another number: %d of %d entries, lost %v", id, len(got), len(s.held), r.Lost)
		}
	}
	if err := os.WriteFile(s.path, s.file[:(s.freeList()+s.pages())/2*os.Getpagesize()], 0o600); err != nil {
		t.Fatal(err)
	}
	r, got := s.recovered(t)
	for key, value := range s.held {
		if stored, there := got[key]; there && stored != value || !there && !lostIn(r, key) {
			t.Errorf("cut short: %s is there: %v, and is not said to be lost", key, there)
		}
	}
	if len(got) < 20 || len(got) == len(s.held) {
		t.Errorf("cut short: %d of %d entries", len(got), len(s.held))
	}
}

// After a crash what the logs have is recovered too.
func TestRecoverTakesTheLogsAlong(t *testing.T) {
	s := newDamagedStore(t)
	j, err := store.Open(s.path, store.BoltOptions{NoPreallocation: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	to, err := store.OpenBolt(filepath.Join(t.TempDir(), "open"), store.BoltOptions{NoPreallocation: true})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, err := store.Recover(t.Context(), s.path, to, nil); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a store that is open: %v", err)
	}
	for i := range 20 {
		update(t, j, put(fmt.Sprint("logged ", i), "value"))
	}
	update(t, j, func(tx store.Tx) error { return tx.Delete([]byte("logged 0")) })
	crashed := damagedStore{path: copyStore(t, s.path), held: content(t, j)}
	if crashed.file, err = os.ReadFile(crashed.path); err != nil {
		t.Fatal(err)
	}
	crashed.write(t, zero, 0, 1)
	r, got := crashed.recovered(t)
	if !maps.Equal(got, crashed.held) || r.Updates == 0 || r.LogFault != nil {
		t.Errorf("%d of %d entries, %d updates of the logs, fault %v", len(got), len(crashed.held), r.Updates, r.LogFault)
	}
}
