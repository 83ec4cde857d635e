package ui

import (
	"net/http"
	"slices"
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
	sp.seen(c, r.ID, r)
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
	if _, err = s.desk.SaveRule(ctx, v.having(c), rule); err == nil {
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
