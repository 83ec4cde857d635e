package ui_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// stream is a reader of /live.
type stream struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Scanner
	end      context.CancelFunc
}

type streamEvent struct {
	name string
	id   uint64
	data struct {
		Seq    uint64
		Kind   string
		Ticket uint64
	}
}

func (b *browser) live(path, lastEventID string) *stream {
	b.t.Helper()
	ctx, end := context.WithTimeout(b.t.Context(), time.Minute) // only used up by failures
	b.t.Cleanup(end)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { response.Body.Close() })
	return &stream{t: b.t, response: response, lines: bufio.NewScanner(response.Body), end: end}
}

// next returns the next event; false at the end of the stream.
func (s *stream) next() (e streamEvent, ok bool) {
	s.t.Helper()
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id, _ = strconv.ParseUint(value, 10, 64)
		case "data":
			if err := json.Unmarshal([]byte(value), &e.data); err != nil {
				s.t.Fatal(err)
			}
		case "":
			if e.name != "" && s.lines.Text() == "" {
				return e, true
			}
		}
	}
	return e, false
}

func TestStreamTellsEveryEventAndResumes(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	start, err := h.LastSeq(h.ctx())
	if err != nil {
		t.Fatal(err)
	}
	s := b.live("/live?after="+strconv.FormatUint(start, 10), "")
	if s.response.StatusCode != http.StatusOK || s.response.Header.Get("Content-Type") != "text/event-stream" || s.response.Header.Get("Content-Encoding") != "" {
		t.Fatalf("status %d, headers %v", s.response.StatusCode, s.response.Header)
	}
	h.receive(letter{subject: "一つ目", text: "本文"})
	var last uint64
	for want := start + 1; ; want++ {
		e, ok := s.next()
		if !ok || e.name != "desk:change" || e.id != want || e.data.Seq != want || e.data.Ticket != 1 {
			t.Fatalf("event %+v, %v; want number %d of ticket 1", e, ok, want)
		}
		if last = e.id; e.data.Kind == string(helpdesk.EventMessageReceived) {
			break
		}
	}
	s.end() // the connection is lost
	for range 3 {
		h.receive(letter{subject: "留守中", text: "本文"})
	}
	now, _ := h.LastSeq(h.ctx())
	s = b.live("/live?after="+strconv.FormatUint(start, 10), strconv.FormatUint(last, 10)) // as htmx asks again
	for want := last + 1; want <= now; want++ {
		if e, ok := s.next(); !ok || e.id != want {
			t.Fatalf("event %+v, %v; want number %d", e, ok, want)
		}
	}
}

func TestStreamStartsOverWhenTooMuchWasMissed(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	h.receive(letter{subject: "件名", text: "本文"})
	for i := range 510 {
		tags := []string{strconv.Itoa(i)}
		if _, err := h.Change(h.ctx(), h.admin.Actor(), 1, helpdesk.Change{Tags: &tags}); err != nil {
			t.Fatal(err)
		}
	}
	now, _ := h.LastSeq(h.ctx())
	for name, after := range map[string]string{"long ago": "1", "another store": "999999999"} {
		s := b.live("/live", after)
		if e, ok := s.next(); !ok || e.name != "desk:reset" || e.id != now {
			t.Errorf("%s: event %+v, %v; want a reset at %d", name, e, ok, now)
		}
		s.end()
	}
}

func TestStreamNeedsASessionAndEndsWithTheServer(t *testing.T) {
	h := newReadyHouse(t)
	stranger := h.browser().live("/live", "")
	if stranger.response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", stranger.response.StatusCode)
	}
	s := h.as(h.admin).live("/live", "")
	closed := make(chan bool)
	go func() {
		_, ok := s.next()
		closed <- ok
	}()
	h.web.Close()
	select {
	case ok := <-closed:
		if ok {
			t.Error("an event came instead of the end")
		}
	case <-time.After(30 * time.Second):
		t.Error("the stream outlives the server")
	}
}

// Nothing is told to whom a session was taken from, however busy the desk is; a
// stream that waits for silence to look would go on for ever.
func TestStreamEndsWithItsSession(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	s := h.as(agent).live("/live", "")
	h.receive(letter{subject: "まだ", text: "本文"})
	if e, ok := s.next(); !ok || e.data.Ticket != 1 {
		t.Fatalf("%+v, %v", e, ok)
	}
	off := true
	if _, err := h.ChangeUser(h.ctx(), h.admin.Actor(), agent.ID, helpdesk.UserChange{Disabled: &off}); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the desk goes on
		h.receive(letter{subject: "あと", text: "本文"})
	}
	for {
		e, ok := s.next()
		if !ok {
			break
		}
		if e.data.Ticket > 1 {
			t.Fatalf("it is told of %+v", e)
		}
	}
}
