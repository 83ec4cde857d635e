package ui

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) analysisRoutes(g *echo.Group) {
	g.GET("/messages/:id/analysis", s.analysisForm)
	g.POST("/messages/:id/analysis", s.correctAnalysis)
	g.POST("/messages/:id/analysis/again", s.analyseAgain)
	g.POST("/messages/:id/actions", s.tickAction)
}

// analysisView is what the model said of one message, as people corrected it.
type analysisView struct {
	ID        string // the message's
	Of        moment // when the mail it is about came
	Summary   string
	ReplyType *badge
	Singles   []findingView // one value each
	Lists     []findingView
	Language  string
	Model     string
	At        moment
	Change    string // where it is corrected, "" for who may not
	Back      string // the place that is shown again
	Unquoted  bool   // no finding has words of the mail: said once, not at each
}

// findingView is one thing that was found.
type findingView struct {
	Label     string
	Name      string
	Badge     *badge
	Dot       string // the tone of a dot before the value
	Pips      []bool // of a score
	Values    []foundValue
	Corrected string // who corrected it, and what the model had said; "" for nobody
	Actions   bool   // items that can be ticked off
}

// foundValue is a value with the words of the mail that it rests on.
type foundValue struct {
	Text     string
	Quote    string
	Unproven bool // the mail does not show it
	Item     string
	Done     bool
}

var moods = map[string]string{"positive": "good", "negative": "bad", "mixed": "warn"}

var pressing = map[string]string{"high": "bad", "normal": "plain", "low": "plain"}

// unremarkable are values that claim nothing, so that nothing has to prove them.
var unremarkable = map[helpdesk.Finding][]string{
	helpdesk.FindingReplyType: {"standard"}, helpdesk.FindingSentiment: {"neutral"}, helpdesk.FindingUrgency: {"normal", "low"},
	helpdesk.FindingOpportunity: {"1", "2"}, helpdesk.FindingProductInterest: {"none"}, helpdesk.FindingFollowUp: {"false"},
}

func (r reader) analysisOf(m helpdesk.MessageView) *analysisView {
	a := m.Analysis.Effective()
	view := &analysisView{ID: m.Message.ID, Of: longMoment(r.Printer, m.Message.At), Summary: a.Summary, ReplyType: replyTypeBadge(r.Printer, a.ReplyType),
		Language: r.word("language.", a.Language), Model: a.Model, At: longMoment(r.Printer, a.At), Back: r.path}
	if r.may(helpdesk.PermitEdit) {
		view.Change = "/messages/" + m.Message.ID + "/analysis?back=" + url.QueryEscape(r.path)
	}
	for _, f := range helpdesk.Findings() {
		if f == helpdesk.FindingSummary || f == helpdesk.FindingLanguage {
			continue
		}
		finding, ok := r.finding(m.Analysis, a, f)
		switch {
		case !ok:
		case f.Kind() == helpdesk.FindingList:
			view.Lists = append(view.Lists, finding)
		default:
			view.Singles = append(view.Singles, finding)
		}
	}
	view.sayOnce()
	return view
}

// sayOnce takes the word about missing evidence from each line where a model
// quotes nothing at all.
func (w *analysisView) sayOnce() {
	var doubtful []*foundValue
	for _, list := range [][]findingView{w.Singles, w.Lists} {
		for _, f := range list {
			for i := range f.Values {
				if f.Values[i].Quote != "" {
					return
				}
				if f.Values[i].Unproven {
					doubtful = append(doubtful, &f.Values[i])
				}
			}
		}
	}
	if len(doubtful) == 0 {
		return
	}
	w.Unquoted = true
	for _, v := range doubtful {
		v.Unproven = false
	}
}

