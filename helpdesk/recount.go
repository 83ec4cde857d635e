package helpdesk

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// tally is what the messages of a ticket say of it. Commands on the way of a
// mail keep the ticket's fields in step; rarer ones and Verify compute them anew.
type tally struct {
	messages, held int
	snippet        string
	trust          Trust
	customerSeq    uint64
	waitingSince   time.Time
	deliveryFailed bool
	answered       bool       // by a person of the house
	thread         []*Message // the posted ones, in order
}

func tallyOf(r store.Reader, number uint64) (*tally, error) {
	t := &tally{trust: TrustUnknown}
	for m, err := range messages.ScanIndex(r, "ticket", store.Prefix(key(number))) {
		if err != nil {
			return nil, err
		}
		switch m.State {
		case MessagePosted:
			t.thread = append(t.thread, m)
		case MessageHeld:
			t.held++
		}
	}
	slices.SortStableFunc(t.thread, bySeq)
	t.messages = len(t.thread)
	var newestReply uint64
	for i, m := range t.thread {
		if i == 0 {
			t.snippet, t.trust = m.Snippet, m.Authentication.Trust()
		}
		switch {
		case m.fromCustomer():
			t.addCustomer(m)
		case m.Direction == Outbound && m.ThirdParty:
			t.snippet = m.Snippet
		case m.Direction == Outbound && !m.Automatic:
			t.snippet, newestReply, t.answered = m.Snippet, m.Seq, true
		}
	}
	return t, t.findFailure(r, newestReply)
}

func (t *tally) addCustomer(m *Message) {
	t.snippet = m.Snippet
	t.customerSeq = max(t.customerSeq, m.Seq)
	if len(m.Moved) > 0 { // new to whoever writes an answer there
		t.customerSeq = max(t.customerSeq, m.Moved[len(m.Moved)-1].Seq)
	}
	if m.vouches() {
		t.trust = m.Authentication.Trust()
	}
	if m.Settled == 0 {
		t.waitingSince = earlier(t.waitingSince, m.At)
	}
}

// findFailure looks for a delivery that failed after the newest reply was posted.
func (t *tally) findFailure(r store.Reader, newestReply uint64) error {
	for _, m := range t.thread {
		if m.Direction != Outbound {
			continue
		}
		list, err := deliveriesOf(r, m.ID)
		if err != nil {
			return err
		}
		for _, d := range list {
			if d.State == DeliveryFailed && !d.Copy && d.DoneSeq > newestReply {
				t.deliveryFailed = true
			}
		}
	}
	return nil
}

// recount computes anew what a ticket says of its messages and who takes part.
// The messages must be written, the ticket is changed but not written.
func (c *command) recount(t *Ticket) error {
	found, err := tallyOf(c, t.Number)
	if err != nil {
		return err
	}
	t.Messages, t.Held, t.Snippet, t.Trust = found.messages, found.held, found.snippet, found.trust
	t.CustomerSeq, t.WaitingSince, t.DeliveryFailed = found.customerSeq, found.waitingSince, found.deliveryFailed
	t.Answered = found.answered
	t.Participants, t.ThirdParties = slices.Clone(t.Invited), nil
	for _, m := range found.thread {
		before := len(t.Participants)
		switch {
		case m.Direction == Outbound:
			t.Participants = appendNew(t.Participants, recipientsOf(m)...)
		case m.wasTakenIn():
			t.Participants = appendNew(t.Participants, m.From.Email)
		}
		if m.fromCustomer() && m.Reason != ReasonLogged {
			if err := c.addParticipants(t, m); err != nil {
				return err
			}
		}
		if err := c.bringsIn(t, m, before); err != nil {
			return err
		}
	}
	return nil
}

