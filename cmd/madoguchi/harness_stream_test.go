package main_test

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"time"
)

// readStream reads server-sent events (HTML Standard, section 9.2) of which
// each has one line of data. opened is closed at the first line.
func readStream(r io.Reader, opened chan<- struct{}, events chan<- liveEvent) {
	defer close(events)
	lines := bufio.NewScanner(r)
	first := true
	for lines.Scan() {
		at := time.Now()
		if first {
			close(opened)
			first = false
		}
		data, found := strings.CutPrefix(lines.Text(), "data: ")
		if !found {
			continue
		}
		event := liveEvent{at: at}
		if json.Unmarshal([]byte(data), &event) == nil {
			events <- event
		}
	}
}
