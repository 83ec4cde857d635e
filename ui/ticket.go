package ui

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) ticketRoutes(g *echo.Group) {
	g.GET("/tickets/:number/updates", s.ticketUpdates)
	g.GET("/tickets/:number/earlier", s.earlier)
	g.POST("/tickets/:number/compose", s.compose)
	g.GET("/tickets/:number/recipients", s.suggestRecipients)
	g.POST("/tickets/:number/change", s.changeTicket)
	g.POST("/tickets/:number/seen", s.markSeen)
	g.POST("/tickets/:number/unread", s.markUnread)
	s.movingRoutes(g)
	s.fieldValueRoutes(g)
	s.contactRoutes(g)
	s.holdRoutes(g)
	s.autoReplyRoutes(g)
}

// ticketView is an opened ticket: the conversation and the customer's panel.
type ticketView struct {
	Number   uint64
	Subject  string
	Language string // of the mail, for hyphenation and fonts
	Path     string // its own address, where forms return to
	ListPath string
	Pipeline string
	Colour   int
	Stages   []option
	Assignee *avatar
	People   []option
	Team     string   // its name, "" for none
	Teams    []option // values begin with "team:"
	// Assignment names who has it, so that a menu of another state is another menu.
	Assignment string
	Me         string // the reader's id, for "assign to me"
	Tags       []string
	Open       bool
	// Other is the stage that closing, or opening again, leads to.
	Other      string
	Priorities []option
	Urgency    string // the priority's word, "" for a normal one
	Hold       holdView
	Due        *dueView
	AutoReply  *autoReplyView // nil where nothing leaves by itself
	Following  bool
	// Previous is the ticket that this one continues, or 0.
	Previous uint64
	// MergedInto is the ticket that this one became part of, or 0; MergedBy the
	// moving that can be undone.
	MergedInto  uint64
	Damaged     int  // how much of it cannot be read any more
	Withdrawn   bool // the mail that began it was taken back
	Erased      bool // with its customer's data
	MergedPath  string
	MergedWhere string
	MergedBy    string

	Items []timelineItem
	// At is the element that the link which led here points at, and Find the words
	// that were looked for in the conversation; "" for none.
	At, Find string
	Held     []messageView
	Composer composerView
	Drafts   draftsView
	Presence presenceView
	Sender   *senderAlert // nil where all is well
	Panel    panelView
	// Seq is the newest event shown; Seen the one the reader had seen before,
	// which decides where the line "new from here" is.
	Seq, Seen uint64
	Spam      *spamView
	May       ticketRights
	source    *helpdesk.TicketView
	movings   []helpdesk.Moving
}

// ticketRights is what the reader may do with a ticket: the rest is not offered,
// or shown and locked where it says something.
type ticketRights struct{ Stage, Assign, Edit, Merge, Spam bool }

func newTicketRights(v *visit) ticketRights {
	return ticketRights{Stage: v.may(helpdesk.PermitStage), Assign: v.may(helpdesk.PermitAssign), Edit: v.may(helpdesk.PermitEdit),
		Merge: v.may(helpdesk.PermitMerge), Spam: v.may(helpdesk.PermitSpam)}
}

func (s *Server) ticket(ctx context.Context, v *visit, p place) (*ticketView, error) {
	t, err := s.desk.TicketOutline(ctx, v.actor(), p.number)
	if err != nil {
		return nil, err
	}
	return s.showTicket(ctx, v, p, t, t.SeenSeq)
}

// reading begins the view of a ticket, with what its messages, notes and events
// are shown by.
func (s *Server) reading(ctx context.Context, v *visit, p place, t *helpdesk.TicketView) (*ticketView, reader, error) {
	record := t.Row.Ticket
	view := &ticketView{Number: record.Number, Path: p.address(record.Number), ListPath: p.address(0), Me: v.User.ID, Open: record.Open, Seq: t.LastSeq,
		May: newTicketRights(v), source: t}
	people, users, err := s.people(ctx, v)
	if err != nil {
		return nil, reader{}, err
	}
	view.People = peopleOptions(v, users, record.AssigneeID)
	if view.Teams, err = s.teamOptions(ctx, v, record.TeamID); err != nil {
		return nil, reader{}, err
	}
	if view.movings, err = s.desk.Movings(ctx, v.actor(), record.Number); err != nil {
		return nil, reader{}, err
	}
	r := reader{visit: v, server: s, people: people, analysis: s.options.Analysis(ctx), path: view.Path, movings: view.movings,
		number: record.Number, forwards: v.may(helpdesk.PermitReply) && record.MergedInto == 0 && !record.Withdrawn, movable: view.May.Merge && record.MergedInto == 0 && record.Messages+record.Held > 1}
	for _, team := range view.Teams {
		r.teams = append(r.teams, team.Label)
	}
	return view, r, nil
}

