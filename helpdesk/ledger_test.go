package helpdesk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

func (h *house) ledger(q helpdesk.LedgerQuery) *helpdesk.Ledger {
	h.t.Helper()
	l, err := h.Ledger(h.t.Context(), h.admin, q)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

// Every accepted mail is somewhere, on the day on which it came where the reader lives.
func TestTheLedgerBalancesByDay(t *testing.T) {
	h := newHouse(t)
	h.first() // 10:00 UTC on 21 November: 19:00 in Tokyo
	answer := h.reply(1, "Done.")
	h.post(answer.ReplyAddress, "From: stranger@elsewhere.example", "Subject: Re: Invoice", "", "Let me in")
	held := h.post(answer.ReplyAddress, "From: other@elsewhere.example", "Subject: Re: Invoice", "", "Me too")
	if _, err := h.ResolveHeld(t.Context(), h.admin, held.MessageID, helpdesk.ResolveRefuse); err != nil {
		t.Fatal(err)
	}
	h.post("support@example.jp", "From: daemon@customer.example", "Auto-Submitted: auto-replied", "Subject: Away", "", "I am away")
	spam := h.post("support@example.jp", "From: seller@elsewhere.example", "Subject: Buy", "", "Buy")
	if _, err := h.MarkSpam(t.Context(), h.admin, spam.Ticket, ""); err != nil {
		t.Fatal(err)
	}
	same := []string{"Message-ID: <same@customer.example>", "Date: Sat, 21 Nov 2026 09:00:00 +0000", "From: a@customer.example", "Subject: Twice", "", "Sent twice"}
	h.post("support@example.jp", same...)
	h.pass(6 * time.Hour) // it is the 22nd in Tokyo
	h.post("support@example.jp", same...)
	h.post("support@example.jp", "From: b@customer.example", "Subject: Late", "", "Late")
	for range 3 {
		h.CountRefusal(helpdesk.RefusedUnknown)
	}
	h.CountRefusal("never heard of")

	tokyo := time.FixedZone("JST", 9*60*60)
	check := func() {
		t.Helper()
		l := h.ledger(helpdesk.LedgerQuery{Days: 3, Zone: tokyo})
		var lines []string
		for _, d := range append(l.Days, l.Total) {
			lines = append(lines, fmt.Sprintf("%s %d=%d+%d+%d+%d again %d refused %d/%d off %d", d.Day, d.Accepted, d.Places[helpdesk.PlaceTickets],
				d.Places[helpdesk.PlaceHeld], d.Places[helpdesk.PlaceRelayed], d.Places[helpdesk.PlaceRefused], d.Duplicates, d.Refused[helpdesk.RefusedUnknown], d.Refused[helpdesk.RefusedOther], d.Difference()))
		}
		want := `2026-11-22 1=1+0+0+0 again 1 refused 3/1 off 0
2026-11-21 6=4+1+0+1 again 0 refused 0/0 off 0
2026-11-20 0=0+0+0+0 again 0 refused 0/0 off 0
 7=5+1+0+1 again 1 refused 3/1 off 0`
		if got := strings.Join(lines, "\n"); got != want || !l.Balanced() {
			t.Errorf("the ledger (balanced: %t):\n%s\nwant\n%s", l.Balanced(), got, want)
		}
	}
	check()
	if err := h.WriteRefusals(t.Context()); err != nil {
		t.Fatal(err)
	}
	check()
	day := h.ledger(helpdesk.LedgerQuery{Day: "2026-11-21", Zone: tokyo}).Days[0]
	if day.Kinds[helpdesk.KindPerson] != 3 || day.Kinds[helpdesk.KindAutoReply] != 1 || day.Spam != 1 {
		t.Errorf("the day in detail: %+v", day)
	}
	if _, err := h.Ledger(t.Context(), h.admin, helpdesk.LedgerQuery{Day: "yesterday"}); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("a day that is none: %v", err)
	}
}

