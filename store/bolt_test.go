package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/madoguchi/madoguchi/store"
)

// writtenFile returns the bytes of a closed store with some data.
func writtenFile(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store")
	b := reopenBolt(t, path)
	for i := range 200 {
		update(t, b, put(fmt.Sprint("key", i), strings.Repeat("v", 2000)))
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOpenBoltRefusesWhatItCannotUse(t *testing.T) {
	whole := writtenFile(t)
	file := func(data []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, data, 0o600) }
	}
	used := bytes.LastIndexByte(bytes.TrimRight(whole, "\x00"), 'v')
	flipped := bytes.Clone(whole)
	for _, at := range []int{20, os.Getpagesize() + 20} { // in both meta pages
		flipped[at] ^= 0xff
	}
	tests := map[string]struct {
		prepare func(path string) error
		want    error
		text    string
	}{
		"a directory":         {func(path string) error { return os.Mkdir(path, 0o700) }, nil, "is a directory"},
		"a device":            {func(path string) error { return os.Symlink(os.DevNull, path) }, nil, "not a regular file"},
		"text":                {file([]byte("[smtp]\nlisten = \":25\"\n")), store.ErrCorrupt, "not a database"},
		"long text":           {file(bytes.Repeat([]byte("text\n"), 10_000)), store.ErrCorrupt, "not a database"},
		"zeros":               {file(make([]byte, 1<<20)), store.ErrCorrupt, "not a database"},
		"damaged meta pages":  {file(flipped), store.ErrCorrupt, "damaged"},
		"cut to 1 byte":       {file(whole[:1]), store.ErrCorrupt, ""},
		"cut to half a page":  {file(whole[:os.Getpagesize()/2]), store.ErrCorrupt, ""},
		"cut to one page":     {file(whole[:os.Getpagesize()]), store.ErrCorrupt, ""},
		"cut to 1.5 pages":    {file(whole[:os.Getpagesize()*3/2]), store.ErrCorrupt, ""},
		"cut to two pages":    {file(whole[:os.Getpagesize()*2]), store.ErrCorrupt, "cut short"},
		"cut to ten pages":    {file(whole[:os.Getpagesize()*10]), store.ErrCorrupt, "cut short"},
		"cut by a few values": {file(whole[:used-10_000]), store.ErrCorrupt, "cut short"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			if err := test.prepare(path); err != nil {
				t.Fatal(err)
			}
			b, err := store.OpenBolt(path, store.BoltOptions{})
			if err == nil {
				_ = b.Close()
				t.Fatal("it was opened")
			}
			if test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v; want %v, %q and the path", err, test.want, test.text)
			}
		})
	}
}

func TestOpenBoltInADirectoryThatIsNoUse(t *testing.T) {
	_, err := store.OpenBolt(filepath.Join(t.TempDir(), "no", "store"), store.BoltOptions{})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("no directory: %v", err)
	}
	unwritable := filepath.Join(t.TempDir(), "unwritable")
	if err := os.Mkdir(unwritable, 0o500); err != nil {
		t.Fatal(err)
	}
	b, err := store.OpenBolt(filepath.Join(unwritable, "store"), store.BoltOptions{})
	if err == nil {
		_ = b.Close()
		if os.Geteuid() == 0 {
			t.Skip("root may write into any directory")
		}
	}
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), unwritable) {
		t.Errorf("unwritable directory: %v", err)
	}
}

func TestOpenBoltBeginsAnEmptyFileAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := reopenBolt(t, path)
	update(t, b, put("a", "1"))
	if got := contents(t, b); got != "a=1" {
		t.Errorf("stored %q", got)
	}
}

func TestOpenBoltTellsThatAnotherOwnsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	owner := reopenBolt(t, path)
	update(t, owner, put("a", "1"))
	_, err := store.OpenBolt(path, store.BoltOptions{LockTimeout: 1})
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want ErrLocked with the path", err)
	}
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, reopenBolt(t, path)); got != "a=1" {
		t.Errorf("stored %q", got)
	}
}

func TestBoltFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	reopenBolt(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestSnapshotIsOneStateWhileWritersWrite(t *testing.T) {
	b := openBolt(t)
	both := func(n int) error {
		return b.Update(context.Background(), func(tx store.Tx) error {
			value := append(fmt.Appendf(nil, "%05d", n), make([]byte, 20_000)...)
			return errors.Join(tx.Put([]byte("first"), value), tx.Put([]byte("last"), value))
		})
	}
	if err := both(0); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if err := both(n); err != nil {
				stopped <- err
				return
			}
		}
	}()
	for i := range 3 {
		var copied bytes.Buffer
		n, err := b.Snapshot(t.Context(), &copied)
		if err != nil || n != int64(copied.Len()) {
			t.Fatalf("snapshot: %d bytes of %d, %v", n, copied.Len(), err)
		}
		path := filepath.Join(t.TempDir(), fmt.Sprint("copy", i))
		if err := os.WriteFile(path, copied.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		view(t, reopenBolt(t, path), func(r store.Reader) error {
			first, err := r.Get([]byte("first"))
			last, err2 := r.Get([]byte("last"))
			if err := errors.Join(err, err2); err != nil || !bytes.Equal(first, last) {
				t.Errorf("the copy holds %.5s and %.5s, %v", first, last, err)
			}
			return nil
		})
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errDisk }

func TestSnapshotStops(t *testing.T) {
	b := openBolt(t)
	if _, err := b.Snapshot(t.Context(), fullDisk{}); !errors.Is(err, errDisk) && !strings.Contains(fmt.Sprint(err), errDisk.Error()) {
		t.Errorf("full disk: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Snapshot(ctx, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// freeListIsStored reads from the newer of bbolt's two meta pages whether it leads
// to a free list: little-endian numbers of eight bytes behind the page's header.
func freeListIsStored(data []byte) bool {
	const freeList, transaction = 48, 64
	newest, list := uint64(0), uint64(0)
	for page := range 2 {
		meta := data[page*os.Getpagesize():]
		if id := binary.LittleEndian.Uint64(meta[transaction:]); id >= newest {
			newest, list = id, binary.LittleEndian.Uint64(meta[freeList:])
		}
	}
	return list != math.MaxUint64
}

// While few pages are free their list is kept on disk, with many it is not: the
// file stays consistent through both, after a clean end and after none.
func TestBoltFileIsConsistentWithShortAndLongFreeLists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	options := store.BoltOptions{SyncedFreePages: 2048}
	b := reopenBoltWith(t, path, options)
	const keys = 6000
	fillRange := func(from, to int) {
		update(t, b, func(tx store.Tx) error {
			for i := from; i < to; i++ {
				if err := tx.Put(fmt.Appendf(nil, "%06d", i), make([]byte, 2500)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	check := func(when string, from int, listed bool) {
		t.Helper()
		data, err := os.ReadFile(path) // what a crash at this moment leaves
		if err != nil {
			t.Fatal(err)
		}
		if freeListIsStored(data) != listed {
			t.Errorf("%s: free list stored: %t, want %t", when, !listed, listed)
		}
		left := filepath.Join(t.TempDir(), "left")
		if err := os.WriteFile(left, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bbolt.Open(left, 0o600, nil)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		defer db.Close()
		err = db.View(func(tx *bbolt.Tx) error {
			for err := range tx.Check() {
				t.Errorf("%s: %v", when, err)
			}
			if got := tx.Bucket([]byte("store")).Stats().KeyN; got != keys-from {
				t.Errorf("%s: %d keys, want %d", when, got, keys-from)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	fillRange(0, keys)
	check("few free", 0, true)
	update(t, b, func(tx store.Tx) error {
		for entry, err := range tx.Scan(store.Range{End: fmt.Appendf(nil, "%06d", keys-100)}) {
			if err != nil {
				return err
			}
			if err := tx.Delete(entry.Key); err != nil {
				return err
			}
		}
		return nil
	})
	check("just freed", keys-100, true)
	fillRange(keys-100, keys) // the first commit to find many free
	check("many free", keys-100, false)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	check("closed", keys-100, true)
	grown, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	b = reopenBoltWith(t, path, options)
	fillRange(0, keys-100)
	fillRange(0, 1)
	check("filled again", 0, true)
	if now, err := os.Stat(path); err != nil || now.Size() > grown.Size()*5/4 {
		t.Errorf("the file grew from %d to %d bytes although its pages were free, %v", grown.Size(), now.Size(), err)
	}
}
