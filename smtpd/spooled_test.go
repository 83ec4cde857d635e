package smtpd_test

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/madoguchi/madoguchi/smtpd"
)

// TestSpooledMailIsNotInMemory: what relays bring over the API adds up to little while
// it arrives and waits.
func TestSpooledMailIsNotInMemory(t *testing.T) {
	const mails, size = 4, 24 << 20
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	line := []byte(strings.Repeat("x", 127) + "\n")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range mails {
		m, err := f.server.Spool(io.LimitReader(endless(line), size))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if m.Size() < size {
			t.Errorf("%d of %d bytes were kept", m.Size(), size)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > mails*size/2 {
		t.Errorf("%d mails of %d bytes took %d bytes of memory", mails, size, took)
	}
}

// endless repeats a line.
type endless []byte

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e) <= len(p) {
		n += copy(p[n:], e)
	}
	return n, nil
}

// TestInjectedLines: a relay may end lines with LF, and a mail that a session would
// refuse is refused.
func TestInjectedLines(t *testing.T) {
	long := strings.Repeat("Subject: x\n", 20_000)
	for _, c := range []struct {
		given, want string
		code        int
	}{
		{given: "A: 1\nB: 2\r\n\n\nx", want: "A: 1\r\nB: 2\r\n\r\n\r\nx"},
		{given: "\n\r\n\n", want: "\r\n\r\n\r\n"},
		{given: long, want: strings.ReplaceAll(long, "\n", "\r\n")},
		{given: "A: 1\rB: 2\n", code: 554},
		{given: "A: 1\r\r\n", code: 554},
		{given: "A: 1\n\nx\r", code: 554},
		{given: long + long, code: 552},
		{given: strings.Repeat("Received: x\n", 60) + "\nx\n", code: 554},
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(c.given), "split": iotest.OneByteReader(strings.NewReader(c.given))} {
			var got []byte
			err := inject(t, serve(t, smtpd.Config{MaxMessageBytes: 300_000}, &desk{}, nil).server, r, func(m *smtpd.Mail) { got = m.Raw })
			refusal, _ := err.(*smtpd.Refusal)
			switch {
			case c.code == 0 && (err != nil || !bytes.HasSuffix(got, []byte(c.want))):
				t.Errorf("%s: %.40q became %.60q, %v", name, c.given, got, err)
			case c.code != 0 && (refusal == nil || refusal.Code != c.code):
				t.Errorf("%s: %.40q: %v; want %d", name, c.given, err, c.code)
			}
		}
	}
}

// inject hands in what r gives, for support@x.org.
func inject(t *testing.T, s *smtpd.Server, r io.Reader, deliver func(*smtpd.Mail)) error {
	t.Helper()
	m, err := s.Spool(r)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = s.Inject(t.Context(), smtpd.Injection{Recipients: []string{"support@x.org"}, Mail: m},
		func(_ context.Context, m *smtpd.Mail, _ []smtpd.RefusedRecipient) error {
			deliver(m)
			return nil
		})
	return err
}

// TestSpoolSaysWhatBrokeOff: a body that ends early is no mail.
func TestSpoolSaysWhatBrokeOff(t *testing.T) {
	f := serve(t, smtpd.Config{}, &desk{}, nil)
	if _, err := f.server.Spool(io.MultiReader(strings.NewReader("Subject: x\n"), iotest.ErrReader(io.ErrUnexpectedEOF))); err != io.ErrUnexpectedEOF {
		t.Errorf("%v", err)
	}
}
