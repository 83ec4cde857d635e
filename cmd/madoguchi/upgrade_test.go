package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// TestOlderDataIsCopiedAndUpgraded opens data as a program left it that kept no
// version yet, and restores the copy.
func TestOlderDataIsCopiedAndUpgraded(t *testing.T) {
	directory, l := openFurnished(t)
	var stored []byte
	err := l.engine.Update(t.Context(), func(tx store.Tx) error {
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
	// A copy that a kill broke off is no copy.
	if err := os.WriteFile(filepath.Join(directory, "before-upgrade-from-0-20260101-000000.db.partial"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{"of an older version and is upgraded", ""} { // the second time there is nothing to do
		root := newRootCommand()
		var notes bytes.Buffer
		root.SetOut(io.Discard)
		root.SetErr(&notes)
		root.SetArgs([]string{"verify", "--data", directory})
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		if said == "" && notes.Len() > 0 || !strings.Contains(notes.String(), said) {
			t.Errorf("it says %q, want %q", notes.String(), said)
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

// TestNewerDataIsRefused lets commands, one that reads and one that writes, meet data that
// a newer program upgraded.
func TestNewerDataIsRefused(t *testing.T) {
	directory := t.TempDir()
	l, err := openLocal(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	type format struct {
		Version int
		Program string
		At      time.Time
	}
	formats := store.NewTable(store.Spec[format]{Name: "format", Version: 1, Key: func(*format) []byte { return store.Key(nil).BoundedText("data") }})
	err = l.engine.Update(t.Context(), func(tx store.Tx) error {
		return formats.Put(tx, &format{Version: helpdesk.DataVersion + 1, Program: "9.1"})
	})
	if err = errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify"}, {"alias", "add", "support@example.com", "--name", "Support"}} {
		root := newRootCommand()
		root.SetErr(io.Discard)
		root.SetArgs(append(args, "--data", directory))
		err := root.Execute()
		if err == nil || !strings.Contains(err.Error(), "written by Madoguchi 9.1") || !strings.Contains(err.Error(), "restore a backup of before") {
			t.Errorf("%s: %v", args[0], err)
		}
	}
	if copies, _ := filepath.Glob(filepath.Join(directory, "before-upgrade-*")); len(copies) > 0 {
		t.Errorf("copies were made: %v", copies)
	}
}
