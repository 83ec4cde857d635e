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

func (s *Server) ruleRoutes(g *echo.Group) {
	g.GET("/settings/rules", s.rulesPage)
	g.POST("/settings/rules/order", s.orderRules)
	g.GET("/settings/rules/try", s.tryRules)
	g.GET("/settings/rules/:id", recordForm(s, "settings-rule", s.ruleByID, s.newRuleView))
	g.POST("/settings/rules/:id", s.saveRule)
}

type rulesView struct {
	settingsPage
	Rules []ruleRow
	Trial trialView
}

// ruleRow is a rule in the list, said in words.
type ruleRow struct {
	ID, Name, URL, When, Then string
	Disabled, GoOn            bool
	First, Last               bool
}

func (s *Server) rulesPage(c echo.Context) error {
	view, err := s.newRulesView(c)
	if err != nil {
		return err
	}
	if target(c.Request()) == "rules" {
		return s.render(c, http.StatusOK, "rule-list", view)
	}
	return s.render(c, http.StatusOK, "settings-rules", view)
}

func (s *Server) newRulesView(c echo.Context) (rulesView, error) {
	ctx := c.Request().Context()
	sp, err := s.newSettingsPage(c, "rules", "")
	if err != nil {
		return rulesView{}, err
	}
	rules, err := s.desk.Rules(ctx, sp.actor())
	if err != nil {
		return rulesView{}, err
	}
	words, err := s.ruleWords(ctx, sp.visit)
	if err != nil {
		return rulesView{}, err
	}
	view := rulesView{settingsPage: sp, Trial: trialView{Aliases: words.aliasOptions("")}}
	for i, r := range rules {
		view.Rules = append(view.Rules, ruleRow{ID: r.ID, Name: r.Name, URL: "/settings/rules/" + r.ID, When: words.when(r.When), Then: words.then(r.Then),
			Disabled: r.Disabled, GoOn: r.GoOn, First: i == 0, Last: i == len(rules)-1})
	}
	return view, nil
}

// ruleWords says rules in words; it knows the names of what they refer to.
type ruleWords struct {
	*visit
	people  map[string]helpdesk.User
	users   []helpdesk.User
	aliases []helpdesk.Alias
	stages  []string // of all pipelines, once each
	teams   []helpdesk.Team
}

func (s *Server) ruleWords(ctx context.Context, v *visit) (w ruleWords, err error) {
	w.visit = v
	if w.people, w.users, err = s.people(ctx, v); err != nil {
		return w, err
	}
	if w.aliases, err = s.desk.Aliases(ctx, v.actor()); err != nil {
		return w, err
	}
	if w.teams, err = s.desk.Teams(ctx, v.actor()); err != nil {
		return w, err
	}
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	for _, p := range pipelines {
		for _, stage := range p.Stages {
			if !slices.Contains(w.stages, stage.Name) {
				w.stages = append(w.stages, stage.Name)
			}
		}
	}
	return w, err
}

func (w ruleWords) list(values []string, name func(string) string) string {
	var said []string
	for _, v := range values {
		said = append(said, name(v))
	}
	return strings.Join(said, w.T("list.comma"))
}

func (w ruleWords) alias(id string) string {
	for _, a := range w.aliases {
		if a.ID == id {
			return a.Address
		}
	}
	return id
}

func (w ruleWords) person(id string) string {
	if u, ok := w.people[id]; ok {
		return u.Name
	}
	return w.T("unavailable.gone")
}

func (w ruleWords) team(id string) string {
	for _, t := range w.teams {
		if t.ID == id {
			return t.Name
		}
	}
	return w.T("unavailable.gone")
}

func (w ruleWords) when(c helpdesk.RuleConditions) string {
	var said []string
	add := func(key string, list []string, name func(string) string) {
		if len(list) > 0 {
			said = append(said, w.T(key, w.list(list, name)))
		}
	}
	same := func(s string) string { return s }
	add("rules.when.alias", c.Aliases, w.alias)
	add("rules.when.brand", c.Brands, same)
	add("rules.when.language", c.Languages, func(l string) string { return w.T("language." + l) })
	add("rules.when.keyword", c.Keywords, same)
	add("rules.when.domain", c.Domains, same)
	add("rules.when.reply_type", c.ReplyTypes, func(t string) string { return w.T("rules.reply_type." + t) })
	if c.Hours != helpdesk.HoursAny {
		said = append(said, w.T("rules.hours."+string(c.Hours)))
	}
	if len(said) == 0 {
		return w.T("rules.when.always")
	}
	return strings.Join(said, w.T("rules.and"))
}

