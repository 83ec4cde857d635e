package helpdesk_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// A store that was written before an index was there is opened as if it had
// always been.
func TestOpenMakesMissingIndexesAnew(t *testing.T) {
	path := filepath.Join(fastDir(t), "old.db")
	set, err := setUp()
	if err != nil {
		t.Fatal(err)
	}
	open := func() (*store.Bolt, *helpdesk.Desk) {
		t.Helper()
		bolt, err := store.OpenBolt(path, store.BoltOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { bolt.Close() })
		desk, err := helpdesk.Open(t.Context(), bolt, helpdesk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return bolt, desk
	}
	bolt, desk := open()
	admin, err := desk.CompleteSetup(t.Context(), func() helpdesk.Setup {
		secret, err := desk.SetupSecret(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return helpdesk.Setup{Secret: secret, Domain: "example.jp", AdminEmail: set.admin.Email, AdminName: "佐藤", Password: "correct horse battery", AliasLocal: "support"}
	}())
	if err != nil {
		t.Fatal(err)
	}
	aliases := func(d *helpdesk.Desk) []string {
		t.Helper()
		list, err := d.Aliases(t.Context(), admin.Actor())
		if err != nil {
			t.Fatal(err)
		}
		var addresses []string
		for _, a := range list {
			addresses = append(addresses, a.Address)
		}
		return addresses
	}
	before := aliases(desk)

	// As a program without the index "email" of users would have left it.
	err = bolt.Update(t.Context(), func(tx store.Tx) error {
		for _, prefix := range []string{"i/user/email/", "t/layout/"} {
			var keys [][]byte
			for entry, err := range tx.Scan(store.Prefix([]byte(prefix))) {
				if err != nil {
					return err
				}
				keys = append(keys, slices.Clone(entry.Key))
			}
			if len(keys) == 0 {
				t.Errorf("nothing under %s", prefix)
			}
			for _, k := range keys {
				if err := tx.Delete(k); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if problems, _ := desk.Verify(t.Context()); len(problems) == 0 {
		t.Fatal("nothing is missing")
	}
	if err := bolt.Close(); err != nil {
		t.Fatal(err)
	}
	_, desk = open()
	if problems, err := desk.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("after opening again: %q, %v", problems, err)
	}
	if _, err := desk.Login(t.Context(), helpdesk.Visitor{IP: "192.0.2.1"}, admin.Email, "correct horse battery"); err != nil {
		t.Errorf("log in: %v", err)
	}
	if after := aliases(desk); !slices.Equal(before, after) {
		t.Errorf("aliases %v, were %v", after, before)
	}
}
