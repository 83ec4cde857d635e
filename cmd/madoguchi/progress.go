package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// bytesShown shows, on a terminal, how many bytes are done and how quickly: one line,
// which is gone when the work is. Elsewhere it is quiet. It may be written to, and
// counts what it gets.
type bytesShown struct {
	out         io.Writer // nil where nothing is shown
	what        string
	begun, last time.Time
	done, total int64
}

func newBytesShown(out io.Writer) *bytesShown {
	if !isTerminal(out) {
		return &bytesShown{}
	}
	return &bytesShown{out: out}
}

// begin begins a piece of work of about total bytes, 0 where nobody knows.
func (b *bytesShown) begin(what string, total int64) {
	now := time.Now()
	b.what, b.begun, b.last, b.done, b.total = what, now, now, 0, total
}

// set says how many bytes are done.
func (b *bytesShown) set(done int64) {
	b.done = done
	if b.out == nil {
		return
	}
	if now := time.Now(); now.Sub(b.last) >= 100*time.Millisecond {
		b.last = now
		fmt.Fprint(b.out, "\r", b.line(now.Sub(b.begun)), "\x1b[K")
	}
}

// Write implements io.Writer.
func (b *bytesShown) Write(p []byte) (int, error) {
	b.set(b.done + int64(len(p)))
	return len(p), nil
}

func (b *bytesShown) line(elapsed time.Duration) string {
	rate := formatBytes(int64(float64(b.done)/max(elapsed.Seconds(), 0.001))) + "/s"
	if b.total <= 0 {
		return fmt.Sprintf("%s  %s  %s", b.what, formatBytes(b.done), rate)
	}
	const width = 30
	share := min(float64(b.done)/float64(b.total), 1)
	filled := int(share * width)
	return fmt.Sprintf("%s  [%s%s] %3.0f %%  %s of %s  %s", b.what, strings.Repeat("#", filled), strings.Repeat(".", width-filled), share*100,
		formatBytes(b.done), formatBytes(max(b.total, b.done)), rate)
}

// end takes the line away.
func (b *bytesShown) end() {
	if b.out != nil {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}

// formatBytes writes a size as people read it.
func formatBytes(n int64) string {
	value, unit := float64(n), "bytes"
	for _, larger := range []string{"kB", "MB", "GB", "TB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1000, larger
	}
	if unit == "bytes" {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// amount writes a number with the name of what it counts.
func amount[N int | int64 | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