func (w ruleWords) then(a helpdesk.RuleActions) string {
	var said []string
	if a.Assign != helpdesk.AssignNobody {
		var whom []string
		if a.TeamID != "" {
			whom = append(whom, w.team(a.TeamID))
		}
		for _, id := range a.Among {
			whom = append(whom, w.person(id))
		}
		who := strings.Join(whom, w.T("list.comma"))
		if len(a.Among) == 1 && a.TeamID == "" {
			said = append(said, w.T("rules.then.single", who))
		} else {
			said = append(said, w.T("rules.then."+string(a.Assign), who))
		}
	}
	if a.Assign == helpdesk.AssignNobody && a.TeamID != "" {
		said = append(said, w.T("rules.then.team", w.team(a.TeamID)))
	}
	if len(a.Tags) > 0 {
		said = append(said, w.T("rules.then.tags", strings.Join(a.Tags, w.T("list.comma"))))
	}
	if a.Priority != "" {
		said = append(said, w.T("rules.then.priority", w.T("priority."+a.Priority)))
	}
	if a.Stage != "" {
		said = append(said, w.T("rules.then.stage", a.Stage))
	}
	if len(a.Followers) > 0 {
		said = append(said, w.T("rules.then.followers", w.list(a.Followers, w.person)))
	}
	return strings.Join(said, w.T("list.comma"))
}

func (w ruleWords) aliasOptions(chosen string) (options []option) {
	for _, a := range w.aliases {
		options = append(options, option{a.ID, a.Address, a.ID == chosen})
	}
	return options
}

// orderRules moves one rule up or down, or takes the whole order that dragging
// left.
func (s *Server) orderRules(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	ids := form["id"]
	if direction, id, ok := strings.Cut(form.Get("move"), ":"); ok {
		rules, err := s.desk.Rules(ctx, v.actor())
		if err != nil {
			return err
		}
		ids = nil
		for _, r := range rules {
			ids = append(ids, r.ID)
		}
		i := slices.Index(ids, id)
		j := map[string]int{"up": i - 1, "down": i + 1}[direction]
		if i >= 0 && j >= 0 && j < len(ids) {
			ids[i], ids[j] = ids[j], ids[i]
		}
	}
	if err := s.desk.OrderRules(ctx, v.actor(), ids); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/rules")
}

type ruleView struct {
	settingsPage
	Rule       helpdesk.AssignmentRule
	Aliases    []option
	Brands     []option
	Languages  []option
	ReplyTypes []option
	Hours      []option
	Methods    []option
	Among      []option
	Followers  []option
	Priorities []option
	Stages     []option
	Teams      []option
	Keywords   string
	Domains    string
	Tags       string
}

func (s *Server) ruleByID(c echo.Context) (helpdesk.AssignmentRule, error) {
	id := c.Param("id")
	if id == newRecord {
		return helpdesk.AssignmentRule{Then: helpdesk.RuleActions{Assign: helpdesk.AssignRoundRobin}}, nil
	}
	rules, err := s.desk.Rules(c.Request().Context(), visitOf(c).actor())
	if err != nil {
		return helpdesk.AssignmentRule{}, err
	}
	i := slices.IndexFunc(rules, func(r helpdesk.AssignmentRule) bool { return r.ID == id })
	if i < 0 {
		return helpdesk.AssignmentRule{}, echo.ErrNotFound
	}
	return rules[i], nil
}

