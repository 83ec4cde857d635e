package ui

import (
	"context"
	"html/template"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) bulkRoutes(g *echo.Group) {
	g.POST("/bulk", s.startBulk)
	g.GET("/bulk/:id", s.bulkProgress)
	g.POST("/bulk/:id/undo", s.undoBulk)
	g.GET("/inbox/:view/choices", s.bulkChoices)
}

// workedAtOnce is how many steps of a bulk change a request takes before it
// answers; what is left is done by the next one, or by a timer.
const workedAtOnce = 4

// bulkToast says how far a bulk change is, and what came of it.
type bulkToast struct {
	ID      string
	Text    string
	Refused []template.HTML // tickets that could not be changed, with why
	Working bool
	Percent int
	Undo    bool
	Seconds int
}

// startBulk changes the chosen tickets, or all of a list. Two can be merged.
func (s *Server) startBulk(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	var numbers []uint64
	for _, typed := range form["ticket"] {
		if number, ok := typedNumber(typed); ok {
			numbers = append(numbers, number)
		}
	}
	p := placeOfPath(localPath(form.Get("path"), "/inbox/open"), 0)
	if form.Get("all") != "" {
		if numbers, err = s.allOf(ctx, v, p); err != nil {
			return err
		}
	}
	if form.Get("do") == "merge" {
		if len(numbers) != 2 {
			return invalid("ticket", "error.bulk_two", "choose exactly two tickets to merge")
		}
		m, err := s.desk.Merge(ctx, v.actor(), max(numbers[0], numbers[1]), min(numbers[0], numbers[1]))
		if err != nil {
			return err
		}
		c.Response().Header().Set("HX-Redirect", p.address(m.Into, "moved", m.ID))
		return c.NoContent(http.StatusNoContent)
	}
	if form.Get("do") == "reply" {
		b, err := s.desk.BeginBulkReply(ctx, v.actor(), numbers)
		if err != nil {
			return err
		}
		c.Response().Header().Set("HX-Redirect", bulkRepliesPath+"/"+b.ID)
		return c.NoContent(http.StatusNoContent)
	}
	change, err := bulkChange(v, form.Get("do"), form.Get("value"))
	if err != nil {
		return err
	}
	bulk, err := s.desk.StartBulk(ctx, v.actor(), numbers, change)
	if err != nil {
		return err
	}
	return s.workBulk(c, bulk.ID)
}

// bulkChange reads what is to be done from a form.
func bulkChange(v *visit, do, value string) (change helpdesk.BulkChange, err error) {
	yes, no := true, false
	switch do {
	case "close":
		change.Close = true
	case "stage":
		change.Stage = &value
	case "assign":
		change.Assignee = &value
	case "tag":
		change.Tag = splitList(value)
	case "untag":
		change.Untag = splitList(value)
	case "priority":
		priority, ok := helpdesk.ParsePriority(value)
		if !ok {
			priority = helpdesk.Priority(value) // refused with words
		}
		change.Priority = &priority
	case "hold":
		until, err := restUntil(v, value, "")
		if err != nil {
			return change, err
		}
		change.Hold = &helpdesk.Snooze{Until: until}
	case "wake":
		change.Wake = true
	case "follow":
		change.Follow = &yes
	case "unfollow":
		change.Follow = &no
	case "spam":
		change.Spam = &yes
	case "not_spam":
		change.Spam = &no
	default:
		return change, invalid("do", "error.bulk_nothing", "\""+do+"\" is nothing that can be done with many tickets")
	}
	return change, nil
}

// allOf are the tickets of a whole list, at most as many as one change takes and
// one more, so that more is refused and not cut off in silence.
func (s *Server) allOf(ctx context.Context, v *visit, p place) (numbers []uint64, err error) {
	preference, err := s.desk.Preference(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	p.query.Only, p.query.Limit = preference.Only, rowsAtMost
	for len(numbers) <= helpdesk.MaxBulk {
		found, err := s.tickets(ctx, v.actor(), p.query.TicketQuery, v.Zone)
		if err != nil {
			return nil, err
		}
		for _, row := range found.rows {
			numbers = append(numbers, row.Ticket.Number)
		}
		if p.query.After = found.next; found.next == "" {
			break
		}
	}
	return numbers, nil
}

// workBulk goes on with a change for a while, and says how far it is.
func (s *Server) workBulk(c echo.Context, id string) error {
	ctx, v := c.Request().Context(), visitOf(c)
	for range workedAtOnce {
		bulk, err := s.desk.WorkBulk(ctx, id)
		if err != nil {
			return err
		}
		if bulk.State == helpdesk.BulkDone || bulk.State == helpdesk.BulkUndone {
			break
		}
	}
	bulk, troubled, err := s.desk.Bulk(ctx, v.actor(), id)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "bulk-toast", newBulkToast(v, bulk, troubled))
}

