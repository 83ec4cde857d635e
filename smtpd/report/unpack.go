package report

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxUnpacked bounds a report in XML: the largest seen in the wild have some
// megabytes.
const maxUnpacked = 16 << 20

// maxZipFiles bounds a zip; a report is one file.
const maxZipFiles = 4

// Read finds the report in a file of a mail: XML as it is, in gzip or in zip, told
// by its bytes since reporters name types freely. The error is ErrNoReport, with
// why, for everything else.
func Read(data []byte, now time.Time) (*Aggregate, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrNoReport, err)
		}
		z.Multistream(false)
		return parse(&bounded{r: z, left: maxUnpacked}, now)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readZip(data, now)
	case bytes.Contains(data[:min(len(data), 1024)], []byte("<")):
		return parse(&bounded{r: bytes.NewReader(data), left: maxUnpacked}, now)
	}
	return nil, ErrNoReport
}

func readZip(data []byte, now time.Time) (*Aggregate, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNoReport, err)
	}
	if len(z.File) > maxZipFiles {
		return nil, fmt.Errorf("%w: the zip holds %d files", ErrNoReport, len(z.File))
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
		a, err := parse(&bounded{r: r, left: maxUnpacked}, now)
		r.Close()
		if err == nil {
			return a, nil
		}
		found = err
	}
	return nil, found
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
