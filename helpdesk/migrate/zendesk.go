package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// zendesk is a JSON export of Zendesk: tickets with their comments, and users.
type zendesk struct {
	*export
	users         map[number]zendeskUser
	organizations map[number]string
	fields        map[number]zendeskField
}

// zendeskField is the name of a custom field, and the names of its choices by their tags.
type zendeskField struct {
	title   string
	options map[string]string
}

type zendeskUser struct {
	ID    number `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Role  string `json:"role"` // "end-user", "agent" or "admin"

	OrganizationID number `json:"organization_id"`
}

type zendeskTicket struct {
	ID          number      `json:"id"`
	Subject     string      `json:"subject"`
	Description string      `json:"description"`
	Status      string      `json:"status"`
	Priority    string      `json:"priority"`
	Tags        []string    `json:"tags"`
	CreatedAt   moment      `json:"created_at"`
	UpdatedAt   moment      `json:"updated_at"`
	RequesterID number      `json:"requester_id"`
	AssigneeID  number      `json:"assignee_id"`
	Recipient   string      `json:"recipient"`
	Requester   zendeskUser `json:"requester"`
	Assignee    zendeskUser `json:"assignee"`
	Group       struct {
		Name string `json:"name"`
	} `json:"group"`
	Comments       []zendeskComment `json:"comments"`
	OrganizationID number           `json:"organization_id"`
	CustomFields   []struct {
		ID    number          `json:"id"`
		Value json.RawMessage `json:"value"`
	} `json:"custom_fields"`
}

type zendeskComment struct {
	ID          number `json:"id"`
	AuthorID    number `json:"author_id"`
	Body        string `json:"body"`
	PlainBody   string `json:"plain_body"`
	HTMLBody    string `json:"html_body"`
	Public      bool   `json:"public"`
	CreatedAt   moment `json:"created_at"`
	Attachments []struct {
		ID          number `json:"id"`
		FileName    string `json:"file_name"`
		ContentURL  string `json:"content_url"`
		ContentType string `json:"content_type"`
	} `json:"attachments"`
}

// OpenZendesk reads a JSON export of Zendesk: a file of tickets with their comments
// (one a line, as the account's export writes it, or the pages of its API), or a directory with
// tickets*.json, users*.json, organizations*.json, ticket_fields*.json and, where the tickets have no comments, comments/ID.json.
func OpenZendesk(ctx context.Context, path string) (Source, error) {
	e, err := openExport("zendesk", path, "ticket")
	if err != nil {
		return nil, err
	}
	z := &zendesk{export: e, users: map[number]zendeskUser{}, organizations: map[number]string{}, fields: map[number]zendeskField{}}
	e.without("ticket_fields")
	err = errors.Join(
		readAll(e, "user*.json*", "users", func(u zendeskUser) { z.users[u.ID] = u }),
		readAll(e, "organizations*.json*", "organizations", func(o named) { z.organizations[o.ID] = o.Name }),
		readAll(e, "ticket_fields*.json*", "ticket_fields", func(f fieldOf) {
			field := zendeskField{f.Title, map[string]string{}}
			for _, o := range f.Options {
				field.options[o.Value] = o.Name
			}
			z.fields[f.ID] = field
		}))
	if err != nil {
		return nil, err
	}
	return z, ctx.Err()
}

// Tickets implements Source.
func (z *zendesk) Tickets(ctx context.Context) iter.Seq2[helpdesk.ImportedTicket, error] {
	return each(ctx, z.export, "tickets", z.ticket)
}

var zendeskPriorities = map[string]helpdesk.Priority{"urgent": helpdesk.PriorityUrgent, "high": helpdesk.PriorityHigh, "low": helpdesk.PriorityLow}

func (z *zendesk) ticket(from zendeskTicket) (helpdesk.ImportedTicket, error) {
	what := "ticket " + string(from.ID)
	if from.Status == "deleted" {
		z.leave(what, "it was deleted")
		return helpdesk.ImportedTicket{}, errSkip
	}
	requester := z.user(cmp.Or(from.RequesterID, from.Requester.ID), from.Requester)
	t := helpdesk.ImportedTicket{Source: z.source, ID: string(from.ID), Subject: from.Subject, Open: from.Status != "closed" && from.Status != "solved",
		Priority: zendeskPriorities[from.Priority], Tags: from.Tags, Assignee: z.user(cmp.Or(from.AssigneeID, from.Assignee.ID), from.Assignee).Email,
		Team: from.Group.Name, Requester: requester.address(), CreatedAt: from.CreatedAt.Time, UpdatedAt: from.UpdatedAt.Time}
	t.Company = z.organizations[cmp.Or(from.OrganizationID, requester.OrganizationID)]
	for _, f := range from.CustomFields {
		addField(&t, z.fields[f.ID].title, valuesOf(f.Value, z.fields[f.ID].options))
	}
	comments := from.Comments
	if len(comments) == 0 {
		var err error
		if comments, err = readOf[zendeskComment](z.export, "comments", from.ID); err != nil {
			z.leave(what, "%v: mend the file and import again", err)
			return helpdesk.ImportedTicket{}, errSkip
		}
	}
	if len(comments) == 0 && from.Description != "" {
		z.leave(what, "its comments, which are not in the export; its description is kept")
		comments = []zendeskComment{{ID: "description", AuthorID: requester.ID, Body: from.Description, Public: true, CreatedAt: from.CreatedAt}}
	}
	slices.SortStableFunc(comments, func(a, b zendeskComment) int { return a.CreatedAt.Compare(b.CreatedAt.Time) })
	for _, c := range comments {
		t.Entries = append(t.Entries, z.entry(what, from, requester, c))
	}
	return t, nil
}

func (z *zendesk) entry(what string, t zendeskTicket, requester zendeskUser, c zendeskComment) helpdesk.ImportedEntry {
	author := z.user(c.AuthorID, zendeskUser{ID: c.AuthorID})
	if author.ID == requester.ID {
		author = requester
	}
	e := helpdesk.ImportedEntry{ID: string(c.ID), At: c.CreatedAt.Time, Author: author.address(), Subject: t.Subject, Text: cmp.Or(c.PlainBody, c.Body), HTML: c.HTMLBody}
	switch {
	case !c.Public:
		e.Kind, e.HTML = helpdesk.ImportedNote, ""
	case author.ID != requester.ID && author.Role != "end-user":
		e.Kind, e.To = helpdesk.ImportedOut, []helpdesk.Address{requester.address()}
	default:
		e.Kind = helpdesk.ImportedIn
		if t.Recipient != "" {
			e.To = []helpdesk.Address{{Email: t.Recipient}}
		}
	}
	for _, a := range c.Attachments {
		z.attach(what, &e, exportedFile{a.ID, a.FileName, a.ContentType, a.ContentURL})
	}
	return e
}

// user is who an id names; fallback has what the ticket itself says of them.
func (z *zendesk) user(id number, fallback zendeskUser) zendeskUser {
	if u, known := z.users[id]; known {
		return u
	}
	fallback.ID = cmp.Or(fallback.ID, id)
	return fallback
}

func (u zendeskUser) address() helpdesk.Address {
	return helpdesk.Address{Name: u.Name, Email: u.Email}
}
