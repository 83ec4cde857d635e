package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// zammad is what Zammad's API answers: tickets, their articles and the users, with
// expand=true, which gives names beside ids.
type zammad struct {
	*export
	users    map[number]zammadUser
	articles map[number][]zammadArticle // by ticket; those of a file for all

	organizations map[number]string
	fields        map[string]string // names of custom fields, by their keys in a ticket
}

type zammadUser struct {
	ID        number `json:"id"`
	FirstName string `json:"firstname"`
	LastName  string `json:"lastname"`
	Email     string `json:"email"`

	OrganizationID number `json:"organization_id"`
}

type zammadTicket struct {
	ID         number `json:"id"`
	Number     number `json:"number"`
	Title      string `json:"title"`
	State      string `json:"state"`
	Priority   string `json:"priority"`
	Group      string `json:"group"`
	Customer   string `json:"customer"` // login or address
	CustomerID number `json:"customer_id"`
	Owner      string `json:"owner"`
	OwnerID    number `json:"owner_id"`
	Tags       any    `json:"tags"`
	CreatedAt  moment `json:"created_at"`
	UpdatedAt  moment `json:"updated_at"`
	Articles   []zammadArticle

	Organization   string `json:"organization"`
	OrganizationID number `json:"organization_id"`
	all            map[string]json.RawMessage
}

// UnmarshalJSON keeps what has no field too: custom fields are among the others.
func (t *zammadTicket) UnmarshalJSON(data []byte) error {
	type plain zammadTicket
	return errors.Join(json.Unmarshal(data, (*plain)(t)), json.Unmarshal(data, &t.all))
}

