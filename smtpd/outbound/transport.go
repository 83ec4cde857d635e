package outbound

import (
	"context"
	"errors"
	"net"
	"time"
)

// maxRead bounds what a server may say in one session, TLS included: a client
// collects replies in memory, and endless ones cost nothing to send.
const maxRead = 1 << 20

var errTooMuch = errors.New("the server talks without end")

// transport is a connection with deadlines of its own. The peer has the time
// given by expect for a whole answer, not for each byte of it; writing has a
// time for each block that gets through.
type transport struct {
	net.Conn
	end  time.Time // of the whole delivery; zero where there is none
	step time.Duration
	left int
}

func newTransport(ctx context.Context, conn net.Conn, step time.Duration) *transport {
	t := &transport{Conn: conn, step: step, left: maxRead}
	t.end, _ = ctx.Deadline()
	return t
}

// renew makes an idle connection ready for another delivery.
func (t *transport) renew(ctx context.Context) {
	t.left = maxRead
	t.end, _ = ctx.Deadline()
}

func (t *transport) expect(d time.Duration) { _ = t.Conn.SetReadDeadline(t.deadline(d)) }

func (t *transport) deadline(d time.Duration) time.Time {
	at := time.Now().Add(d)
	if !t.end.IsZero() && t.end.Before(at) {
		return t.end
	}
	return at
}

func (t *transport) Read(b []byte) (int, error) {
	if t.left <= 0 {
		return 0, errTooMuch
	}
	n, err := t.Conn.Read(b[:min(len(b), t.left)])
	t.left -= n
	return n, err
}

func (t *transport) Write(b []byte) (int, error) {
	if err := t.Conn.SetWriteDeadline(t.deadline(t.step)); err != nil {
		return 0, err
	}
	return t.Conn.Write(b)
}
