package smtpd

import (
	"bytes"
	"fmt"
)

// The states of a bodyFilter name what it has seen of the current line. In
// lineDot, lineDotCR and lineCR the last bytes are held back until the next one
// shows what they are.
const (
	lineStart = iota
	lineText
	lineCR
	lineDot
	lineDotCR
)

// maxHeldBack is how many bytes more than it is fed a bodyFilter may pass on.
const maxHeldBack = 2

var crlf = []byte("\r\n")

// bodyFilter reads the text after DATA (RFC 5321 section 4.1.1.4), takes the dot
// away that stands before a line's own (section 4.5.2), and finds the end: CRLF "."
// CRLF and nothing else.
//
// What it passes on holds CR and LF only as CRLF. A bare one is a fault
// (section 2.3.8), as it is how a second mail is smuggled past one of two
// servers that disagree about line ends. From the first fault on, nothing more
// is passed on; the real end is still looked for, so that no byte of a refused
// mail is read as a command.
type bodyFilter struct {
	state int
	done  bool   // the end has been read
	fault string // why the mail has to be refused; empty for none

	line   int // number of the current line, from 0
	length int // bytes of the current line
}

// feed reads from src until the end of the mail, appends what is to be passed
// on to dst, and returns that and the number of bytes read.
func (f *bodyFilter) feed(dst, src []byte) ([]byte, int) {
	for i := 0; i < len(src); {
		if f.state == lineText || f.state == lineStart && src[i] != '.' {
			if n := f.run(src[i:]); n > 0 {
				dst = f.pass(dst, src[i:i+n])
				i += n
				continue
			}
		}
		dst = f.step(dst, src[i])
		if i++; f.done {
			return dst, i
		}
	}
	return dst, len(src)
}

// runAtMost is how far a line is looked ahead, in bytes: most end before, and one that
// is made of bare CR or LF costs no more than this for each.
const runAtMost = 512

// run reads the text at the start of src up to a CR or LF, and the line end where it is
// there in whole, and returns the number of bytes.
func (f *bodyFilter) run(src []byte) int {
	n := min(len(src), runAtMost)
	for _, end := range []byte("\r\n") {
		if at := bytes.IndexByte(src[:n], end); at >= 0 {
			n = at
		}
	}
	if n > 0 {
		f.grow(n)
		f.state = lineText
	}
	if bytes.HasPrefix(src[n:], crlf) {
		n += len(crlf)
		f.endLine()
	}
	return n
}

func (f *bodyFilter) endLine() {
	f.state, f.length = lineStart, 0
	f.line++
}

// step reads one byte.
func (f *bodyFilter) step(dst []byte, c byte) []byte {
	switch {
	case c == '\n' && f.state == lineDotCR:
		f.done = true
	case c == '\n' && f.state == lineCR:
		dst = f.pass(dst, crlf)
		f.endLine()
	case c == '\n':
		f.setFault("a line feed without a carriage return")
		f.state = lineText
	case c == '\r' && f.state == lineDot:
		f.state = lineDotCR
	case c == '\r':
		if f.state == lineCR || f.state == lineDotCR {
			f.setFault("a carriage return without a line feed")
		}
		f.state = lineCR
	case f.state == lineCR || f.state == lineDotCR:
		f.setFault("a carriage return without a line feed")
		f.state = lineText
	case f.state == lineStart && c == '.':
		f.state = lineDot
	case f.state == lineDot:
		f.grow(1)
		dst = f.pass(dst, []byte{c}) // the dot before it was stuffed
		f.state = lineText
	default:
		f.grow(1)
		dst = f.pass(dst, []byte{c})
		f.state = lineText
	}
	return dst
}

func (f *bodyFilter) grow(n int) {
	f.length += n
	if f.length > maxBodyLine {
		f.setFault(fmt.Sprintf("more than %d bytes", maxBodyLine))
	}
}

func (f *bodyFilter) setFault(what string) {
	if f.fault == "" {
		f.fault = fmt.Sprintf("line %d of the message has %s", f.line+1, what)
	}
}

func (f *bodyFilter) pass(dst, b []byte) []byte {
	if f.fault != "" {
		return dst
	}
	return append(dst, b...)
}
