package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
)

// The first sync of a commit makes its pages durable: if that fails, the state
// before is still the one on disk, and the next commit writes all of its own pages.
// The second sync makes durable which state holds: if that fails, nobody knows,
// and nothing may be acknowledged any more.
func TestStoreAfterAFailedSync(t *testing.T) {
	if !storetest.InOwnProcess(t) {
		return
	}
	disk := storetest.NewDisk(t)
	for _, test := range []struct {
		name    string
		failing int
		refuses bool
	}{
		{"of the pages", 1, false},
		{"of the state", 2, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			b := reopenBolt(t, path)
			update(t, b, put("a", "before"))

			disk.FailSync(test.failing)
			if err := b.Update(t.Context(), put("a", "failed")); !errors.Is(err, syscall.EIO) {
				t.Fatalf("the commit with the failed sync: %v, want EIO", err)
			}
			acknowledged := "before"
			for i := range 3 { // the disk works again
				value := fmt.Sprint("after ", i)
				err := b.Update(context.Background(), put("a", value))
				switch {
				case err == nil && !test.refuses:
					acknowledged = value
				case err == nil:
					t.Error("an update was acknowledged although nobody knows the state on disk")
				case !test.refuses:
					t.Errorf("update %d: %v", i, err)
				case !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "refuses updates until it is opened again"):
					t.Errorf("update %d: %v; want what failed and what to do", i, err)
				}
			}
			err := b.Update(t.Context(), func(store.Tx) error { return nil }) // as a look at the server's health does
			if refuses := err != nil; refuses != test.refuses {
				t.Errorf("an update that writes nothing: %v", err)
			}
			view(t, b, func(store.Reader) error { return nil })
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}

			b = reopenBolt(t, path)
			got := contents(t, b)
			if got != "a="+acknowledged && !(test.refuses && got == "a=failed") {
				t.Errorf("after opening it again it holds %q, acknowledged was %q", got, acknowledged)
			}
			update(t, b, put("a", "again"))
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if got := contents(t, reopenBolt(t, path)); got != "a=again" {
				t.Errorf("stored %q", got)
			}
		})
	}
}
