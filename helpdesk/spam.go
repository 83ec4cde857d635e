package helpdesk

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Spam says that a ticket is set aside: it is in no list but its own, nothing
// automatic answers it and the model does not read it. Its mails are kept.
type Spam struct {
	By      string // user id; "" where the list of blocked senders or a filter decided
	At      time.Time
	Pattern string // the entry of that list, or ""
	Filter  string `cbor:",omitempty"` // the filter that decided, or ""
}

// Blocked is a sender whose mail goes straight to spam. It is never dropped.
type Blocked struct {
	Pattern string // a mail address, or a domain with all below it; lower case
	By      string // user id
	At      time.Time
	Ticket  uint64 // on which it was decided, or 0
}

// BlockSender says what to do with the sender of a ticket that is spam.
type BlockSender string

// What can be blocked with a ticket.
const (
	BlockNobody  BlockSender = ""
	BlockAddress BlockSender = "address"
	BlockDomain  BlockSender = "domain"
)

// MarkSpam sets a ticket aside as spam and blocks its sender where block says
// so. One that is spam already stays so.
func (d *Desk) MarkSpam(ctx context.Context, a Actor, number uint64, block BlockSender) (*Ticket, error) {
	if err := a.may("mark spam", PermitSpam); err != nil {
		return nil, err
	}
	return d.changeTicket(ctx, a, number, func(c *command, t *Ticket) error {
		if err := c.markSpam(t, ""); err != nil || block == BlockNobody {
			return err
		}
		contact, err := contacts.Get(c, key(t.ContactID))
		if err != nil {
			return err
		}
		switch block {
		case BlockAddress:
			return c.block(contact.Email, number)
		case BlockDomain:
			return c.block(domainOf(contact.Email), number)
		}
		return invalid("block", "block_unknown", "block %q is not one of address, domain", block)
	})
}

// MarkNotSpam puts a ticket back among the others.
func (d *Desk) MarkNotSpam(ctx context.Context, a Actor, number uint64) (*Ticket, error) {
	if err := a.may("mark spam", PermitSpam); err != nil {
		return nil, err
	}
	return d.changeTicket(ctx, a, number, func(c *command, t *Ticket) error { return c.rescue(t) })
}

// markSpam sets a ticket aside. What would have been done with its mails by
// itself is not done.
func (c *command) markSpam(t *Ticket, pattern string) error {
	if t.Spam != nil {
		return nil
	}
	list, err := messagesOf(c, t.Number)
	if err != nil {
		return err
	}
	for _, m := range list {
		for _, kind := range []TimerKind{TimerAcknowledge, TimerAnalyse, TimerCopy} {
			if err := c.clearTimer(kind, m.ID); err != nil {
				return err
			}
		}
	}
	if err := c.setSpam(t, pattern, ""); err != nil {
		return err
	}
	if err := c.giveBackScheduled(t, ReturnedSpam, func(*Draft) bool { return true }); err != nil {
		return err
	}
	return c.recountTicket(t)
}

func (c *command) setSpam(t *Ticket, pattern, filter string) error {
	t.Spam = &Spam{By: c.actor.UserID, At: c.now, Pattern: pattern, Filter: filter}
	data := map[string]string{"pattern": pattern}
	if filter != "" {
		data["filter"] = filter
	}
	_, err := c.record(Event{Kind: EventTicketSpam, Ticket: t.Number, Data: data})
	return err
}

// markNotSpam puts a ticket back; the follower of the log then asks for the
// analysis that was left out.
func (c *command) markNotSpam(t *Ticket) error {
	if t.Spam == nil {
		return nil
	}
	t.Spam, t.UpdatedAt = nil, c.now
	if _, err := c.record(Event{Kind: EventTicketNotSpam, Ticket: t.Number}); err != nil {
		return err
	}
	return c.recountTicket(t)
}

// rescue puts a ticket back and, where it was spam from its first mail on, asks
// the rules that were not asked then.
func (c *command) rescue(t *Ticket) error {
	unasked := t.Spam != nil && t.Spam.Pattern+t.Spam.Filter != ""
	if err := c.markNotSpam(t); err != nil || !unasked {
		return err
	}
	m, err := firstMail(c, t.Number)
	if err != nil || m == nil {
		return err
	}
	return c.applyRules(t, m)
}

// BlockedSenders returns the list of blocked senders, the newest first.
func (d *Desk) BlockedSenders(ctx context.Context, a Actor) ([]Blocked, error) {
	if err := a.mayRead("blocked senders"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, blockedSenders, func(a, b Blocked) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Pattern, b.Pattern))
	})
}

