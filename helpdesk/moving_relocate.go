package helpdesk

import (
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// moved ends a moving between two tickets: both are counted anew, and what
// waits for an answer is not left on a closed ticket.
func (c *command) moved(from, into *Ticket) error {
	for _, t := range []*Ticket{from, into} {
		if err := c.recount(t); err != nil {
			return err
		}
		if err := c.recountMentions(t); err != nil {
			return err
		}
		if err := c.rateAnew(t); err != nil {
			return err
		}
		if _, err := c.countDrafts(t); err != nil {
			return err
		}
		if t.MergedInto == 0 && !t.Open && !t.WaitingSince.IsZero() {
			if err := c.reopen(t); err != nil {
				return err
			}
		}
		t.UpdatedAt = c.now
		if err := tickets.Put(c, t); err != nil {
			return err
		}
	}
	return nil
}

// rateAnew shows the reply type of the newest customer message that is there
// now, if it was analysed.
func (c *command) rateAnew(t *Ticket) error {
	t.ReplyType = ""
	newest, err := newestCustomerMessage(c, t.Number)
	if err != nil || newest == nil {
		return err
	}
	analysis, err := optional(analyses.Get(c, key(newest.ID)))
	if err == nil && analysis != nil {
		t.rate(analysis.Effective())
	}
	return err
}

// recordOnBoth writes an event for each ticket of a moving.
func (c *command) recordOnBoth(kind EventKind, m *Moving, messageID string) error {
	data := map[string]string{"moving": m.ID, "ticket": formatNumber(m.From), "to_ticket": formatNumber(m.Into)}
	for _, number := range []uint64{m.From, m.Into} {
		seq, err := c.record(Event{Kind: kind, Ticket: number, Message: messageID, Data: data})
		if err != nil {
			return err
		}
		if m.Seq == 0 {
			m.Seq = seq
		}
	}
	return nil
}

func (m *Moving) mark(from uint64) Moved {
	return Moved{ID: m.ID, From: from, By: m.By, At: m.At, Seq: m.Seq}
}

// relocate writes a message on another ticket, with its deliveries and its
// analysis. Its tokens lead to it wherever it is.
func (c *command) relocate(m *Message, ticket *Ticket) error {
	to := ticket.Number
	m.Ticket = to
	if err := messages.Put(c, m); err != nil {
		return err
	}
	list, err := deliveriesOf(c, m.ID)
	if err != nil {
		return err
	}
	for _, delivery := range list {
		delivery.Ticket = to
		if err := deliveries.Put(c, &delivery); err != nil {
			return err
		}
	}
	analysis, err := optional(analyses.Get(c, key(m.ID)))
	if err != nil || analysis == nil {
		return err
	}
	analysis.Ticket = to
	return c.countAnalysis(ticket, m, analysis)
}

func (c *command) relocateNotes(from, to uint64) (ids []string, err error) {
	var list []*Note
	for note, err := range notes.ScanIndex(c, "ticket", store.Prefix(key(from))) {
		if err != nil {
			return nil, err
		}
		list = append(list, note)
	}
	for _, note := range list {
		note.Ticket = to
		if err := notes.Put(c, note); err != nil {
			return nil, err
		}
		ids = append(ids, note.ID)
	}
	return ids, nil
}

// relocateDrafts lets what was being written go where the conversation goes on.
func (c *command) relocateDrafts(from, to uint64) (ids []string, err error) {
	var list []*Draft
	for draft, err := range drafts.ScanIndex(c, "ticket", store.Prefix(key(from))) {
		if err != nil {
			return nil, err
		}
		list = append(list, draft)
	}
	for _, draft := range list {
		draft.Ticket = to
		if err := drafts.Put(c, draft); err != nil {
			return nil, err
		}
		ids = append(ids, draft.ID)
	}
	return ids, nil
}

// messagesOf returns every message of a ticket, whatever its state, by time.
func messagesOf(r store.Reader, number uint64) (list []*Message, err error) {
	for m, err := range messages.ScanIndex(r, "ticket", store.Prefix(key(number))) {
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// missing returns what of more is not in list, each once.
func missing(list, more []string) (added []string) {
	for _, v := range more {
		if !slices.Contains(list, v) {
			added = appendNew(added, v)
		}
	}
	return added
}
