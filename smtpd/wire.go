package smtpd

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// The phases of a wire.
const (
	inCommands = iota
	inBody
)

// wire is a client's connection as go-smtp sees it. It keeps go-smtp from
// reading what it would misread, and owns all that has to do with the bytes:
// line ends, lengths, deadlines, TLS.
//
// It rests on one rule: a Read returns at most one command, or the end of one
// mail's text. So when go-smtp reads on, it has answered everything before, and
// the wire always knows which reply belongs to which command, however the
// client pipelined them. Replies are sent together as soon as no further
// command is at hand (RFC 2920 section 3.2).
//
// The text itself goes to the session by readText, past go-smtp, which would copy
// it twice more and look at each byte once more.
//
// TLS is negotiated here and not by go-smtp, which would otherwise put it
// above the wire and have it see cipher text only.
type wire struct {
	net.Conn // the TCP or unix connection
	server   *Server
	log      *slog.Logger
	remote   netip.Addr // the zero Addr on a unix socket
	expires  time.Time  // end of SessionTimeout

	// What follows belongs to the goroutine that serves the session.
	stream  net.Conn      // Conn, or TLS over it
	in      *bufio.Reader // over receive
	pending []byte        // bytes for go-smtp
	line    []byte        // memory for pending
	reply   []byte        // what go-smtp answered since it last read
	out     []byte        // replies not yet sent
	reason  Reason        // of the Refusal that reply is about to give
	command command       // the command that reply belongs to
	body    bodyFilter
	bodyEnd time.Time // end of DataTimeout
	lost    error     // why replies cannot be sent
	failure error     // why the text after DATA cannot be read to its end
	ended   bool      // nothing more is read from the client
	linger  bool      // the client may still be sending: see Close
	greeted bool      // HELO, EHLO or LHLO was accepted, and since STARTTLS
	esmtp   bool      // it was EHLO or LHLO
	tls     *tls.ConnectionState
	refused int    // commands refused since the last mail accepted
	held    bool   // in the tarpit; guarded by the admission
	mailID  string // of the transaction, for the log

	mu      sync.Mutex
	phase   int
	closing bool

	closed sync.Once
}

var errClosing = errors.New("server is shutting down")

func newWire(c net.Conn, s *Server, remote netip.Addr) *wire {
	w := &wire{
		Conn:    c,
		server:  s,
		remote:  remote,
		expires: time.Now().Add(s.config.SessionTimeout),
		stream:  c,
	}
	w.log = s.log.With("ip", remoteText(remote))
	w.in = bufio.NewReaderSize(readerFunc(w.receive), 16<<10)
	return w
}

// readerFunc makes a method an io.Reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// Read gives go-smtp its next command or the next bytes of a mail's text.
func (w *wire) Read(b []byte) (int, error) {
	for len(w.pending) == 0 {
		w.finishReply()
		switch {
		case w.ended:
			return 0, io.EOF
		case w.failure != nil:
			return 0, w.failure
		case w.phase == inBody:
			w.skipText()
		default:
			w.readCommand()
		}
	}
	n := copy(b, w.pending)
	w.pending = w.pending[n:]
	return n, nil
}

// Write collects go-smtp's reply to the command that it read last.
func (w *wire) Write(b []byte) (int, error) {
	w.reply = append(w.reply, b...)
	return len(b), nil
}

// readText reads the text of the mail after DATA, without the dots that were put
// before its lines; io.EOF is its end, and every other error is failure. b has room for
// minText bytes.
func (w *wire) readText(b []byte) (int, error) {
	w.finishReply() // to DATA: only now the text begins
	switch {
	case w.failure != nil:
		return 0, w.failure
	case w.phase != inBody:
		return 0, io.EOF
	}
	if _, err := w.in.Peek(1); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		w.failure = err
		return 0, err
	}
	src, _ := w.in.Peek(min(w.in.Buffered(), len(b)-maxHeldBack))
	text, n := w.body.feed(b[:0], src)
	w.in.Discard(n)
	if w.body.done {
		w.setPhase(inCommands)
		w.show(".\r\n") // of an empty text
	}
	return len(text), nil
}

