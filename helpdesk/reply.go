package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// Reply is an answer to a ticket's customer, as an agent posts it, or a mail
// that begins a ticket.
type Reply struct {
	Ticket uint64
	// Opening is set where it begins a ticket; Ticket is 0 then.
	Opening *Opening
	Text    string
	// HTML is the same with its formatting, optional. It may show files by
	// Content-ID (cid:), and hold images itself (data:).
	HTML string
	// To, Cc and Bcc are the recipients; a nil To is the author of the newest
	// customer message. The mail does not say who is in Bcc.
	To, Cc, Bcc []Address
	Attachments []Upload
	Quote       bool // quote the newest customer message below
	// Forward is the message of the ticket that it passes on to somebody else, whose
	// answers are then a third party's; "" for an answer. Its text and files hold
	// what is passed on, as Desk.Forwarded gives it.
	Forward string
	Close   bool // and move the ticket to the pipeline's first closed stage
	// Signature stands below the text; nil is the one that the alias has for the
	// customer's language, an empty one none.
	Signature *Localized
	// Templates are the ids of those that the text was made with: their use is counted.
	Templates []string
	// Seen is the newest event of the ticket that the author has seen; a
	// customer message or a colleague's reply after it stops this one. 0 does not check.
	Seen uint64
	// IdempotencyKey makes a repeated post return the first one's message, also where
	// that was undone, unless a draft is sent.
	IdempotencyKey string
	// Digest is of what a program asked for with that key: another under the same key
	// is a conflict. "" does not compare.
	Digest string
	// Draft is the draft that is sent with it and is then gone, or "". Uploads
	// are the ids of those of its files that are attached, all where it is nil;
	// images that HTML shows as "cid:" and their Content-ID come along.
	Draft   string
	Uploads []string
	// Copy is what its author had of Draft: words that another page saved since stop it.
	Copy DraftCopy

	answers string     // the message that it answers, "" for the newest of a person's
	held    *Draft     // that it was kept as until now, nil for one that just was written
	bulk    *BulkReply // that it is part of
}

// Upload is a file to send.
type Upload struct {
	Filename    string
	ContentType string
	ContentID   string // of an image that the HTML shows, without brackets; "" for a file
	Data        []byte
}

// Limits of one reply.
const (
	maxReplyText       = 1 << 20  // bytes
	maxReplyFiles      = 25 << 20 // bytes, all files together
	maxReplyRecipients = 100
)

func (r *Reply) validate() error {
	size := 0
	for _, f := range r.Attachments {
		size += len(f.Data)
	}
	switch {
	case strings.TrimSpace(r.Text) == "" && strings.TrimSpace(r.HTML) == "" && len(r.Attachments) == 0:
		return invalid("text", "reply_empty", "the reply is empty; write a text or attach a file")
	case len(r.Text)+len(r.HTML) > maxReplyText:
		return invalid("text", "reply_too_long", "the reply has %d bytes; the limit is %d", Bytes(len(r.Text)+len(r.HTML)), Bytes(maxReplyText))
	case size > maxReplyFiles:
		return invalid("attachments", "files_too_large", "the files have %d bytes together; the limit is %d", Bytes(size), Bytes(maxReplyFiles))
	case len(r.To)+len(r.Cc)+len(r.Bcc) > maxReplyRecipients:
		return invalid("to", "too_many_recipients", "%d recipients; the limit is %d", len(r.To)+len(r.Cc)+len(r.Bcc), maxReplyRecipients)
	}
	if err := r.cleanOpening(); err != nil {
		return err
	}
	if r.Signature != nil {
		if err := r.Signature.clean(); err != nil {
			return err
		}
	}
	for i, list := range [][]Address{r.To, r.Cc, r.Bcc} {
		for _, a := range list {
			if err := checkAddress([]string{"to", "cc", "bcc"}[i], a.Email); err != nil {
				return err
			}
		}
	}
	return nil
}

// Reply posts an answer at once; where the alias asks for a second person's
// approval it is a conflict ("approval_needed"), and Send requests it. The message, its reply address, its deliveries and
// their timers are durable together when it returns. The mail is composed
// here, once, so that every attempt sends the same bytes; it leaves when the
// undo window has passed.
func (d *Desk) Reply(ctx context.Context, a Actor, r Reply) (*Message, error) {
	if err := a.may("reply", PermitReply); err != nil {
		return nil, err
	}
	return d.reply(ctx, a, r, nil)
}

// reply is Reply for an actor who may. also runs in the same transaction.
func (d *Desk) reply(ctx context.Context, a Actor, r Reply, also func(*command) error) (*Message, error) {
	var o *outgoing
	posted, err := d.gather(ctx, a, &r)
	if err != nil || posted != nil {
		return posted, err
	}
	err = d.view(ctx, func(s store.Reader) (err error) {
		o, err = d.prepareReply(s, a, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	raw, err := mail.Compose(o.draft)
	if err != nil {
		return nil, &Error{Code: CodeInvalid, Field: "text", Key: "error.reply_unwritable", Message: fmt.Sprintf("this reply cannot be written as a mail: %v", err)}
	}
	blob := store.Compress(raw)
	err = d.update(ctx, a, func(c *command) (err error) {
		if posted, err = r.repeated(c, a); posted != nil || err != nil {
			return err
		}
		if posted, err = c.postReply(r, o, blob); err != nil {
			return err
		}
		if also != nil {
			return also(c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return posted, nil
}

// gather puts a reply together with the files of its draft, reads its HTML and
// checks it; or it returns the message that the same reply became before.
func (d *Desk) gather(ctx context.Context, a Actor, r *Reply) (posted *Message, err error) {
	given := r.Attachments
	err = d.view(ctx, func(s store.Reader) (err error) {
		if posted, err = r.repeated(s, a); posted != nil || err != nil {
			return err
		}
		r.Attachments = slices.Clip(given)
		return r.attach(s)
	})
	if err != nil || posted != nil {
		return posted, err
	}
	if err := r.readLetter(); err != nil {
		return nil, err
	}
	return nil, r.validate()
}
