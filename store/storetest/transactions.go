package storetest

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

func ownWrites(t *testing.T, e store.Engine) {
	fill(t, e, "a", "b")
	update(t, e, func(tx store.Tx) error {
		if err := errors.Join(
			tx.Put([]byte("a"), []byte("new")),
			tx.Put([]byte("c"), []byte("c")),
			tx.Delete([]byte("b")),
		); err != nil {
			return err
		}
		if value, err := tx.Get([]byte("a")); string(value) != "new" || err != nil {
			t.Errorf("get a: %q, %v", value, err)
		}
		if value, err := tx.Get([]byte("b")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("get b: %q, %v", value, err)
		}
		return errors.Join(tx.Delete([]byte("c")), tx.Put([]byte("b"), []byte("again")))
	})
	wantStored(t, e, "a=new", "b=again")
}

func ownWritesInScans(t *testing.T, e store.Engine) {
	fill(t, e, "b", "d", "f", "h")
	update(t, e, func(tx store.Tx) error {
		err := errors.Join(
			tx.Put([]byte("a"), []byte("new")), // before all
			tx.Put([]byte("c"), []byte("new")), // in between
			tx.Put([]byte("d"), []byte("new")), // in place
			tx.Delete([]byte("f")),             // away
			tx.Delete([]byte("g")),             // never there
			tx.Put([]byte("i"), []byte("new")), // after all
		)
		if err != nil {
			return err
		}
		wantScan(t, tx, store.Range{}, "a=new", "b=b", "c=new", "d=new", "h=h", "i=new")
		wantScan(t, tx, store.Range{Reverse: true}, "i=new", "h=h", "d=new", "c=new", "b=b", "a=new")
		wantScan(t, tx, store.Range{Start: []byte("c"), End: []byte("i")}, "c=new", "d=new", "h=h")
		wantScan(t, tx, store.Range{Start: []byte("c"), End: []byte("i"), Reverse: true}, "h=h", "d=new", "c=new")
		wantScan(t, tx, store.Range{Start: []byte("e"), End: []byte("h")})
		return nil
	})
}

func writesDuringScan(t *testing.T, e store.Engine) {
	for _, reverse := range []bool{false, true} {
		fill(t, e, "a", "b", "c", "d", "e")
		ahead, behind := "cc", "bb"
		want := []string{"a=a", "b=b", "c=c", "cc=new", "e=e"}
		if reverse {
			ahead, behind = behind, ahead
			want = []string{"e=e", "d=d", "c=c", "bb=new", "a=a"}
		}
		update(t, e, func(tx store.Tx) error {
			var got []string
			for entry, err := range tx.Scan(store.Range{Reverse: reverse}) {
				if err != nil {
					return err
				}
				got = append(got, string(entry.Key)+"="+string(entry.Value))
				if string(entry.Key) != "c" {
					continue
				}
				next := map[bool]string{false: "d", true: "b"}[reverse]
				if err := errors.Join(
					tx.Delete([]byte("c")),
					tx.Delete([]byte(next)),
					tx.Put([]byte(ahead), []byte("new")),
					tx.Put([]byte(behind), []byte("new")),
				); err != nil {
					return err
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("reverse %t:\n got %q\nwant %q", reverse, got, want)
			}
			return errors.Join(tx.Delete([]byte(ahead)), tx.Delete([]byte(behind)))
		})
	}
}

func deleteAllDuringScan(t *testing.T, e store.Engine) {
	const keys = 2000 // enough for many pages
	for _, reverse := range []bool{false, true} {
		update(t, e, func(tx store.Tx) error {
			for i := range keys {
				if err := tx.Put(fmt.Appendf(nil, "%05d", i), make([]byte, 50)); err != nil {
					return err
				}
			}
			return nil
		})
		update(t, e, func(tx store.Tx) error {
			deleted := 0
			for entry, err := range tx.Scan(store.Range{Reverse: reverse}) {
				if err != nil {
					return err
				}
				if err := tx.Delete(entry.Key); err != nil {
					return err
				}
				deleted++
			}
			if deleted != keys {
				t.Errorf("reverse %t: deleted %d of %d", reverse, deleted, keys)
			}
			wantScan(t, tx, store.Range{})
			wantScan(t, tx, store.Range{Reverse: true})
			return nil
		})
		wantStored(t, e)
	}
}

func rollbackOnError(t *testing.T, e store.Engine) {
	fill(t, e, "a")
	refused := errors.New("refused")
	err := e.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put([]byte("b"), nil), tx.Delete([]byte("a")), refused)
	})
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	wantStored(t, e, "a=a")
	if err := e.View(t.Context(), func(store.Reader) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("view: got %v", err)
	}
}

