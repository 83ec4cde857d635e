//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWhatRootMakesBelongsToTheServersUser runs commands as root on the data of a server of
// another user, while it is stopped: that one must be able to start again.
func TestWhatRootMakesBelongsToTheServersUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED, not passed: only root can give files away")
	}
	const nobody = 65534
	directory := t.TempDir()
	if err := os.Chown(directory, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	expect := func() {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(directory, "*"))
		if err != nil || len(files) < 3 {
			t.Fatalf("files: %q, %v", files, err)
		}
		for _, file := range files {
			if owner, known := ownerOf(file); !known || owner != nobody {
				t.Errorf("%s belongs to %d", file, owner)
			}
		}
	}
	open := func() {
		t.Helper()
		l, err := openLocal(t.Context(), directory)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	open()
	expect()
	// A restore leaves the store alone, without its logs.
	logs, err := filepath.Glob(filepath.Join(directory, "*-log*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range logs {
		if err := os.Remove(log); err != nil {
			t.Fatal(err)
		}
	}
	open()
	expect()
}
