package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// Memory that was in use and given back is what the ballast gets at a start that collected
// garbage before it. It must not be asked back from the system.
func TestTheBallastTakesNoMemory(t *testing.T) {
	used := make([]byte, 2*ballastSize)
	for i := 0; i < len(used); i += os.Getpagesize() {
		used[i] = 1
	}
	runtime.KeepAlive(used)
	used = nil
	debug.FreeOSMemory()

	before := ownMemory(t)
	ballast := newBallast(ballastSize)
	grown := ownMemory(t) - before
	runtime.KeepAlive(ballast)
	if ballast.Cap() < ballastSize || grown > ballastSize/4 {
		t.Errorf("%d MiB of ballast take %d MiB", ballast.Cap()>>20, grown>>20)
	}
}

// ownMemory is what this process holds of its own, in bytes.
func ownMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("SKIPPED, not passed: memory is read from /proc, which is not here")
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatalf("RssAnon in /proc/self/status: %v", err)
	}
	return kilobytes << 10
}
