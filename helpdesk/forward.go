package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// Forwarded is a message as it is passed on to somebody else: its words below a
// block that says whose they are, and its files.
type Forwarded struct {
	Text  string
	HTML  string // "" for a message without formatting
	Files []Upload
}

// Forwarded returns what of a message is passed on: never a note, nor anything
// that only the house sees, such as the addresses of answers or who is in Bcc.
func (d *Desk) Forwarded(ctx context.Context, a Actor, messageID string) (f *Forwarded, err error) {
	if err := a.may("forward a message", PermitReply); err != nil {
		return nil, err
	}
	var raw []byte
	err = d.view(ctx, func(r store.Reader) error {
		m, err := forwardable(r, messageID)
		if err != nil {
			return err
		}
		t, err := tickets.Get(r, key(m.Ticket))
		if err != nil {
			return err
		}
		alias, err := replyAlias(r, t)
		if err != nil {
			return err
		}
		body, err := bodies.Get(r, key(m.ID))
		if err != nil {
			return err
		}
		zone, err := d.houseZone(r)
		if err != nil {
			return err
		}
		f = newForwarded(m, body, alias, m.writtenAt(zone))
		if raw, err = raws.Get(r, key(m.ID)); errors.Is(err, store.ErrNotFound) { // one that was logged by hand
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, file := range mail.Parse(raw).Attachments {
		f.Files = append(f.Files, Upload{Filename: file.Filename, ContentType: file.ContentType, ContentID: file.ContentID, Data: file.Data})
	}
	f.placeImages()
	return f, nil
}

// forwardable is a message that can be passed on.
func forwardable(r store.Reader, id string) (*Message, error) {
	m, err := messages.Get(r, key(id))
	if m, err = found(m, err, "message", id); err != nil {
		return nil, err
	}
	if m.State != MessagePosted {
		return nil, conflict("forward_not_posted", "message %s is %s; only messages of the thread can be forwarded", id, m.State)
	}
	return m, nil
}

// mayForward checks what only a forwarded mail needs.
func (r *Reply) mayForward(s store.Reader) error {
	if r.Forward == "" {
		return nil
	}
	m, err := forwardable(s, r.Forward)
	if err != nil {
		return err
	}
	switch {
	case m.Ticket != r.Ticket:
		return conflict("forward_elsewhere", "the message to forward, %s, is on ticket %d now; forward it from there", m.ID, m.Ticket)
	case len(r.To) == 0:
		return invalid("to", "forward_no_recipient", "enter under To whom it is forwarded to")
	}
	return nil
}

// newForwarded puts the words of a message below the block that introduces them.
func newForwarded(m *Message, body *Body, alias *Alias, written time.Time) *Forwarded {
	lines := forwardHead(m, alias, written)
	f := &Forwarded{Text: "\n\n" + strings.Join(lines, "\n") + "\n\n" + strings.Trim(body.Text, "\r\n")}
	if letter := mail.ReadLetter(body.HTML); letter.HTML != "" {
		f.HTML = "<div><br></div>" + strings.ReplaceAll(mail.HTMLFromText(strings.Join(lines, "\n")), "<br>\n", "<br>") + "<div>" + letter.HTML + "</div>"
	}
	return f
}

// placeImages lets only those files be of the text that the HTML shows.
func (f *Forwarded) placeImages() {
	for i := range f.Files {
		if id := f.Files[i].ContentID; id != "" && !strings.Contains(f.HTML, "cid:"+id) {
			f.Files[i].ContentID = ""
		}
	}
}

// The lines above a forwarded mail, by which its reader tells it
// from what was written before it.
const (
	forwardMarkJapanese = "---------- 転送メッセージ ----------"
	forwardMark         = "---------- Forwarded message ----------"
)

// forwardHead says whose mail follows, in the language of the alias.
func forwardHead(m *Message, alias *Alias, at time.Time) []string {
	mark, labels, date := forwardMark, []string{"From: ", "Date: ", "Subject: ", "To: ", "Cc: "}, at.Format("Mon, 2 Jan 2006 at 15:04")
	if alias.Language == "ja" {
		mark, labels = forwardMarkJapanese, []string{"差出人: ", "日時: ", "件名: ", "宛先: ", "Cc: "}
		date = japaneseDate(at)
	}
	values := []string{typed([]Address{m.From}), date, strings.Join(strings.Fields(m.Subject), " "), typed(shownTo(m.To, alias)), typed(shownTo(m.Cc, alias))}
	lines := []string{mark}
	for i, value := range values {
		if value != "" {
			lines = append(lines, labels[i]+value)
		}
	}
	return lines
}

func japaneseDate(at time.Time) string {
	weekday := []string{"日", "月", "火", "水", "木", "金", "土"}[at.Weekday()]
	return fmt.Sprintf("%s(%s) %s", at.Format("2006年1月2日"), weekday, at.Format("15:04"))
}

// shownTo are recipients with the alias in place of our reply addresses, which
// let whoever knows them write into a ticket.
func shownTo(list []Address, alias *Alias) (shown []Address) {
	for _, a := range list {
		if strings.HasPrefix(a.Email, replyPrefix) || strings.HasPrefix(a.Email, bouncePrefix) {
			a = Address{Name: alias.Name, Email: alias.Address}
		}
		shown = appendNew(shown, a)
	}
	return shown
}

// ownWords is the text of a reply without what it forwards.
func (r *Reply) ownWords() string {
	if r.Forward == "" {
		return r.Text
	}
	text, _, _ := strings.Cut(r.Text, forwardMark)
	text, _, _ = strings.Cut(text, forwardMarkJapanese)
	return text
}

// DraftForward begins a mail that passes a message on: a draft of the actor with
// the message's words and files, and nobody under To. One of the same message
// that is being written already is returned as it is.
func (d *Desk) DraftForward(ctx context.Context, a Actor, messageID string) (draft *Draft, err error) {
	f, err := d.Forwarded(ctx, a, messageID)
	if err != nil {
		return nil, err
	}
	files := d.keptFiles(f.Files)
	err = d.update(ctx, a, func(c *command) error {
		m, err := forwardable(c, messageID)
		if err != nil {
			return err
		}
		if _, err := workable(c, m.Ticket); err != nil {
			return err
		}
		for own, err := range drafts.ScanIndex(c, "user", store.Prefix(key(a.UserID))) {
			if err != nil {
				return err
			}
			if own.Forward == messageID && own.State == DraftWriting && own.Ticket == m.Ticket {
				draft = own
				return nil
			}
		}
		draft = &Draft{ID: d.newID(), Kind: DraftReply, Ticket: m.Ticket, UserID: a.UserID, State: DraftWriting, Forward: messageID,
			Text: f.Text, HTML: f.HTML, Seen: c.last, CreatedAt: c.now, UpdatedAt: c.now}
		if err := draft.check(); err != nil {
			return err
		}
		for _, file := range files {
			if err := draft.fits(file.file.Size); err != nil {
				return err
			}
			if err := draftFiles.Put(c, draft.fileKey(file.file.ID), file.blob); err != nil {
				return err
			}
			draft.Files = append(draft.Files, file.file)
		}
		return c.putDraft(draft)
	})
	return draft, err
}
