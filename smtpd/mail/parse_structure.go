package mail

import (
	"bytes"
	"strings"
)

// Limits of one mail. What lies beyond is kept in one attachment and named in
// Defects; the raw source keeps everything anyway.
const (
	maxDepth = 100
	maxParts = 10000
	// maxGuesses bounds how often a multipart without a usable boundary is read
	// again, one within the other, so that the work stays linear.
	maxGuesses = 3
)

// entity is a node of the MIME tree (RFC 2045): a mail or one of its parts.
type entity struct {
	fields      []rawField
	contentType string // lower case, "text/plain" where nothing usable is declared
	parameters  map[string]string
	disposition string // lower case: "", "inline", "attachment", …
	filename    string
	rawFilename string   // filename as it was written
	names       []string // every name it was given
	contentID   string
	encoding    string

	body     []byte // a leaf's content before transfer decoding
	children []*entity
}

func (e *entity) isMultipart() bool { return strings.HasPrefix(e.contentType, "multipart/") }

// field returns the first value of the named field.
func (e *entity) field(name string) ([]byte, bool) {
	for _, f := range e.fields {
		if len(f.written) == len(name) && strings.EqualFold(f.written, name) {
			return f.value, true
		}
	}
	return nil, false
}

// frame is a multipart whose parts are being read.
type frame struct {
	entity   *entity
	boundary string
	begin    int // of its content
	closed   bool
}

// splitter cuts a mail into its parts in one pass over the lines: a line is
// looked up among the boundaries of all enclosing multiparts at once, so an
// unclosed inner one ends where an outer one goes on, and depth costs nothing.
type splitter struct {
	p       *parsing
	data    []byte
	header  headerReader
	stack   []*frame
	open    map[string]int // how many frames of the stack have the boundary
	leaf    *entity        // being read; nil between parts
	begin   int            // of the leaf's content
	guesses int
}

// splitMail reads raw into a tree.
func (p *parsing) splitMail(raw []byte) *entity {
	s := newSplitter(p, raw)
	root := &entity{}
	body := s.readEntity(root, 0, nil)
	s.enter(root, body)
	s.scan(body)
	return root
}

func newSplitter(p *parsing, data []byte) *splitter {
	s := &splitter{p: p, data: data, open: map[string]int{}}
	s.header = headerReader{data: data, stop: s.isDelimiter, defect: p.defect, bound: &p.bound}
	return s
}

// readEntity reads the header of e at pos and returns where its body begins.
func (s *splitter) readEntity(e *entity, pos int, parent *entity) int {
	var body int
	e.fields, body = s.header.readHeader(pos)
	s.p.describe(e, parent)
	return body
}

// enter makes e the one being read: a frame if it can be split, else a leaf.
func (s *splitter) enter(e *entity, body int) {
	if e.isMultipart() {
		if len(s.stack) < maxDepth {
			s.push(&frame{entity: e, boundary: e.parameters["boundary"], begin: body})
			return
		}
		s.p.defect("more than %d levels of parts: the rest is kept as an attachment", maxDepth)
		e.disposition = "attachment"
	}
	s.leaf, s.begin = e, body
}

func (s *splitter) push(f *frame) {
	f.boundary = strings.TrimRight(f.boundary, " \t")
	s.stack = append(s.stack, f)
	if f.boundary != "" {
		s.open[f.boundary]++
	}
	s.leaf = nil
}

// scan reads lines from pos to the end.
func (s *splitter) scan(pos int) {
	for pos < len(s.data) {
		line, next := nextLine(s.data, pos)
		index, closing := s.match(line)
		if index < 0 {
			pos = next
			continue
		}
		s.endLeaf(pos)
		s.popTo(index+1, pos)
		f := s.stack[index]
		if closing {
			f.closed = true
			pos = next
			continue
		}
		f.closed = false
		if s.p.parts++; s.p.parts > maxParts {
			s.p.defect("more than %d parts: the rest is kept as an attachment", maxParts)
			f.entity.children = append(f.entity.children, &entity{
				contentType: "application/octet-stream", disposition: "attachment", body: s.data[pos:],
			})
			f.closed = true
			break
		}
		child := &entity{}
		f.entity.children = append(f.entity.children, child)
		pos = s.readEntity(child, next, f.entity)
		s.enter(child, pos)
	}
	s.endLeaf(len(s.data))
	s.popTo(0, len(s.data))
}

