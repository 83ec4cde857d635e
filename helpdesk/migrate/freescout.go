package migrate

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// freescout is what FreeScout's API answers to /api/conversations?embed=threads.
type freescout struct {
	*export
	companies map[number]string // by customer
}

type freescoutPerson struct {
	ID        number `json:"id"`
	Type      string `json:"type"` // "user" or "customer"
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
}

func (p *freescoutPerson) address() helpdesk.Address {
	if p == nil {
		return helpdesk.Address{}
	}
	return helpdesk.Address{Name: strings.TrimSpace(p.FirstName + " " + p.LastName), Email: p.Email}
}

type freescoutConversation struct {
	ID        number           `json:"id"`
	Number    number           `json:"number"`
	Status    string           `json:"status"` // "active", "pending", "closed" or "spam"
	State     string           `json:"state"`  // "draft", "published" or "deleted"
	Subject   string           `json:"subject"`
	Assignee  *freescoutPerson `json:"assignee"`
	Customer  *freescoutPerson `json:"customer"`
	CreatedAt moment           `json:"createdAt"`
	UpdatedAt moment           `json:"updatedAt"`
	Fields    []struct {
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
		Text  string          `json:"text"` // the name of a choice
	} `json:"customFields"`
	Embedded struct {
		Threads []freescoutThread `json:"threads"`
		Tags    []struct {
			Name string `json:"name"`
		} `json:"tags"`
	} `json:"_embedded"`
}

type freescoutThread struct {
	ID        number           `json:"id"`
	Type      string           `json:"type"` // "customer", "message", "note" or "lineitem"
	State     string           `json:"state"`
	Body      string           `json:"body"`
	Customer  *freescoutPerson `json:"customer"`
	CreatedBy *freescoutPerson `json:"createdBy"`
	To        []string         `json:"to"`
	Cc        []string         `json:"cc"`
	CreatedAt moment           `json:"createdAt"`
	Embedded  struct {
		Attachments []struct {
			ID       number `json:"id"`
			FileName string `json:"fileName"`
			FileURL  string `json:"fileUrl"`
			MimeType string `json:"mimeType"`
		} `json:"attachments"`
	} `json:"_embedded"`
}

// OpenFreeScout reads the conversations of FreeScout, with their threads, as its API
// answers them: a file, or a directory with conversations*.json and customers*.json.
func OpenFreeScout(ctx context.Context, path string) (Source, error) {
	e, err := openExport("freescout", path, "conversation")
	if err != nil {
		return nil, err
	}
	f := &freescout{e, map[number]string{}}
	if err := readAll(e, "customers*.json*", "customers", func(c named) { f.companies[c.ID] = c.Company }); err != nil {
		return nil, err
	}
	return f, ctx.Err()
}

// Tickets implements Source.
func (f *freescout) Tickets(ctx context.Context) iter.Seq2[helpdesk.ImportedTicket, error] {
	return each(ctx, f.export, "conversations", f.ticket)
}

func (f *freescout) ticket(from freescoutConversation) (helpdesk.ImportedTicket, error) {
	what := "conversation " + string(from.Number)
	switch {
	case from.State == "deleted", from.State == "draft":
		f.leave(what, "it is %s", map[string]string{"deleted": "deleted", "draft": "a draft"}[from.State])
		return helpdesk.ImportedTicket{}, errSkip
	case from.Status == "spam":
		f.leave(what, "it is spam")
		return helpdesk.ImportedTicket{}, errSkip
	}
	t := helpdesk.ImportedTicket{Source: f.source, ID: string(from.ID), Subject: from.Subject, Open: from.Status != "closed",
		Assignee: from.Assignee.address().Email, Requester: from.Customer.address(), CreatedAt: from.CreatedAt.Time, UpdatedAt: from.UpdatedAt.Time}
	if from.Customer != nil {
		t.Company = f.companies[from.Customer.ID]
	}
	for _, field := range from.Fields {
		values := valuesOf(field.Value, nil)
		if field.Text != "" && len(values) == 1 {
			values = []string{field.Text}
		}
		addField(&t, field.Name, values)
	}
	for _, tag := range from.Embedded.Tags {
		t.Tags = append(t.Tags, tag.Name)
	}
	threads := from.Embedded.Threads
	slices.SortStableFunc(threads, func(a, b freescoutThread) int { return a.CreatedAt.Compare(b.CreatedAt.Time) })
	for _, thread := range threads {
		switch {
		case thread.Type == "lineitem": // what happened; it has no words
		case thread.State == "draft", thread.State == "hidden":
			f.leave(what, "thread %s, which is a draft or hidden", thread.ID)
		default:
			t.Entries = append(t.Entries, f.entry(what, from, thread))
		}
	}
	if len(threads) == 0 {
		f.leave(what, "its threads, which are not in the export: ask for embed=threads")
	}
	return t, nil
}

func (f *freescout) entry(what string, c freescoutConversation, thread freescoutThread) helpdesk.ImportedEntry {
	author := thread.CreatedBy.address()
	if author.Email == "" {
		author = thread.Customer.address()
	}
	e := helpdesk.ImportedEntry{ID: string(thread.ID), At: thread.CreatedAt.Time, Author: author, Subject: c.Subject, HTML: thread.Body}
	for _, to := range thread.To {
		e.To = append(e.To, addressOf(to))
	}
	for _, cc := range thread.Cc {
		e.Cc = append(e.Cc, addressOf(cc))
	}
	switch thread.Type {
	case "note":
		e.Kind, e.Text, e.HTML = helpdesk.ImportedNote, plain(thread.Body), ""
	case "customer":
		e.Kind = helpdesk.ImportedIn
	default:
		e.Kind = helpdesk.ImportedOut
		if len(e.To) == 0 {
			e.To = []helpdesk.Address{c.Customer.address()}
		}
	}
	for _, a := range thread.Embedded.Attachments {
		f.attach(what, &e, exportedFile{a.ID, a.FileName, a.MimeType, a.FileURL})
	}
	return e
}
