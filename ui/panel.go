package ui

import (
	"slices"
	"strconv"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// panelView is the rightmost pane: who the customer is, and what the model
// made of their newest mail.
type panelView struct {
	Person   customerView
	Cards    []cardPlace
	Erased   bool   // there is nothing else
	Alias    string // the address that the ticket came to
	Message  string // the message that Analysis and Pending are about
	Analysis *analysisView
	Pending  string
	Waits    bool   // for a model that cannot read now
	Again    string // the message that can be read again, where the model failed
	Back     string
	// Similar is nil where nothing is looked for.
	Similar *similarPlace
	Earlier []earlierTicket
	// AllEarlier is where all of them are, "" where these are all.
	AllEarlier string
	// History is where the figures and files of the person are, and HistoryID
	// changes with what is in it.
	History, HistoryID string
	// TicketFields and ContactFields are the custom fields; nil where there are none.
	TicketFields, ContactFields *fieldsForm
	Off                         bool // the model is switched off
	AdminOff                    bool // and the reader is one who could switch it on
}

type earlierTicket struct {
	URL, Subject string
	State        string
	Open         bool
	Time         moment
}

func (r reader) panel(t *helpdesk.TicketView, path string) panelView {
	c := t.Row.Contact
	record := t.Row.Ticket
	if !record.ErasedAt.IsZero() {
		return panelView{Erased: true}
	}
	p := panelView{Person: r.person(c, path), Off: !r.analysis.Enabled, History: "/contacts/" + c.ID + "/history",
		HistoryID: "history-" + c.ID + "-" + strconv.FormatUint(record.Number, 10) + "-" + strconv.Itoa(record.Messages)}
	p.Alias, p.Back = t.Alias.Address, path
	p.Cards = r.server.cardPlaces(c.ID, t.Alias.Address)
	p.Similar = r.server.similarPlace(&record, path)
	p.AdminOff = p.Off && r.may(helpdesk.PermitSystem)
	for _, m := range slices.Backward(t.Messages) {
		if m.Message.Direction != helpdesk.Inbound || m.Message.ThirdParty {
			continue
		}
		view := messageView{ID: m.Message.ID}
		r.read(&view, m)
		if view.Analysis == nil && view.Pending == "" {
			continue
		}
		p.Message, p.Analysis, p.Pending, p.Waits = view.ID, view.Analysis, view.Pending, view.Waits
		if view.Failed != "" && r.may(helpdesk.PermitEdit) {
			p.Again = view.ID
		}
		break
	}
	if p.Analysis != nil && p.Person.Language == "" {
		p.Person.Language = p.Analysis.Language
	}
	for _, row := range t.ContactTickets {
		if row.Ticket.Number == t.Row.Ticket.Number {
			continue
		}
		p.Earlier = append(p.Earlier, earlierTicket{URL: "/tickets/" + strconv.FormatUint(row.Ticket.Number, 10),
			Subject: subjectOf(r.Printer, row.Ticket.Subject), State: row.StageName, Open: row.Ticket.Open, Time: shortMoment(r.Printer, row.Ticket.UpdatedAt)})
	}
	if len(p.Earlier) == helpdesk.MaxContactTickets {
		p.AllEarlier = "/contacts/" + c.ID + "#tickets"
	}
	return p
}
