package main_test

import (
	"bytes"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"
)

// letter is a mail as the server of its recipient has it.
type letter struct {
	from, to string // of the envelope
	raw      []byte
}

// mailbox is a real SMTP server that keeps what it is sent: the one behind the
// MX records of our correspondents.
type mailbox struct {
	address string

	mu      sync.Mutex
	letters []letter
	taken   map[string]int // how many of a recipient's letters were looked at
}

func serveMailbox(t testing.TB) *mailbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailbox{address: listener.Addr().String(), taken: map[string]int{}}
	server := smtp.NewServer(m)
	server.Domain = "mx.customer.test"
	server.ErrorLog = log.New(io.Discard, "", 0)
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return m
}

func (m *mailbox) port() string {
	_, port, _ := net.SplitHostPort(m.address)
	return port
}

// NewSession begins a session of the SMTP server.
func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailboxSession{box: m}, nil }

type mailboxSession struct {
	box  *mailbox
	from string
	to   []string
}

func (s *mailboxSession) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *mailboxSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}
func (s *mailboxSession) Reset()        { s.from, s.to = "", nil }
func (s *mailboxSession) Logout() error { return nil }
func (s *mailboxSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	for _, to := range s.to {
		s.box.letters = append(s.box.letters, letter{s.from, to, raw})
	}
	return nil
}

// to returns the letters that came for a recipient.
func (m *mailbox) to(recipient string) (list []letter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.letters {
		if strings.EqualFold(l.to, recipient) {
			list = append(list, l)
		}
	}
	return list
}

// all returns every letter so far.
func (m *mailbox) all() []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]letter(nil), m.letters...)
}

// next waits for the next letter to a recipient that was not looked at yet.
func (m *mailbox) next(t testing.TB, recipient string, patience time.Duration) letter {
	t.Helper()
	var found letter
	eventually(t, patience, "a letter to "+recipient+" arrives", func() bool {
		list := m.to(recipient)
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(list) <= m.taken[recipient] {
			return false
		}
		found = list[m.taken[recipient]]
		m.taken[recipient]++
		return true
	})
	return found
}

// header returns a field's value, decoded, "" where it is absent.
func (l letter) header(t testing.TB, name string) string {
	t.Helper()
	entity, err := message.Read(bytes.NewReader(l.raw))
	if err != nil {
		t.Fatalf("read the letter: %v\n%s", err, l.raw)
	}
	value, err := entity.Header.Text(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

// address returns the one address in a field.
func (l letter) address(t testing.TB, name string) *mail.Address {
	t.Helper()
	list, err := mail.ParseAddressList(l.header(t, name))
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: %q holds not one address: %v", name, l.header(t, name), err)
	}
	return list[0]
}

// ids returns the message identifiers in a field, without brackets.
func (l letter) ids(t testing.TB, name string) []string {
	t.Helper()
	var list []string
	for _, id := range strings.Fields(l.header(t, name)) {
		if !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, ">") {
			t.Fatalf("%s: %q is no message identifier", name, id)
		}
		list = append(list, id[1:len(id)-1])
	}
	return list
}

// bodies returns the content type of the whole letter, and the decoded text of
// each text part by its type.
func (l letter) bodies(t testing.TB) (contentType string, texts map[string]string) {
	t.Helper()
	entity, err := message.Read(bytes.NewReader(l.raw))
	if err != nil {
		t.Fatalf("read the letter: %v\n%s", err, l.raw)
	}
	contentType, _, err = entity.Header.ContentType()
	if err != nil {
		t.Fatal(err)
	}
	texts = map[string]string{}
	err = entity.Walk(func(_ []int, part *message.Entity, err error) error {
		if err != nil {
			return err
		}
		kind, _, err := part.Header.ContentType()
		if err != nil || !strings.HasPrefix(kind, "text/") {
			return err
		}
		text, err := io.ReadAll(part.Body)
		texts[kind] = strings.ReplaceAll(string(text), "\r\n", "\n")
		return err
	})
	if err != nil {
		t.Fatalf("walk the letter: %v\n%s", err, l.raw)
	}
	return contentType, texts
}
