package mail

import (
	"bytes"
	"strings"
)

// uuBlock is a file written into a text as "begin MODE NAME" … "end".
type uuBlock struct {
	filename   []byte // as written
	data       []byte
	start, end int // of the block in the text, whole lines
}

// cutUUEncoded finds the first well-formed block of data. The closing "end" may
// be missing where the text ends.
func cutUUEncoded(data []byte) (uuBlock, bool) {
	for pos := 0; pos < len(data); {
		at := bytes.Index(data[pos:], []byte("begin "))
		if at < 0 {
			return uuBlock{}, false
		}
		start := pos + at
		line, next := nextLine(data, start)
		pos = next
		if start > 0 && data[start-1] != '\n' {
			continue
		}
		name, ok := uuBeginLine(line)
		if !ok {
			continue
		}
		if content, end, ok := readUULines(data, next); ok {
			return uuBlock{filename: name, data: content, start: start, end: end}, true
		} else if end > pos {
			pos = end // these lines were read already: keep the whole scan linear
		}
	}
	return uuBlock{}, false
}

// uuBeginLine reads "begin 644 name".
func uuBeginLine(line []byte) (name []byte, ok bool) {
	rest := bytes.TrimPrefix(line, []byte("begin "))
	mode, name, found := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
	if !found || len(mode) < 3 || len(mode) > 5 {
		return nil, false
	}
	if strings.Trim(string(mode), "01234567") != "" {
		return nil, false
	}
	return bytes.TrimSpace(name), true
}

// readUULines decodes lines up to "end"; end is where it stopped.
func readUULines(data []byte, pos int) (content []byte, end int, ok bool) {
	lines := 0
	for pos < len(data) {
		line, next := nextLine(data, pos)
		trimmed := bytes.TrimRight(line, " \t\r")
		if string(trimmed) == "end" {
			return content, next, lines > 0
		}
		if len(trimmed) == 0 || string(trimmed) == "`" {
			pos = next // the line of length zero before "end"
			continue
		}
		length := int(line[0]-' ') & 0x3F
		if length == 0 || len(line) > 1+(length+2)/3*4+2 || !isUULine(line) {
			return nil, pos, false
		}
		content = appendUULine(content, line[1:], length)
		lines++
		pos = next
	}
	return content, pos, lines > 0
}

// isUULine says that every character is of the alphabet, which has no lower case.
func isUULine(line []byte) bool {
	for _, c := range line {
		if c < ' ' || c > '`' {
			return false
		}
	}
	return true
}

// appendUULine decodes one line; spaces trimmed from its end count as zero.
func appendUULine(out, line []byte, length int) []byte {
	value := func(i int) uint32 {
		if i >= len(line) {
			return 0
		}
		return uint32(line[i]-' ') & 0x3F
	}
	for i := 0; length > 0; i += 4 {
		bits := value(i)<<18 | value(i+1)<<12 | value(i+2)<<6 | value(i+3)
		group := [3]byte{byte(bits >> 16), byte(bits >> 8), byte(bits)}
		n := min(length, 3)
		out = append(out, group[:n]...)
		length -= n
	}
	return out
}
