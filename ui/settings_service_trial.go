package ui

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// tryView is the form that tries a service with a question, and what came of it.
type tryView struct {
	ID            string // of the service
	Subject, Text string
	Asked         bool
	Problem       string
	Sends         bool
	Verdict, Why  string
}

// tryTimeout is how long the model may take for a question that is tried out.
const tryTimeout = 5 * time.Minute

// tryService asks the model about a question that is typed in.
func (s *Server) tryService(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	service, err := s.serviceByID(c)
	if err != nil {
		return err
	}
	try := tryView{ID: service.ID, Subject: c.FormValue("subject"), Text: c.FormValue("text"), Asked: true}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	if err := s.tryOut(ctx, v, service, &try); err != nil {
		said, ok := refusal(v.Printer, err)
		if !ok {
			return err
		}
		try.Problem = said.Text
	}
	if target(c.Request()) == "try" {
		return s.render(c, http.StatusOK, "service-try", try)
	}
	view, err := s.newServiceView(c, service)
	if err != nil {
		return err
	}
	view.Try = try
	return s.render(c, http.StatusOK, "settings-service", view)
}

func (s *Server) tryOut(ctx context.Context, v *visit, x *helpdesk.Service, try *tryView) error {
	q, err := s.desk.ServiceQuestion(ctx, v.actor(), x.ID, try.Subject, try.Text)
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(try.Subject+try.Text) == "":
		return invalid("text", "error.try_empty", "there is no question to try")
	case s.options.Matcher == nil:
		return &helpdesk.Error{Code: helpdesk.CodeTemporary, Key: "error.match_no_model", Args: []any{"", ""}, Message: "no model is configured"}
	}
	choice, err := s.options.Matcher.PickNow(ctx, *q)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(q.Templates, func(t helpdesk.MatchTemplate) bool { return t.ID == choice.Template })
	sure := v.T("auto_reply.sure", choice.Confidence)
	if i < 0 {
		try.Verdict, try.Why = v.T("service.trial.none"), sure
		return nil
	}
	try.Sends = choice.Confidence >= x.Threshold
	try.Verdict, try.Why = q.Templates[i].Name, sure
	if !try.Sends {
		try.Why = v.T("service.below", sure, x.Threshold)
	}
	return nil
}

// serviceTrialView is a dry run over mails that were received.
type serviceTrialView struct {
	ID       string // of the service
	Sizes    []option
	Started  moment
	Running  bool
	Stopped  bool
	Asked    int
	Mails    int
	Progress string
	Figures  []trialFigure
	Rows     []trialRow
	Problem  string
}

type trialFigure struct{ Label, Value, Hint string }

type trialRow struct {
	URL, Subject, Customer string
	Chosen, Sure           string
	Answer, Tone           string
}

func (s *Server) newServiceTrial(ctx context.Context, v *visit, x *helpdesk.Service) (*serviceTrialView, error) {
	view := &serviceTrialView{ID: x.ID}
	for _, n := range []int{20, 50, 100, helpdesk.MaxTrialMails} {
		view.Sizes = append(view.Sizes, option{strconv.Itoa(n), v.N("service.trial.mails", n), n == 50})
	}
	trial, err := s.desk.Trial(ctx, v.actor(), x.ID)
	if err != nil || trial == nil {
		return view, err
	}
	templates, err := s.desk.Templates(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, t := range templates {
		names[t.ID] = t.Name
	}
	sum := trial.Summary(x.Threshold)
	view.Started, view.Running, view.Stopped, view.Asked, view.Mails = longMoment(v.Printer, trial.StartedAt), trial.EndedAt.IsZero(), trial.Stopped, sum.Asked, sum.Mails
	view.Progress = v.T("service.trial.progress", sum.Asked, sum.Mails)
	if view.Running {
		view.Problem = s.matchingProblem(ctx, v)
	}
	if sum.Asked > 0 {
		view.Figures = v.trialFigures(sum)
	}
	for _, m := range trial.Mails {
		if !m.Asked {
			continue
		}
		row, err := s.trialRow(ctx, v, m, x.Threshold, names)
		if err != nil {
			return nil, err
		}
		view.Rows = append(view.Rows, row)
	}
	return view, nil
}

func (v *visit) trialFigures(s helpdesk.TrialSummary) []trialFigure {
	figure := func(key string, n, of int) trialFigure {
		f := trialFigure{Label: v.T("service.trial." + key), Value: v.Number(n)}
		if of > 0 {
			f.Hint = v.T("service.trial.of", (n*100+of/2)/of, of)
		}
		return f
	}
	answered := s.Matched - s.Unanswered
	return []trialFigure{figure("matched", s.Matched, s.Asked), figure("same", s.Same, answered), figure("another", s.Another, answered),
		figure("free", s.Free, answered), figure("waits", s.Unanswered, s.Matched), figure("doubt", s.Doubt, s.Asked), figure("none", s.None, s.Asked), figure("failed", s.Failed, s.Asked)}
}

func (s *Server) trialRow(ctx context.Context, v *visit, m helpdesk.TrialMail, threshold int, names map[string]string) (trialRow, error) {
	ticket, err := s.desk.TicketRow(ctx, v.actor(), m.Ticket)
	if err != nil {
		return trialRow{}, err
	}
	name := func(id string) string { return cmp.Or(names[id], v.T("auto_reply.template.gone")) }
	row := trialRow{URL: "/tickets/" + strconv.FormatUint(m.Ticket, 10), Subject: subjectOf(v.Printer, ticket.Ticket.Subject), Customer: contactName(ticket.Contact)}
	switch {
	case m.Problem != "":
		row.Chosen = v.T("service.trial.failed")
	case m.Template == "":
		row.Chosen = v.T("service.trial.none")
	default:
		row.Chosen, row.Sure = name(m.Template), v.T("auto_reply.sure", m.Confidence)
		if m.Confidence < threshold {
			row.Sure = v.T("service.below", row.Sure, threshold)
		}
	}
	switch {
	case !m.Answered:
		row.Answer = v.T("service.trial.unanswered")
	case len(m.Used) == 0:
		row.Answer = v.T("service.trial.by_hand")
	default:
		var used []string
		for _, id := range m.Used {
			used = append(used, name(id))
		}
		row.Answer, row.Tone = strings.Join(used, v.T("list.comma")), "other"
		if slices.Contains(m.Used, m.Template) {
			row.Tone = "same"
		}
	}
	return row, nil
}

// trialFragment is the dry run as it goes on.
func (s *Server) trialFragment(c echo.Context) error {
	service, err := s.serviceByID(c)
	if err != nil {
		return err
	}
	if target(c.Request()) != "service-trial" {
		return c.Redirect(http.StatusSeeOther, "/settings/services/"+service.ID)
	}
	view, err := s.newServiceTrial(c.Request().Context(), visitOf(c), service)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "service-trial", view)
}

func (s *Server) startTrial(c echo.Context) error {
	ctx, v, id := c.Request().Context(), visitOf(c), c.Param("id")
	var err error
	if c.FormValue("action") == "stop" {
		err = s.desk.StopTrial(ctx, v.actor(), id)
	} else {
		n, _ := strconv.Atoi(c.FormValue("mails"))
		_, err = s.desk.StartTrial(ctx, v.actor(), id, n)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/services/"+id+"/trial")
}
