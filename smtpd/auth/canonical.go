package auth

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"strings"
	"sync"
)

// Canonicalization of RFC 6376 section 3.4, as DKIM and ARC use it.

// The names of the canonicalizations.
const (
	simple  = "simple"
	relaxed = "relaxed"
)

// canonicalField appends a field in canonical form to dst.
type canonicalField func(dst []byte, f field) []byte

// canonicalFields returns the canonicalization of header fields of a name.
func canonicalFields(name string) (canonicalField, error) {
	switch name {
	case simple:
		return simpleField, nil
	case relaxed:
		return relaxedField, nil
	}
	return nil, fmt.Errorf("unknown canonicalization %s", clean(name))
}

// readCanonicalization reads the tag c=, "header/body"; what is absent is simple.
func readCanonicalization(tag string) (header, body string) {
	header, body, _ = strings.Cut(withoutSpace(tag), "/")
	if header == "" {
		header = simple
	}
	if body == "" {
		body = simple
	}
	return header, body
}

func simpleField(dst []byte, f field) []byte { return append(dst, f.raw...) }

// relaxedField is RFC 6376 section 3.4.2.
func relaxedField(dst []byte, f field) []byte {
	dst = append(append(dst, f.name...), ':')
	begin, space := len(dst), false
	value := f.value()
	for i := range len(value) {
		switch c := value[i]; c {
		case ' ', '\t', '\r', '\n':
			space = len(dst) > begin
		default:
			if space {
				dst = append(dst, ' ')
				space = false
			}
			dst = append(dst, c)
		}
	}
	return append(dst, crlf...)
}

// bodySum is the SHA-256 of a canonical body, which several signatures ask for, and the
// length of that body in bytes.
type bodySum struct {
	once   sync.Once
	sum    [sha256.Size]byte
	length int64
}

func (b *bodySum) of(body []byte, write func(hash.Hash, []byte)) *bodySum {
	b.once.Do(func() {
		to := measured{Hash: sha256.New()}
		write(&to, body)
		to.Sum(b.sum[:0])
		b.length = to.length
	})
	return b
}

// measured is a hash that counts the bytes it is given.
type measured struct {
	hash.Hash
	length int64
}

// Write implements io.Writer.
func (m *measured) Write(p []byte) (int, error) {
	m.length += int64(len(p))
	return m.Hash.Write(p)
}

// bodySum returns the sum of the body under the canonicalization of a name.
func (m *message) bodySum(name string) (*bodySum, error) {
	switch name {
	case simple:
		return m.simple.of(m.body, simpleBody), nil
	case relaxed:
		return m.relaxed.of(m.body, relaxedBody), nil
	}
	return nil, fmt.Errorf("unknown canonicalization %s", clean(name))
}

// simpleBody is RFC 6376 section 3.4.3: empty lines at the end count as none,
// and an empty body as one.
func simpleBody(to hash.Hash, body []byte) {
	for bytes.HasSuffix(body, crlf) {
		body = body[:len(body)-len(crlf)]
	}
	to.Write(body)
	to.Write(crlf)
}

// relaxedBody is RFC 6376 section 3.4.4: runs of white space count as one
// space, at the end of a line as none; an empty body stays empty.
func relaxedBody(to hash.Hash, body []byte) {
	const chunk = 4 << 10
	canonical := make([]byte, 0, 2*chunk)
	emptyLines := 0
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, crlf)
		body = rest
		line = bytes.TrimRight(line, " \t")
		if len(line) == 0 {
			emptyLines++
			continue
		}
		for ; emptyLines > 0; emptyLines-- {
			canonical = append(canonical, crlf...)
		}
		canonical = append(relaxedLine(canonical, line), crlf...)
		if len(canonical) >= chunk {
			to.Write(canonical)
			canonical = canonical[:0]
		}
	}
	to.Write(canonical)
}

// relaxedLine appends a line to dst, with one space for each run of white space.
func relaxedLine(dst, line []byte) []byte {
	if bytes.IndexByte(line, '\t') < 0 && !bytes.Contains(line, []byte("  ")) {
		return append(dst, line...) // as almost every line is
	}
	for i, c := range line {
		switch {
		case c != ' ' && c != '\t':
			dst = append(dst, c)
		case i == 0 || line[i-1] != ' ' && line[i-1] != '\t':
			dst = append(dst, ' ')
		}
	}
	return dst
}

// fieldsSum is the SHA-256 of the fields that a signature covers and of its own field
// without b= (RFC 6376, section 3.7). Names pick fields from the bottom up; those of
// fields that are not there add nothing.
func (m *message) fieldsSum(signed []string, own field, canonical canonicalField) []byte {
	left := make(map[string][]int, len(m.fields)) // places of the fields of a name
	for i, f := range m.fields {
		left[f.name] = append(left[f.name], i)
	}
	to := sha256.New()
	var b []byte
	for _, name := range signed {
		name = strings.ToLower(name)
		if places := left[name]; len(places) > 0 {
			b = canonical(b[:0], m.fields[places[len(places)-1]])
			to.Write(b)
			left[name] = places[:len(places)-1]
		}
	}
	return sumOwn(to, b[:0], own, canonical)
}

// sumOwn ends a sum with the signing field itself, as it was before it was signed.
func sumOwn(to hash.Hash, b []byte, own field, canonical canonicalField) []byte {
	own.raw = withoutSignature(own.raw)
	to.Write(bytes.TrimSuffix(canonical(b, own), crlf))
	return to.Sum(nil)
}

// withoutSignature empties the b= tag of a field, as signing had it.
func withoutSignature(raw string) string {
	name, value, _ := strings.Cut(raw, ":")
	parts := strings.Split(value, ";")
	for i, part := range parts {
		if tag, _, ok := strings.Cut(part, "="); ok && strings.TrimSpace(tag) == "b" {
			parts[i] = tag + "="
			if i == len(parts)-1 && strings.HasSuffix(part, "\r\n") {
				parts[i] += "\r\n"
			}
		}
	}
	return name + ":" + strings.Join(parts, ";")
}
