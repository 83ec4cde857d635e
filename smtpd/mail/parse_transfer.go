package mail

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// decodeTransfer undoes a Content-Transfer-Encoding (RFC 2045 section 6) as far
// as the bytes allow. defect is empty, or says what was wrong and how it was read.
func decodeTransfer(data []byte, encoding string) (out []byte, defect string) {
	encoding, _, _ = strings.Cut(encoding, ";")
	encoding = strings.ToLower(strings.Trim(stripComments(encoding), " \t\"'"))
	switch encodingNoise.Replace(encoding) {
	case "", "7bit", "8bit", "binary", "none", "7bits", "8bits", "identity":
		return data, ""
	case "base64", "b64", "xbase64":
		return decodeBase64(data)
	case "quotedprintable", "quotedprintible", "qp", "quoted":
		return decodeQuotedPrintable(data), ""
	case "xuuencode", "uuencode", "xuue", "uue":
		if block, ok := cutUUEncoded(data); ok {
			return block.data, ""
		}
		return data, "uuencoded content has no block: kept as it came"
	}
	return data, "unknown Content-Transfer-Encoding " + quoteForDefect(encoding) + ": kept as it came"
}

// encodingNoise is what careless programs put into the name of an encoding.
var encodingNoise = strings.NewReplacer("-", "", "_", "", " ", "")

// decodeBase64 takes the strict and fast way first, then the lenient one.
func decodeBase64(data []byte) ([]byte, string) {
	// Decode skips line ends by itself.
	strict := make([]byte, base64.StdEncoding.DecodedLen(len(data)))
	if n, err := base64.StdEncoding.Decode(strict, bytes.TrimRight(data, " \t\r\n")); err == nil {
		return strict[:n], ""
	}
	if !looksBase64(data) {
		return data, "content declared base64 is not: kept as it came"
	}
	return decodeBase64Leniently(strict[:0], data)
}

// looksBase64 says whether data is base64 with some damage, and not text under a
// wrong label: judged by its beginning, up to the first blank line.
func looksBase64(data []byte) bool {
	good, bad, blanks, equals, mixed := 0, 0, 0, 0, false
	for i := 0; i < len(data) && i < 4096; i++ {
		switch c := data[i]; {
		case c == '=':
			good++
			equals++
		case base64Value(c) < 64 || c == '-' || c == '_':
			good++
			mixed = mixed || c < 'a'
		case c == ' ' || c == '\t':
			blanks++
		case c == '\n' || c == '\r':
			if good > 0 && c == '\n' && i+1 < len(data) && (data[i+1] == '\n' || data[i+1] == '\r') {
				i = len(data)
			}
		default:
			bad++
		}
	}
	if good >= 64 && blanks > 0 && !mixed {
		return false // words: no base64 of that length has small letters alone
	}
	return good > 0 && bad*10 <= good && blanks*8 <= good && (equals <= 4 || equals*8 <= good)
}

// decodeBase64Leniently ignores what is outside the alphabet, takes padding in
// the middle as a seam of two encodings, and text after the padding, as mailing
// lists append it, for what it is.
func decodeBase64Leniently(out, data []byte) ([]byte, string) {
	var bits uint32
	have := 0
	padded, ignored := false, 0
	for start := 0; start < len(data); {
		line, next := nextLine(data, start)
		if padded && len(line) > 0 && looksLikeWords(line) {
			return append(append(out, '\n'), data[start:]...), "text after the end of base64: kept as it came"
		}
		for _, c := range line {
			switch c {
			case '-':
				c = '+'
			case '_':
				c = '/'
			case '=':
				out, bits, have = flushBase64(out, bits, have), 0, 0
				padded = true
				continue
			}
			v := base64Value(c)
			if v == 64 {
				if c != ' ' && c != '\t' && c != '\r' {
					ignored++
				}
				continue
			}
			bits = bits<<6 | uint32(v)
			if have++; have == 4 {
				out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
				bits, have = 0, 0
			}
		}
		start = next
	}
	out = flushBase64(out, bits, have)
	if ignored > 0 {
		return out, "damaged base64: what is outside its alphabet was ignored"
	}
	return out, "base64 is cut short or joined of several"
}

// flushBase64 writes what a group of fewer than four characters holds.
func flushBase64(out []byte, bits uint32, have int) []byte {
	switch have {
	case 2:
		return append(out, byte(bits>>4))
	case 3:
		return append(out, byte(bits>>10), byte(bits>>2))
	}
	return out
}

// looksLikeWords says whether a line is prose: blanks between words, or signs
// that base64 has not.
func looksLikeWords(line []byte) bool {
	for _, c := range bytes.TrimSpace(line) {
		if base64Value(c) == 64 && c != '=' && c != '\r' {
			return true
		}
	}
	return false
}

// decodeQuotedPrintable keeps whatever is no valid escape as it stands (RFC 2045
// section 6.7 leaves robust handling to the reader).
func decodeQuotedPrintable(data []byte) []byte {
	if bytes.IndexByte(data, '=') < 0 && !bytes.Contains(data, []byte(" \n")) && !bytes.Contains(data, []byte(" \r")) {
		return data
	}
	out := make([]byte, 0, len(data))
	for start := 0; start < len(data); {
		line, next := nextLine(data, start)
		ending := data[start+len(line) : next]
		start = next
		line = bytes.TrimRight(line, " \t")
		soft := bytes.HasSuffix(line, []byte("="))
		if soft {
			line = line[:len(line)-1]
		}
		for i := 0; i < len(line); i++ {
			if line[i] == '=' {
				if v, ok := hexByte(line[i+1:]); ok {
					out = append(out, v)
					i += 2
					continue
				}
			}
			out = append(out, line[i])
		}
		if !soft {
			out = append(out, ending...)
		}
	}
	return out
}

// hexByte reads two hexadecimal digits of either case.
func hexByte(b []byte) (byte, bool) {
	if len(b) < 2 {
		return 0, false
	}
	high, low := hexValue(b[0]), hexValue(b[1])
	return high<<4 | low, high < 16 && low < 16
}

func hexValue(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}

// nextLine returns the line at start without its end (LF or CRLF), and where
// the next begins.
func nextLine(data []byte, start int) (line []byte, next int) {
	end := bytes.IndexByte(data[start:], '\n')
	if end < 0 {
		return data[start:], len(data)
	}
	next = start + end + 1
	end = next - 1
	if end > start && data[end-1] == '\r' {
		end--
	}
	return data[start:end], next
}
