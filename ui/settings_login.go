package ui

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// loginRuleRoutes are about how everybody logs in.
func (s *Server) loginRuleRoutes(g *echo.Group) {
	g.GET("/settings/login", s.loginRules)
	g.POST("/settings/login", s.saveLoginRules)
}

// loginRulesView is how everybody logs in.
type loginRulesView struct {
	settingsPage
	Roles []roleRule
}

// roleRule is whether a role needs a second factor, and from when on.
type roleRule struct {
	ID, Name string
	Users    int
	Lacking  int // of those, how many have none yet
	Choices  []option
}

// secondFactorWaits are after how many days a rule may begin.
var secondFactorWaits = []int{0, 3, 7, 14, 30}

// keepRule leaves a rule that begins later as it is.
const keepRule = "keep"

func (s *Server) loginRules(c echo.Context) error {
	view, err := s.newLoginRules(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-login", view)
}

func (s *Server) newLoginRules(c echo.Context) (view loginRulesView, err error) {
	ctx, v := c.Request().Context(), visitOf(c)
	if view.settingsPage, err = s.newSettingsPage(c, "login", ""); err != nil {
		return view, err
	}
	house, err := s.desk.Settings(ctx)
	if err != nil {
		return view, err
	}
	view.Version = cmp.Or(view.Version, house.SecondFactorVersion())
	roles, err := s.desk.Roles(ctx, v.actor())
	if err != nil {
		return view, err
	}
	lacking, err := s.lackingByRole(c)
	for _, role := range roles {
		rule, required := house.SecondFactorRule(role.ID)
		view.Roles = append(view.Roles, roleRule{string(role.ID), v.roleOf(role), role.Users, lacking[role.ID], v.ruleChoices(rule, required)})
	}
	return view, err
}

// lackingByRole counts by role who has no second factor, for who may know.
func (s *Server) lackingByRole(c echo.Context) (counts map[helpdesk.Role]int, err error) {
	ctx, v := c.Request().Context(), visitOf(c)
	if !v.may(helpdesk.PermitUsers) {
		return nil, nil
	}
	factors, err := s.desk.SecondFactors(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	_, users, err := s.people(ctx, v)
	counts = map[helpdesk.Role]int{}
	for _, u := range users {
		if !u.Disabled && factors[u.ID].Lacking() {
			counts[u.Role]++
		}
	}
	return counts, err
}

// ruleChoices are what can be decided of a role, with what is so now.
func (v *visit) ruleChoices(rule helpdesk.SecondFactorRule, required bool) (list []option) {
	later := required && rule.From.After(v.Now)
	list = append(list, option{"", v.T("access.rule.none"), !required})
	if later {
		list = append(list, option{keepRule, v.T("access.rule.from", v.Date(rule.From)), true})
	}
	for _, days := range secondFactorWaits {
		label := v.N("access.rule.in_days", days)
		if days == 0 {
			label = v.T("access.rule.now")
		}
		list = append(list, option{strconv.Itoa(days), label, days == 0 && required && !later})
	}
	return list
}

// ruleOf reads what was chosen for a role.
func (v *visit) ruleOf(role helpdesk.Role, chosen string, house helpdesk.Settings) (rule helpdesk.SecondFactorRule, required bool) {
	if chosen == keepRule {
		return house.SecondFactorRule(role)
	}
	days, err := strconv.Atoi(chosen)
	if err != nil || !slices.Contains(secondFactorWaits, days) {
		return rule, false
	}
	rule.Role = role
	if days > 0 {
		rule.From = v.Now.AddDate(0, 0, days)
	}
	return rule, true
}

func (s *Server) saveLoginRules(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	ctx, v := c.Request().Context(), visitOf(c)
	house, err := s.desk.Settings(ctx)
	if err != nil {
		return err
	}
	var rules []helpdesk.SecondFactorRule
	for _, id := range form["role"] {
		if rule, required := v.ruleOf(helpdesk.Role(id), form.Get("rule:"+id), house); required {
			rules = append(rules, rule)
		}
	}
	err = s.desk.RequireSecondFactor(ctx, v.having(c), rules)
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/login?saved=1")
	}
	if again, err := proveAgain(c, err, "/settings/login"); again {
		return err
	}
	view, failed := s.newLoginRules(c)
	if failed != nil {
		return failed
	}
	for _, role := range view.Roles { // as it was chosen
		for i, choice := range role.Choices {
			role.Choices[i].Selected = choice.Value == form.Get("rule:"+role.ID)
		}
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-login", view)
}
