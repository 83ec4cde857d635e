package ui_test

import (
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/ui"
)

// A time that the reader's clocks skip is when they are set, not before it; one that they
// show twice is the next to come.
func TestTypedTimesWhereClocksAreSet(t *testing.T) {
	var now atomic.Int64
	clock := func() time.Time { return time.Unix(now.Load(), 0).UTC() }
	h := newReadyHouse(t, func(o *ui.Options) { o.Now = clock })
	h.Desk.Now = clock
	for _, c := range []struct{ zone, now, typed, want string }{
		{"America/New_York", "2026-03-07T20:00:00Z", "2026-03-08T02:30", "2026-03-08T07:00:00Z"},
		{"Europe/Berlin", "2026-03-28T20:00:00Z", "2026-03-29T02:30", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T02:30", "2026-10-25T00:30:00Z"},
		{"Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-25T02:30", "2026-10-25T01:30:00Z"},
		{"Asia/Tokyo", "2026-12-31T10:00:00Z", "2027-01-01T09:00", "2027-01-01T00:00:00Z"},
	} {
		moment, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		now.Store(moment.Unix())
		receipt := h.receive(letter{subject: "件名", text: "本文"})
		b := h.as(h.admin)
		b.header.Set("Cookie", "zone="+url.QueryEscape(c.zone))
		b.post("/tickets/"+strconv.FormatUint(receipt.Ticket, 10)+"/snooze", "until", "own", "own", c.typed).want(http.StatusSeeOther)
		row, err := h.TicketRow(h.ctx(), h.admin.Actor(), receipt.Ticket)
		if err != nil || row.Ticket.Snooze == nil {
			t.Fatalf("not on hold: %v", err)
		}
		if got := row.Ticket.Snooze.Until.Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s, typed at %s, is %s; want %s", c.typed, c.zone, c.now, got, c.want)
		}
	}
}
