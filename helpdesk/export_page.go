package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// ExportPart is one kind of what is exported.
type ExportPart string

// ExportParts are all parts, in the order in which they are exported.
var ExportParts = []ExportPart{ExportTickets, ExportMessages, ExportNotes, ExportContacts, ExportEvents, ExportCompanies, ExportUsers}

// The parts.
const (
	ExportTickets   ExportPart = "tickets"
	ExportMessages  ExportPart = "messages"
	ExportNotes     ExportPart = "notes"
	ExportContacts  ExportPart = "contacts"
	ExportEvents    ExportPart = "events"
	ExportCompanies ExportPart = "companies"
	ExportUsers     ExportPart = "users"
)

// ExportQuery asks for a page of a part. Times are of a ticket's last change, and of
// when the others came or happened.
type ExportQuery struct {
	Part     ExportPart
	After    string    // where the page before ended
	Alias    string    // tickets of this address, and what is on them; "" for all, and events without a ticket
	From, To time.Time // From ≤ time < To; zero is open
}

// ExportPage is a page of one part.
type ExportPage struct {
	Tickets   []ExportedTicket  `json:"tickets,omitempty"`
	Messages  []ExportedMessage `json:"messages,omitempty"`
	Notes     []ExportedNote    `json:"notes,omitempty"`
	Contacts  []ExportedContact `json:"contacts,omitempty"`
	Events    []ExportedEvent   `json:"events,omitempty"`
	Companies []ExportedCompany `json:"companies,omitempty"`
	Users     []ExportedUser    `json:"users,omitempty"`
	Next      string            `json:"next"` // for After of the next page
	Last      bool              `json:"last"`
}

// A page has this much: it is one transaction, and one answer.
const (
	exportAtOnce      = 500
	exportLooksAtOnce = 20_000
	exportBytesAtOnce = 8 << 20
)

// ExportPage returns a page of what is taken out of the house.
func (d *Desk) ExportPage(ctx context.Context, a Actor, q ExportQuery) (page ExportPage, err error) {
	if err := a.may("export", PermitExport); err != nil {
		return page, err
	}
	if !slices.Contains(ExportParts, q.Part) {
		return page, invalid("part", "export_part", "there is no part %q to export", q.Part)
	}
	if q.Alias != "" {
		if err := d.view(ctx, func(r store.Reader) error {
			alias, err := optional(aliases.First(r, "address", key(mailboxOf(q.Alias))))
			if err == nil && alias == nil {
				err = notFound("alias", q.Alias)
			}
			return err
		}); err != nil {
			return page, err
		}
	}
	err = d.view(ctx, func(r store.Reader) error {
		page = ExportPage{}
		e := &exporter{Reader: r, query: q, page: &page, fits: map[uint64]bool{}, users: map[string]*User{}, fields: map[FieldOwner][]Field{}}
		switch q.Part {
		case ExportTickets:
			number, err := e.afterNumber()
			if err != nil {
				return err
			}
			return scanExport(e, tickets.Table, key(number), e.ticket)
		case ExportMessages:
			return scanExport(e, messages, key(q.After), e.message)
		case ExportNotes:
			return scanExport(e, notes, key(q.After), e.note)
		case ExportContacts:
			return scanExport(e, contacts, key(q.After), e.contact)
		case ExportCompanies:
			return scanExport(e, companies, key(q.After), e.company)
		case ExportUsers:
			return scanExport(e, users, key(q.After), e.person)
		}
		number, err := e.afterNumber()
		if err != nil {
			return err
		}
		return scanExport(e, events, key(number), e.event)
	})
	return page, err
}

// exporter makes one page.
type exporter struct {
	store.Reader
	query ExportQuery
	page  *ExportPage
	count int
	bytes int
	fits  map[uint64]bool  // which tickets are of the alias
	users map[string]*User // by id, nil for one that is not there
	// fields are the custom fields, read where they are first needed.
	fields map[FieldOwner][]Field
}

func (e *exporter) afterNumber() (uint64, error) {
	if e.query.After == "" {
		return 0, nil
	}
	number, err := strconv.ParseUint(e.query.After, 10, 64)
	if err != nil {
		return 0, invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start at the newest", e.query.After)
	}
	return number, nil
}

// scanExport hands the records behind from to take, which names each, until the page
// is full.
func scanExport[T any](e *exporter, table *store.Table[T], from []byte, take func(*T) (string, error)) error {
	looked := 0
	for record, err := range table.Scan(e, store.Range{Start: from}) {
		if err != nil {
			return err
		}
		if looked++; e.count >= exportAtOnce || e.bytes >= exportBytesAtOnce || looked > exportLooksAtOnce {
			return nil
		}
		name, err := take(record)
		if err != nil {
			return err
		}
		e.page.Next = name
	}
	e.page.Last = true
	return nil
}

func (e *exporter) within(at time.Time) bool {
	return (e.query.From.IsZero() || !at.Before(e.query.From)) && (e.query.To.IsZero() || at.Before(e.query.To))
}

// of reports whether what is on a ticket is exported.
func (e *exporter) of(number uint64) (bool, error) {
	if e.query.Alias == "" {
		return true, nil
	}
	if number == 0 {
		return false, nil
	}
	fits, known := e.fits[number]
	if !known {
		t, err := optional(tickets.Get(e, key(number)))
		if err != nil {
			return false, err
		}
		fits = t != nil && slices.Contains(t.Aliases, e.query.Alias)
		e.fits[number] = fits
	}
	return fits, nil
}