func newBulkToast(v *visit, b *helpdesk.Bulk, troubled []helpdesk.BulkItem) bulkToast {
	toast := bulkToast{ID: b.ID, Seconds: 20}
	switch b.State {
	case helpdesk.BulkWorking, helpdesk.BulkUndoing:
		done := b.Next
		if b.State == helpdesk.BulkUndoing {
			done = b.Total - b.Next
		}
		toast.Working, toast.Percent, toast.Undo = true, 100*done/max(b.Total, 1), b.State == helpdesk.BulkWorking
		toast.Text = v.T("bulk.working", done, b.Total)
		return toast
	case helpdesk.BulkUndone:
		toast.Text, toast.Seconds = v.N("bulk.returned", b.Returned), 10
		if b.Kept > 0 {
			toast.Text += " " + v.N("bulk.kept", b.Kept)
		}
	default:
		toast.Text, toast.Undo = v.N("bulk.changed", b.Changed), b.Changed > 0
		if b.Same > 0 {
			toast.Text += " " + v.N("bulk.same", b.Same)
		}
		if b.Refused > 0 {
			toast.Text, toast.Seconds = toast.Text+" "+v.N("bulk.refused", b.Refused), 60
		}
	}
	for _, item := range troubled {
		why := v.T("bulk.changed_since")
		if item.Outcome == helpdesk.BulkRefused {
			why = explain(v.Printer, &helpdesk.Error{Code: helpdesk.CodeConflict, Key: item.Problem, Args: item.Args, Message: item.Message})
		}
		toast.Refused = append(toast.Refused, withTickets(linkTo(item.Ticket)+" "+unmarked(why)))
	}
	return toast
}

func (s *Server) bulkProgress(c echo.Context) error { return s.workBulk(c, c.Param("id")) }

func (s *Server) undoBulk(c echo.Context) error {
	if _, err := s.desk.UndoBulk(c.Request().Context(), visitOf(c).actor(), c.Param("id")); err != nil {
		return err
	}
	return s.workBulk(c, c.Param("id"))
}

// bulkView is what can be done with the chosen tickets. Its choices are asked
// for when the first ticket is chosen.
type bulkView struct {
	People, Stages, Priorities []option
	Tags                       []string
	Spam                       bool // the list is that of spam
	Count                      string
	Assign, Stage, Edit, Mark  bool // what the reader may do
	Merge, Reply               bool
	Hold                       []holdChoice
	Snoozed, Following         bool // the list is that of what rests, of what one follows
}

func (s *Server) bulkChoices(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	p, err := parsePlace(c)
	if err != nil {
		return err
	}
	may := v.actor().May
	view := bulkView{Spam: p.query.View == helpdesk.ViewSpam, Assign: may(helpdesk.PermitAssign), Stage: may(helpdesk.PermitStage),
		Edit: may(helpdesk.PermitEdit), Mark: may(helpdesk.PermitSpam), Merge: may(helpdesk.PermitMerge),
		Reply: may(helpdesk.PermitReply) && may(helpdesk.PermitBulk)}
	_, users, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	view.People = peopleOptions(v, users, "\x00") // nobody's: each ticket has its own
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	if err != nil {
		return err
	}
	for _, pipeline := range pipelines {
		for _, stage := range pipeline.Stages {
			o := option{Value: stage.ID, Label: stage.Name}
			if len(pipelines) > 1 {
				o.Label = pipeline.Name + " / " + stage.Name
			}
			view.Stages = append(view.Stages, o)
		}
	}
	view.Priorities = priorityOptions(v.Printer, "\x00")
	view.Hold = newHold(v.Printer, nil).Choices
	view.Snoozed, view.Following = p.query.View == helpdesk.ViewSnoozed, p.query.View == helpdesk.ViewFollowing
	if view.Tags, err = s.desk.Tags(ctx, v.actor()); err != nil {
		return err
	}
	view.Count = strings.TrimSpace(c.QueryParam("count"))
	return s.render(c, http.StatusOK, "bulk-choices", view)
}
