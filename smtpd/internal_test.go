package smtpd

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestSpoolOnFullDisk writes to the device that is always full.
func TestSpoolOnFullDisk(t *testing.T) {
	full := func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_RDWR, 0) }
	for _, size := range []int{memorySpool + 1, 3 * memorySpool} {
		s := &spool{limit: 10 * memorySpool, open: full}
		r := strings.NewReader(strings.Repeat("x", size))
		err := s.receive(r)
		if !errors.Is(err, errSpool) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if r.Len() > 0 {
			t.Errorf("%d of %d bytes were left unread", r.Len(), size)
		}
		if s.memory != nil || s.file != nil {
			t.Error("a spool that failed holds memory or a file")
		}
	}
}

// TestBodyFilterAtEveryCut feeds texts in two pieces, cut at every place, and in
// single bytes: the outcome must not depend on how the network cut them.
func TestBodyFilterAtEveryCut(t *testing.T) {
	for _, test := range []struct {
		text, passed string
		fault        bool
	}{
		{"\r\n.\r\n", "\r\n.\r\n", false},
		{".\r\n", ".\r\n", false},
		{"a\r\n..\r\nb\r\n.\r\n", "a\r\n..\r\nb\r\n.\r\n", false},
		{"a\r\n.b\r\n.\r\n", "a\r\n.b\r\n.\r\n", false},
		{"a\nb\r\n.\r\n", "a\r\n.\r\n", true},
		{"a\r\n.\rb\r\n.\r\n", "a\r\n\r\n.\r\n", true},
		{"a\r\n.\r\r\n.\r\n", "a\r\n\r\n.\r\n", true},
		{"a\r\n.\n.\r\n\r\n.\r\n", "a\r\n\r\n.\r\n", true},
		{"a\rb\r\n.\r\n", "a\r\n.\r\n", true},
	} {
		const next = "QUIT\r\n"
		src := test.text + next
		check := func(how string, passed []byte, read int, f *bodyFilter) {
			if string(passed) != test.passed || read != len(test.text) || !f.done || (f.fault != "") != test.fault {
				t.Errorf("%q %s: passed %q, read %d, done %v, fault %q", test.text, how, passed, read, f.done, f.fault)
			}
			if test.fault && bytes.ContainsAny(bytes.ReplaceAll(passed, []byte("\r\n"), nil), "\r\n") {
				t.Errorf("%q passed a bare line end: %q", test.text, passed)
			}
		}
		for cut := range len(test.text) {
			var f bodyFilter
			passed, n := f.feed(nil, []byte(src[:cut]))
			passed, m := f.feed(passed, []byte(src[cut:]))
			check("cut", passed, n+m, &f)
		}
		var f bodyFilter
		var passed []byte
		read := 0
		for i := range len(src) {
			if f.done {
				break
			}
			var n int
			passed, n = f.feed(passed, []byte(src[i:i+1]))
			read += n
		}
		check("in bytes", passed, read, &f)
	}
}

func BenchmarkBodyFilter(b *testing.B) {
	src := []byte(strings.Repeat(strings.Repeat("x", 76)+"\r\n", 200))
	dst := make([]byte, 0, 2*len(src))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		var f bodyFilter
		f.feed(dst, src)
	}
}
