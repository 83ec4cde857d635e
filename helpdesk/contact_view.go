package helpdesk

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// ContactView is what is known about a person.
type ContactView struct {
	Contact Contact
	Company *Company // nil for none
	// Domain is that of the main address where a company could be made for it: it
	// has none yet, and not everybody gets an address there.
	Domain  string
	Tickets int // up to Capped
	Open    int // of these; none is counted beyond the limit
	Capped  int // a count of Capped means that many or more
	// Answers is how many of the person's newest mails were answered, and
	// AnswerTime how long that took on average, in working time.
	Answers    int
	AnswerTime time.Duration
	// Suppressed are those addresses that refused mail for good.
	Suppressed []string
	// Mergings are those that can be undone, the newest first.
	Mergings []ContactMerging
}

// answersOf is how many of a contact's newest tickets the average is of.
const answersOf = 30

// Contact returns what is known about a person. The id of a contact that was
// merged, or an address, leads to whom it stands for now.
func (d *Desk) Contact(ctx context.Context, a Actor, id string) (v *ContactView, err error) {
	if err := a.mayRead("a contact"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		contact, err := contactByID(r, id)
		if err != nil {
			return err
		}
		v = &ContactView{Contact: *contact, Capped: maxCount}
		return v.fill(r, newClocks(r, d.zones))
	})
	return v, err
}

// contactByID finds a contact by id or address, through merges.
func contactByID(r store.Reader, id string) (*Contact, error) {
	contact, err := optional(contacts.Get(r, key(id)))
	if err == nil && contact == nil && strings.Contains(id, "@") {
		contact, err = contactOf(r, id)
	}
	if err != nil {
		return nil, err
	}
	if contact == nil {
		return nil, notFound("contact", id)
	}
	if contact, err = contactNow(r, contact); err == nil && !contact.ErasedAt.IsZero() {
		return nil, notFound("contact", id)
	}
	return contact, err
}

func (v *ContactView) fill(r store.Reader, clocks *clocks) (err error) {
	c := &v.Contact
	if v.Company, err = companyOf(r, c); err != nil {
		return err
	}
	if c.Blocked, err = isBlocked(r, c); err != nil {
		return err
	}
	if v.Company != nil {
		c.Company = v.Company.Name
	} else if domain := domainOf(c.Email); !c.CompanyKept && !FreeMail(domain) {
		v.Domain = domain
	}
	for _, address := range c.Addresses() {
		suppressed, err := suppressionOf(r, address)
		if err != nil {
			return err
		}
		if suppressed != nil {
			v.Suppressed = append(v.Suppressed, address)
		}
	}
	for m, err := range contactMergings.ScanIndex(r, "into", store.Prefix(key(c.ID))) {
		if err != nil {
			return err
		}
		v.Mergings = append(v.Mergings, *m)
	}
	slices.Reverse(v.Mergings)
	if v.Tickets, err = countUpTo(tickets, r, "contact", key(c.ID)); err != nil {
		return err
	}
	return v.fillAnswers(r, clocks)
}

// fillAnswers measures how long the person waited for us lately.
func (v *ContactView) fillAnswers(r store.Reader, clocks *clocks) error {
	var total time.Duration
	looked := 0
	for t, err := range tickets.ScanIndex(r, "contact", store.Prefix(key(v.Contact.ID))) {
		if err != nil {
			return err
		}
		if looked++; looked > maxCount {
			break
		}
		if t.Open {
			v.Open++
		}
		if looked > answersOf {
			continue
		}
		schedule, err := clocks.scheduleOf(t)
		if err != nil {
			return err
		}
		waits, err := answeredWaits(r, t.Number)
		if err != nil {
			return err
		}
		for _, w := range waits {
			total += schedule.Between(w.from, w.to)
			v.Answers++
		}
	}
	if v.Answers > 0 {
		v.AnswerTime = total / time.Duration(v.Answers)
	}
	return nil
}

// wait is from a customer's first unanswered mail to our answer.
type wait struct{ from, to time.Time }

