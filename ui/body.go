package ui

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Bounds of what the bodies of requests take, in bytes.
const (
	// visitorBody is the largest body of a page that is open to everyone: a form of a
	// few fields, or what a passkey signed.
	visitorBody = 128 << 10
	// smallBody is the largest body that is read as it comes. Larger ones arrive on
	// the disk, and are read while there is memory for them.
	smallBody = 1 << 20
	// formText is the largest form without files that net/http reads (Request.ParseForm).
	formText = 10 << 20
	// bodyWeight is how many times its size a large body counts: its text, what is
	// decoded of it and what is kept stand beside each other.
	bodyWeight = 4
	// bodyMemory is what large bodies may count in all.
	bodyMemory = 128 << 20
)

// bodies bounds what the bodies of requests take.
type bodies struct {
	memory *semaphore.Weighted
	limit  int64 // of any body
}

func newBodies(maxUpload int64) *bodies {
	return &bodies{memory: semaphore.NewWeighted(bodyMemory), limit: max(maxUpload+1<<20, maxAPIReplyBody, helpdesk.MaxImport+1<<20)}
}

// boundVisitors bounds what the pages open to everyone are sent, so that nobody fills
// the memory or the disk with what a login page was never meant for.
func boundVisitors(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.ContentLength > visitorBody {
			return largerThan(visitorBody)
		}
		r.Body = http.MaxBytesReader(c.Response(), r.Body, visitorBody)
		return next(c)
	}
}

// large has bodies that are not small arrive on the disk. A mail of a relay does so by
// its own way.
func (b *bodies) large(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.ContentLength >= 0 && r.ContentLength <= smallBody || c.Path() == inboundPath {
			return next(c)
		}
		// Its fields would all be empty, and be taken for what somebody cleared.
		if r.ContentLength > formText && strings.HasPrefix(r.Header.Get(echo.HeaderContentType), echo.MIMEApplicationForm) {
			return largerThan(formText)
		}
		body := &arrivingBody{ctx: r.Context(), source: http.MaxBytesReader(c.Response(), r.Body, b.limit), memory: b.memory}
		defer body.release()
		r.Body = body
		return next(c)
	}
}

// arrivingBody is a large body. The first Read takes it to a file that has no name, and
// then waits until there is memory for it; whoever refuses it unread does neither.
type arrivingBody struct {
	ctx    context.Context // of the request
	source io.ReadCloser
	memory *semaphore.Weighted

	begun  bool
	file   *os.File
	ended  error // what source ended with, given after the file; nil for its end
	weight int64 // taken of memory
}

func (b *arrivingBody) Read(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		if err := b.arrive(); err != nil {
			b.release()
			b.ended = err
		}
	}
	if b.file != nil {
		if n, err := b.file.Read(p); err != io.EOF {
			return n, err
		}
	}
	if b.ended != nil {
		return 0, b.ended
	}
	return 0, io.EOF
}

// arrive takes the body to the file and waits for memory.
func (b *arrivingBody) arrive() error {
	var err error
	if b.file, err = os.CreateTemp("", "madoguchi-body-*"); err != nil {
		return notKept(err)
	}
	if err := os.Remove(b.file.Name()); err != nil {
		return notKept(err)
	}
	from := &endingReader{r: b.source}
	size, err := io.Copy(b.file, from)
	if err != nil && err != from.err {
		return notKept(err)
	}
	b.ended = from.err
	if _, err := b.file.Seek(0, io.SeekStart); err != nil {
		return notKept(err)
	}
	if size <= smallBody {
		return nil
	}
	weight := min(bodyWeight*size, bodyMemory)
	if err := b.memory.Acquire(b.ctx, weight); err != nil {
		return fmt.Errorf("wait for memory: %w", err)
	}
	b.weight = weight
	return nil
}

// notKept is trouble with the disk, which the client has no part in.
func notKept(err error) error {
	return &helpdesk.Error{Code: helpdesk.CodeTemporary, Key: "error.unwritable", Message: fmt.Sprintf("the request cannot be kept while it arrives: %v", err)}
}

// release gives back what the body takes.
func (b *arrivingBody) release() {
	b.memory.Release(b.weight)
	b.weight = 0
	if b.file != nil {
		b.file.Close()
		b.file = nil
	}
}

// Close is what a handler's own limit calls; the request's end releases the rest.
func (b *arrivingBody) Close() error { return b.source.Close() }

// endingReader remembers what broke a reader off.
type endingReader struct {
	r   io.Reader
	err error // nil at the end
}

func (e *endingReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}