// minText is what readText wants room for, in bytes.
const minText = 512

// skipText reads what the session left of the text.
func (w *wire) skipText() {
	for b := make([]byte, 4<<10); w.phase == inBody && w.failure == nil; {
		w.readText(b)
	}
}

// show gives go-smtp something to read.
func (w *wire) show(line string) {
	w.line = append(w.line[:0], line...)
	w.pending = w.line
}

// readCommand reads a line, and puts it into pending where it is go-smtp's to
// answer.
func (w *wire) readCommand() {
	if w.isClosing() {
		w.endIdle(errClosing)
		return
	}
	line, err := w.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		w.command = command{}
		w.linger = true
		w.answer(500, "5.5.2", "line too long")
		w.end()
	case err != nil:
		w.endIdle(err)
	case len(line) > maxCommandLine:
		w.command = command{}
		w.answer(500, "5.5.2", "line too long, the limit is %d bytes", maxCommandLine)
	default:
		w.execute(bytes.TrimRight(line, "\r\n"))
	}
}

// endIdle ends a session that waits for a command.
func (w *wire) endIdle(err error) {
	w.command = command{}
	switch {
	case w.isClosing():
		w.answer(421, "4.3.2", "%s is shutting down", w.server.config.Hostname)
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.answer(421, "4.4.2", "timeout, closing the connection")
	}
	w.end()
}

// receive reads from the network, having sent what the client is waiting for.
func (w *wire) receive(b []byte) (int, error) {
	if err := w.flush(); err != nil {
		return 0, err
	}
	if err := w.armRead(); err != nil {
		return 0, err
	}
	return w.stream.Read(b)
}

// armRead sets the deadline of the next read.
func (w *wire) armRead() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	deadline := time.Now().Add(w.server.config.ReadTimeout)
	total := w.expires
	if w.phase == inBody {
		total = w.bodyEnd
		if w.body.fault != "" {
			deadline = earlier(deadline, time.Now().Add(faultPatience))
		}
	} else if w.closing {
		return errClosing
	}
	return w.Conn.SetReadDeadline(earlier(deadline, total))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// flush sends the replies. After an error nothing more is sent.
func (w *wire) flush() error {
	if w.lost != nil || len(w.out) == 0 {
		return w.lost
	}
	if err := w.Conn.SetWriteDeadline(time.Now().Add(w.server.config.WriteTimeout)); err != nil {
		return err
	}
	_, w.lost = w.stream.Write(w.out)
	w.out = w.out[:0]
	return w.lost
}

// end stops reading; go-smtp closes the connection when it next reads.
func (w *wire) end() {
	w.ended = true
	w.pending = nil
}

func (w *wire) setPhase(phase int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = phase
}

func (w *wire) isClosing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closing
}

// shutdown ends the session with 421 as soon as it waits for a command; a mail
// that is being received is finished first. It is called by any goroutine.
func (w *wire) shutdown() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closing = true
	if w.phase == inCommands {
		w.Conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// Close sends what is left to say and closes the connection.
func (w *wire) Close() error {
	err := net.ErrClosed
	w.closed.Do(func() {
		w.finishReply()
		w.end()
		flushed := w.flush()
		if w.linger && flushed == nil {
			w.drain()
		}
		// First, so that a client that sees the end may come again at once.
		w.server.release(w)
		err = w.stream.Close()
	})
	return err
}

// drain reads on for a moment what the client was already sending: closing with
// unread bytes resets the connection, and the client would lose the reply that
// tells it why.
func (w *wire) drain() {
	half, ok := w.stream.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	w.Conn.SetReadDeadline(time.Now().Add(time.Second))
	io.CopyN(io.Discard, w.Conn, 1<<20)
}

func remoteText(remote netip.Addr) string {
	if !remote.IsValid() {
		return "local"
	}
	return remote.String()
}
