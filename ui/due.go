package ui

import (
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// dueView says by when a ticket is to be answered or solved.
type dueView struct {
	Text string // how much is left, or by how much it is late
	Full string // what is due, and the moment
	ISO  string
	Late bool
	Near bool // within the hour
	Soon bool // late, or due within a day
}

// newDue is nil where nothing is due.
func newDue(p locale.Printer, t helpdesk.Ticket) *dueView {
	if t.DueAt.IsZero() {
		return nil
	}
	left := t.DueAt.Sub(p.Now)
	d := &dueView{ISO: isoTime(t.DueAt), Late: t.Overdue || left <= 0, Near: left > 0 && left <= time.Hour,
		Full: p.T("due.what."+string(t.DueKind), p.Full(t.DueAt))}
	d.Soon = d.Late || left < 24*time.Hour
	switch {
	case d.Late && left > -time.Minute:
		d.Text = p.T("due.now")
	case d.Late:
		d.Text = p.T("due.late", p.Duration(-left))
	case left < 24*time.Hour:
		d.Text = p.T("due.left", p.Duration(left))
	default: // hours of the clock would count the weekend
		d.Text = p.T("due.by", p.Long(t.DueAt))
	}
	return d
}

// skippedWords says of people that a rule passed over why it did: the desk
// writes "name reason, name reason".
func skippedWords(p locale.Printer, skipped string) string {
	var said []string
	for one := range strings.SplitSeq(skipped, ", ") {
		if i := strings.LastIndexByte(one, ' '); i > 0 {
			one = p.T("unavailable.passed", one[:i], wordOf(p, "unavailable."+one[i+1:], one[i+1:]))
		}
		said = append(said, one)
	}
	return strings.Join(said, p.T("list.comma"))
}