// showTicket makes the view of t, an outline, as for a reader who has seen everything up to
// the event seen.
func (s *Server) showTicket(ctx context.Context, v *visit, p place, t *helpdesk.TicketView, seen uint64) (*ticketView, error) {
	view, reader, err := s.reading(ctx, v, p, t)
	if err != nil {
		return nil, err
	}
	record := t.Row.Ticket
	view.Subject, view.Language, view.Seen = subjectOf(v.Printer, record.Subject), languageOfMail(t), seen
	view.Pipeline, view.Colour, view.Tags, view.Previous = t.Pipeline.Name, colourOf(t.Pipeline.Position), record.Tags, record.Previous
	for _, stage := range t.Pipeline.Stages {
		view.Stages = append(view.Stages, option{stage.ID, stage.Name, stage.ID == record.StageID})
	}
	if view.May.Stage {
		view.Other = otherStage(t)
	}
	if record.AssigneeID != "" {
		a := newAvatar(record.AssigneeID, t.Row.AssigneeName)
		view.Assignee = &a
	}
	view.Team = t.Row.TeamName
	view.Assignment = record.AssigneeID + "-" + record.TeamID
	view.Priorities, view.Urgency = priorityOptions(v.Printer, record.Priority), string(record.Priority)
	view.Due, view.AutoReply = newDue(v.Printer, record), newAutoReply(v, t, view.Path)
	view.Hold, view.Following = newHold(v.Printer, record.Snooze), slices.Contains(record.Followers, v.User.ID)
	view.merged(v, p)
	view.Withdrawn, view.Erased = record.Withdrawn, !record.ErasedAt.IsZero()
	view.Spam = newSpamView(v, record, reader.people)
	s.hurryAnalysis(ctx, v, t)
	if view.Items, err = reader.timeline(ctx, t, seen, p.folding); err != nil {
		return nil, err
	}
	view.At, view.Find = p.folding.at, p.folding.find
	for _, m := range t.Held {
		view.Held = append(view.Held, reader.message(m))
	}
	if view.Composer, err = s.newComposer(ctx, v, t, p); err != nil {
		return nil, err
	}
	view.Drafts = s.draftsView(v, t, view.Composer, view.Path)
	view.Presence = newPresenceView(v.Printer, record.Number, s.presence.at(record.Number, v.User.ID))
	signature, language, err := s.desk.MailSignature(ctx, v.actor(), helpdesk.Matter{Ticket: record.Number})
	if err != nil {
		return nil, err
	}
	if view.Composer.Language = language; !view.Composer.Signed {
		view.Composer.Signature = signature.Written()
	}
	view.Sender = s.senderAlert(v, t.Alias)
	view.Panel = reader.panel(t, view.Path)
	view.Damaged = t.Damaged // with the texts that were read
	view.Composer.ModelAway, view.Composer.Languages = s.writingProblem(v, reader.analysis), writingLanguages(v, language)
	if view.Panel.TicketFields, view.Panel.ContactFields, err = s.ticketFields(ctx, v, t, view.Path); err != nil {
		return nil, err
	}
	return view, nil
}

// merged says where a ticket went that was merged into another.
func (t *ticketView) merged(v *visit, p place) {
	into := t.source.Row.Ticket.MergedInto
	if into == 0 {
		return
	}
	t.MergedInto, t.MergedPath, t.MergedWhere = into, p.address(into), v.T("merged.where", t.Number, into)
	for _, m := range slices.Backward(t.movings) {
		if m.Kind == helpdesk.MovingTicket && m.From == t.Number && m.UndoneAt.IsZero() {
			t.MergedBy = m.ID
			return
		}
	}
}

