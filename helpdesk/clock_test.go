package helpdesk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// tend lets the desk look at its clock, and returns by how much it was set back.
func (h *house) tend() time.Duration {
	h.t.Helper()
	back, _, err := h.TendClock(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return back
}

// The clock is a year ahead for a while, then right, then an hour behind. What was
// written in each of these times leaves soon after it was written, ids keep their order,
// and nobody stays logged in for a year.
func TestClockJumps(t *testing.T) {
	h := newHouse(t)
	right := h.now
	h.first()
	h.tend()
	var ids []string
	write := func(text string) *helpdesk.Message {
		t.Helper()
		m := h.reply(1, text)
		note, err := h.AddNote(t.Context(), h.admin, 1, "a note beside "+text)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID, note.ID)
		return m
	}
	leaves := func(m *helpdesk.Message, when string) { // within its undo window from now
		t.Helper()
		h.pass(11 * time.Second)
		sent := h.deliver(taken)
		if len(sent) == 0 {
			t.Errorf("a reply that was written %s does not leave: %v", when, m.ID)
		}
	}
	session := func() string {
		t.Helper()
		entry, err := h.Login(t.Context(), helpdesk.Visitor{IP: "192.0.2.1"}, h.user.Email, "correct horse battery")
		if err != nil {
			t.Fatal(err)
		}
		return entry.Session
	}
	stays := func(token string) bool {
		_, _, err := h.UserBySession(t.Context(), token)
		return err == nil
	}

	before := session()
	write("before")
	h.now = right.AddDate(1, 0, 0)
	if back := h.tend(); back != 0 {
		t.Errorf("a clock that goes ahead was set back by %v", back)
	}
	ahead := session()
	if stays(before) {
		t.Error("a session of a year ago goes on")
	}
	late := write("a year ahead")
	receipt := h.post("support@example.jp", "From: ahead@customer.example", "Subject: From the future", "", "x")

	h.now = right.Add(time.Minute)
	if back := h.tend(); back < 364*24*time.Hour {
		t.Errorf("the clock was set back by %v", back)
	}
	if back := h.tend(); back != 0 {
		t.Errorf("and then again by %v", back)
	}
	if stays(ahead) {
		t.Error("a session of a year ahead goes on until then")
	}
	leaves(late, "a year ahead")

	now := session()
	m := write("now")
	h.now = h.now.Add(-time.Hour)
	h.tend()
	if !stays(now) {
		t.Error("an hour back ends a session")
	}
	leaves(m, "before the clock was set back by an hour")
	write("an hour behind")
	h.post("support@example.jp", "From: tamura@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice", "", "An hour earlier")
	if row := h.ticket(1).Row.Ticket; row.Snippet != "An hour earlier" {
		t.Errorf("the newest of the ticket is %q", row.Snippet)
	}
	if got := h.ticket(receipt.Ticket).Row.Ticket.Subject; got != "From the future" {
		t.Errorf("the ticket of the future is %q", got)
	}
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("ids are not in the order of their making:\n%s", strings.Join(ids, "\n"))
	}
	if l := h.ledger(helpdesk.LedgerQuery{Days: 400}); !l.Balanced() {
		t.Errorf("the ledger: %+v", l.Total)
	}

	// A start is told by the log that the clock was further.
	h.pass(time.Hour + time.Minute)
	again := write("before the start")
	h.now = h.now.Add(-6 * time.Hour)
	desk, err := helpdesk.Open(t.Context(), h.db, helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"})
	if err != nil {
		t.Fatal(err)
	}
	desk.Now = h.Desk.Now
	h.Desk = desk
	if back := h.tend(); back < 5*time.Hour {
		t.Errorf("at the start the clock was set back by %v", back)
	}
	leaves(again, "before a start with an earlier clock")
}