func (s *splitter) isDelimiter(line []byte) bool {
	index, _ := s.match(line)
	return index >= 0
}

// match finds the multipart a line delimits: the innermost that still expects
// parts, or else one that was closed too early. index is -1 for other lines.
func (s *splitter) match(line []byte) (index int, closing bool) {
	if len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return -1, false
	}
	key := bytes.TrimRight(line[2:], " \t\r")
	if s.open[string(key)] == 0 {
		key, closing = bytes.CutSuffix(key, []byte("--"))
		if !closing || s.open[string(key)] == 0 {
			return -1, false
		}
	}
	index = -1
	for i := len(s.stack) - 1; i >= 0; i-- {
		if s.stack[i].boundary != string(key) {
			continue
		}
		if !s.stack[i].closed {
			return i, closing
		}
		index = max(index, i)
	}
	return index, closing
}

// endLeaf gives the leaf its content, without the line end that belongs to the
// delimiter (RFC 2046 section 5.1.1).
func (s *splitter) endLeaf(end int) {
	if s.leaf == nil {
		return
	}
	s.leaf.body = s.content(s.begin, end)
	s.leaf = nil
}

func (s *splitter) content(begin, end int) []byte {
	if end < len(s.data) && end > begin && s.data[end-1] == '\n' {
		end--
		if end > begin && s.data[end-1] == '\r' {
			end--
		}
	}
	return s.data[min(begin, end):end:end]
}

// popTo leaves the frames from index on, which end at end.
func (s *splitter) popTo(index, end int) {
	for len(s.stack) > index {
		f := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if f.boundary != "" {
			s.open[f.boundary]--
		}
		if len(f.entity.children) == 0 {
			s.rescue(f, end)
		} else if !f.closed {
			s.p.defect("the closing boundary of %s is missing", f.entity.contentType)
		}
	}
}

// rescue reads a multipart in which no part was found: with the boundary its
// content plainly uses, or decoded first, or else as one text.
func (s *splitter) rescue(f *frame, end int) {
	e := f.entity
	content := s.content(f.begin, end)
	boundary := guessBoundary(content)
	if boundary == "" && strings.EqualFold(strings.TrimSpace(e.encoding), "base64") && looksBase64(content) {
		content, _ = decodeBase64(content)
		if boundary = guessBoundary(content); boundary != "" {
			s.p.defect("%s is itself base64: decoded", e.contentType)
		}
	}
	if boundary != "" && s.guesses < maxGuesses {
		s.p.defect("the boundary of %s is missing or wrong: %s is used", e.contentType, quoteForDefect(boundary))
		inner := newSplitter(s.p, content)
		inner.guesses = s.guesses + 1
		inner.push(&frame{entity: e, boundary: boundary})
		inner.scan(0)
		return
	}
	if !isBlank(content) {
		s.p.defect("%s has no parts: its content is read as text", e.contentType)
	}
	e.contentType, e.body = "text/plain", content
}

// guessBoundary finds the first line that looks like a delimiter: two hyphens,
// and a field of a part header, or a blank line, in the next.
func guessBoundary(content []byte) string {
	for pos := 0; pos < len(content); {
		line, next := nextLine(content, pos)
		pos = next
		if len(line) < 3 || line[0] != '-' || line[1] != '-' {
			continue
		}
		following, _ := nextLine(content, next)
		name, _, ok := cutField(following)
		if ok && len(name) > 8 && strings.EqualFold(string(name[:8]), "content-") {
			return string(bytes.TrimRight(line[2:], " \t\r"))
		}
	}
	return ""
}