type zammadArticle struct {
	ID          number `json:"id"`
	TicketID    number `json:"ticket_id"`
	Type        string `json:"type"`   // "email", "phone", "web", "note" …
	Sender      string `json:"sender"` // "Customer", "Agent" or "System"
	From        string `json:"from"`
	To          string `json:"to"`
	Cc          string `json:"cc"`
	Subject     string `json:"subject"`
	MessageID   string `json:"message_id"`
	InReplyTo   string `json:"in_reply_to"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
	Internal    bool   `json:"internal"`
	CreatedByID number `json:"created_by_id"`
	CreatedBy   string `json:"created_by"`
	CreatedAt   moment `json:"created_at"`
	Attachments []struct {
		ID          number         `json:"id"`
		Filename    string         `json:"filename"`
		Preferences map[string]any `json:"preferences"`
		Size        number         `json:"size"`
	} `json:"attachments"`
}

// OpenZammad reads a directory with what Zammad's API answers: tickets*.json,
// articles*.json (or articles/TICKET.json), users*.json, organizations*.json and, for custom
// fields, object_manager_attributes.json.
func OpenZammad(ctx context.Context, path string) (Source, error) {
	e, err := openExport("zammad", path, "ticket")
	if err != nil {
		return nil, err
	}
	z := &zammad{export: e, users: map[number]zammadUser{}, articles: map[number][]zammadArticle{}, organizations: map[number]string{}, fields: map[string]string{}}
	err = errors.Join(
		readAll(e, "user*.json*", "users", func(u zammadUser) { z.users[u.ID] = u }),
		readAll(e, "articles*.json*", "articles", func(a zammadArticle) { z.articles[a.TicketID] = append(z.articles[a.TicketID], a) }),
		readAll(e, "organizations*.json*", "organizations", func(o named) { z.organizations[o.ID] = o.Name }),
		readAll(e, "object_manager_attributes*.json*", "object_manager_attributes", func(f fieldOf) {
			if f.Object == "Ticket" && f.Editable {
				z.fields[f.Name] = f.Display
			}
		}))
	if err != nil {
		return nil, err
	}
	return z, ctx.Err()
}

// Tickets implements Source.
func (z *zammad) Tickets(ctx context.Context) iter.Seq2[helpdesk.ImportedTicket, error] {
	return each(ctx, z.export, "tickets", z.ticket)
}

func (z *zammad) ticket(from zammadTicket) (helpdesk.ImportedTicket, error) {
	what := "ticket " + string(cmp.Or(from.Number, from.ID))
	state := strings.ToLower(from.State)
	if state == "removed" {
		z.leave(what, "it was deleted")
		return helpdesk.ImportedTicket{}, errSkip
	}
	customer := z.user(from.CustomerID, from.Customer)
	t := helpdesk.ImportedTicket{Source: z.source, ID: string(from.ID), Subject: from.Title, Open: state != "closed" && state != "merged",
		Priority: zammadPriority(from.Priority), Tags: z.tags(from.Tags), Assignee: z.user(from.OwnerID, from.Owner).Email, Team: from.Group,
		Requester: customer, CreatedAt: from.CreatedAt.Time, UpdatedAt: from.UpdatedAt.Time}
	if t.Assignee == "-" {
		t.Assignee = ""
	}
	t.Company = cmp.Or(from.Organization, z.organizations[cmp.Or(from.OrganizationID, z.users[from.CustomerID].OrganizationID)])
	for key, name := range z.fields {
		addField(&t, name, valuesOf(from.all[key], nil))
	}
	articles := slices.Concat(from.Articles, z.articles[from.ID])
	if len(articles) == 0 {
		var err error
		if articles, err = readOf[zammadArticle](z.export, "articles", from.ID); err != nil {
			z.leave(what, "%v: mend the file and import again", err)
			return helpdesk.ImportedTicket{}, errSkip
		}
	}
	if len(articles) == 0 {
		z.leave(what, "its articles, which are not in the export")
	}
	slices.SortStableFunc(articles, func(a, b zammadArticle) int { return a.CreatedAt.Compare(b.CreatedAt.Time) })
	for _, a := range articles {
		t.Entries = append(t.Entries, z.entry(what, from, customer, a))
	}
	return t, nil
}

func (z *zammad) entry(what string, t zammadTicket, customer helpdesk.Address, a zammadArticle) helpdesk.ImportedEntry {
	author := z.user(a.CreatedByID, a.CreatedBy)
	if from := addressOf(a.From); author.Email == "" || a.Sender == "Customer" && from.Email != "" {
		author = from
	}
	e := helpdesk.ImportedEntry{ID: string(a.ID), At: a.CreatedAt.Time, Author: author, Subject: a.Subject, To: addressesOf(a.To), Cc: addressesOf(a.Cc),
		MessageID: bare(a.MessageID), InReplyTo: bare(a.InReplyTo), Text: a.Body}
	if strings.HasPrefix(a.ContentType, "text/html") {
		e.HTML, e.Text = a.Body, ""
	}
	switch {
	case a.Internal, a.Sender == "System":
		e.Kind = helpdesk.ImportedNote
		if e.HTML != "" {
			e.Text, e.HTML = plain(e.HTML), ""
		}
	case a.Sender == "Customer":
		e.Kind = helpdesk.ImportedIn
	default:
		e.Kind = helpdesk.ImportedOut
		if len(e.To) == 0 {
			e.To = []helpdesk.Address{customer}
		}
	}
	for _, f := range a.Attachments {
		kind, _ := f.Preferences["Content-Type"].(string)
		if kind == "" {
			kind, _ = f.Preferences["Mime-Type"].(string)
		}
		url := "/api/v1/ticket_attachment/" + string(t.ID) + "/" + string(a.ID) + "/" + string(f.ID)
		z.attach(what, &e, exportedFile{f.ID, f.Filename, kind, url})
	}
	return e
}

// user is who an id names, or who a login does that is an address.
func (z *zammad) user(id number, login string) helpdesk.Address {
	if u, known := z.users[id]; known && u.Email != "" {
		return helpdesk.Address{Name: strings.TrimSpace(u.FirstName + " " + u.LastName), Email: u.Email}
	}
	return addressOf(login)
}

// zammadPriority reads "1 low", "2 normal", "3 high".
func zammadPriority(name string) helpdesk.Priority {
	switch name = strings.ToLower(strings.TrimLeft(name, "0123456789 ")); name {
	case "low":
		return helpdesk.PriorityLow
	case "high":
		return helpdesk.PriorityHigh
	case "urgent", "very high":
		return helpdesk.PriorityUrgent
	}
	return helpdesk.PriorityNormal
}

// tags are a list, or words with commas between them.
func (z *zammad) tags(of any) (tags []string) {
	switch list := of.(type) {
	case string:
		tags = strings.Split(list, ",")
	case []any:
		for _, tag := range list {
			if text, is := tag.(string); is {
				tags = append(tags, text)
			}
		}
	}
	for i := range tags {
		tags[i] = strings.TrimSpace(tags[i])
	}
	return slices.DeleteFunc(tags, func(tag string) bool { return tag == "" })
}

var bracketed = regexp.MustCompile(`<([^<>\s]+)>`)

// bare is a Message-ID without its brackets.
func bare(id string) string {
	if match := bracketed.FindStringSubmatch(id); match != nil {
		return match[1]
	}
	return strings.Trim(strings.TrimSpace(id), "<>")
}