// hurryAnalysis has the ticket that somebody looks at read before all others. A store that takes no updates must not
// keep anybody from reading it.
func (s *Server) hurryAnalysis(ctx context.Context, v *visit, t *helpdesk.TicketView) {
	if v.headOnly {
		return
	}
	newest := len(t.Messages) - 1
	for newest >= 0 && (t.Messages[newest].Message.Direction != helpdesk.Inbound || t.Messages[newest].Message.ThirdParty) {
		newest--
	}
	if newest < 0 || t.Messages[newest].Analysis != nil {
		return
	}
	if err := s.desk.HurryAnalysis(ctx, v.actor(), t.Row.Ticket.Number); err != nil && ctx.Err() == nil {
		s.log.Warn("a ticket that was opened is not read before others", "ticket", t.Row.Ticket.Number, "error", err)
	}
}

// finding is one finding, false where there is nothing to say.
func (r reader) finding(model, a *helpdesk.Analysis, f helpdesk.Finding) (findingView, bool) {
	correction, corrected := model.Corrections[f]
	view := findingView{Label: r.findingLabel(f), Name: string(f), Actions: f == helpdesk.FindingActionItems}
	values := a.Values(f)
	quiet := f == helpdesk.FindingProductInterest && slices.Equal(values, []string{"none"}) || f == helpdesk.FindingFollowUp && !a.FollowUp ||
		f == helpdesk.FindingReplyType && a.ReplyType == "standard"
	if !corrected && (len(values) == 0 || quiet) {
		return view, false
	}
	for i, value := range values {
		v := foundValue{Text: r.findingWord(f, value), Item: value}
		if quotes := model.Evidence[f]; !corrected && i < len(quotes) {
			v.Quote = quotes[i]
		}
		v.Unproven = !corrected && v.Quote == "" && model.PromptVersion != "reply-1" && f != helpdesk.FindingTopics && !slices.Contains(unremarkable[f], value)
		v.Done = view.Actions && !slices.Contains(a.OpenActions(), value)
		view.Values = append(view.Values, v)
	}
	switch f {
	case helpdesk.FindingReplyType:
		view.Badge = replyTypeBadge(r.Printer, a.ReplyType)
	case helpdesk.FindingSentiment:
		view.Dot = "dot " + moods[a.Sentiment]
	case helpdesk.FindingUrgency:
		view.Dot = "dot " + pressing[a.Urgency]
	case helpdesk.FindingOpportunity:
		for i := range 5 {
			view.Pips = append(view.Pips, i < a.Opportunity)
		}
	}
	if corrected {
		said := []string{}
		for _, value := range model.Values(f) {
			said = append(said, r.findingWord(f, value))
		}
		if len(said) == 0 || model.Error != "" {
			said = []string{r.T("analysis.nothing")}
		}
		view.Corrected = r.T("analysis.corrected", r.people[correction.By].Name, r.Long(correction.At), strings.Join(said, r.T("list.comma")))
	}
	return view, true
}

func (v *visit) findingLabel(f helpdesk.Finding) string { return v.T("analysis.finding." + string(f)) }

// findingWord says a value of a finding.
func (v *visit) findingWord(f helpdesk.Finding, value string) string {
	switch f {
	case helpdesk.FindingReplyType:
		return v.word("analysis.reply_type.", value)
	case helpdesk.FindingSentiment:
		return v.word("analysis.sentiment.", value)
	case helpdesk.FindingUrgency:
		return v.word("analysis.urgency.", value)
	case helpdesk.FindingProductInterest:
		return v.word("analysis.interest.", value)
	case helpdesk.FindingFollowUp:
		return v.T("analysis.follow_up." + value)
	case helpdesk.FindingLanguage:
		return v.word("language.", value)
	case helpdesk.FindingOpportunity:
		return value + " / 5"
	}
	return value
}

// correctedTo says the values of an event, or that there were none.
func (v *visit) correctedTo(f helpdesk.Finding, said string) string {
	if said == "" {
		return v.T("analysis.nothing")
	}
	return v.findingWord(f, said)
}

