package storetest

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Memory is what this process has in memory of one kind, in bytes: RssFile is what is
// mapped of files, RssAnon what is its own (proc_pid_status(5)). The test is skipped
// where the system does not tell.
func Memory(t testing.TB, kind string) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("SKIPPED, not passed: memory is read from /proc, which is not here")
	}
	_, rest, _ := strings.Cut(string(status), kind+":")
	kilobytes, err := strconv.Atoi(strings.Fields(rest + " ?")[0])
	if err != nil {
		t.Fatalf("%s in /proc/self/status: %v", kind, err)
	}
	return kilobytes << 10
}
