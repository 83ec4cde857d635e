package ui

import (
	"slices"
	"strconv"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// panelView is the rightmost pane: who the customer is, and what the model
// made of their newest mail.
type panelView struct {
	Contact  avatar
	Name     string
	Email    string
	Company  string
	Since    string
	Alias    string
	Language string
	Message  string // the message that Analysis and Pending are about
	Analysis *analysisView
	Pending  string
	Waits    bool // for a model that cannot read now
	Earlier  []earlierTicket
	// TicketFields and ContactFields are the custom fields; nil where there are none.
	TicketFields, ContactFields *fieldsForm
	Files                       []fileView
	Off                         bool // the model is switched off
	AdminOff                    bool // and the reader is one who could switch it on
}

type earlierTicket struct {
	URL, Subject string
	State        string
	Time         moment
}

// analysisView is what the model said of one message.
type analysisView struct {
	Of          moment // when the mail it is about came
	Summary     string
	ReplyType   *badge
	Sentiment   string
	Mood        string // the sentiment's tone
	Urgency     string
	Pressing    string // the urgency's tone
	Opportunity int
	Pips        []bool
	Interest    string
	FollowUp    bool
	Usage       string
	Volume      string
	Language    string
	Insights    []string
	Challenges  []string
	Actions     []string
	Model       string
	At          moment
}

func (r reader) panel(t *helpdesk.TicketView) panelView {
	c := t.Row.Contact
	p := panelView{Contact: newAvatar(c.Email, contactName(c)), Name: contactName(c), Email: c.Email, Company: c.Company,
		Since: r.Date(c.CreatedAt), Alias: t.Alias.Address, Off: !r.analysis.Enabled}
	p.AdminOff = p.Off && r.may(helpdesk.PermitSystem)
	for _, m := range slices.Backward(t.Messages) {
		if m.Message.Direction != helpdesk.Inbound {
			continue
		}
		view := r.message(m)
		if view.Analysis == nil && view.Pending == "" {
			continue
		}
		p.Message, p.Analysis, p.Pending, p.Waits = view.ID, view.Analysis, view.Pending, view.Waits
		break
	}
	if p.Analysis != nil {
		p.Language = p.Analysis.Language
	}
	for _, row := range t.ContactTickets {
		if row.Ticket.Number == t.Row.Ticket.Number {
			continue
		}
		p.Earlier = append(p.Earlier, earlierTicket{URL: "/tickets/" + strconv.FormatUint(row.Ticket.Number, 10),
			Subject: subjectOf(r.Printer, row.Ticket.Subject), State: row.StageName, Time: shortMoment(r.Printer, row.Ticket.UpdatedAt)})
	}
	for _, m := range t.Messages {
		for i, a := range m.Message.Attachments {
			if !a.Inline {
				p.Files = append(p.Files, r.file(m.Message.ID, i, a))
			}
		}
	}
	slices.Reverse(p.Files)
	return p
}

var moods = map[string]string{"positive": "good", "negative": "bad", "mixed": "warn"}

var pressing = map[string]string{"high": "bad", "normal": "plain", "low": "plain"}

func (r reader) analysisOf(m helpdesk.MessageView) *analysisView {
	a := m.Analysis
	view := &analysisView{Of: longMoment(r.Printer, m.Message.At), Summary: a.Summary, ReplyType: replyTypeBadge(r.Printer, a.ReplyType),
		Mood: moods[a.Sentiment], Pressing: pressing[a.Urgency], Opportunity: a.Opportunity, FollowUp: a.FollowUp, Usage: a.ProductUsage,
		Volume: a.MonthlyVolume, Insights: a.KeyInsights, Challenges: a.Challenges, Actions: a.ActionItems,
		Model: a.Model, At: longMoment(r.Printer, a.At)}
	view.Sentiment = r.word("analysis.sentiment.", a.Sentiment)
	view.Urgency = r.word("analysis.urgency.", a.Urgency)
	view.Language = r.word("language.", a.Language)
	if a.ProductInterest != "none" {
		view.Interest = r.word("analysis.interest.", a.ProductInterest)
	}
	for i := range 5 {
		view.Pips = append(view.Pips, i < a.Opportunity)
	}
	return view
}

// word says a value of an enumeration, or the value itself where the model
// came up with one of its own.
func (r reader) word(prefix, value string) string {
	if value == "" || !r.Has(prefix+value) {
		return value
	}
	return r.T(prefix + value)
}