// user is the address of a user, "" for nobody.
func (e *exporter) user(id string) (string, error) {
	u, err := e.userRecord(id)
	if u == nil {
		return "", err
	}
	return u.Email, err
}

func (e *exporter) userRecord(id string) (*User, error) {
	if id == "" {
		return nil, nil
	}
	u, known := e.users[id]
	if !known {
		var err error
		if u, err = optional(users.Get(e, key(id))); err != nil {
			return nil, err
		}
		e.users[id] = u
	}
	return u, nil
}

func (e *exporter) ticket(t *Ticket) (string, error) {
	name := strconv.FormatUint(t.Number, 10)
	if name == e.query.After || !e.within(t.UpdatedAt) || e.query.Alias != "" && !slices.Contains(t.Aliases, e.query.Alias) {
		return name, nil
	}
	out := ExportedTicket{Number: t.Number, Subject: t.Subject, Open: t.Open, Priority: t.Priority.Name(), Tags: orEmpty(t.Tags),
		Aliases: orEmpty(t.Aliases), Participants: orEmpty(t.Participants), ThirdParties: orEmpty(t.ThirdParties), Language: t.Language, Spam: t.Spam != nil, MergedInto: t.MergedInto, Previous: t.Previous,
		Withdrawn: t.Withdrawn, ErasedAt: t.ErasedAt, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, WaitingSince: t.WaitingSince}
	if t.Snooze != nil {
		out.Snoozed, out.SnoozedUntil = true, t.Snooze.Until
	}
	contact, errContact := optional(contacts.Get(e, key(t.ContactID)))
	if contact != nil {
		out.Contact = contact.Email
	}
	pipeline, errPipeline := optional(pipelines.Get(e, key(t.PipelineID)))
	if pipeline != nil {
		stage, _ := pipeline.Stage(t.StageID)
		out.Pipeline, out.Stage = pipeline.Name, stage.Name
	}
	alias, errAlias := optional(aliases.Get(e, key(t.AliasID)))
	if alias != nil {
		out.Alias = alias.Address
	}
	var errTeam error
	if t.TeamID != "" {
		var team *Team
		if team, errTeam = optional(teams.Get(e, key(t.TeamID))); team != nil {
			out.Team = team.Name
		}
	}
	var errUser, errFields error
	out.Assignee, errUser = e.user(t.AssigneeID)
	out.Fields, errFields = e.named(FieldOfTicket, t.Fields)
	e.page.Tickets = append(e.page.Tickets, out)
	e.count++
	return name, errors.Join(errContact, errPipeline, errAlias, errTeam, errUser, errFields)
}

func (e *exporter) message(m *Message) (string, error) {
	fits, err := e.of(m.Ticket)
	if err != nil || m.ID == e.query.After || !fits || !e.within(m.At) {
		return m.ID, err
	}
	body, err := optional(bodies.Get(e, key(m.ID)))
	if err != nil {
		return m.ID, err
	}
	if body == nil {
		body = &Body{}
	}
	raw, err := raws.Get(e, key(m.ID))
	if errors.Is(err, store.ErrNotFound) && m.Reason == ReasonLogged {
		raw, err = nil, nil
	}
	if err != nil {
		return m.ID, fmt.Errorf("export message %s: %w", m.ID, err)
	}
	author, err := e.user(m.AuthorID)
	out := ExportedMessage{ID: m.ID, Seq: m.Seq, Ticket: m.Ticket, Direction: m.Direction, Channel: m.Channel, Kind: m.Kind, State: m.State, Reason: m.Reason, ThirdParty: m.ThirdParty, Forwarded: m.Forwarded, Automatic: m.Automatic, Answered: m.Settled != 0, Author: author,
		From: exportedAddress(m.From), To: exportedAddresses(m.To), Cc: exportedAddresses(m.Cc), Bcc: exportedAddresses(m.Bcc), Subject: m.Subject, At: m.At, Date: m.Date,
		MessageID: m.MessageID, InReplyTo: orEmpty(m.InReplyTo), References: orEmpty(m.References), Text: body.Text, ReplyText: body.ReplyText, Files: []string{},
		Sender: m.Envelope.MailFrom, Raw: raw}
	for _, a := range m.Attachments {
		out.Files = append(out.Files, a.Filename)
	}
	e.page.Messages = append(e.page.Messages, out)
	e.count, e.bytes = e.count+1, e.bytes+len(raw)+len(body.Text)
	return m.ID, err
}

func (e *exporter) event(v *Event) (string, error) {
	name := strconv.FormatUint(v.Seq, 10)
	fits, err := e.of(v.Ticket)
	if err != nil || name == e.query.After || !fits || !e.within(v.At) {
		return name, err
	}
	actor, err := e.user(v.Actor.UserID)
	if actor == "" {
		actor = v.Actor.Name
	}
	e.page.Events = append(e.page.Events, ExportedEvent{Seq: v.Seq, At: v.At, Kind: v.Kind, Ticket: v.Ticket, Message: v.Message, Actor: actor, Data: v.Data})
	e.count++
	return name, err
}

func exportedAddress(a Address) ExportedAddress { return ExportedAddress(a) }

func exportedAddresses(list []Address) []ExportedAddress {
	out := make([]ExportedAddress, 0, len(list))
	for _, a := range list {
		out = append(out, exportedAddress(a))
	}
	return out
}

// orEmpty makes an empty list of none, for JSON.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
