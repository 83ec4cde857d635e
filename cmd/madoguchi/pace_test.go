package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/madoguchi/madoguchi/store/storetest"
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

	before := storetest.Memory(t, "RssAnon")
	ballast := newBallast(ballastSize)
	grown := storetest.Memory(t, "RssAnon") - before
	runtime.KeepAlive(ballast)
	if ballast.Cap() < ballastSize || grown > ballastSize/4 {
		t.Errorf("%d MiB of ballast take %d MiB", ballast.Cap()>>20, grown>>20)
	}
}