// differences compares a ticket with the tally of its messages.
func (t *tally) differences(ticket *Ticket) (problems []string) {
	differ := func(what string, says, is any) {
		problems = append(problems, fmt.Sprintf("ticket %d says %s %v; by its messages it is %v", ticket.Number, what, says, is))
	}
	if ticket.Messages != t.messages {
		differ("messages", ticket.Messages, t.messages)
	}
	if ticket.Held != t.held {
		differ("held", ticket.Held, t.held)
	}
	if ticket.Snippet != t.snippet {
		differ("snippet", ticket.Snippet, t.snippet)
	}
	if ticket.Trust != t.trust {
		differ("trust", ticket.Trust, t.trust)
	}
	if ticket.CustomerSeq != t.customerSeq {
		differ("newest customer event", ticket.CustomerSeq, t.customerSeq)
	}
	if !ticket.WaitingSince.Equal(t.waitingSince) {
		differ("waiting since", ticket.WaitingSince, t.waitingSince)
	}
	if ticket.Answered != t.answered && !ticket.OpenedAt.IsZero() { // an older ticket does not know
		differ("answered", ticket.Answered, t.answered)
	}
	if ticket.DeliveryFailed != t.deliveryFailed {
		differ("delivery failed", ticket.DeliveryFailed, t.deliveryFailed)
	}
	for _, email := range ticket.ThirdParties {
		if !slices.Contains(ticket.Participants, email) {
			problems = append(problems, fmt.Sprintf("ticket %d has %s for a third party, who does not take part", ticket.Number, email))
		}
	}
	return append(problems, t.unnamed(ticket)...)
}

// unnamed finds participants that no message names. The other way round it
// cannot be told: which addresses are our own changes with the aliases.
func (t *tally) unnamed(ticket *Ticket) (problems []string) {
	named := map[string]bool{}
	for _, email := range ticket.Invited {
		named[email] = true
	}
	for _, m := range t.thread {
		named[m.From.Email], named[m.ReplyTo] = true, true
		for _, email := range recipientsOf(m) {
			named[email] = true
		}
	}
	for _, email := range ticket.Participants {
		if !named[email] {
			problems = append(problems, fmt.Sprintf("ticket %d lets %s take part, whom no message names", ticket.Number, email))
		}
	}
	return problems
}

// fromCustomer reports whether a message, once posted, makes the customer wait.
func (m *Message) fromCustomer() bool {
	return m.Direction == Inbound && (m.Kind == KindPerson || m.Kind == KindList)
}

// vouches reports whether what is known of a message's sender is said of its
// ticket: not of one that somebody wrote down, nor of a third party's or a
// stranger's that was let in by hand, which say nothing of the customer.
func (m *Message) vouches() bool {
	return m.Reason != ReasonLogged && m.Reason != ReasonJoined && !m.ThirdParty
}

func bySeq(a, b *Message) int { return cmp.Compare(a.Seq, b.Seq) }

func recipientsOf(m *Message) []string {
	var list []string
	for _, a := range slices.Concat(m.To, m.Cc, m.Bcc) {
		list = append(list, loweredAddress(a.Email))
	}
	return list
}

// earlier returns the earlier of two times; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// settle ends the waiting of a ticket's customer: the event seq answered every
// message that was not answered yet.
func (c *command) settle(t *Ticket, seq uint64) error { return c.settleSome(t, seq, false) }

// settleThirdParties is settle for the messages of third parties alone: the
// customer goes on waiting.
func (c *command) settleThirdParties(t *Ticket, seq uint64) error { return c.settleSome(t, seq, true) }

func (c *command) settleSome(t *Ticket, seq uint64, thirdParties bool) error {
	if t.WaitingSince.IsZero() {
		return nil
	}
	rng := store.Prefix(key(t.Number))
	rng.Start = key(t.Number, t.WaitingSince) // no unanswered message is older
	t.WaitingSince = time.Time{}
	return c.changeMessages(rng, func(m *Message) bool {
		waits := m.State == MessagePosted && m.fromCustomer() && m.Settled == 0
		if waits && thirdParties && !m.ThirdParty {
			t.WaitingSince = earlier(t.WaitingSince, m.At)
			return false
		}
		if waits {
			m.Settled = seq
		}
		return waits
	})
}

// unsettle makes those messages wait again that the event seq answered.
func (c *command) unsettle(t *Ticket, seq uint64) error {
	return c.changeMessages(store.Prefix(key(t.Number)), func(m *Message) bool {
		answered := m.Settled == seq
		if answered {
			m.Settled = 0
		}
		return answered
	})
}

// changeMessages writes those messages in a range of the index of tickets that
// change says it has changed.
func (c *command) changeMessages(rng store.Range, change func(*Message) bool) error {
	var changed []*Message
	for m, err := range messages.ScanIndex(c, "ticket", rng) {
		if err != nil {
			return err
		}
		if change(m) {
			changed = append(changed, m)
		}
	}
	for _, m := range changed {
		if err := messages.Put(c, m); err != nil {
			return err
		}
	}
	return nil
}
