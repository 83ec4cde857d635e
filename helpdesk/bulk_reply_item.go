package helpdesk

import (
	"errors"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// bulkReplyAuthor is who wrote it, as whom it is posted, with what their role
// allows now: who was locked out meanwhile sends no more.
func bulkReplyAuthor(r store.Reader, b *BulkReply) (Actor, error) {
	user, err := users.Get(r, key(b.By))
	if err == nil {
		user, err = withRole(r, user)
	}
	if err != nil {
		return Actor{}, err
	}
	return user.Actor(), nil
}

// replyTo is the reply that one ticket gets, filled for its customer, and what
// nothing is known for.
func (b *BulkReply) replyTo(r store.Reader, d *Desk, ticket uint64) (Reply, []string, error) {
	author, err := users.Get(r, key(b.By))
	if err != nil {
		return Reply{}, nil, err
	}
	if author.Disabled {
		return Reply{}, nil, conflict("bulk_reply_author", "%s can no longer log in, so nothing is sent in their name", author.Name)
	}
	reply := Reply{Ticket: ticket, Close: b.Close, Templates: b.Templates, IdempotencyKey: "bulk/" + b.ID + "/" + formatNumber(ticket), bulk: b}
	g, err := replyGround(r, &reply)
	if err != nil {
		return reply, nil, err
	}
	if g.ticket.Spam != nil {
		return reply, nil, conflict("bulk_reply_spam", "ticket %d is spam, which is not answered", ticket)
	}
	if b.Close && !g.ticket.Open {
		reply.Close = false
	}
	o, err := d.occasion(r, g, b.By)
	if err != nil {
		return reply, nil, err
	}
	values := o.values()
	_, unfilled := values.fillText(b.Words.Text)
	filled := values.complete(b.Words)
	reply.Text, reply.HTML = filled.Text, filled.HTML
	return reply, unfilled, nil
}

// checkOptedOut refuses recipients who asked for no mail of this kind.
func (o *outgoing) checkOptedOut(r store.Reader) error {
	for _, address := range recipientsOf(&o.message) {
		out, err := optedOut(r, address)
		if err != nil {
			return err
		}
		if out != nil {
			return &Error{Code: CodeConflict, Field: "to", Key: "error.opted_out", Args: []any{out.Address},
				Message: out.Address + " asked for no more mails that go to many"}
		}
	}
	return nil
}

// previewItem composes the mail of one ticket, or says why there is none.
func (d *Desk) previewItem(r store.Reader, author Actor, b *BulkReply, item *BulkReplyItem) (*previewedItem, error) {
	p := &previewedItem{BulkReplyPreview: BulkReplyPreview{Index: int(item.Index), Ticket: item.Ticket}}
	t, err := tickets.Get(r, key(item.Ticket))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if t != nil {
		p.title = t.Subject
	}
	reply, unfilled, err := b.replyTo(r, d, item.Ticket)
	var o *outgoing
	if err == nil {
		p.Unfilled = unfilled
		if o, err = d.prepareReply(r, author, reply); err == nil {
			err = o.checkOptedOut(r)
		}
	}
	if err != nil {
		var refusal *Error
		if !errors.As(err, &refusal) {
			return nil, err
		}
		p.Trouble = refusal
		return p, nil
	}
	alias, err := aliases.Get(r, key(t.AliasID))
	if err != nil {
		return nil, err
	}
	p.approval = alias.Approval
	p.To, p.From, p.Subject, p.Text = o.message.To, o.message.From, o.message.Subject, o.draft.Text
	signature, err := d.signature(r, ground{ticket: t, alias: alias}, b.By)
	if err != nil {
		return nil, err
	}
	text, html := signature.below(reply.Text, reply.HTML)
	if p.HTML = html; html == "" {
		p.HTML = mail.HTMLFromText(text)
	}
	return p, nil
}

// markBulk gives a bulk reply what mail to many has: who gets it can ask for no
// more of it with one click (RFC 8058; RFC 2369, section 3.2). Without a public
// https address there is nothing to click.
func (o *outgoing) markBulk(d *Desk, r store.Reader, b *BulkReply) error {
	o.message.BulkReply = b.ID
	if d.options.PublicURL == "" || len(o.message.To) != 1 {
		return nil
	}
	link, err := d.optOutLink(r, o.message.ID, o.message.To[0].Email)
	if err != nil {
		return err
	}
	o.draft.Header = append(o.draft.Header, mail.Field{Name: "List-Unsubscribe", Value: "<" + link + ">"},
		mail.Field{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"})
	return nil
}

// leaves is when a reply's mails leave that is posted now.
func (r *Reply) leaves(c *command) time.Time {
	due := c.now.Add(c.desk.options.UndoWindow)
	if r.bulk != nil && r.bulk.LeavesAt.After(due) {
		return r.bulk.LeavesAt
	}
	return due
}
