package ui

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) fieldRoutes(g *echo.Group) {
	g.GET("/settings/fields", s.fieldsPage)
	g.POST("/settings/fields/order/:owner", s.orderFields)
	g.GET("/settings/fields/:id", s.fieldPage)
	g.POST("/settings/fields/:id", s.saveField)
}

type fieldsView struct {
	settingsPage
	Owners []fieldOwnerView
}

type fieldOwnerView struct {
	Owner, Label string
	Fields       []fieldRow
}

type fieldRow struct {
	helpdesk.Field
	URL, KindName string
	Offered       []string
	First, Last   bool
}

func (s *Server) fieldsPage(c echo.Context) error {
	v := visitOf(c)
	sp, err := s.newSettingsPage(c, "fields", "")
	if err != nil {
		return err
	}
	list, err := s.desk.Fields(c.Request().Context(), v.actor())
	if err != nil {
		return err
	}
	view := fieldsView{settingsPage: sp}
	for _, owner := range []helpdesk.FieldOwner{helpdesk.FieldOfTicket, helpdesk.FieldOfContact} {
		group := fieldOwnerView{Owner: string(owner), Label: v.T("field.owner." + string(owner))}
		for _, f := range list {
			if f.Owner == owner {
				group.Fields = append(group.Fields, fieldRow{Field: f, URL: "/settings/fields/" + f.ID, KindName: v.T("field.kind." + string(f.Kind)),
					Offered: offeredChoices(f), First: len(group.Fields) == 0})
			}
		}
		if n := len(group.Fields); n > 0 {
			group.Fields[n-1].Last = true
		}
		view.Owners = append(view.Owners, group)
	}
	return s.render(c, http.StatusOK, "settings-fields", view)
}

func offeredChoices(f helpdesk.Field) (names []string) {
	for _, choice := range f.Choices {
		if !choice.Retired {
			names = append(names, choice.Name)
		}
	}
	return names
}

// orderFields takes the ids in their new order; one of them may be moved by a
// button.
func (s *Server) orderFields(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	ids := form["id"]
	if way, id, ok := strings.Cut(form.Get("move"), ":"); ok {
		i := slices.Index(ids, id)
		j := i + 1
		if way == "up" {
			j = i - 1
		}
		if i >= 0 && j >= 0 && j < len(ids) {
			ids[i], ids[j] = ids[j], ids[i]
		}
	}
	if err := s.desk.OrderFields(c.Request().Context(), visitOf(c).actor(), helpdesk.FieldOwner(c.Param("owner")), ids); err != nil {
		return err
	}
	if form.Get("quiet") != "" {
		return c.NoContent(http.StatusNoContent)
	}
	return c.Redirect(http.StatusSeeOther, "/settings/fields?saved=1")
}

type fieldView struct {
	settingsPage
	Field   helpdesk.Field
	Owners  []option
	Kinds   []option
	Choices string // one a line
}

func (s *Server) fieldPage(c echo.Context) error {
	f, err := s.fieldByID(c)
	if err != nil {
		return err
	}
	view, err := s.newFieldView(c, f, strings.Join(offeredChoices(f), "\n"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-field", view)
}

func (s *Server) fieldByID(c echo.Context) (helpdesk.Field, error) {
	id := c.Param("id")
	if id == newRecord {
		owner := helpdesk.FieldOfTicket
		if c.QueryParam("of") == string(helpdesk.FieldOfContact) {
			owner = helpdesk.FieldOfContact
		}
		return helpdesk.Field{Owner: owner, Kind: helpdesk.FieldText}, nil
	}
	list, err := s.desk.Fields(c.Request().Context(), visitOf(c).actor())
	if err != nil {
		return helpdesk.Field{}, err
	}
	i := slices.IndexFunc(list, func(f helpdesk.Field) bool { return f.ID == id })
	if i < 0 {
		return helpdesk.Field{}, echo.ErrNotFound
	}
	return list[i], nil
}

func (s *Server) newFieldView(c echo.Context, f helpdesk.Field, choices string) (fieldView, error) {
	v := visitOf(c)
	heading := f.Name
	if f.ID == "" {
		heading = v.T("field.new")
	}
	sp, err := s.newSettingsPage(c, "fields", heading)
	if err != nil {
		return fieldView{}, err
	}
	sp.seen(c, f.ID, f)
	view := fieldView{settingsPage: sp, Field: f, Choices: choices}
	for _, owner := range []helpdesk.FieldOwner{helpdesk.FieldOfTicket, helpdesk.FieldOfContact} {
		view.Owners = append(view.Owners, option{string(owner), v.T("field.owner." + string(owner)), owner == f.Owner})
	}
	for _, kind := range helpdesk.FieldKinds {
		view.Kinds = append(view.Kinds, option{string(kind), v.T("field.kind." + string(kind)), kind == f.Kind})
	}
	return view, nil
}

func (s *Server) saveField(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	f, err := s.fieldByID(c)
	if err != nil {
		return err
	}
	typed := c.FormValue("choices")
	if c.FormValue("action") == "delete" {
		err = s.desk.DeleteField(ctx, v.actor(), f.ID)
	} else {
		f.Name, f.Hint, f.Required = c.FormValue("name"), c.FormValue("hint"), c.FormValue("required") != ""
		if f.ID == "" {
			f.Owner, f.Kind = helpdesk.FieldOwner(c.FormValue("owner")), helpdesk.FieldKind(c.FormValue("kind"))
		}
		f.Choices = nil
		for line := range strings.Lines(typed) {
			f.Choices = append(f.Choices, helpdesk.FieldOption{Name: line})
		}
		_, err = s.desk.SaveField(ctx, v.having(c), f)
	}
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/fields?saved=1")
	}
	view, failed := s.newFieldView(c, f, typed)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-field", view)
}
