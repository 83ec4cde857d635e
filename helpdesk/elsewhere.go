package helpdesk

import "slices"

// placeByTokens places a mail by the reply tokens of its recipients. One mail is
// on one ticket: the first that it may join, else the first of all.
func (c *command) placeByTokens(m *Message, a *arrival, tokens []*Token) (placement, error) {
	var first placement
	for i, token := range tokens {
		p, err := c.placeByToken(m, a, token)
		if err != nil || p.state == MessagePosted || p.state == MessageRelayed {
			return p, err
		}
		if i == 0 {
			first = p
		}
	}
	return first, nil
}

// tellOthers tells the other tickets that a mail was addressed to, by their reply
// tokens among recipients, where it is now: there is one copy of it, and whoever
// looks after another of them must not miss it.
func (c *command) tellOthers(m *Message, recipients []*recipient) error {
	if m.State != MessagePosted && m.State != MessageHeld {
		return nil
	}
	var told []uint64
	for _, r := range recipients {
		if r.token == nil || r.token.Kind != TokenReply {
			continue
		}
		if told == nil {
			here, err := tickets.Get(c, key(m.Ticket))
			if err != nil {
				return err
			}
			told = []uint64{here.Number, here.Previous}
		}
		carrier, err := messages.Get(c, key(r.token.Message))
		if err != nil {
			return err
		}
		if slices.Contains(told, carrier.Ticket) {
			continue
		}
		told = append(told, carrier.Ticket)
		other, err := tickets.Get(c, key(carrier.Ticket))
		if err != nil {
			return err
		}
		if err := c.tellOther(m, other); err != nil {
			return err
		}
	}
	return nil
}

// tellOther tells one ticket, and the one that the mail is on of it. Where the
// sender takes part, the ticket no longer rests: its customer has written.
func (c *command) tellOther(m *Message, other *Ticket) error {
	_, err := c.record(Event{Kind: EventMessageElsewhere, Ticket: other.Number, Message: m.ID,
		Data: map[string]string{"from": m.From.Email, "to_ticket": formatNumber(m.Ticket)}})
	if err != nil {
		return err
	}
	if m.State == MessagePosted && m.fromCustomer() && hasMailbox(other.Participants, m.From.Email) {
		if err := c.wakeTicket(other, WokenByCustomer); err != nil {
			return err
		}
	}
	other.UpdatedAt = c.now
	if err := tickets.Put(c, other); err != nil {
		return err
	}
	_, err = c.record(Event{Kind: EventMessageElsewhere, Ticket: m.Ticket, Message: m.ID,
		Data: map[string]string{"from": m.From.Email, "also_ticket": formatNumber(other.Number)}})
	return err
}
