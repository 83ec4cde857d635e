package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// TestAFileSystemWithoutLocksIsNamed wants to be told what to do where a data directory cannot
// be locked, as over NFS without its lock service. No file system here refuses it, so that the
// error is made.
func TestAFileSystemWithoutLocksIsNamed(t *testing.T) {
	err := unusable("/srv/desk", fmt.Errorf("open store /srv/desk/madoguchi.db: %w", syscall.ENOLCK))
	for _, word := range []string{"/srv/desk", "NFS", "--data DIR"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("it does not say %q: %v", word, err)
		}
	}
}
