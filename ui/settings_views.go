package ui

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// viewsView is where saved views are put in order, renamed and deleted, and
// where the inbox's beginning is chosen.
type viewsView struct {
	settingsPage
	Homes []option
	After []option
	Views []savedViewRow
}

type savedViewRow struct {
	ID, Name, URL string
	Shared        bool
	Owner         string   // who made it, where that is not the reader
	Changes       bool     // the reader may change it
	For           []option // who else may have it
	Team          string   // that has it, "" for none
	First, Last   bool
	Version       string // as of settingsPage
}

func (s *Server) viewsPage(c echo.Context) error { return s.showViews(c, nil) }

func (s *Server) showViews(c echo.Context, problem error) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "views", "")
	if err != nil {
		return err
	}
	sp.Locked = "" // everybody has views of their own
	view, status := viewsView{settingsPage: sp}, http.StatusOK
	if problem != nil {
		if status, err = view.refuseForm(problem); err != nil {
			return err
		}
	}
	list, err := s.desk.SavedViews(ctx, v.actor())
	if err != nil {
		return err
	}
	preference, err := s.desk.Preference(ctx, v.actor())
	if err != nil {
		return err
	}
	people, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	for _, known := range views {
		value := string(known.view)
		view.Homes = append(view.Homes, option{value, v.T("view." + value), value == preference.Home || preference.Home == "" && known.view == helpdesk.ViewOpen})
	}
	for _, after := range helpdesk.AfterCloses {
		view.After = append(view.After, option{string(after), v.T("after_close." + cmp.Or(string(after), "stay")), after == preference.AfterClose})
	}
	for i, saved := range list {
		row := savedViewRow{ID: saved.ID, Name: saved.Name, URL: placeOfView(saved).address(0), Shared: saved.Shared,
			Changes: changesView(v, &saved), First: i == 0, Last: i == len(list)-1, Version: saved.Version()}
		if row.For, err = s.audiences(ctx, v, &saved); err != nil {
			return err
		}
		for _, audience := range row.For {
			if audience.Selected && saved.TeamID != "" {
				row.Team = audience.Label
			}
		}
		if saved.OwnerID != v.User.ID {
			row.Owner = people[saved.OwnerID].Name
		}
		if c.FormValue("action") == "save:"+saved.ID { // it was refused
			row.typed(c, view.Version)
		}
		view.Views = append(view.Views, row)
		view.Homes = append(view.Homes, option{saved.ID, saved.Name, saved.ID == preference.Home})
	}
	return s.render(c, status, "settings-views", view)
}

// typed fills in what a row that was refused had in it.
func (row *savedViewRow) typed(c echo.Context, version string) {
	row.Name, row.Version = c.FormValue("name"), cmp.Or(version, row.Version)
	for i, audience := range row.For {
		row.For[i].Selected = audience.Value == c.FormValue("for")
	}
}

// changeViews does what the pressed button says: "up:ID", "down:ID", "save:ID",
// "delete:ID", "home", or "order" with all ids.
func (s *Server) changeViews(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	action, id, _ := strings.Cut(c.FormValue("action"), ":")
	var err error
	switch action {
	case "home":
		home, after := c.FormValue("home"), helpdesk.AfterClose(c.FormValue("after"))
		err = s.desk.ChangePreference(ctx, v.actor(), helpdesk.PreferenceChange{Home: &home, AfterClose: &after})
	case "delete":
		err = s.desk.DeleteView(ctx, v.actor(), id)
	case "save":
		err = s.renameView(c, id)
	default:
		err = s.orderViews(c, action, id)
	}
	if err != nil {
		return s.showViews(c, err)
	}
	return c.Redirect(http.StatusSeeOther, "/settings/views?saved=1")
}

func (s *Server) renameView(c echo.Context, id string) error {
	ctx, v := c.Request().Context(), visitOf(c)
	saved, err := s.desk.SavedView(ctx, v.actor(), id)
	if err != nil {
		return err
	}
	saved.Name = c.FormValue("name")
	shareWith(saved, c.FormValue("for"))
	_, err = s.desk.SaveView(ctx, v.having(c), *saved)
	return err
}

// orderViews moves one view by a place, or takes over the whole order.
func (s *Server) orderViews(c echo.Context, action, id string) error {
	ctx, v := c.Request().Context(), visitOf(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	order := form["order"]
	if action != "order" {
		list, err := s.desk.SavedViews(ctx, v.actor())
		if err != nil {
			return err
		}
		order = nil
		for _, saved := range list {
			order = append(order, saved.ID)
		}
		at := slices.Index(order, id)
		to := at + map[string]int{"up": -1, "down": 1}[action]
		if at < 0 || to < 0 || to >= len(order) {
			return nil
		}
		order[at], order[to] = order[to], order[at]
	}
	return s.desk.ChangePreference(ctx, v.actor(), helpdesk.PreferenceChange{Order: &order})
}
