package helpdesk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// NoteView is a note with its author's name.
type NoteView struct {
	Note       Note
	AuthorName string
}

// TicketView is a ticket with its whole history, on one consistent state.
type TicketView struct {
	Row            TicketRow
	Messages       []MessageView // the thread, by time
	Held           []MessageView // the confirmation strip
	Notes          []NoteView
	Drafts         []DraftView // oldest first
	Events         []Event
	Pipeline       Pipeline
	Alias          Alias          // the one that answers leave from; zero when it is gone
	ContactTickets []TicketRow    // the contact's other tickets, newest first
	SeenSeq        uint64         // the newest event that the actor had looked at
	LastSeq        uint64         // the newest event of the ticket
	AutoReply      *AutoReplyView // nil where no service is at work
	Damaged        int            // how much of it cannot be read any more, and is left out
}

// MaxContactTickets is how many other tickets of a contact are shown.
const MaxContactTickets = 20

// Ticket returns a ticket with its history, and the texts of all its messages.
func (d *Desk) Ticket(ctx context.Context, a Actor, number uint64) (*TicketView, error) {
	return d.ticketView(ctx, a, number, true)
}

// TicketOutline is Ticket without the texts of the messages: of a long conversation few
// are shown, and ReadBodies reads those.
func (d *Desk) TicketOutline(ctx context.Context, a Actor, number uint64) (*TicketView, error) {
	return d.ticketView(ctx, a, number, false)
}

func (d *Desk) ticketView(ctx context.Context, a Actor, number uint64, whole bool) (*TicketView, error) {
	if err := a.mayRead("a ticket"); err != nil {
		return nil, err
	}
	var v *TicketView
	err := d.view(ctx, func(r store.Reader) error {
		t, err := tickets.Get(r, key(number))
		if t, err = found(t, err, "ticket", number); err != nil {
			return err
		}
		v = &TicketView{}
		names := newNames(r, a)
		if v.Row, err = names.row(t); err != nil {
			return err
		}
		if err := nameCompany(r, &v.Row.Contact); err != nil {
			return err
		}
		if v.Row.Contact.Blocked, err = isBlocked(r, &v.Row.Contact); err != nil {
			return err
		}
		if v.AutoReply, err = d.autoReplyView(r, t); err != nil {
			return err
		}
		if err := v.fill(r, names, t, d.now()); err != nil || !whole {
			return err
		}
		return v.readBodies(r, nil)
	})
	return v, err
}

func (v *TicketView) fill(r store.Reader, n *names, t *Ticket, now time.Time) error {
	pipeline, err := n.pipeline(t.PipelineID)
	if err != nil {
		return err
	}
	v.Pipeline = *pipeline
	alias, err := aliases.Get(r, key(t.AliasID))
	if err == nil {
		v.Alias = *alias
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := v.fillMessages(r, t.Number, now); err != nil {
		return err
	}
	for note, err := range notes.ScanIndex(r, "ticket", store.Prefix(key(t.Number))) {
		if v.passOver(r, err) {
			continue
		}
		if err != nil {
			return err
		}
		author, err := n.user(note.AuthorID)
		if err != nil {
			return err
		}
		v.Notes = append(v.Notes, NoteView{Note: *note, AuthorName: author})
	}
	for draft, err := range drafts.ScanIndex(r, "ticket", store.Prefix(key(t.Number))) {
		if v.passOver(r, err) {
			continue
		}
		if err != nil {
			return err
		}
		shown, err := draftView(r, n, draft)
		if err != nil {
			return err
		}
		v.Drafts = append(v.Drafts, *shown)
	}
	for e, err := range events.ScanIndex(r, "ticket", store.Prefix(key(t.Number))) {
		if v.passOver(r, err) {
			continue
		}
		if err != nil {
			return err
		}
		v.Events = append(v.Events, *e)
		v.LastSeq = e.Seq
	}
	look, err := seens.Get(r, key(n.actor.UserID, t.Number))
	if err == nil {
		v.SeenSeq = look.Seq
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return v.fillContactTickets(r, n, t)
}

// passOver leaves out what is damaged, and counts it.
func (v *TicketView) passOver(r store.Reader, err error) bool {
	if !passOver(r, err) {
		return false
	}
	v.Damaged++
	return true
}

func (v *TicketView) fillMessages(r store.Reader, number uint64, now time.Time) error {
	for m, err := range messages.ScanIndex(r, "ticket", store.Prefix(key(number))) {
		if v.passOver(r, err) {
			continue
		}
		if err != nil {
			return err
		}
		if m.State != MessagePosted && m.State != MessageHeld {
			continue
		}
		view := &MessageView{Message: *m}
		if err := view.fill(r, now); err != nil && !v.passOver(r, err) {
			return err
		}
		if m.State == MessageHeld {
			v.Held = append(v.Held, *view)
		} else {
			v.Messages = append(v.Messages, *view)
		}
	}
	return nil
}

func (v *TicketView) fillContactTickets(r store.Reader, n *names, t *Ticket) error {
	for other, err := range readable(r, tickets.ScanIndex(r, "contact", store.Prefix(key(t.ContactID)))) {
		if err != nil {
			return err
		}
		if other.Number == t.Number {
			continue
		}
		if len(v.ContactTickets) == MaxContactTickets {
			return nil
		}
		row, err := n.row(other)
		if err != nil {
			return err
		}
		v.ContactTickets = append(v.ContactTickets, row)
	}
	return nil
}

// Source returns a mail exactly as it was received or composed.
func (d *Desk) Source(ctx context.Context, a Actor, messageID string) (raw []byte, err error) {
	if err := a.mayRead("the source of a message"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		raw, err = raws.Get(r, key(messageID))
		if errors.Is(err, store.ErrNotFound) {
			return notFound("source of message", messageID)
		}
		return err
	})
	return raw, err
}

// AttachmentData returns the file at index in Message.Attachments, read from
// the message's source.
func (d *Desk) AttachmentData(ctx context.Context, a Actor, messageID string, index int) (Attachment, []byte, error) {
	return d.part(ctx, a, messageID, func(i int, _ mail.Attachment) bool { return i == index })
}

// InlineImage returns the part that the message's HTML shows by Content-ID
// (RFC 2392).
func (d *Desk) InlineImage(ctx context.Context, a Actor, messageID, contentID string) (Attachment, []byte, error) {
	return d.part(ctx, a, messageID, func(_ int, f mail.Attachment) bool {
		return f.ContentID != "" && strings.EqualFold(f.ContentID, contentID)
	})
}

func (d *Desk) part(ctx context.Context, a Actor, messageID string, wanted func(int, mail.Attachment) bool) (Attachment, []byte, error) {
	raw, err := d.Source(ctx, a, messageID)
	if err != nil {
		return Attachment{}, nil, err
	}
	for i, f := range mail.Parse(raw).Attachments {
		if wanted(i, f) {
			return DescribeAttachment(f), f.Data, nil
		}
	}
	return Attachment{}, nil, notFound("attachment of message", messageID)
}

// scanAll returns every record of a table, sorted by compare.
func scanAll[T any](ctx context.Context, d *Desk, table *store.Table[T], compare func(a, b T) int) (list []T, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		for record, err := range table.Scan(r, store.Range{}) {
			if err != nil {
				return err
			}
			list = append(list, *record)
		}
		return nil
	})
	slices.SortStableFunc(list, compare)
	return list, err
}