// word says a value of an enumeration, or the value itself where the model
// came up with one of its own.
func (v *visit) word(prefix, value string) string {
	if value == "" || !v.Has(prefix+value) {
		return value
	}
	return v.T(prefix + value)
}

// correctionView is the form in which an analysis is corrected.
type correctionView struct {
	page
	Heading string
	Action  string
	Back    string
	Ticket  uint64
	Fields  []correctionField
}

// correctionField is a finding in that form.
type correctionField struct {
	Name    string
	Label   string
	Options []option // of a choice
	Text    string
	Lines   bool
	Said    string // by the model, where it was corrected
}

// analysisForm is a dialog over the conversation, and a page without scripts.
func (s *Server) analysisForm(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	m, err := s.desk.Message(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	if m.Analysis == nil {
		return echo.ErrNotFound
	}
	view := correctionView{Heading: v.T("analysis.correct"), Action: "/messages/" + m.Message.ID + "/analysis", Back: backTo(c, m.Message.Ticket), Ticket: m.Message.Ticket}
	now := m.Analysis.Effective()
	for _, f := range helpdesk.Findings() {
		view.Fields = append(view.Fields, v.correctionField(m.Analysis, now, f))
	}
	if target(c.Request()) == "picker" {
		return s.render(c, http.StatusOK, "analysis-form", view)
	}
	if view.page, err = s.newPage(ctx, v, view.Heading, ""); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "analysis-form-page", view)
}

func (v *visit) correctionField(model, now *helpdesk.Analysis, f helpdesk.Finding) correctionField {
	values := now.Values(f)
	field := correctionField{Name: string(f), Label: v.findingLabel(f), Lines: f.Kind() == helpdesk.FindingList, Text: strings.Join(values, "\n")}
	if f.Kind() == helpdesk.FindingChoice {
		if len(values) == 0 {
			field.Options = append(field.Options, option{"", v.T("analysis.nothing"), true})
		}
		for _, choice := range f.Choices() {
			field.Options = append(field.Options, option{choice, v.findingWord(f, choice), slices.Contains(values, choice)})
		}
	}
	if _, corrected := model.Corrections[f]; corrected {
		said := []string{}
		for _, value := range model.Values(f) {
			said = append(said, v.findingWord(f, value))
		}
		if len(said) == 0 {
			said = []string{v.T("analysis.nothing")}
		}
		field.Said = v.T("analysis.said", strings.Join(said, v.T("list.comma")))
	}
	return field
}

// correctAnalysis takes the form: what is as the model said it is no correction.
func (s *Server) correctAnalysis(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	changes := map[helpdesk.Finding][]string{}
	for _, f := range helpdesk.Findings() {
		if !form.Has(string(f)) {
			continue
		}
		text := form.Get(string(f))
		switch {
		case f.Kind() == helpdesk.FindingChoice && text == "": // not known, and still not said
		case form.Has("restore"):
			changes[f] = nil
		default:
			changes[f] = strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
		}
	}
	a, err := s.desk.CorrectAnalysis(ctx, v.actor(), c.Param("id"), changes)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, backTo(c, a.Ticket))
}

// analyseAgain asks for another reading of a mail.
func (s *Server) analyseAgain(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	if err := s.desk.RetryAnalysis(ctx, v.actor(), c.Param("id")); err != nil {
		return err
	}
	number, _ := strconv.ParseUint(c.FormValue("ticket"), 10, 64)
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}

// tickAction ticks an action item off, or opens it again.
func (s *Server) tickAction(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	if err := s.desk.TickAction(ctx, v.actor(), c.Param("id"), c.FormValue("item"), c.FormValue("done") != ""); err != nil {
		return err
	}
	if back := c.FormValue("back"); strings.HasPrefix(back, "/insights") {
		return c.Redirect(http.StatusSeeOther, localPath(back, "/insights"))
	}
	number, _ := strconv.ParseUint(c.FormValue("ticket"), 10, 64)
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}
