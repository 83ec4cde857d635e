package ui_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestThirdPartyFilesAreThePinnedOnes compares the bundled files with the sums
// in their list.
func TestThirdPartyFilesAreThePinnedOnes(t *testing.T) {
	list, err := os.ReadFile("static/third_party/README.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("static/third_party/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no bundled scripts: %v", err)
	}
	for _, script := range scripts {
		data, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		row := fmt.Sprintf("| %x |", sha256.Sum256(data))
		if !strings.Contains(string(list), row) {
			t.Errorf("%s is not the file listed in static/third_party/README.md: its sum is %s", script, row)
		}
	}
}
