package smtpd

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
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
		{"\r\n.\r\n", "\r\n", false},
		{".\r\n", "", false},
		{"a\r\n..\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", false},
		{"a\r\n.b\r\n.\r\n", "a\r\nb\r\n", false},
		{"a\nb\r\n.\r\n", "a", true},
		{"a\r\n.\rb\r\n.\r\n", "a\r\n", true},
		{"a\r\n.\r\r\n.\r\n", "a\r\n", true},
		{"a\r\n.\n.\r\n\r\n.\r\n", "a\r\n", true},
		{"a\rb\r\n.\r\n", "a", true},
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

func TestSessionsAreCountedByNetwork(t *testing.T) {
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:2", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		a, b := hostOf(netip.MustParseAddr(test.a)), hostOf(netip.MustParseAddr(test.b))
		if a == b != test.same {
			t.Errorf("%s in %v, %s in %v", test.a, a, test.b, b)
		}
	}
	if n := hostOf(netip.Addr{}); n.IsValid() {
		t.Errorf("a unix socket is in %v", n)
	}
}

func TestReceived(t *testing.T) {
	e := &Envelope{
		ID:         "01J00000000000000000000000",
		RemoteIP:   netip.MustParseAddr("2001:db8::1"),
		HELO:       "mail.example.net",
		Recipients: []string{"a@example.org", "b@example.org"},
		TLS:        "TLS1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		Protocol:   protocol(false, true, true, true),
		ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	want := "Received: from mail.example.net ([IPv6:2001:db8::1])\r\n\tby mx.example.org with UTF8SMTPS" +
		"\r\n\t(TLS1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256) id 01J00000000000000000000000;\r\n\tFri, 02 Jan 2026 03:04:05 +0000\r\n"
	if got := received(e, "mx.example.org"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	e.HELO = ""
	if got := received(e, "mx.example.org"); !strings.HasPrefix(got, "Received: from unknown (") {
		t.Errorf("%q", got)
	}
}

func TestProtocolWords(t *testing.T) {
	for _, test := range []struct {
		lmtp, extended, secured, smtputf8 bool
		want                              string
	}{
		{false, false, false, false, "SMTP"},
		{false, true, false, false, "ESMTP"},
		{false, true, true, false, "ESMTPS"},
		{false, false, true, false, "ESMTPS"},
		{false, true, false, true, "UTF8SMTP"},
		{false, true, true, true, "UTF8SMTPS"},
		{true, true, false, false, "LMTP"},
		{true, true, true, false, "LMTPS"},
		{true, true, false, true, "UTF8LMTP"},
		{true, true, true, true, "UTF8LMTPS"},
	} {
		if got := protocol(test.lmtp, test.extended, test.secured, test.smtputf8); got != test.want {
			t.Errorf("protocol(%v, %v, %v, %v) = %s, want %s", test.lmtp, test.extended, test.secured, test.smtputf8, got, test.want)
		}
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
