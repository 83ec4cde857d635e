package store

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// Files in mails, and the text of most Japanese ones, travel in base64 (RFC 2045,
// section 6.8), which hides from compression what repeats within it. So a mail is
// folded before it is compressed: what base64 can be written again byte for byte
// is kept as the bytes it stands for.
//
// A folded mail is, over and over: the length of a literal stretch, that stretch,
// the length of a decoded one, how many characters its lines had, its bytes. All
// numbers are unsigned varints. It ends after a literal stretch.

const (
	// minFolded is how many characters of base64 are worth folding.
	minFolded = 128
	// maxBase64Line is the longest line that is taken for base64; mails have 76.
	maxBase64Line = 1000
	// foldedOverhead is by how much, in bytes, a folded mail can be longer than the
	// mail: a run of base64 saves more than its three numbers take.
	foldedOverhead = 16
)

var strictBase64 = base64.StdEncoding.Strict()

// fold returns raw folded, or raw itself and false where it has no base64.
func fold(raw []byte) (folded []byte, ok bool) {
	literal := 0 // where the stretch begins that is not written yet
	for at := 0; at < len(raw); {
		end, width := base64Run(raw[at:])
		if end == 0 {
			at = nextLine(raw, at)
			continue
		}
		if folded == nil {
			folded = make([]byte, 0, len(raw)*4/5+minFolded)
		}
		before := len(folded)
		folded = binary.AppendUvarint(folded, uint64(at-literal))
		folded = append(folded, raw[literal:at]...)
		var err error
		if folded, err = appendDecoded(folded, raw[at:at+end], width); err != nil {
			folded = folded[:before]
			at = nextLine(raw, at+end)
			continue
		}
		at += end
		literal = at
	}
	if literal == 0 {
		return raw, false
	}
	folded = binary.AppendUvarint(folded, uint64(len(raw)-literal))
	return append(folded, raw[literal:]...), true
}

// appendDecoded appends the length, the width and the bytes of a run of base64.
func appendDecoded(folded, run []byte, width int) ([]byte, error) {
	full := (len(run) + len("\r\n")) / (width + len("\r\n")) // lines
	last := run[full*(width+len("\r\n"))-len("\r\n"):]       // with the line end before it
	length := full * width / 4 * 3
	if last = bytes.TrimPrefix(last, []byte("\r\n")); len(last) > 0 {
		length += len(last) / 4 * 3
	}
	length -= bytes.Count(run[len(run)-2:], []byte("="))
	folded = binary.AppendUvarint(folded, uint64(length))
	folded = binary.AppendUvarint(folded, uint64(width))
	for len(run) > 0 {
		var err error
		if folded, err = strictBase64.AppendDecode(folded, run[:min(width, len(run))]); err != nil {
			return folded, err
		}
		run = run[min(width+len("\r\n"), len(run)):]
	}
	return folded, nil
}

func nextLine(raw []byte, at int) int {
	if n := bytes.IndexByte(raw[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(raw)
}

// base64Run returns where the base64 at the beginning of text ends: lines of one
// width and a last one that may be shorter, without the line end after it. 0 where
// there is none worth folding.
func base64Run(text []byte) (end, width int) {
	for at := 0; ; {
		line, _, whole := bytes.Cut(text[at:min(len(text), at+maxBase64Line+2)], []byte("\r\n"))
		if !whole && at+len(line) < len(text) || !isBase64(line) || at > 0 && len(line) > width {
			break
		}
		if at == 0 {
			width = len(line)
		}
		end = at + len(line)
		if !whole || len(line) < width || line[len(line)-1] == '=' {
			break
		}
		at = end + len("\r\n")
	}
	if end < minFolded {
		return 0, 0
	}
	return end, width
}

// isBase64 tells whether a line is whole groups of four, padded at most at its end.
func isBase64(line []byte) bool {
	if len(line) == 0 || len(line)%4 != 0 {
		return false
	}
	for _, c := range line[:len(line)-2] {
		if !base64Letters[c] {
			return false
		}
	}
	a, b := line[len(line)-2], line[len(line)-1]
	return base64Letters[a] && (base64Letters[b] || b == '=') || a == '=' && b == '='
}

var base64Letters = func() (letters [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		letters[c] = true
	}
	return letters
}()

var errFolded = errors.New("it is not a folded mail")

// unfold returns the mail of size bytes that was folded.
func unfold(folded []byte, size int64) ([]byte, error) {
	raw := make([]byte, 0, size)
	for rest := folded; ; {
		literal, after, err := stretch(rest)
		if err != nil || int64(len(raw)+len(literal)) > size {
			return nil, errFolded
		}
		raw = append(raw, literal...)
		if len(after) == 0 {
			break
		}
		length, n := binary.Uvarint(after)
		if n <= 0 {
			return nil, errFolded
		}
		width, m := binary.Uvarint(after[n:])
		if m <= 0 || width == 0 || width > maxBase64Line || length > uint64(len(after)-n-m) || int64(len(raw)+strictBase64.EncodedLen(int(length))) > size {
			return nil, errFolded
		}
		decoded := after[n+m:][:length]
		perLine := int(width) / 4 * 3
		for len(decoded) > perLine && perLine > 0 {
			raw = append(strictBase64.AppendEncode(raw, decoded[:perLine]), "\r\n"...)
			decoded = decoded[perLine:]
		}
		raw = strictBase64.AppendEncode(raw, decoded)
		rest = after[n+m+int(length):]
	}
	return raw, nil
}

func stretch(data []byte) (bytes, rest []byte, err error) {
	length, n := binary.Uvarint(data)
	if n <= 0 || length > uint64(len(data)-n) {
		return nil, nil, errFolded
	}
	return data[n:][:length], data[n+int(length):], nil
}
