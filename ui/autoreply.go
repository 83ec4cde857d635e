package ui

import (
	"cmp"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// autoReplyView is what the ticket shows of an answer that leaves by itself.
type autoReplyView struct {
	State      helpdesk.AutoReplyState
	Number     uint64
	Path       string
	Template   string // its name
	TemplateID string
	What       template.HTML // which template is sent when
	When       string        // in full
	Sure       string        // "91%", "" where the model has not said
	Service    string
	Why        string // nothing is sent, in words
	Problem    string // why it would not be sent as things are
	Closest    string // the template that came closest, with how sure
	HTML       template.HTML
	Subject    string
	Language   string
	Files      []string
	May        bool // the reader may decide
}

// newAutoReply is nil where there is nothing to show: no service is at work, or
// a person is.
func newAutoReply(v *visit, t *helpdesk.TicketView, path string) *autoReplyView {
	a := t.AutoReply
	if a == nil || a.State == helpdesk.AutoReplySent || a.State == helpdesk.AutoReplyStopped || !a.Awaits {
		return nil
	}
	view := &autoReplyView{State: a.State, Number: t.Row.Ticket.Number, Path: path, TemplateID: a.TemplateID, Service: a.ServiceName,
		Template: cmp.Or(a.TemplateName, v.T("auto_reply.template.gone")), May: v.may(helpdesk.PermitReply)}
	switch a.State {
	case helpdesk.AutoReplyPlanned:
		view.What = withTickets(v.T("auto_reply.planned", strong(view.Template), strong(v.Long(a.Due))))
		view.When, view.Sure = v.Full(a.Due), v.T("auto_reply.sure", a.Confidence)
		if a.Problem != "" {
			view.Problem = v.T("auto_reply.why." + string(a.Problem))
		}
		if l := a.Letter; l != nil {
			view.HTML = template.HTML(cmp.Or(l.HTML, string(linked(l.Text)))) // made by the desk of its own templates, escaped and from an allow-list
			view.Subject, view.Language = l.Subject, l.Language
			for _, f := range l.Files {
				view.Files = append(view.Files, f.Filename)
			}
		}
	case helpdesk.AutoReplyUnmatched:
		view.Why = v.T("auto_reply.why." + string(a.Reason))
		if a.Reason == helpdesk.UnmatchedDoubt {
			view.Closest = v.T("auto_reply.closest", view.Template, v.T("auto_reply.sure", a.Confidence))
		}
	}
	return view
}

// autoReplyMark is what the list says of it, nil for nothing.
type autoReplyMark struct{ Text, Full string }

func newAutoReplyMark(p locale.Printer, t helpdesk.Ticket) *autoReplyMark {
	if t.AutoReply == nil || t.AutoReply.State != helpdesk.AutoReplyPlanned || !t.Open {
		return nil
	}
	return &autoReplyMark{p.Long(t.AutoReply.Due), p.T("auto_reply.planned_for", p.Long(t.AutoReply.Due))}
}

func (s *Server) autoReplyRoutes(g *echo.Group) {
	g.POST("/tickets/:number/auto-reply", s.decideAutoReply)
}

// decideAutoReply sends the planned answer at once, asks for another, or lets
// nothing be sent.
func (s *Server) decideAutoReply(c echo.Context) (err error) {
	ctx, v, number := c.Request().Context(), visitOf(c), ticketNumber(c)
	chosen := c.FormValue("template")
	switch c.FormValue("decision") {
	case "send":
		_, err = s.desk.SendAutoReplyNow(ctx, v.actor(), number, chosen)
	case "reject":
		_, err = s.desk.RejectAutoReply(ctx, v.actor(), number, chosen)
	case "never":
		_, err = s.desk.ForbidAutoReply(ctx, v.actor(), number)
	case "again":
		_, err = s.desk.MatchAgain(ctx, v.actor(), number)
	default:
		return echo.NewHTTPError(http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}

// autoReplyEvent says an event of a ticket's automatic answer: which template,
// and when or why not.
func (r reader) autoReplyEvent(e helpdesk.Event, key string, args []any) (string, []any) {
	name := strong(cmp.Or(e.Data["template_name"], r.T("auto_reply.template.gone")))
	switch e.Kind {
	case helpdesk.EventServiceMatched:
		due, _ := time.Parse(time.RFC3339, e.Data["due"])
		sure, _ := strconv.Atoi(e.Data["confidence"])
		return key, append(args, name, strong(r.Long(due)), r.T("auto_reply.sure", sure))
	case helpdesk.EventServiceUnmatched:
		return key, append(args, r.T("auto_reply.why."+e.Data["reason"]))
	case helpdesk.EventServiceStopped:
		return key, append(args, name, r.T("auto_reply.stopped."+e.Data["reason"]))
	case helpdesk.EventServiceSent:
		if e.Actor.UserID != "" {
			key += "_now"
		}
	}
	return key, append(args, name)
}
