package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// TestMain removes the binary that the tests built. For the benchmarks it also
// is the program that ours is compared with.
func TestMain(m *testing.M) {
	if kind := os.Getenv(bareServer); kind != "" {
		serveBare(kind)
		return
	}
	code := m.Run()
	if binary.directory != "" {
		os.RemoveAll(binary.directory)
	}
	os.Exit(code)
}

var binary struct {
	once      sync.Once
	directory string
	path      string
	err       error
}

// madoguchi is the path of the program, built from this source once a run of
// the tests, which use it as its users do.
func madoguchi(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() { binary.err = buildBinary() })
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

func buildBinary() (err error) {
	if binary.directory, err = os.MkdirTemp("", "madoguchi-test-"); err != nil {
		return err
	}
	if err := os.Chmod(binary.directory, 0o755); err != nil { // one test runs the program as another user
		return err
	}
	binary.path = filepath.Join(binary.directory, "madoguchi")
	out, err := exec.Command("go", "build", "-o", binary.path, ".").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return nil
}
