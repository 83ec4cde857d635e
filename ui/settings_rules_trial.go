package ui

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// trialView is the form that tries the rules, and what came of it.
type trialView struct {
	Ticket, From, Subject, Text string
	Aliases                     []option
	Asked                       bool
	Problem                     string
	Verdicts                    []verdictView
}

type verdictView struct {
	Name, Text string
	Fits       bool
	Off        bool // not asked any more
}

// tryRules says what the rules would do with a ticket's mail, or one that is
// typed in.
func (s *Server) tryRules(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	view, err := s.newRulesView(c)
	if err != nil {
		return err
	}
	t := &view.Trial
	t.Asked, t.Ticket, t.From, t.Subject, t.Text = true, c.QueryParam("ticket"), c.QueryParam("from"), c.QueryParam("subject"), c.QueryParam("text")
	for i := range t.Aliases {
		t.Aliases[i].Selected = t.Aliases[i].Value == c.QueryParam("alias")
	}
	trial := helpdesk.RuleTrial{AliasID: c.QueryParam("alias"), From: t.From, Subject: t.Subject, Text: t.Text}
	if typed := strings.TrimPrefix(strings.TrimSpace(t.Ticket), "#"); typed != "" {
		if trial.Ticket, err = strconv.ParseUint(typed, 10, 64); err != nil {
			trial.Ticket = 1<<64 - 1 // no such ticket
		}
	}
	verdicts, err := s.desk.TryRules(ctx, v.actor(), trial)
	if err != nil {
		said, ok := refusal(v.Printer, err)
		if !ok {
			return err
		}
		t.Problem = said.Text
	}
	words, err := s.ruleWords(ctx, v)
	if err != nil {
		return err
	}
	for _, verdict := range verdicts {
		t.Verdicts = append(t.Verdicts, words.verdict(verdict))
	}
	if target(c.Request()) == "trial" {
		return s.render(c, http.StatusOK, "rule-trial", view)
	}
	return s.render(c, http.StatusOK, "settings-rules", view)
}
