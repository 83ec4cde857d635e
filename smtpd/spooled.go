package smtpd

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Spooled is a mail that came by another way than a connection, as it waits to be
// injected: in memory while it is small, else in a file without a name. Whoever has it
// closes it.
type Spooled struct {
	held    spool
	size    int64
	refused *Refusal // of the whole mail; nil where Inject has a look at it
}

// Spool reads a mail to its end and keeps it as DATA does, so that many that arrive at
// once take little memory. Lines of r may end in LF alone. A mail that is too large, or
// has a bare carriage return, is one that Inject refuses. The error is r's, or trouble
// with the disk.
func (s *Server) Spool(r io.Reader) (*Spooled, error) {
	text := &injectedText{r: r}
	m := &Spooled{held: spool{limit: s.config.MaxMessageBytes, open: func() (*os.File, error) { return s.openSpool(s.config.SpoolDir) }}}
	err := m.held.receive(text)
	m.size = m.held.size
	switch {
	case errors.Is(err, errTooLarge):
		m.refused = &Refusal{Code: 552, Enhanced: [3]int{5, 3, 4}, Message: fmt.Sprintf("message too large, the limit is %d bytes", s.config.MaxMessageBytes)}
	case err != nil:
		m.Close()
		return nil, err
	case text.bare || text.last == '\r':
		m.refused = &Refusal{Code: 554, Enhanced: [3]int{5, 6, 0}, Message: "the message has a carriage return without a line feed"}
	}
	return m, nil
}

// Size is how large the mail is, in bytes, with lines that end in CRLF; of one that is
// too large, what was read until that was known.
func (m *Spooled) Size() int64 { return m.size }

// Close frees what the mail takes. It may be called more than once.
func (m *Spooled) Close() { m.held.close() }

// injectedText gives a mail the line ends of RFC 5322 as it is read.
type injectedText struct {
	r      io.Reader
	err    error // of r, given once the rest is
	rest   []byte
	buffer [spoolRead]byte
	last   byte
	bare   bool // a carriage return without a line feed was read
}

func (t *injectedText) Read(p []byte) (n int, err error) {
	if len(t.rest) == 0 && t.err == nil {
		n, t.err = t.r.Read(t.buffer[:])
		t.rest = t.buffer[:n]
	}
	for n = 0; n < len(p) && len(t.rest) > 0; n++ {
		next := t.rest[0]
		if next == '\n' && t.last != '\r' {
			next = '\r'
		} else {
			t.rest = t.rest[1:]
		}
		if t.last == '\r' && next != '\n' {
			t.bare = true
		}
		t.last, p[n] = next, next
	}
	if len(t.rest) == 0 {
		err = t.err
	}
	return n, err
}
