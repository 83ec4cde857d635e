package main

import (
	"runtime/debug"
	"strings"
)

// Memory for the garbage collector, in bytes.
const (
	// memoryTarget is where it begins to work harder: many large mails at once leave
	// several times their size behind them.
	memoryTarget = 288 << 20
	// ballastSize is counted as in use and takes no memory. What is in use is collected
	// after half of it came anew: with a heap as small as a server's at rest later than the
	// usual (as much as is in use), by which every few mails of many at once cost a
	// collection, and with a large one sooner.
	ballastSize    = 96 << 20
	collectPercent = 50
)

// moreThreads is how many threads run besides one for each processor: the runtime notices
// late that one of them only waits for the disk to sync the log, as it does most of the
// time with few processors, and would leave one of these idle.
const moreThreads = 2

// pace sets when garbage is collected, for as long as the ballast that it returns is kept
// alive.
func pace() *strings.Builder {
	debug.SetMemoryLimit(memoryTarget + ballastSize)
	debug.SetGCPercent(collectPercent)
	return newBallast(ballastSize)
}

// newBallast returns a builder with room for size bytes, none of which was touched: made
// by make they would be set to zero, and so take memory, wherever the first of them had
// been in use before.
func newBallast(size int) *strings.Builder {
	ballast := new(strings.Builder)
	ballast.Grow(size)
	return ballast
}