func (s *Server) newRuleView(c echo.Context, r helpdesk.AssignmentRule) (ruleView, error) {
	v := visitOf(c)
	heading := r.Name
	if r.ID == "" {
		heading = v.T("rules.new")
	}
	sp, err := s.newSettingsPage(c, "rules", heading)
	if err != nil {
		return ruleView{}, err
	}
	w, err := s.ruleWords(c.Request().Context(), v)
	if err != nil {
		return ruleView{}, err
	}
	view := ruleView{settingsPage: sp, Rule: r, Keywords: strings.Join(r.When.Keywords, ", "), Domains: strings.Join(r.When.Domains, ", "), Tags: strings.Join(r.Then.Tags, ", ")}
	for _, a := range w.aliases {
		view.Aliases = append(view.Aliases, option{a.ID, a.Address, slices.Contains(r.When.Aliases, a.ID)})
	}
	brands := slices.Concat(brandsOf(w.aliases), r.When.Brands) // also one that no alias has any more
	slices.Sort(brands)
	for _, brand := range slices.Compact(brands) {
		view.Brands = append(view.Brands, option{brand, brand, slices.Contains(r.When.Brands, brand)})
	}
	for _, language := range helpdesk.RuleLanguages {
		view.Languages = append(view.Languages, option{language, v.T("language." + language), slices.Contains(r.When.Languages, language)})
	}
	for _, t := range helpdesk.ReplyTypes {
		view.ReplyTypes = append(view.ReplyTypes, option{t, v.T("rules.reply_type." + t), slices.Contains(r.When.ReplyTypes, t)})
	}
	for _, h := range []helpdesk.RuleHours{helpdesk.HoursAny, helpdesk.HoursWithin, helpdesk.HoursOutside} {
		key := string(h)
		if key == "" {
			key = "any"
		}
		view.Hours = append(view.Hours, option{string(h), v.T("rules.hours." + key), h == r.When.Hours})
	}
	for _, m := range []helpdesk.AssignMethod{helpdesk.AssignRoundRobin, helpdesk.AssignBalanced, helpdesk.AssignNobody} {
		key := string(m)
		if key == "" {
			key = "nobody"
		}
		view.Methods = append(view.Methods, option{string(m), v.T("rules.method." + key), m == r.Then.Assign})
	}
	for _, u := range w.users {
		if among := slices.Contains(r.Then.Among, u.ID); among || !u.Disabled {
			view.Among = append(view.Among, option{u.ID, u.Name, among})
		}
		if follows := slices.Contains(r.Then.Followers, u.ID); follows || !u.Disabled {
			view.Followers = append(view.Followers, option{u.ID, u.Name, follows})
		}
	}
	view.Priorities = []option{{"", v.T("rules.keep"), r.Then.Priority == ""}}
	for _, p := range helpdesk.Priorities {
		view.Priorities = append(view.Priorities, option{p.Name(), v.T("priority." + p.Name()), p.Name() == r.Then.Priority})
	}
	view.Teams = []option{{"", v.T("rules.keep"), r.Then.TeamID == ""}}
	for _, team := range w.teams {
		view.Teams = append(view.Teams, option{team.ID, team.Name, team.ID == r.Then.TeamID})
	}
	view.Stages = []option{{"", v.T("rules.keep"), r.Then.Stage == ""}}
	for _, stage := range w.stages {
		view.Stages = append(view.Stages, option{stage, stage, stage == r.Then.Stage})
	}
	return view, nil
}

func (s *Server) saveRule(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	rule, form, err := submitted(c, s.ruleByID)
	if err != nil {
		return err
	}
	if form.Get("action") == "delete" {
		if err := s.desk.DeleteRule(ctx, v.actor(), rule.ID); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/settings/rules?saved=1")
	}
	rule.Name, rule.Disabled, rule.GoOn = form.Get("name"), form.Get("enabled") == "", form.Get("go_on") != ""
	rule.When = helpdesk.RuleConditions{Aliases: form["alias"], Brands: form["brand"], Languages: form["language"], ReplyTypes: form["reply_type"],
		Keywords: splitList(form.Get("keywords")), Domains: splitList(form.Get("domains")), Hours: helpdesk.RuleHours(form.Get("hours"))}
	rule.Then = helpdesk.RuleActions{Assign: helpdesk.AssignMethod(form.Get("assign")), Among: form["among"], TeamID: form.Get("team"), Tags: splitList(form.Get("tags")),
		Priority: form.Get("priority"), Stage: form.Get("stage"), Followers: form["follower"]}
	if _, err = s.desk.SaveRule(ctx, v.actor(), rule); err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/rules?saved=1")
	}
	view, failed := s.newRuleView(c, rule)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-rule", view)
}

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

func (w ruleWords) verdict(r helpdesk.RuleVerdict) verdictView {
	view := verdictView{Name: r.Rule.Name, Fits: r.Asked && r.Fails == "", Off: !r.Asked}
	switch {
	case !r.Asked:
		view.Text = w.T("rules.verdict.not_asked")
	case r.Late:
		view.Text = w.T("rules.verdict.late")
	case r.Fails != "":
		view.Text = w.T("rules.verdict.fails", w.T("explain.condition."+string(r.Fails)))
	case r.Chosen != nil:
		view.Text = w.T("rules.verdict.chosen", r.Chosen.Name)
	case r.Rule.Then.Assign != helpdesk.AssignNobody:
		var passed []string
		for _, p := range r.Passed {
			passed = append(passed, w.T("unavailable.passed", p.User.Name, w.T("unavailable."+string(p.Reason))))
		}
		view.Text = w.T("rules.verdict.nobody", strings.Join(passed, w.T("list.comma")))
	default:
		view.Text = w.T("rules.verdict.fits", w.then(r.Rule.Then))
	}
	return view
}