// answeredWaits are the waits of a ticket's customer that a reply ended, each
// once however many mails the customer sent meanwhile.
func answeredWaits(r store.Reader, number uint64) (waits []wait, err error) {
	replies := map[uint64]*Message{}
	since := map[uint64]time.Time{}
	var order []uint64
	for m, err := range messages.ScanIndex(r, "ticket", store.Prefix(key(number))) {
		if err != nil {
			return nil, err
		}
		switch {
		case m.State != MessagePosted:
		case m.Direction == Outbound && !m.Automatic:
			replies[m.Seq] = m
		case m.fromCustomer() && m.Settled != 0 && !m.ThirdParty:
			if since[m.Settled].IsZero() {
				order = append(order, m.Settled)
			}
			since[m.Settled] = earlier(since[m.Settled], m.At)
		}
	}
	for _, seq := range order {
		if reply := replies[seq]; reply != nil && reply.At.After(since[seq]) {
			waits = append(waits, wait{since[seq], reply.At})
		}
	}
	return waits, nil
}

// ContactTickets returns a page of a person's tickets, the newest change first,
// and where the next page starts.
func (d *Desk) ContactTickets(ctx context.Context, a Actor, id string, limit int, after string) (rows []TicketRow, next string, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return nil, "", err
	}
	prefix := key(id)
	rng := store.Prefix(prefix)
	if after != "" {
		start, err := base64.RawURLEncoding.DecodeString(after)
		if err != nil || !strings.HasPrefix(string(start), string(prefix)) {
			return nil, "", invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start at the newest", after)
		}
		rng.Start = append(start, 0xff)
	}
	if limit <= 0 || limit > 200 {
		limit = 50
	}
	err = d.view(ctx, func(r store.Reader) error {
		names := newNames(r, a)
		rows, next = nil, ""
		for t, err := range tickets.ScanIndex(r, "contact", rng) {
			if err != nil {
				return err
			}
			if len(rows) == limit {
				last := rows[limit-1].Ticket
				next = base64.RawURLEncoding.EncodeToString(recent(&last, prefix))
				return nil
			}
			row, err := names.row(t)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, next, err
}

// ContactFile is an attachment that went between a person and us.
type ContactFile struct {
	Message    string // id
	Index      int    // in the message's attachments
	Attachment Attachment
	Ticket     uint64
	Subject    string
	Direction  Direction
	At         time.Time
}

// ContactFiles is a page of a person's files.
type ContactFiles struct {
	Files []ContactFile
	Total int    // of all that fit
	Next  string // where the next page starts, "" at the end
	// Cut says that the person has more tickets than were looked into.
	Cut bool
}

// maxFileTickets is how many of a person's newest tickets are looked into for
// files.
const maxFileTickets = 1000

// ContactFiles returns the attachments of a person's tickets whose name holds
// text, letter case and width aside, the newest first.
func (d *Desk) ContactFiles(ctx context.Context, a Actor, id, text string, limit int, after string) (page ContactFiles, err error) {
	if err := a.mayRead("attachments"); err != nil {
		return page, err
	}
	start, err := strconv.Atoi(cmp.Or(after, "0"))
	if err != nil || start < 0 {
		return page, invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start at the newest", after)
	}
	if limit <= 0 || limit > 200 {
		limit = 50
	}
	err = d.view(ctx, func(r store.Reader) error {
		page = ContactFiles{}
		all, err := contactFiles(ctx, r, id, foldName(text), &page)
		if err != nil {
			return err
		}
		page.Total = len(all)
		page.Files = all[min(start, len(all)):min(start+limit, len(all))]
		if start+limit < len(all) {
			page.Next = strconv.Itoa(start + limit)
		}
		return nil
	})
	return page, err
}

func contactFiles(ctx context.Context, r store.Reader, id, text string, page *ContactFiles) (list []ContactFile, err error) {
	looked := 0
	for t, err := range tickets.ScanIndex(r, "contact", store.Prefix(key(id))) {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		if looked++; looked > maxFileTickets {
			page.Cut = true
			break
		}
		for m, err := range messages.ScanIndex(r, "ticket", store.Prefix(key(t.Number))) {
			if err != nil {
				return nil, err
			}
			if m.State != MessagePosted {
				continue
			}
			for i, file := range m.Attachments {
				if !file.Inline && strings.Contains(foldName(file.Filename), text) {
					list = append(list, ContactFile{m.ID, i, file, t.Number, t.Subject, m.Direction, m.At})
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b ContactFile) int { return b.At.Compare(a.At) })
	return list, nil
}
