package ui

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) insightRoutes(g *echo.Group) {
	g.GET("/insights", s.insightsPage)
	g.GET("/insights.csv", takenOut(s.insightsFile, helpdesk.PermitInsights, helpdesk.PermitExport))
	g.GET("/insights/corrections.jsonl", takenOut(s.correctionsFile, helpdesk.PermitExport))
}

// insightsView is the page of what customers' mails say together.
type insightsView struct {
	page
	Path                          string // of this page, with its filter
	From, To                      string
	Ranges                        []navItem
	Files                         []navItem // nil for who may not take them out of the house
	Pipelines, Aliases, Companies []option
	Empty                         string // why there is nothing to see
	Figures                       []insightFigure
	Types                         stackedChart
	Shares                        []sharesView
	Words                         []wordsView
	Sampled                       string
	FollowUps                     []followUpView
	MoreDue                       string
	Actions                       []openActionView
	MoreOpen                      string
	MayTick                       bool
}

type insightFigure struct{ Label, Value, Hint, Tone string }

type followUpView struct{ URL, Name, Subject, Text, Tone string }

type openActionView struct {
	Message, Text     string
	Ticket            uint64
	Subject, Customer string
	Badge             *badge
	Time              moment
}

// wordsView is what mails name most often.
type wordsView struct {
	Title string
	Rows  []wordView
}

type wordView struct {
	Text    string
	Count   string
	Width   int // of its bar, of 100
	Tickets []uint64
}

// insightRanges are the numbers of days that one choice away.
var insightRanges = []int{7, 14, 30, 90, 365}

func insightQuery(c echo.Context) helpdesk.InsightQuery {
	return helpdesk.InsightQuery{From: c.QueryParam("from"), To: c.QueryParam("to"), PipelineID: c.QueryParam("pipeline"),
		AliasID: c.QueryParam("alias"), CompanyID: c.QueryParam("company")}
}

func insightPath(path string, q helpdesk.InsightQuery) string {
	values := url.Values{}
	for name, value := range map[string]string{"from": q.From, "to": q.To, "pipeline": q.PipelineID, "alias": q.AliasID, "company": q.CompanyID} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

func (s *Server) insightsPage(c echo.Context) error {
	ctx, v, q := c.Request().Context(), visitOf(c), insightQuery(c)
	in, err := s.desk.Insights(ctx, v.actor(), q)
	if err != nil {
		return err
	}
	view := &insightsView{From: in.From, To: in.To, MayTick: v.may(helpdesk.PermitEdit)}
	if view.page, err = s.newPage(ctx, v, v.T("insights.title"), "insights"); err != nil {
		return err
	}
	asked := q
	asked.From, asked.To = in.From, in.To
	view.Path = insightPath("/insights", asked)
	view.ranges(asked)
	if v.may(helpdesk.PermitExport) {
		view.Files = []navItem{{URL: insightPath("/insights.csv", asked), Label: v.T("insights.file_days")},
			{URL: insightPath("/insights.csv", asked) + "&of=words", Label: v.T("insights.file_words")},
			{URL: insightPath("/insights.csv", asked) + "&of=actions", Label: v.T("insights.file_actions")},
			{URL: "/insights/corrections.jsonl", Label: v.T("insights.file_corrections")}}
	}
	if err := s.insightChoices(ctx, v, view, q); err != nil {
		return err
	}
	view.fill(in)
	if in.Total.Mails == 0 {
		view.Empty = v.T("insights.empty")
		if problem := s.options.Analysis(ctx).problem(); problem != "" {
			view.Empty = v.T("insights.empty_off")
		}
	}
	if target(c.Request()) == "insights-body" {
		return s.render(c, http.StatusOK, "insights-body", view)
	}
	return s.render(c, http.StatusOK, "insights", view)
}

// ranges offers the last days, up to today.
func (view *insightsView) ranges(q helpdesk.InsightQuery) {
	to, err := time.Parse(time.DateOnly, q.To)
	if err != nil {
		return
	}
	from := q.From
	for _, days := range insightRanges {
		q.From = to.AddDate(0, 0, 1-days).Format(time.DateOnly)
		view.Ranges = append(view.Ranges, navItem{URL: insightPath("/insights", q), Label: view.N("insights.days", days), Current: q.From == from})
	}
}

func (s *Server) insightChoices(ctx context.Context, v *visit, view *insightsView, q helpdesk.InsightQuery) error {
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	if err != nil {
		return err
	}
	view.Pipelines = []option{{"", v.T("insights.all"), q.PipelineID == ""}}
	for _, p := range pipelines {
		view.Pipelines = append(view.Pipelines, option{p.ID, p.Name, p.ID == q.PipelineID})
	}
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return err
	}
	view.Aliases = []option{{"", v.T("insights.all"), q.AliasID == ""}}
	for _, a := range aliases {
		view.Aliases = append(view.Aliases, option{a.ID, a.Address, a.ID == q.AliasID})
	}
	companies, _, err := s.desk.Companies(ctx, v.actor(), "", 200, "")
	if err != nil || len(companies) == 0 {
		return err
	}
	view.Companies = []option{{"", v.T("insights.all"), q.CompanyID == ""}}
	known := q.CompanyID == ""
	for _, company := range companies {
		view.Companies = append(view.Companies, option{company.ID, company.Name, company.ID == q.CompanyID})
		known = known || company.ID == q.CompanyID
	}
	if !known {
		company, err := s.desk.Company(ctx, v.actor(), q.CompanyID)
		if err != nil {
			return err
		}
		view.Companies = append(view.Companies, option{company.Company.ID, company.Company.Name, true})
	}
	return nil
}

