package store_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// rested is mails of all forms: compressed, folded, plain, compressed quickly, and one too
// large to gain.
func rested(t *testing.T, e store.Engine, count int) (mails map[string][]byte) {
	t.Helper()
	mails = map[string][]byte{}
	for i := range count {
		id := fmt.Sprintf("%04d", i)
		random := randomBytes(2000 + i)
		data := []byte(strings.Repeat(fmt.Sprintf("Received: from mail.example by us; order %d\r\n", i*7919), 60))
		switch i % 4 {
		case 1:
			encoded := base64.StdEncoding.EncodeToString(random[:1995])
			for len(encoded) > 76 {
				data, encoded = append(data, encoded[:76]+"\r\n"...), encoded[76:]
			}
		case 2:
			data = random
		}
		if i == 30 {
			data = randomBytes(100_000)
		}
		mails[id] = data
		put := putBlob
		if i%8 > 3 {
			put = putQuickly
		}
		put(t, e, id, data)
	}
	return mails
}

func bundleAll(t *testing.T, e store.Engine, before string) (moved int) {
	t.Helper()
	for {
		n, err := raw.Bundle(t.Context(), e, []byte(before))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return moved
		}
		moved += n
	}
}

func checkBlobs(t *testing.T, e store.Engine, want map[string][]byte) {
	t.Helper()
	view(t, e, func(r store.Reader) error {
		together := &store.BlobReader{Blobs: raw, Reader: r}
		for id, data := range want {
			alone, err := raw.Get(r, []byte(id))
			if err != nil || !bytes.Equal(alone, data) {
				t.Errorf("%s: %d bytes came back, %v; want %d", id, len(alone), err, len(data))
			}
			next, err := together.Get([]byte(id))
			if err != nil || !bytes.Equal(next, data) {
				t.Errorf("%s, beside others: %d bytes came back, %v; want %d", id, len(next), err, len(data))
			}
			if info, err := raw.Stat(r, []byte(id)); err != nil || info.Size != int64(len(data)) {
				t.Errorf("%s: %+v, %v", id, info, err)
			}
		}
		count := 0
		for _, err := range raw.IDs(r) {
			if err != nil {
				return err
			}
			count++
		}
		if count != len(want) {
			t.Errorf("%d ids, want %d", count, len(want))
		}
		return nil
	})
}

func TestBundledBlobsComeBackAsTheyWere(t *testing.T) {
	e, err := store.Open(t.TempDir()+"/store", store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	mails := rested(t, e, 400)
	before := len(contents(t, e))
	moved := bundleAll(t, e, "0300")
	if after := len(contents(t, e)); moved < 150 || moved > 299 || after > before*3/4 {
		t.Errorf("%d moved, from %d bytes to %d", moved, before, after)
	}
	checkBlobs(t, e, mails)

	// New bytes under an old id, and an id that goes.
	mails["0007"] = []byte("written again")
	putBlob(t, e, "0007", mails["0007"])
	delete(mails, "0008")
	update(t, e, func(tx store.Tx) error { return raw.Delete(tx, []byte("0008")) })
	checkBlobs(t, e, mails)
	if again := bundleAll(t, e, "0300"); again != 0 {
		t.Errorf("%d of those that stayed were moved", again)
	}
	if more := bundleAll(t, e, "9999"); more == 0 {
		t.Error("those that came later are not bundled")
	}
	checkBlobs(t, e, mails)
}

func TestDeletingBundledBlobsLeavesNothing(t *testing.T) {
	e := openBolt(t)
	mails := rested(t, e, 200)
	bundleAll(t, e, "9999")
	update(t, e, func(tx store.Tx) error {
		for id := range mails {
			if err := raw.Delete(tx, []byte(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if left := contents(t, e); left != "" {
		t.Errorf("%d bytes are left", len(left))
	}
}

func TestDamagedBundleIsNamed(t *testing.T) {
	e := openBolt(t)
	mails := rested(t, e, 200)
	bundleAll(t, e, "9999")
	update(t, e, func(tx store.Tx) error {
		for entry, err := range tx.Scan(store.Prefix([]byte("b/raw/g/"))) {
			if err != nil {
				return err
			}
			damaged := slices.Clone(entry.Value)
			damaged[len(damaged)/2] ^= 1
			if err := tx.Put(entry.Key, damaged); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, e, func(r store.Reader) error {
		bad := 0
		for id, want := range mails {
			switch got, err := raw.Get(r, []byte(id)); {
			case errors.Is(err, store.ErrCorrupt) && strings.Contains(err.Error(), id):
				bad++
			case err != nil:
				t.Errorf("%s: %v, want ErrCorrupt with its id", id, err)
			case !bytes.Equal(got, want):
				t.Errorf("%s came back as something else", id)
			}
		}
		if bad == 0 {
			t.Error("no damage was found")
		}
		return nil
	})
}
