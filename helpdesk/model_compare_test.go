package helpdesk_test

import (
	"slices"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// compare fails the test where the helpdesk is not what the model says.
func (m *model) compare() {
	m.t.Helper()
	m.verify()
	s, err := m.Statistics(m.t.Context())
	if err != nil || s.Accepted != m.accepted || s.Duplicates != m.duplicates {
		m.t.Errorf("ledger %+v, %v; want %d accepted, %d again", s, err, m.accepted, m.duplicates)
	}
	type lists struct {
		posted, held []string
		waiting      bool
	}
	want := map[uint64]*lists{}
	for number := range m.tickets {
		want[number] = &lists{}
	}
	for _, id := range m.order {
		x := m.mails[id]
		l := want[x.ticket]
		switch x.state {
		case helpdesk.MessagePosted:
			l.posted = append(l.posted, id)
			l.waiting = l.waiting || x.customer && x.answered == ""
		case helpdesk.MessageHeld:
			l.held = append(l.held, id)
		}
	}
	for number, l := range want {
		v := m.ticket(number)
		var posted, held []string
		for _, x := range v.Messages {
			posted = append(posted, x.Message.ID)
			if reply := m.mails[x.Message.ID]; reply.reply != nil && x.Deliveries[0].State != reply.delivery {
				m.t.Errorf("the reply %s is %s, want %s", x.Message.ID, x.Deliveries[0].State, reply.delivery)
			}
		}
		for _, x := range v.Held {
			held = append(held, x.Message.ID)
		}
		for _, list := range [][]string{posted, held, l.posted, l.held} {
			slices.Sort(list)
		}
		t := v.Row.Ticket
		if t.MergedInto != m.tickets[number].merged {
			m.t.Errorf("ticket %d is merged into %d, want %d", number, t.MergedInto, m.tickets[number].merged)
		}
		if !slices.Equal(posted, l.posted) || !slices.Equal(held, l.held) || t.Open != m.tickets[number].open || t.WaitingSince.IsZero() == l.waiting {
			m.t.Errorf("ticket %d: open %v, waiting %v, posted %q, held %q\nwant open %v, waiting %v, posted %q, held %q", number,
				t.Open, t.WaitingSince, posted, held, m.tickets[number].open, l.waiting, l.posted, l.held)
		}
	}
	if m.t.Failed() {
		m.t.FailNow()
	}
}
