package ui

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) viewRoutes(g *echo.Group) {
	g.GET("/views/:id", s.openView)
	g.POST("/views", s.saveList)
	g.POST("/only", s.chooseOnly)
	g.GET("/find/completions", s.completeSearch)
	g.GET("/inbox/:view/count", s.countFragment)
	g.GET("/settings/views", s.viewsPage)
	g.POST("/settings/views", s.changeViews)
}

// placeOfView is the list that a saved view stands for.
func placeOfView(saved helpdesk.SavedView) place {
	p := place{query: listQuery{saved.Query()}, saved: saved.ID}
	if p.query.View == "" {
		p.query.View = helpdesk.ViewOpen
	}
	if p.query.Sort == helpdesk.SortNewest {
		p.query.Sort = ""
	}
	return p
}

// openView leads to the list of a saved view: an address that stays.
func (s *Server) openView(c echo.Context) error {
	saved, err := s.desk.SavedView(c.Request().Context(), visitOf(c).actor(), c.Param("id"))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, placeOfView(*saved).address(0))
}

// home is where the inbox begins for the reader.
func (s *Server) home(c echo.Context) error {
	v := visitOf(c)
	preference, err := s.desk.Preference(c.Request().Context(), v.actor())
	if err != nil {
		return err
	}
	switch {
	case preference.Home == "":
		return c.Redirect(http.StatusSeeOther, "/inbox/open")
	case knownView(helpdesk.View(preference.Home)):
		return c.Redirect(http.StatusSeeOther, "/inbox/"+preference.Home)
	}
	saved, err := s.desk.SavedView(c.Request().Context(), v.actor(), preference.Home)
	if helpdesk.CodeOf(err) == helpdesk.CodeNotFound { // it was deleted since
		return c.Redirect(http.StatusSeeOther, "/inbox/open")
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, placeOfView(*saved).address(0))
}

// saveView says how the list of a place can be saved, nil where it has no
// filter, order or name.
func (s *Server) saveView(ctx context.Context, v *visit, p place) (*saveView, error) {
	view := &saveView{Path: p.address(0, "saved", ""), Share: v.actor().May(helpdesk.PermitViews)}
	if p.saved == "" && !p.refined() && p.query.Sort == "" {
		return nil, nil
	}
	var err error
	if view.For, err = s.audiences(ctx, v, &helpdesk.SavedView{}); err != nil || p.saved == "" {
		return view, err
	}
	saved, err := s.desk.SavedView(ctx, v.actor(), p.saved)
	if helpdesk.CodeOf(err) == helpdesk.CodeNotFound {
		return view, nil
	}
	if err != nil {
		return nil, err
	}
	view.ID, view.Name, view.Version = saved.ID, saved.Name, saved.Version()
	was := placeOfView(*saved)
	view.Changed = was.query.View != p.query.View || was.query.Text != p.query.Text || was.query.Sort != p.query.Sort || !was.query.Filter.Equal(p.query.Filter)
	view.Update = view.Changed && changesView(v, saved)
	return view, nil
}

// audiences are those whom the reader may let have a view: nobody else, a team,
// or everybody.
func (s *Server) audiences(ctx context.Context, v *visit, saved *helpdesk.SavedView) ([]option, error) {
	list := []option{{"", v.T("saved.private"), !saved.Shared && saved.TeamID == ""}}
	teams, err := s.desk.Teams(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	everybody := v.may(helpdesk.PermitViews)
	for _, t := range teams {
		if everybody || slices.Contains(t.Members, v.User.ID) || t.ID == saved.TeamID {
			list = append(list, option{"team:" + t.ID, v.T("saved.for_team", t.Name), t.ID == saved.TeamID})
		}
	}
	if everybody || saved.Shared {
		list = append(list, option{"all", v.T("saved.shared"), saved.Shared})
	}
	return list, nil
}

// shareWith takes over one of the audiences.
func shareWith(saved *helpdesk.SavedView, audience string) {
	saved.Shared = audience == "all"
	saved.TeamID, _ = strings.CutPrefix(audience, "team:")
	if saved.TeamID == audience {
		saved.TeamID = ""
	}
}

// saveList saves the list that a form brings along: as a new view, or in place
// of the one that it began as.
func (s *Server) saveList(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	p := placeOfPath(localPath(c.FormValue("path"), "/inbox/open"), 0)
	view := helpdesk.SavedView{Name: c.FormValue("name"), View: p.query.View, Filter: p.query.Filter,
		Text: p.query.Text, Sort: p.query.Sort}
	if id := c.FormValue("id"); id != "" {
		before, err := s.desk.SavedView(ctx, v.actor(), id)
		if err != nil {
			return err
		}
		view.ID, view.Name, view.Shared, view.TeamID = id, before.Name, before.Shared, before.TeamID
	} else {
		shareWith(&view, c.FormValue("for"))
	}
	saved, err := s.desk.SaveView(ctx, v.having(c), view)
	if versionNow(err) != "" { // there is no form to show again: it is a button
		return &helpdesk.Error{Code: helpdesk.CodeConflict, Key: "error.view_changed_meanwhile", Message: err.Error()}
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, placeOfView(*saved).address(0))
}

// onlyView is the switch of brands and aliases above the navigation; nil where
// there is nothing to choose.
type onlyView struct {
	Icon   string
	Label  string
	On     bool
	Brands []option
	// Aliases are those without a brand, and those of a brand that has several.
	Aliases []option
}

func newOnly(v *visit, aliases []helpdesk.Alias, only []string) *onlyView {
	brands := brandsOf(aliases)
	if len(aliases) < 2 {
		return nil
	}
	view := &onlyView{Icon: "shop", Label: v.T("only.all"), On: len(only) > 0}
	if len(brands) == 0 {
		view.Icon, view.Label = "tray", v.T("only.all_aliases")
	}
	for _, name := range brands {
		view.Brands = append(view.Brands, option{name, name, slices.Contains(only, name)})
	}
	for _, a := range aliases {
		siblings := 0
		for _, other := range aliases {
			if other.Brand == a.Brand {
				siblings++
			}
		}
		if a.Brand == "" || siblings > 1 || slices.Contains(only, a.Address) {
			view.Aliases = append(view.Aliases, option{a.Address, a.Address, slices.Contains(only, a.Address)})
		}
	}
	switch len(only) {
	case 0:
	case 1:
		view.Label = only[0]
	default:
		view.Label = v.T("only.several", only[0], len(only)-1)
	}
	return view
}

// chooseOnly narrows everything that the reader sees to brands and aliases.
func (s *Server) chooseOnly(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	only := form["only"]
	if err := s.desk.ChangePreference(c.Request().Context(), visitOf(c).actor(), helpdesk.PreferenceChange{Only: &only}); err != nil {
		return err
	}
	back := "/"
	if u, err := url.Parse(c.Request().Referer()); err == nil && strings.HasPrefix(u.Path, "/inbox/") {
		back = localPath(u.RequestURI(), back)
	}
	return c.Redirect(http.StatusSeeOther, back)
}

// changesView tells whether the reader may change a view that they have.
func changesView(v *visit, saved *helpdesk.SavedView) bool {
	return saved.OwnerID == v.User.ID && !saved.Shared || (saved.Shared || saved.TeamID != "") && v.may(helpdesk.PermitViews)
}
