package helpdesk

import (
	"context"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// addressedTo reports whether a mail that nobody has sent is to one of the addresses.
func (d *Draft) addressedTo(addresses []string) bool {
	return d.Kind == DraftMail && namesAny(d.recipients(), addresses)
}

// tellsOf reports whether an event that is on no ticket tells of a person. Old events say
// the subject of a mail that was not sent and not whom it was for: what is of a mail that is
// gone may be this person's.
func (e *Event) tellsOf(r store.Reader, addresses []string) (bool, error) {
	id, subject := e.Data["draft"], e.Data["subject"]
	if id == "" || e.Data["to"] != "" || subject+e.Data["comment"] == "" {
		return e.names(addresses), nil
	}
	draft, err := optional(drafts.Get(r, key(id)))
	return draft == nil || draft.addressedTo(addresses), err
}

// eraseNotices deletes what users were told of erased tickets, and of mails to the person
// that nobody has sent: the log was emptied of those before.
func (d *Desk) eraseNotices(ctx context.Context, e *Erasure) error {
	if err := eraseAll(ctx, d, notices, func(r store.Reader, n *Notice) (bool, error) {
		if n.Ticket != 0 {
			return erasedTicket(r, n.Ticket)
		}
		if namesAny(n.Subject, e.Addresses) {
			return true, nil
		}
		event, err := optional(events.Get(r, key(n.Seq)))
		return event != nil && event.Data[erasedBy] != "", err
	}, (*command).eraseNotice); err != nil {
		return err
	}
	return d.eraseHouseMail(ctx)
}

func (c *command) eraseNotice(n *Notice) error {
	if err := c.clearTimer(TimerNotice, n.ID); err != nil {
		return err
	}
	var pushes []string
	for t, err := range timers.Scan(c, store.Prefix(store.Key{}.TextPrefix(string(TimerPush)))) {
		if err != nil {
			return err
		}
		if strings.HasPrefix(t.ID, n.ID+"|") {
			pushes = append(pushes, t.ID)
		}
	}
	for _, id := range pushes {
		if err := c.clearTimer(TimerPush, id); err != nil {
			return err
		}
	}
	return notices.Delete(c, key(n.ID))
}

// eraseHouseMail deletes the mails of notices that are gone: one about a ticket is kept with
// a mail on it, which may be on another ticket since. Of notices about no ticket it deletes
// those that have arrived as well, for a notice is told again of something else.
func (d *Desk) eraseHouseMail(ctx context.Context) error {
	return eraseAll(ctx, d, deliveries, func(r store.Reader, m *Delivery) (bool, error) {
		if m.Notice == "" {
			return false, nil
		}
		told, err := notices.Has(r, key(m.Notice))
		return !told || m.Ticket == 0 && m.State == DeliverySent, err
	}, (*command).eraseDelivery)
}

// eraseDrafts deletes mails to the person that nobody has sent.
func (d *Desk) eraseDrafts(ctx context.Context, e *Erasure) error {
	return eraseAll(ctx, d, drafts, func(_ store.Reader, draft *Draft) (bool, error) {
		return draft.addressedTo(e.Addresses), nil
	}, (*command).deleteDraft)
}
