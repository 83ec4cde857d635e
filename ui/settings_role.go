package ui

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) roleRoutes(g *echo.Group) {
	g.GET("/settings/roles", s.rolesPage)
	g.POST("/settings/roles", s.saveRoles)
	g.POST("/settings/roles/new", s.createRole)
	g.POST("/settings/roles/:id/delete", s.deleteRole)
}

// rolesView is the permission table: a row a permission, a column a role.
type rolesView struct {
	settingsPage
	Roles   []roleColumn
	Table   []permissionGroup
	NewName string
	now     string   // the version of the roles as they are now
	Copies  []option // the roles that a new one can begin as
}

type roleColumn struct {
	ID, Name string
	BuiltIn  bool
	// Beyond says that the role allows what the reader may not, who thus
	// cannot remove it.
	Beyond bool
	Users  int
}

type permissionGroup struct {
	Label string
	Rows  []permissionRow
}

type permissionRow struct {
	Permission  string
	Label, Hint string
	Cells       []permissionCell
}

type permissionCell struct {
	Role, RoleName string
	Value          string // of the form's field
	On, Fixed      bool
}

func (s *Server) rolesPage(c echo.Context) error {
	view, err := s.newRolesView(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-roles", view)
}

func (s *Server) newRolesView(c echo.Context) (rolesView, error) {
	v := visitOf(c)
	sp, err := s.newSettingsPage(c, "roles", "")
	if err != nil {
		return rolesView{}, err
	}
	roles, err := s.desk.Roles(c.Request().Context(), v.actor())
	if err != nil {
		return rolesView{}, err
	}
	view, own := rolesView{settingsPage: sp, now: versionOfRoles(roles)}, v.actor().Permissions()
	view.Version = cmp.Or(view.Version, view.now)
	for _, role := range roles {
		view.Roles = append(view.Roles, roleColumn{string(role.ID), v.roleOf(role), role.BuiltIn, !role.Set.Within(own), role.Users})
		view.Copies = append(view.Copies, option{Value: string(role.ID), Label: v.roleOf(role)})
	}
	for p := range helpdesk.Permissions() {
		label := v.T("permission.group." + string(p.Group))
		if n := len(view.Table); n == 0 || view.Table[n-1].Label != label {
			view.Table = append(view.Table, permissionGroup{Label: label})
		}
		row := permissionRow{Permission: string(p.Permission), Label: v.T("permission.name." + permissionKey(p.Permission)),
			Hint: v.T("permission.hint." + permissionKey(p.Permission))}
		for _, role := range roles {
			row.Cells = append(row.Cells, permissionCell{string(role.ID), v.roleOf(role), string(role.ID) + ":" + row.Permission,
				role.Set.Has(p.Permission), role.BuiltIn || !own.Has(p.Permission) || sp.Locked != ""})
		}
		group := &view.Table[len(view.Table)-1]
		group.Rows = append(group.Rows, row)
	}
	return view, nil
}

// versionOfRoles names what the roles of the house's own are.
func versionOfRoles(roles []helpdesk.RoleView) string {
	var own []helpdesk.CustomRole
	for _, role := range roles {
		if !role.BuiltIn {
			own = append(own, helpdesk.CustomRole{ID: string(role.ID), Name: role.Name, Permissions: role.Set.List()})
		}
	}
	return helpdesk.RolesVersion(own)
}

// typed fills in what a table that was refused had in it. A role that it had not is as it is.
func (view *rolesView) typed(form url.Values) {
	for i, role := range view.Roles {
		if slices.Contains(form["role"], role.ID) {
			view.Roles[i].Name = form.Get("name:" + role.ID)
		}
	}
	for _, group := range view.Table {
		for _, row := range group.Rows {
			for i, cell := range row.Cells {
				if !cell.Fixed && slices.Contains(form["role"], cell.Role) {
					row.Cells[i].On = slices.Contains(form["grant"], cell.Value)
				}
			}
		}
	}
}

// permissionKey is a permission as the last part of a catalogue's key.
func permissionKey(p helpdesk.Permission) string { return strings.ReplaceAll(string(p), ".", "_") }

// saveRoles takes the whole table. Boxes that were fixed are not in the form:
// such permissions stay as they are.
func (s *Server) saveRoles(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	roles, err := s.desk.Roles(ctx, v.actor())
	if err != nil {
		return err
	}
	own := v.actor().Permissions()
	var changed []helpdesk.CustomRole
	for _, role := range roles {
		// Only what the form shows is changed: a role that was made meanwhile is not in it.
		if role.BuiltIn || !slices.Contains(form["role"], string(role.ID)) {
			continue
		}
		save := helpdesk.CustomRole{ID: string(role.ID), Name: form.Get("name:" + string(role.ID))}
		for p := range helpdesk.Permissions() {
			on := slices.Contains(form["grant"], string(role.ID)+":"+string(p.Permission))
			if !own.Has(p.Permission) {
				on = role.Set.Has(p.Permission)
			}
			if on {
				save.Permissions = append(save.Permissions, p.Permission)
			}
		}
		changed = append(changed, save)
	}
	_, err = s.desk.SaveRoles(ctx, v.having(c), changed...)
	return s.afterRoles(c, err, "")
}

// createRole makes a role that allows what the chosen one does, as far as the
// reader may give it.
func (s *Server) createRole(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	name := strings.TrimSpace(c.FormValue("name"))
	roles, err := s.desk.Roles(ctx, v.actor())
	if err != nil {
		return err
	}
	role := helpdesk.CustomRole{Name: name}
	for _, r := range roles {
		if string(r.ID) == c.FormValue("like") {
			role.Permissions = (r.Set & v.actor().Permissions()).List()
		}
	}
	_, err = s.desk.SaveRoles(ctx, v.actor(), role)
	return s.afterRoles(c, err, name)
}

func (s *Server) deleteRole(c echo.Context) error {
	return s.afterRoles(c, s.desk.DeleteRole(c.Request().Context(), visitOf(c).actor(), c.Param("id")), "")
}

// afterRoles shows the table again, with what was wrong.
func (s *Server) afterRoles(c echo.Context, err error, newName string) error {
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/roles?saved=1")
	}
	view, failed := s.newRolesView(c)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	view.NewName = newName
	if view.Newer != "" {
		// Of all that the page shows now, not of the roles that it showed before.
		view.Version = view.now
	}
	view.typed(c.Request().PostForm)
	return s.render(c, status, "settings-roles", view)
}
