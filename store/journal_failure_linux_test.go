package store_test

import (
	"errors"
	"fmt"
	"maps"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/madoguchi/madoguchi/store/storetest"
)

// After a failed sync of the log nobody knows what the disk holds: nothing may be
// acknowledged any more, and readers get the last state that surely is there.
func TestJournalAfterAFailedSync(t *testing.T) {
	if !storetest.InOwnProcess(t) {
		return
	}
	disk := storetest.NewDisk(t)
	path := filepath.Join(t.TempDir(), "store")
	j := reopenJournal(t, path)
	update(t, j, put("a", "before"))
	disk.FailSync(1)
	if err := j.Update(t.Context(), put("a", "failed")); !errors.Is(err, syscall.EIO) {
		t.Fatalf("the update with the failed sync: %v, want EIO", err)
	}
	if got := contents(t, j); got != "a=before" {
		t.Errorf("readers get %q", got)
	}
	for range 3 { // the disk works again
		if err := j.Update(t.Context(), put("a", "after")); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "refuses updates until it is opened again") {
			t.Errorf("an update after it: %v; want what failed and what to do", err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = reopenJournal(t, path)
	if got := contents(t, j); got != "a=before" && got != "a=failed" {
		t.Errorf("after opening it again it holds %q", got)
	}
	update(t, j, put("a", "again"))
	if got := contents(t, reopenJournal(t, copyStore(t, path))); got != "a=again" {
		t.Errorf("stored %q", got)
	}
}

// On a full disk updates are refused one by one, what was acknowledged stays,
// and they succeed again as soon as there is room.
func TestJournalOnAFullDisk(t *testing.T) {
	if !storetest.InOwnProcess(t) {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	var whole syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &whole); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "store")
	j := reopenJournal(t, path)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 3 << 20 / 2, Max: whole.Max}); err != nil {
		t.Fatal(err)
	}
	model, lock, refused := map[string]string{}, sync.Mutex{}, 0
	writeMany := func(name string, value string) {
		t.Helper()
		var writers sync.WaitGroup
		for n := range 64 {
			writers.Go(func() {
				key := fmt.Sprintf("%s %d", name, n)
				err := j.Update(t.Context(), put(key, value))
				lock.Lock()
				defer lock.Unlock()
				switch {
				case err == nil:
					model[key] = value
				case errors.Is(err, syscall.EFBIG):
					refused++
				default:
					t.Errorf("%s: %v", key, err)
				}
			})
		}
		writers.Wait()
		if got := content(t, j); !maps.Equal(got, model) {
			t.Errorf("%s: it holds %d entries, %d were acknowledged", name, len(got), len(model))
		}
	}
	writeMany("full", strings.Repeat("x", 40_000))
	if refused == 0 || refused == 64 {
		t.Fatalf("%d of 64 updates were refused: the disk was not full at the right time", refused)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &whole); err != nil {
		t.Fatal(err)
	}
	before := refused
	writeMany("room", strings.Repeat("y", 40_000))
	if refused > before {
		t.Errorf("%d updates were refused although there is room", refused-before)
	}
	if got := content(t, reopenJournal(t, copyStore(t, path))); !maps.Equal(got, model) {
		t.Errorf("after a crash it holds %d entries, %d were acknowledged", len(got), len(model))
	}
}