func (view *insightsView) fill(in *helpdesk.Insights) {
	view.figures(in)
	view.Types = view.typesChart(in)
	for _, f := range []helpdesk.Finding{helpdesk.FindingSentiment, helpdesk.FindingProductInterest, helpdesk.FindingOpportunity} {
		view.Shares = append(view.Shares, view.shares(f, in))
	}
	view.Words = []wordsView{view.wordsOf(view.T("insights.challenges"), in.Challenges), view.wordsOf(view.T("insights.topics"), in.Topics)}
	if in.Partial {
		view.Sampled = view.T("insights.sampled", view.Number(in.Sampled))
	}
	for _, f := range in.FollowUps {
		t := f.Row.Ticket
		row := followUpView{URL: "/tickets/" + view.number(t.Number), Name: contactName(f.Row.Contact), Subject: subjectOf(view.Printer, t.Subject)}
		if left := f.Due.Sub(view.Now); left < 0 {
			row.Text, row.Tone = view.T("insights.late", view.Duration(-left)), "bad"
		} else if row.Text = view.T("insights.left", view.Duration(left)); left < 4*time.Hour {
			row.Tone = "warn"
		}
		view.FollowUps = append(view.FollowUps, row)
	}
	if in.MoreDue {
		view.MoreDue = view.T("insights.more_due", len(in.FollowUps))
	}
	for _, a := range in.Actions {
		view.Actions = append(view.Actions, openActionView{Message: a.MessageID, Text: a.Text, Ticket: a.Ticket, Subject: subjectOf(view.Printer, a.Subject), Customer: a.Customer,
			Badge: replyTypeBadge(view.Printer, a.ReplyType), Time: shortMoment(view.Printer, a.At)})
	}
	if in.MoreOpen {
		view.MoreOpen = view.T("insights.more_actions", len(in.Actions))
	}
}

func (view *insightsView) number(n uint64) string {
	return strings.ReplaceAll(view.Number(int(n)), ",", "")
}

// figures are the numbers at the head, each beside that of the days before.
func (view *insightsView) figures(in *helpdesk.Insights) {
	was := func(n int) string { return view.T("insights.was", view.Number(n)) }
	count := func(d *helpdesk.InsightDay, f helpdesk.Finding, value string) int { return d.Counts[f][value] }
	attention := count(&in.Total, helpdesk.FindingReplyType, "needs_attention")
	value := count(&in.Total, helpdesk.FindingReplyType, "high_value")
	view.Figures = []insightFigure{
		{Label: view.T("insights.mails_read"), Value: view.Number(in.Total.Mails), Hint: was(in.Before.Mails)},
		{Label: view.T("analysis.reply_type.needs_attention"), Value: view.Number(attention), Hint: was(count(&in.Before, helpdesk.FindingReplyType, "needs_attention"))},
		{Label: view.T("analysis.reply_type.high_value"), Value: view.Number(value), Hint: was(count(&in.Before, helpdesk.FindingReplyType, "high_value"))},
		{Label: view.T("insights.corrected"), Value: view.Number(in.Total.Corrected), Hint: view.T("insights.corrected_hint", percent(in.Total.Corrected, in.Total.Mails))},
	}
	if attention > 0 {
		view.Figures[1].Tone = "bad"
	}
}

func percent(n, of int) int {
	if of == 0 {
		return 0
	}
	return (n*100 + of/2) / of
}

func (view *insightsView) wordsOf(title string, list []helpdesk.InsightWord) wordsView {
	w := wordsView{Title: title}
	for _, word := range list {
		w.Rows = append(w.Rows, wordView{word.Text, view.Number(word.Mails), max(word.Mails*100/list[0].Mails, 2), word.Tickets})
	}
	return w
}
