package store_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

var raw = store.Blobs{Name: "raw"}

func putBlob(t *testing.T, e store.Engine, id string, data []byte) {
	t.Helper()
	b := store.Compress(data)
	update(t, e, func(tx store.Tx) error { return raw.Put(tx, []byte(id), b) })
}

func putQuickly(t *testing.T, e store.Engine, id string, data []byte) {
	t.Helper()
	b := store.CompressQuickly(data)
	update(t, e, func(tx store.Tx) error { return raw.Put(tx, []byte(id), b) })
}

func TestBlobsComeBackAsTheyWere(t *testing.T) {
	for name, put := range map[string]func(*testing.T, store.Engine, string, []byte){"densely": putBlob, "quickly": putQuickly} {
		t.Run(name, func(t *testing.T) { checkThatBlobsComeBack(t, put) })
	}
}

func checkThatBlobsComeBack(t *testing.T, put func(*testing.T, store.Engine, string, []byte)) {
	e := openBolt(t)
	random := randomBytes(3 << 20)
	blobs := map[string][]byte{
		"empty":      {},
		"one":        {0},
		"text":       []byte(strings.Repeat("Received: from example.com\r\n", 5000)),
		"short text": []byte(strings.Repeat("Received: from example.com\r\n", 500)),
		"random":     random,
		"chunk":      random[:32<<10],
		"chunk+1":    random[:32<<10+1],
		"a":          []byte("a"),
		"a\x00\x01b": []byte("id with the bytes that end an id"),
		"ab":         []byte("ab"),
	}
	for id, data := range blobs {
		put(t, e, id, data)
	}
	view(t, e, func(r store.Reader) error {
		for id, want := range blobs {
			got, err := raw.Get(r, []byte(id))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes came back, %v; want %d", id, len(got), err, len(want))
			}
			info, err := raw.Stat(r, []byte(id))
			compresses := strings.HasSuffix(id, "text")
			if err != nil || info.Size != int64(len(want)) || info.SHA256 != sha256.Sum256(want) ||
				info.Compressed != compresses || (info.StoredSize < info.Size) != compresses {
				t.Errorf("%s: %+v, %v", id, info, err)
			}
		}
		var ids, want []string
		for id, err := range raw.IDs(r) {
			if err != nil {
				return err
			}
			ids = append(ids, string(id))
		}
		for id := range blobs {
			want = append(want, id)
		}
		slices.Sort(want)
		if !slices.Equal(ids, want) {
			t.Errorf("ids %q, want %q", ids, want)
		}
		return nil
	})
}

func TestBlobReplacedAndDeletedLeavesNothing(t *testing.T) {
	e := openBolt(t)
	putBlob(t, e, "other", []byte("stays"))
	before := contents(t, e)
	putBlob(t, e, "x", randomBytes(200_000))
	putBlob(t, e, "x", []byte("short"))
	view(t, e, func(r store.Reader) error {
		if got, err := raw.Get(r, []byte("x")); string(got) != "short" || err != nil {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		return nil
	})
	update(t, e, func(tx store.Tx) error {
		return errors.Join(raw.Delete(tx, []byte("x")), raw.Delete(tx, []byte("never there")))
	})
	if contents(t, e) != before {
		t.Error("Delete left something or took too much")
	}
	view(t, e, func(r store.Reader) error {
		_, getErr := raw.Get(r, []byte("x"))
		_, statErr := raw.Stat(r, []byte("x"))
		if !errors.Is(getErr, store.ErrNotFound) || !errors.Is(statErr, store.ErrNotFound) {
			t.Errorf("get %v, stat %v; want ErrNotFound", getErr, statErr)
		}
		return nil
	})
}

func TestDamagedBlobIsNamed(t *testing.T) {
	e := openBolt(t)
	data := map[string][]byte{
		"plain-id": randomBytes(100_000),
		"text-id":  []byte(strings.Repeat("mail ", 50_000) + string(randomBytes(50_000))),
		"quick-id": []byte(strings.Repeat("mail ", 3_000) + string(randomBytes(10_000))),
	}
	for id := range data {
		putQuickly(t, e, id, data[id])
	}
	// Every way to lose or change one of its entries.
	damages := map[string]func(tx store.Tx, entry store.Entry) error{
		"deleted": func(tx store.Tx, entry store.Entry) error { return tx.Delete(entry.Key) },
		"emptied": func(tx store.Tx, entry store.Entry) error { return tx.Put(entry.Key, nil) },
		"flipped": func(tx store.Tx, entry store.Entry) error {
			value := bytes.Clone(entry.Value)
			value[len(value)/2] ^= 0x40
			return tx.Put(entry.Key, value)
		},
		"doubled": func(tx store.Tx, entry store.Entry) error {
			return tx.Put(entry.Key, append(bytes.Clone(entry.Value), entry.Value...))
		},
	}
	keep := errors.New("put all back")
	checked := 0
	for id := range data {
		for damage, do := range damages {
			for n := 0; ; n++ {
				found := false
				err := e.Update(t.Context(), func(tx store.Tx) error {
					i := 0
					for entry, err := range tx.Scan(store.Range{}) {
						if err != nil {
							return err
						}
						if !bytes.Contains(entry.Key, []byte(id)) {
							continue
						}
						if i++; i-1 != n {
							continue
						}
						found = true
						if err := do(tx, entry); err != nil {
							return err
						}
					}
					_, err := raw.Get(tx, []byte(id))
					headerGone := damage == "deleted" && errors.Is(err, store.ErrNotFound)
					if found && !headerGone && (!errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), id)) {
						t.Errorf("%s, entry %d %s: %v, want ErrCorrupt with the id", id, n, damage, err)
					}
					return keep
				})
				if !errors.Is(err, keep) {
					t.Fatal(err)
				}
				if !found {
					break
				}
				checked++
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d damages were tried", checked)
	}
}

func TestBlobPutRefusals(t *testing.T) {
	update(t, openBolt(t), func(tx store.Tx) error {
		for name, err := range map[string]error{
			"no id":              raw.Put(tx, nil, store.Compress([]byte("x"))),
			"not from Compress":  raw.Put(tx, []byte("x"), store.Blob{}),
			"an id beyond a key": raw.Put(tx, make([]byte, store.MaxKeySize), store.Compress([]byte("x"))),
		} {
			if !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", name, err)
			}
		}
		return nil
	})
}