func rollbackOnPanic(t *testing.T, e store.Engine) {
	fill(t, e, "a")
	func() {
		defer func() {
			if got := recover(); got != "broken" {
				t.Errorf("recovered %v", got)
			}
		}()
		_ = e.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.Put([]byte("b"), nil); err != nil {
				return err
			}
			panic("broken")
		})
		t.Error("Update returned")
	}()
	func() {
		defer func() { _ = recover() }()
		_ = e.View(t.Context(), func(store.Reader) error { panic("broken") })
	}()
	fill(t, e, "c")
	wantStored(t, e, "a=a", "c=c")
}

func rollbackOnGoexit(t *testing.T, e store.Engine) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = e.Update(t.Context(), func(tx store.Tx) error {
			_ = tx.Put([]byte("b"), nil)
			runtime.Goexit()
			return nil
		})
	}()
	<-ended
	fill(t, e, "a")
	wantStored(t, e, "a=a")
}

func viewIsolation(t *testing.T, e store.Engine) {
	fill(t, e, "a", "b", "c")
	view(t, e, func(r store.Reader) error {
		seen := []string{}
		for entry, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			seen = append(seen, string(entry.Key))
			if string(entry.Key) != "a" {
				continue
			}
			done := make(chan error)
			go func() {
				done <- e.Update(t.Context(), func(tx store.Tx) error {
					return errors.Join(tx.Delete([]byte("b")), tx.Put([]byte("d"), nil), tx.Put([]byte("c"), []byte("new")))
				})
			}()
			if err := <-done; err != nil {
				return err
			}
		}
		if fmt.Sprint(seen) != "[a b c]" {
			t.Errorf("saw %q", seen)
		}
		wantScan(t, r, store.Range{}, "a=a", "b=b", "c=c")
		return nil
	})
	wantStored(t, e, "a=a", "c=new", "d=")
}

func viewAfterCommit(t *testing.T, e store.Engine) {
	for i := range 20 {
		want := strconv.Itoa(i)
		update(t, e, func(tx store.Tx) error { return tx.Put([]byte("k"), []byte(want)) })
		wantStored(t, e, "k="+want)
	}
}

func transactionOver(t *testing.T, e store.Engine) {
	fill(t, e, "a")
	var kept store.Tx
	update(t, e, func(tx store.Tx) error { kept = tx; return nil })
	var keptReader store.Reader
	view(t, e, func(r store.Reader) error { keptReader = r; return nil })
	_, updateErr := kept.Get([]byte("a"))
	_, viewErr := keptReader.Get([]byte("a"))
	_, scanErr := scan(keptReader, store.Range{})
	_, txScanErr := scan(kept, store.Range{})
	for _, err := range []error{
		updateErr, viewErr, scanErr, txScanErr,
		kept.Put([]byte("a"), nil), kept.Delete([]byte("a")),
	} {
		if !errors.Is(err, store.ErrTransactionOver) {
			t.Errorf("got %v, want ErrTransactionOver", err)
		}
	}
	wantStored(t, e, "a=a")
}

func useAfterClose(t *testing.T, e store.Engine) {
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Fatalf("close twice: %v", err)
	}
	viewErr := e.View(t.Context(), func(store.Reader) error { t.Error("the view ran"); return nil })
	updateErr := e.Update(t.Context(), func(store.Tx) error { t.Error("the update ran"); return nil })
	if !errors.Is(viewErr, store.ErrClosed) || !errors.Is(updateErr, store.ErrClosed) {
		t.Errorf("view %v, update %v; want ErrClosed of both", viewErr, updateErr)
	}
	if s, ok := e.(store.Snapshotter); ok {
		if _, err := s.Snapshot(t.Context(), io.Discard); !errors.Is(err, store.ErrClosed) {
			t.Errorf("snapshot %v, want ErrClosed", err)
		}
	}
}

func closeWaits(t *testing.T, e store.Engine) {
	running, release := make(chan struct{}), make(chan struct{})
	done, closed := make(chan error, 1), make(chan error, 1)
	var once sync.Once
	var finished atomic.Bool
	go func() {
		done <- e.Update(t.Context(), func(tx store.Tx) error {
			once.Do(func() { close(running) })
			<-release
			err := tx.Put([]byte("a"), nil)
			finished.Store(true)
			return err
		})
	}()
	<-running
	go func() {
		err := e.Close()
		if !finished.Load() {
			t.Error("Close returned while an update ran")
		}
		closed <- err
	}()
	close(release)
	if err := errors.Join(<-done, <-closed); err != nil {
		t.Error(err)
	}
}
