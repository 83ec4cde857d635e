package main

import (
	"container/list"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxWebConnections bounds the connections of the web at a time. Each keeps about 15 KB and
// an open file, of which those that bring mail need some too.
const maxWebConnections = 4096

// webConnections closes, where there are too many, the one that has rested longest:
// whoever opens connections and asks for nothing keeps nobody out.
type webConnections struct {
	most int
	log  *slog.Logger

	mu      sync.Mutex
	open    int
	resting *list.List // of net.Conn without a request under way, longest first
	places  map[net.Conn]*list.Element
	told    time.Time // when the log last said it
}

// newWebConnections takes at most half of the files that the process may have open.
func newWebConnections(log *slog.Logger) *webConnections {
	most := maxWebConnections
	if files := openFiles(); files > 0 {
		most = min(most, files/2)
	}
	return &webConnections{most: most, log: log, resting: list.New(), places: map[net.Conn]*list.Element{}}
}

// changed is the http.Server's ConnState.
func (w *webConnections) changed(conn net.Conn, state http.ConnState) {
	end := w.note(conn, state)
	if secured, is := end.(*tls.Conn); is { // whose own Close would wait for the other side
		end = secured.NetConn()
	}
	if end != nil {
		end.Close()
	}
}

// note keeps count, and returns the connection that has to end, or nil.
func (w *webConnections) note(conn net.Conn, state http.ConnState) net.Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(conn)
	switch state {
	case http.StateNew:
		w.open++
		w.places[conn] = w.resting.PushBack(conn)
	case http.StateIdle:
		w.places[conn] = w.resting.PushBack(conn)
	case http.StateClosed, http.StateHijacked:
		w.open--
	}
	if state != http.StateNew || w.open <= w.most {
		return nil
	}
	if now := time.Now(); now.Sub(w.told) >= time.Minute {
		w.told = now
		w.log.Warn("too many connections to the web; those that rest longest are closed", "limit", w.most)
	}
	longest := w.resting.Front().Value.(net.Conn)
	w.forget(longest)
	return longest
}

func (w *webConnections) forget(conn net.Conn) {
	if place := w.places[conn]; place != nil {
		w.resting.Remove(place)
		delete(w.places, conn)
	}
}

// openFiles is how many files the process may have open, as Linux says it
// (proc_pid_limits(5)); 0 where nobody says it, or without a limit.
func openFiles() int {
	text, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		name, values, found := strings.Cut(line, "  ")
		if fields := strings.Fields(values); found && name == "Max open files" && len(fields) > 0 {
			n, _ := strconv.Atoi(fields[0]) // "unlimited" is 0
			return n
		}
	}
	return 0
}
