package ui

import (
	"net/http"
	"slices"

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

// roleRule is whether a role needs a second factor.
type roleRule struct {
	ID, Name string
	Users    int
	Required bool
}

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
	roles, err := s.desk.Roles(ctx, v.actor())
	for _, role := range roles {
		view.Roles = append(view.Roles, roleRule{string(role.ID), v.roleOf(role), role.Users, slices.Contains(house.SecondFactorRoles, role.ID)})
	}
	return view, err
}

func (s *Server) saveLoginRules(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	var roles []helpdesk.Role
	for _, id := range form["role"] {
		roles = append(roles, helpdesk.Role(id))
	}
	err = s.desk.RequireSecondFactor(c.Request().Context(), visitOf(c).actor(), roles)
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
	for i, role := range view.Roles { // as it was typed
		view.Roles[i].Required = slices.Contains(roles, helpdesk.Role(role.ID))
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-login", view)
}
