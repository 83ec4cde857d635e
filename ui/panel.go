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
	Alias    string // the address that the ticket came to
	Message  string // the message that Analysis and Pending are about
	Analysis *analysisView
	Pending  string
	Waits    bool // for a model that cannot read now
	Earlier  []earlierTicket
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

func (r reader) panel(t *helpdesk.TicketView, path string) panelView {
	c := t.Row.Contact
	record := t.Row.Ticket
	p := panelView{Person: r.person(c, path), Off: !r.analysis.Enabled, History: "/contacts/" + c.ID + "/history",
		HistoryID: "history-" + c.ID + "-" + strconv.FormatUint(record.Number, 10) + "-" + strconv.Itoa(record.Messages)}
	p.Alias = t.Alias.Address
	p.Cards = r.server.cardPlaces(c.ID, t.Alias.Address)
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
