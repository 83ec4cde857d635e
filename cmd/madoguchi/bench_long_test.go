package main_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// A long conversation, and how much each of its mails says.
const (
	longMessages = 800
	longText     = 53 << 10
)

// BenchmarkWebLongTicket measures how long a browser waits for a ticket of many
// long mails, of which a page shows the newest.
func BenchmarkWebLongTicket(b *testing.B) {
	data := newDesk(b)
	fillLongTicket(b, data)
	s := start(b, data, "--config", writeConfig(b, "[log]\nlevel = \"warn\"\n"))
	client := s.login(b)
	for _, q := range []asked{
		{"fragment", "ticket", fixed("/inbox/open/1")},
		{"whole-page", "", fixed("/inbox/open/1")},
		{"updates", "main", fixed("/tickets/1/updates?back=%2Finbox%2Fopen%2F1")},
		{"find", "ticket", fixed("/inbox/open/1?find=ZK00")},
		{"unfolded", "ticket", fixed("/inbox/open/1?fold=none")},
	} {
		b.Run(q.name, func(b *testing.B) { s.measure(b, client, q, 1) })
	}
}

// fillLongTicket writes a long conversation into a data directory that newDesk made.
func fillLongTicket(t testing.TB, data string) {
	t.Helper()
	journal, done := openJournal(t, data)
	defer done()
	s, r := newSeed(t, journal, time.Now().Add(-seedSpan)), rand.New(rand.NewPCG(1, 7))
	for i := range longMessages {
		text := ""
		for len(text) < longText {
			text += paragraph(r, 10) + "\r\n"
		}
		raw := fmt.Sprintf("Message-ID: <%d@customer.test>\r\nFrom: Tanaka <tanaka@customer.test>\r\nTo: <order@desk.test>\r\nSubject: Contract\r\n", i)
		if i > 0 {
			raw += "In-Reply-To: <0@customer.test>\r\n"
		}
		raw += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text
		_, err := s.desk.Receive(t.Context(), helpdesk.Incoming{Raw: []byte(raw), Message: mail.Parse([]byte(raw)),
			Envelope: helpdesk.Envelope{MailFrom: "tanaka@customer.test", Recipients: []string{"order@desk.test"}}})
		s.check(err)
	}
	last, err := s.desk.LastSeq(t.Context())
	s.check(err)
	s.check(s.desk.SaveCursor(t.Context(), helpdesk.CursorAnalysis, last))
}