// Refusals that cannot be written are kept, and written the next time.
func TestRefusalsOutliveAFailedCommit(t *testing.T) {
	h := newHouse(t)
	h.CountRefusal(helpdesk.RefusedSize)
	failure := errors.New("disk full")
	h.fault.FailCommit(1, failure)
	if err := h.WriteRefusals(t.Context()); !errors.Is(err, failure) {
		t.Fatalf("write: %v", err)
	}
	h.CountRefusal(helpdesk.RefusedSize)
	if err := h.WriteRefusals(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.WriteRefusals(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := h.ledger(helpdesk.LedgerQuery{}).Total.Refused[helpdesk.RefusedSize]; n != 2 {
		t.Errorf("%d are counted, want 2", n)
	}
	h.pass(500 * 24 * time.Hour) // the days are told apart no more
	h.post("support@example.jp", "From: a@customer.example", "Subject: x", "", "x")
	h.CountRefusal(helpdesk.RefusedForm)
	if err := h.WriteRefusals(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := h.ledger(helpdesk.LedgerQuery{})
	if l.Total.Refused[helpdesk.RefusedSize] != 2 || l.Total.Accepted != 1 || !l.Balanced() {
		t.Errorf("after more than a year: %+v", l.Total)
	}
}

// A mail that is lost is named, wherever one looks.
func TestTheLedgerNamesALostMail(t *testing.T) {
	h := newHouse(t)
	h.first()
	lost := h.post("support@example.jp", "From: lost@customer.example", "Subject: Lost", "", "Lost")
	table := store.NewTable(store.Spec[helpdesk.Message]{Name: "message", Version: 1, Key: func(m *helpdesk.Message) []byte { return store.Key(nil).BoundedText(m.ID) },
		Indexes: []store.Index[helpdesk.Message]{{Name: "mail", Keys: func(m *helpdesk.Message) [][]byte {
			return [][]byte{store.Key(nil).BoundedText(string(m.State)).Time(m.At)}
		}}}})
	var kept *helpdesk.Message
	change := func(fn func(store.Tx) error) {
		t.Helper()
		if err := h.db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	change(func(tx store.Tx) (err error) {
		id := store.Key(nil).BoundedText(lost.MessageID)
		if kept, err = table.Get(tx, id); err != nil {
			return err
		}
		return table.Delete(tx, id)
	})
	l := h.ledger(helpdesk.LedgerQuery{})
	if l.Balanced() || l.Days[0].Difference() != 1 || len(l.Missing) != 1 || l.Missing[0].ID != lost.MessageID || l.Missing[0].From != "lost@customer.example" {
		t.Errorf("the ledger says %+v, missing %+v", l.Days[0], l.Missing)
	}
	problems, err := h.Verify(t.Context())
	said := strings.Join(problems, "\n")
	if err != nil || !strings.Contains(said, "mail "+lost.MessageID+` from "lost@customer.example"`) ||
		!strings.Contains(said, "in the hour from 2026-11-21T10:00:00Z 2 mails were accepted, 1 are accounted for") {
		t.Errorf("verify: %v\n%s", err, said)
	}
	change(func(tx store.Tx) error { return table.Put(tx, kept) })
	if l := h.ledger(helpdesk.LedgerQuery{}); !l.Balanced() || len(l.Missing) != 0 {
		t.Errorf("with the mail back: %+v", l)
	}
}

// A store of a version that counted no hours gets them, and what did not balance then
// does not balance now.
func TestALedgerWithoutHoursGetsThem(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.pass(26 * time.Hour)
	h.post("support@example.jp", "From: b@customer.example", "Subject: Second", "", "Second")
	type before struct{ Accepted, Duplicates int }
	old := store.NewTable(store.Spec[before]{Name: "ledger", Version: 1, Key: func(*before) []byte { return store.Key(nil).BoundedText("ledger") }})
	rewrite := func(accepted int) {
		t.Helper()
		if err := h.db.Update(t.Context(), func(tx store.Tx) error {
			for hour, err := range tx.Scan(store.Prefix([]byte("t/ledgerhour/"))) {
				if err != nil {
					return err
				}
				if err := tx.Delete(hour.Key); err != nil {
					return err
				}
			}
			return old.Put(tx, &before{Accepted: accepted, Duplicates: 5})
		}); err != nil {
			t.Fatal(err)
		}
	}
	for accepted, balanced := range map[int]bool{2: true, 3: false, 1: false} {
		rewrite(accepted)
		desk, err := helpdesk.Open(t.Context(), h.db, helpdesk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		desk.Now = h.Desk.Now
		l, err := desk.Ledger(t.Context(), h.admin, helpdesk.LedgerQuery{Days: 2})
		if err != nil || l.Balanced() != balanced || l.Total.Accepted != accepted || l.Total.Duplicates != 5 {
			t.Fatalf("%d accepted: %+v, %v", accepted, l, err)
		}
		if l.Days[0].Accepted != 1 || l.Days[1].Accepted != 1 {
			t.Errorf("by day: %+v", l.Days)
		}
		problems, err := desk.Verify(t.Context())
		if err != nil || (len(problems) == 0) != balanced {
			t.Errorf("%d accepted: verify %q, %v", accepted, problems, err)
		}
	}
	rewrite(2)
	if _, err := helpdesk.Open(t.Context(), h.db, helpdesk.Options{}); err != nil { // whole again, for the end of the test
		t.Fatal(err)
	}
}

// Where clocks are set at midnight, as in Chile, every day is there once, with its mails.
func TestLedgerDaysWithoutAMidnight(t *testing.T) {
	h := newHouse(t)
	santiago, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	h.now = time.Date(2026, 9, 6, 3, 30, 0, 0, time.UTC) // half an hour before the clocks go from 24:00 to 1:00
	h.post("support@example.jp", "From: a@customer.example", "Subject: x", "", "Before")
	h.now = time.Date(2026, 9, 10, 15, 0, 0, 0, time.UTC)
	h.post("support@example.jp", "From: b@customer.example", "Subject: x", "", "After")
	l := h.ledger(helpdesk.LedgerQuery{Days: 10, Zone: santiago})
	day := time.Date(2026, 9, 10, 0, 0, 0, 0, time.UTC)
	for i, d := range l.Days {
		want := map[int]int{0: 1, 5: 1}[i]
		if name := day.AddDate(0, 0, -i).Format(time.DateOnly); d.Day != name || d.Accepted != want || d.Difference() != 0 {
			t.Errorf("day %d is %s with %d mails; want %s with %d", i, d.Day, d.Accepted, name, want)
		}
	}
	l = h.ledger(helpdesk.LedgerQuery{Day: "2026-09-06", Zone: santiago})
	if len(l.Days) != 1 || l.Days[0].Day != "2026-09-06" || l.Days[0].Accepted != 0 {
		t.Errorf("the day that begins at one: %+v", l.Days)
	}
}
