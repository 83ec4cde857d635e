package report

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"time"
)

// Report is a report on a domain: one of the two.
type Report struct {
	DMARC *Aggregate
	TLS   *TLS
}

// ErrNoReport says that the data are no report at all.
var ErrNoReport = errors.New("no report on a domain")

// maxUnpacked bounds a report as text: the largest seen in the wild have some
// megabytes.
const maxUnpacked = 16 << 20

// maxZipFiles bounds a zip; a report is one file.
const maxZipFiles = 4

// zipEntry begins each entry of a zip's directory (APPNOTE.TXT, section 4.3.12).
var zipEntry = []byte("PK\x01\x02")

// Read finds the report in a file of a mail: XML or JSON as it is, in gzip or in zip,
// told by its bytes since reporters name types freely. The error is ErrNoReport, with
// why, for everything else.
func Read(data []byte, now time.Time) (Report, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return Report{}, fmt.Errorf("%w: %v", ErrNoReport, err)
		}
		z.Multistream(false)
		return readText(z, now)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readZip(data, now)
	}
	return readText(bytes.NewReader(data), now)
}

func readZip(data []byte, now time.Time) (Report, error) {
	// archive/zip makes all entries before it can be asked how many there are, and does
	// not stop at the number that the zip's end gives: a megabyte of directory takes six
	// of memory.
	if n := bytes.Count(data, zipEntry); n > maxZipFiles {
		return Report{}, fmt.Errorf("%w: the zip holds %d files", ErrNoReport, n)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return Report{}, fmt.Errorf("%w: %v", ErrNoReport, err)
	}
	found := fmt.Errorf("%w: the zip holds no file", ErrNoReport)
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			found = fmt.Errorf("%w: %v", ErrNoReport, err)
			continue
		}
		one, err := readText(r, now)
		r.Close()
		if err == nil {
			return one, nil
		}
		found = err
	}
	return Report{}, found
}

// maxLead is how many bytes may stand before a report's first character: a byte
// order mark and blanks.
const maxLead = 1024

// readText reads a report that is unpacked, by its first character.
func readText(r io.Reader, now time.Time) (found Report, err error) {
	text := bufio.NewReader(&bounded{r: r, left: maxUnpacked})
	if mark, _ := text.Peek(3); string(mark) == "\ufeff" {
		text.Discard(3)
	}
	lead, _ := text.Peek(maxLead)
	switch blank := len(lead) - len(bytes.TrimLeft(lead, " \t\r\n")); {
	case blank == len(lead):
		return Report{}, ErrNoReport
	case lead[blank] == '{':
		found.TLS, err = parseTLS(text, now)
	case bytes.Contains(lead, []byte("<")):
		found.DMARC, err = parse(text, now)
	default:
		return Report{}, ErrNoReport
	}
	if err != nil {
		return Report{}, err
	}
	return found, nil
}

// bounded is a reader that fails, rather than ends, where there is too much.
type bounded struct {
	r    io.Reader
	left int64
}

var errTooMuch = errors.New("it is larger than 16 MiB unpacked")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