// Block lets mail of a sender go straight to spam from now on: of an address,
// or of a domain and all below it, which takes PermitAliases.
func (d *Desk) Block(ctx context.Context, a Actor, pattern string) error {
	if err := a.may("block a sender", PermitSpam); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error { return c.block(pattern, 0) })
}

// Unblock takes a sender off the list. What is spam already stays so.
func (d *Desk) Unblock(ctx context.Context, a Actor, pattern string) error {
	if err := a.may("unblock a sender", PermitSpam); err != nil {
		return err
	}
	pattern = strings.ToLower(strings.TrimSpace(pattern))
	return d.update(ctx, a, func(c *command) error {
		b, err := blockedSenders.Get(c, key(pattern))
		if _, err = found(b, err, "blocked sender", pattern); err != nil {
			return err
		}
		if err := c.mayBlock(pattern); err != nil {
			return err
		}
		if err := blockedSenders.Delete(c, key(pattern)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventSenderUnblocked, Data: map[string]string{"sender": pattern}})
		return err
	})
}

// mayBlock leaves domains to those who may change aliases: one entry can hide
// many customers.
func (c *command) mayBlock(pattern string) error {
	if strings.Contains(pattern, "@") {
		return nil
	}
	return c.actor.may("block a whole domain", PermitAliases)
}

func (c *command) block(pattern string, ticket uint64) error {
	pattern = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(pattern)), "@")
	address := pattern
	if !strings.Contains(pattern, "@") {
		address = "postmaster@" + pattern
	}
	if checkAddress("pattern", address) != nil || !strings.Contains(domainOf(address), ".") {
		return invalid("pattern", "block_invalid", "%q is neither a mail address nor a domain; write it like spam@example.com or example.com", pattern)
	}
	if err := c.mayBlock(pattern); err != nil {
		return err
	}
	if ours, err := c.blocksOurs(pattern); err != nil || ours {
		if err != nil {
			return err
		}
		return conflict("block_ours", "%s is an address or a domain of this house", pattern)
	}
	if has, err := blockedSenders.Has(c, key(pattern)); err != nil || has {
		return err
	}
	if err := blockedSenders.Put(c, &Blocked{Pattern: pattern, By: c.actor.UserID, At: c.now, Ticket: ticket}); err != nil {
		return err
	}
	_, err := c.record(Event{Kind: EventSenderBlocked, Ticket: ticket, Data: map[string]string{"sender": pattern}})
	return err
}

// blocksOurs tells whether an entry would block an alias or a user.
func (c *command) blocksOurs(pattern string) (bool, error) {
	b := []string{pattern}
	for a, err := range aliases.Scan(c, store.Range{}) {
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(patternsFor(a.Address), func(p string) bool { return slices.Contains(b, p) }) {
			return true, nil
		}
	}
	for u, err := range users.Scan(c, store.Range{}) {
		if err != nil {
			return false, err
		}
		if slices.Contains(patternsFor(u.Email), pattern) && strings.Contains(pattern, "@") {
			return true, nil
		}
	}
	return false, nil
}

// patternsFor are the entries that would block an address: itself, its domain,
// and each domain above that.
func patternsFor(address string) []string {
	list := []string{address}
	for domain := domainOf(address); domain != ""; {
		list = append(list, domain)
		_, above, found := strings.Cut(domain, ".")
		if !found {
			break
		}
		domain = above
	}
	return list
}

// blockedBy returns the entry that blocks an address, "" where there is none.
func blockedBy(r store.Reader, address string) (string, error) {
	if address == "" {
		return "", nil
	}
	for _, pattern := range patternsFor(address) {
		if has, err := blockedSenders.Has(r, key(pattern)); err != nil || has {
			return pattern, err
		}
	}
	return "", nil
}

// divert places the mail of a blocked sender: on a ticket of its own, unless it
// belongs to one that is spam already. What is not for a person to read (a
// bounce, an agent's own answer) goes where it belongs.
func (c *command) divert(p placement, m *Message, recipients []*recipient) (placement, error) {
	if m.Kind == KindBounce || m.Kind == KindReport || p.reason == ReasonBounceAddress || p.reason == ReasonAgentMail {
		return p, nil
	}
	pattern, err := blockedBy(c, m.From.Email)
	if err != nil || pattern == "" || p.ticket != nil && p.ticket.Spam != nil {
		return p, err
	}
	if !slices.ContainsFunc(recipients, func(r *recipient) bool { return r.alias != nil }) {
		return p, nil // no alias is left to open a ticket with
	}
	c.trace.add(StepBlocked, "address", m.From.Email, "pattern", pattern)
	return placement{state: MessagePosted, reason: ReasonBlocked, blocked: pattern}, nil
}
