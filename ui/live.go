package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// How the stream paces itself.
const (
	// heartbeat is how often a silent stream says that it lives: often enough
	// for the proxies between, and for noticing that a reader has gone.
	heartbeat = 15 * time.Second
	// writeTimeout is how long one write to a reader may take.
	writeTimeout = 20 * time.Second
	// catchUpLimit is how many missed events are told one by one; whoever
	// missed more is told to start over.
	catchUpLimit = 500
)

// change is what the stream says of an event. What is behind it is asked for
// by its own address.
type change struct {
	Seq     uint64 `json:"seq"`
	Kind    string `json:"kind"`
	Ticket  uint64 `json:"ticket,omitempty"`
	Message string `json:"message,omitempty"`
}

// live is the stream of changes as server-sent events (HTML Standard, section
// 9.2). It begins after Last-Event-ID, or the query's after, or now.
func (s *Server) live(c echo.Context) error {
	ctx, stop := context.WithCancel(c.Request().Context())
	defer stop()
	defer context.AfterFunc(s.closed, stop)()

	after, err := s.streamStart(c)
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would hold events back
	c.Response().WriteHeader(http.StatusOK)
	if asksHead(c) {
		return nil // there is no end to wait for
	}
	stream := eventStream{w: c.Response(), control: http.NewResponseController(c.Response())}
	if err := stream.comment("connected"); err != nil {
		return nil
	}
	defer s.presence.connected(visitOf(c).User.ID)()
	var people uint64
	for {
		if err = s.stillIn(ctx, visitOf(c)); err != nil {
			break
		}
		if after, err = s.tell(ctx, visitOf(c), &stream, after); err != nil {
			break
		}
		var more <-chan struct{}
		if people, more, err = s.tellPeople(visitOf(c), &stream, people); err != nil {
			break
		}
		if err = s.await(ctx, visitOf(c), &stream, after, more); err != nil {
			break
		}
	}
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, errStreamLost) && helpdesk.CodeOf(err) != helpdesk.CodeUnauthorized {
		s.log.Warn("live stream ended", "error", err)
	}
	return nil // the response is under way: there is no status left to send
}

func (s *Server) streamStart(c echo.Context) (uint64, error) {
	last := c.Request().Header.Get("Last-Event-ID")
	if last == "" {
		last = c.QueryParam("after")
	}
	if after, err := strconv.ParseUint(last, 10, 64); err == nil {
		return after, nil
	}
	return s.desk.LastSeq(c.Request().Context())
}

// tell writes every event after the given one and returns the newest.
func (s *Server) tell(ctx context.Context, v *visit, stream *eventStream, after uint64) (uint64, error) {
	last, err := s.desk.LastSeq(ctx)
	if err != nil {
		return after, err
	}
	// A number from the future is of another store: a restored backup, say.
	if last < after || last-after > catchUpLimit {
		return last, stream.event("desk:reset", last, change{Seq: last, Kind: "reset"})
	}
	events, err := s.desk.Events(ctx, v.actor(), after, catchUpLimit)
	if err != nil {
		return after, err
	}
	for _, e := range events {
		if err := stream.event("desk:change", e.Seq, change{e.Seq, string(e.Kind), e.Ticket, e.Message}); err != nil {
			return after, err
		}
		after = e.Seq
	}
	return after, nil
}

// stillIn looks whether the reader is still who they were when the stream began:
// what follows is told to nobody whose session is over, and by their permissions of now.
func (s *Server) stillIn(ctx context.Context, v *visit) (err error) {
	v.User, v.opened, err = s.desk.UserBySession(ctx, v.session)
	return err
}

// await returns when there is an event after the given one, or more is closed.
// Meanwhile it keeps the stream alive, and ends it when its session ends.
func (s *Server) await(ctx context.Context, v *visit, stream *eventStream, after uint64, more <-chan struct{}) error {
	for {
		waiting, cancel := context.WithTimeout(ctx, heartbeat)
		go func() {
			select {
			case <-more:
				cancel()
			case <-waiting.Done():
			}
		}()
		_, err := s.desk.Wait(waiting, after)
		cancel()
		if err == nil || ctx.Err() != nil || errors.Is(err, context.Canceled) {
			return ctx.Err()
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if _, _, err := s.desk.UserBySession(ctx, v.session); err != nil {
			return err
		}
		if err := stream.comment("alive"); err != nil {
			return err
		}
	}
}

// errStreamLost says that the reader is gone.
var errStreamLost = errors.New("the reader is gone")

type eventStream struct {
	w       io.Writer
	control *http.ResponseController
}

// event writes one event. Without an id, which 0 stands for, the browser
// resumes after the one before.
func (e *eventStream) event(name string, id uint64, what any) error {
	data, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if id == 0 {
		return e.write("event: %s\ndata: %s\n\n", name, data)
	}
	return e.write("event: %s\nid: %d\ndata: %s\n\n", name, id, data)
}

func (e *eventStream) comment(text string) error { return e.write(": %s\n\n", text) }

func (e *eventStream) write(format string, args ...any) error {
	// The server's own deadline is for pages; a stream has one for each write.
	if err := e.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", errStreamLost, err)
	}
	if _, err := fmt.Fprintf(e.w, format, args...); err != nil {
		return fmt.Errorf("%w: %w", errStreamLost, err)
	}
	if err := e.control.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errStreamLost, err)
	}
	return nil
}
