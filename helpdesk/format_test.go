package helpdesk_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// format is the record of the data's version, as it stands in the store.
type format struct {
	Version int
	Program string
	At      time.Time
}

var formats = store.NewTable(store.Spec[format]{Name: "format", Version: 1, Key: func(*format) []byte { return formatKey }})

var formatKey = store.Key(nil).BoundedText("data")

func setVersion(t *testing.T, db store.Engine, version int) {
	t.Helper()
	err := db.Update(t.Context(), func(tx store.Tx) error {
		if version == 0 { // as before versions were kept
			return formats.Delete(tx, formatKey)
		}
		return formats.Put(tx, &format{Version: version, Program: "9.1"})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func dataState(t *testing.T, db store.Engine) helpdesk.DataState {
	t.Helper()
	state, err := helpdesk.ReadDataState(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestOlderDataIsUpgradedAndNewerRefused(t *testing.T) {
	h := newHouse(t)
	h.first()
	if s := dataState(t, h.db); s.Version != helpdesk.DataVersion || s.Older() {
		t.Errorf("data of this program: %+v", s)
	}
	setVersion(t, h.db, 0)
	if s := dataState(t, h.db); s.Version != 0 || !s.Older() {
		t.Errorf("data of an older one: %+v", s)
	}
	if _, err := helpdesk.Open(t.Context(), h.db, helpdesk.Options{Program: "2.0"}); err != nil {
		t.Fatal(err)
	}
	if s := dataState(t, h.db); s.Version != helpdesk.DataVersion || s.Program != "2.0" {
		t.Errorf("after the upgrade: %+v", s)
	}
	setVersion(t, h.db, helpdesk.DataVersion+1)
	_, err := helpdesk.Open(t.Context(), h.db, helpdesk.Options{})
	wantCode(t, err, helpdesk.CodeInvalid, "written by Madoguchi 9.1")
	setVersion(t, h.db, helpdesk.DataVersion)
}

func TestNewDataIsOfThisVersion(t *testing.T) {
	bolt, err := store.OpenBolt(filepath.Join(fastDir(t), "new.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bolt.Close() })
	if s := dataState(t, bolt); !s.Empty || s.Older() {
		t.Errorf("an empty store: %+v", s)
	}
	if _, err := helpdesk.Open(context.Background(), bolt, helpdesk.Options{}); err != nil {
		t.Fatal(err)
	}
	if s := dataState(t, bolt); s.Version != helpdesk.DataVersion {
		t.Errorf("a new store: %+v", s)
	}
}
