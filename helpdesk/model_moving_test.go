package helpdesk_test

import (
	"slices"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// modelMoving is a merge or a move that the model remembers.
type modelMoving struct {
	id         string
	merge      bool
	from, into uint64
	opened     bool
	step       int
	undone     bool
}

func (m *model) merge() {
	from, source := m.pickTicket(func(*modelTicket) bool { return true })
	into, target := m.pickTicket(func(t *modelTicket) bool { return t != source })
	if target == nil {
		return
	}
	var moving *helpdesk.Moving
	if !m.try("merge", func() (err error) { moving, err = m.Merge(m.t.Context(), m.admin, from, into); return err }) {
		return
	}
	for _, x := range m.mails {
		if x.ticket == from {
			x.ticket, x.moves = into, append(x.moves, moving.ID)
		}
	}
	source.merged = into
	m.reopenWaiting(into)
	m.movings = append(m.movings, &modelMoving{id: moving.ID, merge: true, from: from, into: into, step: m.step})
}

func (m *model) count(number uint64, states ...helpdesk.MessageState) (n int) {
	for _, x := range m.mails {
		if x.ticket == number && (len(states) == 0 || slices.Contains(states, x.state)) {
			n++
		}
	}
	return n
}

func (m *model) move() {
	id, x := m.pick(func(x *modelMail) bool {
		return x.state == helpdesk.MessagePosted && x.delivery != helpdesk.DeliveryWaiting &&
			m.count(x.ticket, helpdesk.MessagePosted, helpdesk.MessageHeld) > 1
	})
	if x == nil {
		return
	}
	var to uint64
	if x.reply != nil || m.random.IntN(2) == 0 {
		if to, _ = m.pickTicket(func(t *modelTicket) bool { return t != m.tickets[x.ticket] }); to == 0 {
			return
		}
	}
	var moving *helpdesk.Moving
	if !m.try("move", func() (err error) { moving, err = m.Move(m.t.Context(), m.admin, id, to); return err }) {
		return
	}
	from := x.ticket
	if to == 0 {
		to = uint64(len(m.tickets) + 1)
		m.tickets[to] = &modelTicket{customer: m.ticket(to).Row.Contact.Email, alias: m.tickets[from].alias, open: true}
	}
	if moving.Into != to {
		m.t.Fatalf("moved to ticket %d, want %d", moving.Into, to)
	}
	x.ticket, x.moves = to, append(x.moves, moving.ID)
	m.reopenWaiting(to, from)
	m.movings = append(m.movings, &modelMoving{id: moving.ID, from: from, into: to, opened: moving.Opened, step: m.step})
}

func (m *model) reopenWaiting(numbers ...uint64) {
	for _, number := range numbers {
		for _, x := range m.mails {
			if x.ticket == number && x.state == helpdesk.MessagePosted && x.customer && x.answered == "" {
				m.tickets[number].open = true
			}
		}
	}
}

func (m *model) undoMoving() {
	if len(m.movings) == 0 {
		return
	}
	v := m.movings[m.random.IntN(len(m.movings))]
	undo := m.UndoMove
	if v.merge {
		undo = m.UndoMerge
	}
	going := m.returning(v)
	if v.undone || m.tickets[v.into].merged != 0 || !v.merge && m.tickets[v.from].merged != 0 || len(going) == 0 {
		_, err := undo(m.t.Context(), m.admin, v.id)
		wantCode(m.t, err, helpdesk.CodeConflict, "")
		return
	}
	if !m.try("undo moving", func() error { _, err := undo(m.t.Context(), m.admin, v.id); return err }) {
		return
	}
	v.undone = true
	for _, x := range going {
		x.ticket = v.from
		if n := len(x.moves); n > 0 && x.moves[n-1] == v.id {
			x.moves = x.moves[:n-1]
		} else {
			x.moves = append(x.moves, v.id)
		}
	}
	if v.merge {
		m.tickets[v.from].merged = 0
	}
	m.reopenWaiting(v.from, v.into)
	if v.opened && m.count(v.into) == 0 {
		m.tickets[v.into].merged = v.from
	}
}

// returning are the mails that an undo takes back: those moved, and later ones
// that answer them.
func (m *model) returning(v *modelMoving) (going []*modelMail) {
	returns := map[string]bool{}
	for range len(m.order) { // until nothing is added: the order does not matter
		before := len(going)
		for _, id := range m.order {
			x := m.mails[id]
			moved := len(x.moves) > 0 && x.moves[len(x.moves)-1] == v.id
			if x.ticket == v.into && !returns[id] && (moved || x.born > v.step && returns[x.via]) {
				returns[id] = true
				going = append(going, x)
			}
		}
		if len(going) == before {
			break
		}
	}
	return going
}
