package ui

import (
	"context"
	"strconv"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// How many rows a list shows at first, and at most while it is kept up to date.
const (
	rowsAtFirst = 50
	rowsAtMost  = 200
)

// listView is the second pane.
type listView struct {
	Icon  string // of an empty list
	Title string
	Count string
	Path  string // of the list itself, with its filters
	Rows  []rowView
	Next  string // address of the rows after these, or ""
	Bar   filterBar
	View  helpdesk.View
	// Indexing says how far the search index is that is being made, or is "".
	Indexing string
	Empty    string // what to say when there is none
	Hint     string
	Way      *navItem // where there is something to do instead, nil for nowhere
	Me       string   // the reader's id
	Takes    bool     // the reader may assign
	// Writes says that the reader may send mail, and Mails how many new ones are not
	// sent, "" for none or where that is not asked for.
	Writes bool
	Mails  string
}

func (s *Server) list(ctx context.Context, v *visit, p place, limit string) (listView, error) {
	p.query.Limit = rowsAtFirst
	if n, err := strconv.Atoi(limit); err == nil {
		p.query.Limit = min(max(n, rowsAtFirst), rowsAtMost)
	}
	preference, err := s.desk.Preference(ctx, v.actor())
	if err != nil {
		return listView{}, err
	}
	p.query.Only = preference.Only
	query, title := p.query.TicketQuery, v.T("view."+string(p.query.View))
	if s.searches(query) && query.View == helpdesk.ViewOpen { // the search box leads there, and looks everywhere
		query.View, title = "", v.T("list.found")
	}
	found, err := s.tickets(ctx, v.actor(), query, v.Zone)
	if err != nil {
		return listView{}, err
	}
	list := listView{Icon: "done", Title: title, Me: v.User.ID, Takes: v.may(helpdesk.PermitAssign), View: p.query.View, Path: p.address(0),
		Empty: v.T("list.empty." + string(p.query.View)), Hint: v.T("list.hint." + string(p.query.View)), Writes: v.may(helpdesk.PermitReply)}
	if list.Mails, err = s.mailsLeft(ctx, v, p.query.View); err != nil {
		return list, err
	}
	closing, err := s.closingStages(ctx, v)
	if err != nil {
		return list, err
	}
	marks, err := s.brandMarks(ctx, v, preference.Only)
	if err != nil {
		return list, err
	}
	band := p.query.Continues()
	for i, row := range found.rows {
		list.Rows = append(list.Rows, rowView{rowFace: newRow(v.Printer, row, p)})
		list.Rows[i].Here = newPresenceView(v.Printer, row.Ticket.Number, s.presence.at(row.Ticket.Number, v.User.ID)).People
		list.Rows[i].Mine = row.Ticket.AssigneeID == v.User.ID
		if row.Ticket.Open {
			list.Rows[i].Close = closing[row.Ticket.PipelineID]
		}
		list.Rows[i].Found = closer(found.snippets[row.Ticket.Number])
		if at := found.places[row.Ticket.Number]; at != "" {
			list.Rows[i].URL = p.address(row.Ticket.Number, "at", at)
		}
		list.Rows[i].Brand = brandOf(row.Ticket, marks)
		if row.Band != band {
			band = row.Band
			list.Rows[i].Heading = v.T("band." + band)
		}
		list.Rows[i].First = i == 0 && p.number == 0
	}
	if found.indexed != nil {
		list.Indexing = v.T("list.indexing", *found.indexed)
	}
	if found.next != "" {
		list.Next = p.address(0, "after", found.next)
	}
	if p.refined() {
		list.Icon, list.Empty, list.Hint = "find", v.T("list.empty.refined"), v.T("list.hint.refined")
		list.Way = &navItem{URL: "/inbox/" + string(p.query.View), Label: v.T("list.way.refined")}
		if p.query.Filter.Empty() {
			list.Hint, list.Way = v.T("list.hint.searched"), nil
		}
	} else if p.query.View == helpdesk.ViewMine && list.Takes {
		list.Way = &navItem{URL: "/inbox/" + string(helpdesk.ViewUnassigned), Label: v.T("list.way.mine")}
	} else if p.query.View == helpdesk.ViewOpen && len(list.Rows) == 0 && v.may(helpdesk.PermitAliases) {
		// Before the first mail, whoever set the house up looks for what is left to do.
		if _, err := s.desk.TicketRow(ctx, v.actor(), 1); helpdesk.CodeOf(err) == helpdesk.CodeNotFound {
			list.Way = &navItem{URL: "/setup/done", Label: v.T("list.way.first")}
		}
	}
	return list, nil
}

// closer is what a search found with few words before the first match: a row
// shows the beginning of it.
func closer(runs []search.Run) []search.Run {
	const before = 4 // characters
	if len(runs) < 2 || runs[0].Match {
		return runs
	}
	first := []rune(runs[0].Text)
	if len(first) <= before+1 {
		return runs
	}
	return append([]search.Run{{Text: "…" + string(first[len(first)-before:])}}, runs[1:]...)
}

// brandMarks are the brands by alias, nil where every row would have the same.
func (s *Server) brandMarks(ctx context.Context, v *visit, only []string) (map[string]string, error) {
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil || len(only) == 1 || len(brandsOf(aliases)) < 2 {
		return nil, err
	}
	marks := map[string]string{}
	for _, a := range aliases {
		marks[a.Address] = a.Brand
	}
	return marks, nil
}

func brandOf(t helpdesk.Ticket, marks map[string]string) string {
	for _, address := range t.Aliases {
		if brand := marks[address]; brand != "" {
			return brand
		}
	}
	return ""
}

// closingStages are the stages, by pipeline, that closing a ticket leads to.
func (s *Server) closingStages(ctx context.Context, v *visit) (map[string]string, error) {
	if !v.may(helpdesk.PermitStage) {
		return nil, nil
	}
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	stages := map[string]string{}
	for _, p := range pipelines {
		if stage, ok := p.FirstOf(helpdesk.StageClosed); ok {
			stages[p.ID] = stage.ID
		}
	}
	return stages, nil
}

// rowBadge is the one thing about a ticket that most needs to be seen.
func rowBadge(p locale.Printer, r helpdesk.TicketRow) *badge {
	t := r.Ticket
	switch {
	case t.Trust == helpdesk.TrustFailed:
		return &badge{"bad", p.T("badge.forged")}
	case t.DeliveryFailed:
		return &badge{"bad", p.T("badge.undelivered")}
	case t.Held > 0:
		return &badge{"warn", p.T("badge.held")}
	case t.Reviews > 0:
		return &badge{"warn", p.T("badge.review")}
	case t.Scheduled > 0:
		return &badge{"", p.T("badge.scheduled")}
	case len(t.Drafters) > 0:
		return &badge{"", p.T("badge.draft")}
	case t.AutoReply != nil && t.AutoReply.State == helpdesk.AutoReplyUnmatched && t.Open:
		return &badge{"", p.T("badge.unmatched")}
	case r.Mentioned:
		return &badge{"warn", p.T("badge.mention")}
	case r.Woken:
		return &badge{"warn", p.T("badge.woken")}
	}
	return replyTypeBadge(p, t.ReplyType)
}

func replyTypeBadge(p locale.Printer, replyType string) *badge {
	switch replyType {
	case "needs_attention":
		return &badge{"warn", p.T("analysis.reply_type.needs_attention")}
	case "high_value":
		return &badge{"value", p.T("analysis.reply_type.high_value")}
	}
	return nil
}

func contactName(c helpdesk.Contact) string {
	if c.Name != "" {
		return c.Name
	}
	return c.Email
}

// customerCalled names a customer within a sentence as politeness asks: in Japanese with 様, which a name that has an
// honorific already (御中, さま) and a bare address do not get.
func customerCalled(p locale.Printer, name string) string {
	if strings.Contains(name, "@") || helpdesk.Honoured(name) {
		return name
	}
	return p.T("person.customer", name)
}

func subjectOf(p locale.Printer, subject string) string {
	if subject == "" {
		return p.T("ticket.no_subject")
	}
	return subject
}