// A clock that is far ahead is doubted for an hour: what is due at a set time waits, what is
// due some time later goes on, and nothing that was deferred is given up. Set right, it is
// trusted at once.
func TestClockThatIsFarAheadIsDoubted(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.tend()
	right := h.now
	h.reply(1, "Hello")
	h.pass(11 * time.Second)
	busy := func(string) (helpdesk.Attempt, bool) { return helpdesk.Attempt{Code: 451, Text: "try later"}, false }
	if n := len(h.deliver(busy)); n != 1 {
		t.Fatalf("%d deliveries", n)
	}
	doubted := func() bool { return h.ClockDoubted().After(h.now) }
	h.now = right.AddDate(0, 0, 6) // as after a week's end without power
	if _, ahead, err := h.TendClock(t.Context()); err != nil || ahead != 0 || doubted() {
		t.Errorf("six days ahead: %v, %v, doubted %v", ahead, err, doubted())
	}
	hold := func(ticket uint64, until time.Time) {
		t.Helper()
		if _, err := h.Snooze(t.Context(), h.admin, ticket, until, ""); err != nil {
			t.Fatal(err)
		}
	}
	ended := func() (ids []string) {
		t.Helper()
		claimed, _, err := h.ClaimDue(t.Context(), helpdesk.TimerWake, 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, timer := range claimed {
			ids = append(ids, timer.ID)
		}
		return ids
	}
	h.post("support@example.jp", "From: b@customer.example", "To: support@example.jp", "Subject: Another matter", "", "Hello")
	hold(1, h.now.Add(time.Hour))
	h.now = right.AddDate(2, 0, 0)
	if !doubted() {
		t.Error("a clock two years ahead is believed")
	}
	hold(2, h.now.Add(5*time.Minute)) // by the clock that one sees
	if ids := ended(); len(ids) != 0 {
		t.Errorf("holds that end two years ahead: %v", ids)
	}
	if _, ahead, err := h.TendClock(t.Context()); err != nil || ahead < 700*24*time.Hour {
		t.Errorf("two years ahead: %v, %v", ahead, err)
	}
	if _, ahead, _ := h.TendClock(t.Context()); ahead != 0 {
		t.Errorf("and then again by %v", ahead)
	}
	if n := len(h.deliver(busy)); n != 1 {
		t.Fatalf("%d deliveries two years ahead", n)
	}
	if d := h.ticket(1).Messages[1].Deliveries[0]; d.State != helpdesk.DeliveryDeferred {
		t.Errorf("after two attempts the delivery is %s", d.State)
	}
	h.pass(6 * time.Minute)
	if ids := ended(); len(ids) != 1 {
		t.Errorf("holds that end six minutes later: %v, want the one that was set by this clock", ids)
	}
	for range 61 {
		h.pass(time.Minute)
		h.tend()
	}
	if ids := ended(); len(ids) != 2 { // the first one's lease is over
		t.Errorf("holds that end an hour later: %v", ids)
	}
	if doubted() {
		t.Error("it is doubted for longer than an hour")
	}
	h.now = h.now.AddDate(2, 0, 0)
	if !doubted() {
		t.Error("two more years ahead are believed")
	}
	h.now = right.Add(time.Minute)
	if h.tend() == 0 || doubted() {
		t.Errorf("set right, it is doubted until %v", h.ClockDoubted())
	}

	// What was written by a clock that was ahead is given up as any other.
	h.now = right.AddDate(2, 0, 0)
	h.tend()
	m := h.reply(1, "Written two years ahead")
	h.now = right.Add(2 * time.Minute)
	h.tend()
	written := h.now
	state := func() helpdesk.Delivery { return h.ticket(1).Messages[2].Deliveries[0] }
	for state().State != helpdesk.DeliveryFailed && h.now.Sub(written) < 7*24*time.Hour {
		h.pass(time.Hour)
		h.deliver(busy)
	}
	if d := state(); d.Message != m.ID || d.State != helpdesk.DeliveryFailed || len(d.Attempts) < 20 {
		t.Errorf("after a week it is %s, tried %d times", d.State, len(d.Attempts))
	}
}
