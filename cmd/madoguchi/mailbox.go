package main

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
)

// mailReader cuts a stream into mails: an mbox (RFC 4155) into its many, any
// other stream is one.
type mailReader struct {
	mbox  bool
	in    *bufio.Reader
	begun bool
	ended bool
}

func newMailReader(r io.Reader) *mailReader { return &mailReader{in: bufio.NewReaderSize(r, 64<<10)} }

// mboxMark begins the line between the mails of an mbox, and mboxLine is all of
// one: it ends in a date, which sets it apart from a sentence.
var (
	mboxMark = []byte("From ")
	mboxLine = regexp.MustCompile(`^From \S.*\d:\d\d\b.*\b\d{4}\b`)
)

// next returns the next mail as it came over the wire, io.EOF after the last.
func (m *mailReader) next() ([]byte, error) {
	if !m.begun {
		m.begun = true
		start, err := m.in.Peek(len(mboxMark))
		if err != nil && err != io.EOF {
			return nil, err
		}
		if m.mbox = bytes.Equal(start, mboxMark); !m.mbox {
			m.ended = true
			raw, err := io.ReadAll(m.in)
			return onTheWire(raw), err
		}
		if _, err := m.in.ReadBytes('\n'); err != nil {
			m.ended = true
		}
	}
	if m.ended {
		return nil, io.EOF
	}
	return m.cut()
}

// cut reads up to the next mark, which stands after a blank line. Lines that
// were quoted so as not to look like marks get their first character back off.
func (m *mailReader) cut() ([]byte, error) {
	var raw []byte
	blank := false
	for {
		line, err := m.in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		if blank && mboxLine.Match(line) {
			break
		}
		if quoted := bytes.TrimLeft(line, ">"); len(quoted) < len(line) && bytes.HasPrefix(quoted, mboxMark) {
			line = line[1:]
		}
		blank = len(bytes.TrimRight(line, "\r\n")) == 0
		raw = append(raw, line...)
		if err == io.EOF {
			m.ended = true
			break
		}
	}
	if blank || bytes.HasSuffix(raw, []byte("\n\n")) || bytes.HasSuffix(raw, []byte("\r\n\r\n")) {
		raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	}
	return onTheWire(raw), nil
}

// onTheWire gives a mail that was kept with the line ends of this machine those
// that it came with, by which it is recognised (RFC 5321, section 2.3.8).
func onTheWire(raw []byte) []byte {
	if bytes.Contains(raw, []byte("\r\n")) || !bytes.Contains(raw, []byte("\n")) {
		return raw
	}
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}
