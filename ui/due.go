package ui

import (
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
}

// newDue is nil where nothing is due.
func newDue(p locale.Printer, t helpdesk.Ticket) *dueView {
	if t.DueAt.IsZero() {
		return nil
	}
	left := t.DueAt.Sub(p.Now)
	d := &dueView{ISO: isoTime(t.DueAt), Late: t.Overdue || left <= 0, Near: left > 0 && left <= time.Hour,
		Full: p.T("due.what."+string(t.DueKind), p.Full(t.DueAt))}
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