// otherStage is where the ticket goes when it is closed, or opened again.
func otherStage(t *helpdesk.TicketView) string {
	kind := helpdesk.StageClosed
	if !t.Row.Ticket.Open {
		kind = helpdesk.StageOpen
		if stage, ok := t.Pipeline.Stage(t.Pipeline.ReopenStage); ok && stage.Kind == helpdesk.StageOpen {
			return stage.ID
		}
	}
	stage, _ := t.Pipeline.FirstOf(kind)
	return stage.ID
}

// languageOfMail is the language to read the ticket's mail in: what the model
// found, else the alias's, else unknown.
func languageOfMail(t *helpdesk.TicketView) string {
	for _, m := range slices.Backward(t.Messages) {
		if m.Analysis != nil && len(m.Analysis.Language) == 2 {
			return m.Analysis.Language
		}
	}
	return t.Alias.Language
}

// peopleOptions lists who a ticket can be assigned to: nobody, the reader
// first, and whoever has it already though disabled since.
func peopleOptions(v *visit, users []helpdesk.User, assigned string) []option {
	options := []option{{"", v.T("ticket.unassigned"), assigned == ""}, {v.User.ID, v.T("ticket.me", v.User.Name), assigned == v.User.ID}}
	for _, u := range users {
		if u.ID != v.User.ID && (!u.Disabled || u.ID == assigned) {
			options = append(options, option{u.ID, v.nameAndAbsence(u), u.ID == assigned})
		}
	}
	return options
}

// ticketFragment answers with the conversation and panel of one ticket.
func (s *Server) ticketFragment(c echo.Context, p place) error {
	view, err := s.ticket(c.Request().Context(), visitOf(c), p)
	if err != nil {
		return err
	}
	followMoving(c, p)
	toast := s.toast(c, view)
	if c.QueryParam("closed") != "" { // the ticket before this one was left
		c.Response().Header().Set("HX-Push-Url", p.address(p.number))
		c.Response().Header().Set("HX-Reswap", "outerHTML")
		if toast, err = s.leftToast(c, p); err != nil {
			return err
		}
	}
	return s.renderTicket(c, http.StatusOK, view, toast)
}

// renderTicket answers a request for one ticket: as a fragment, or inside its
// page where the browser asked for one.
func (s *Server) renderTicket(c echo.Context, status int, view *ticketView, toast *toastView) error {
	if target(c.Request()) != "" {
		return s.render(c, status, "ticket-fragment", map[string]any{"Ticket": view, "Toast": toast, "Title": view.Subject})
	}
	ctx, v := c.Request().Context(), visitOf(c)
	p := placeOfPath(c.FormValue("back"), view.Number)
	data := inboxPage{Ticket: view, Toast: toast}
	var err error
	if data.List, err = s.list(ctx, v, p, ""); err != nil {
		return err
	}
	if data.page, err = s.newPage(ctx, v, view.Subject, p.current()); err != nil {
		return err
	}
	if data.List.Bar, err = s.filters(ctx, v, p); err != nil {
		return err
	}
	data.List.Count = data.Nav.count()
	return s.render(c, status, "inbox", data)
}

// ticketUpdates answers with what of an open ticket may have changed: all but
// the composer.
func (s *Server) ticketUpdates(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	p := placeOfPath(c.QueryParam("back"), ticketNumber(c))
	p.folding = foldingOf(c, p.number)
	t, err := s.desk.TicketOutline(ctx, v.actor(), p.number)
	if err != nil {
		return err
	}
	seen, err := strconv.ParseUint(c.QueryParam("seen"), 10, 64)
	if err != nil {
		seen = t.SeenSeq
	}
	view, err := s.showTicket(ctx, v, p, t, seen)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "ticket-updates", view)
}

// ticketNumber is the number in the path, 0 (which no ticket has) where it is
// none.
func ticketNumber(c echo.Context) uint64 {
	number, err := strconv.ParseUint(c.Param("number"), 10, 64)
	if err != nil {
		return 0
	}
	return number
}

// backTo is where a form about a ticket returns to.
func backTo(c echo.Context, number uint64) string {
	fallback := "/tickets/" + strconv.FormatUint(number, 10)
	path := localPath(c.FormValue("back"), fallback)
	if !strings.HasPrefix(path, "/inbox/") {
		return fallback
	}
	return path
}
