package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// openFurnished opens a new data directory, of a house with one alias.
func openFurnished(t *testing.T) (directory string, l *local) {
	t.Helper()
	directory = t.TempDir()
	l, err := openLocal(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AddAlias(t.Context(), newAlias{Address: "support@example.com", Name: "Support"}); err != nil {
		t.Fatal(err)
	}
	return directory, l
}

// loseKey removes the first index key of a store, as a fault of a disk might.
func loseKey(t *testing.T, directory string) {
	t.Helper()
	bolt, err := store.OpenBolt(storePath(directory), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer bolt.Close()
	err = bolt.Update(t.Context(), func(tx store.Tx) error {
		for entry, err := range tx.Scan(store.Prefix([]byte("i/"))) {
			if err != nil {
				return err
			}
			return tx.Delete(bytes.Clone(entry.Key))
		}
		t.Error("the store has no index key")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestVerifyAndBackupSeeWhatIsMissing(t *testing.T) {
	directory, l := openFurnished(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	execute := func(args ...string) (string, error) {
		root := newRootCommand()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetArgs(append(args, "--data", directory))
		err := root.Execute()
		return out.String(), err
	}
	if out, err := execute("verify"); err != nil {
		t.Fatalf("verify before: %v\n%s", err, out)
	}
	loseKey(t, directory)
	if out, err := execute("verify"); err == nil || !strings.Contains(out, "differs: ") {
		t.Errorf("verify with an index key missing: %v\n%s", err, out)
	}
	target := t.TempDir() + "/backup.db"
	if _, err := execute("backup", target); err == nil || !strings.Contains(err.Error(), "not whole") {
		t.Errorf("backup with an index key missing: %v", err)
	}
}
