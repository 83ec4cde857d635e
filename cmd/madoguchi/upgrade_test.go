package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/store"
)

// TestOlderDataIsCopiedAndUpgraded opens data as a program left it that kept no
// version yet, and restores the copy.
func TestOlderDataIsCopiedAndUpgraded(t *testing.T) {
	directory := t.TempDir()
	l, err := openLocal(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AddAlias(t.Context(), newAlias{Address: "support@example.com", Name: "Support"}); err != nil {
		t.Fatal(err)
	}
	var stored []byte
	err = l.engine.Update(t.Context(), func(tx store.Tx) error {
		for entry, err := range tx.Scan(store.Prefix([]byte("t/format/"))) {
			if err != nil {
				return err
			}
			stored = bytes.Clone(entry.Key)
		}
		return tx.Delete(stored)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to do
		l, err := openLocal(t.Context(), directory)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	copies, err := filepath.Glob(filepath.Join(directory, "before-upgrade-from-0-*.db"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies: %v, %v", copies, err)
	}
	root := newRootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	restored := filepath.Join(t.TempDir(), "restored")
	root.SetArgs([]string{"restore", copies[0], "--data", restored})
	if err := root.Execute(); err != nil || !strings.Contains(out.String(), "verified") {
		t.Errorf("restore the copy: %v\n%s", err, out.String())
	}
	if left, _ := filepath.Glob(filepath.Join(directory, "*.partial")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := os.Stat(storePath(restored)); err != nil {
		t.Error(err)
	}
}
