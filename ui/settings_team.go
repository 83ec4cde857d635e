package ui

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) teamRoutes(g *echo.Group) {
	g.GET("/settings/teams", s.teamsPage)
	g.GET("/settings/teams/:id", recordForm(s, "settings-team", s.teamByID, s.newTeamView))
	g.POST("/settings/teams/:id", s.saveTeam)
}

type teamsView struct {
	settingsPage
	Teams []teamRow
}

type teamRow struct {
	helpdesk.Team
	URL, LeadName string
	Avatars       []avatar
	More          int // members whose avatars there is no room for
}

// maxAvatars is how many members of a team the list shows.
const maxAvatars = 6

func (s *Server) teamsPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "teams", "")
	if err != nil {
		return err
	}
	people, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	teams, err := s.desk.Teams(ctx, v.actor())
	if err != nil {
		return err
	}
	view := teamsView{settingsPage: sp}
	for _, t := range teams {
		row := teamRow{Team: t, URL: "/settings/teams/" + t.ID, LeadName: people[t.Lead].Name}
		for _, id := range t.Members {
			if len(row.Avatars) == maxAvatars {
				row.More = len(t.Members) - maxAvatars
				break
			}
			row.Avatars = append(row.Avatars, newAvatar(id, people[id].Name))
		}
		view.Teams = append(view.Teams, row)
	}
	return s.render(c, http.StatusOK, "settings-teams", view)
}

type teamView struct {
	settingsPage
	Team   helpdesk.Team
	People []teamMember
}

type teamMember struct {
	ID, Name, Email string
	Avatar          avatar
	In, Leads       bool
}

func (s *Server) teamByID(c echo.Context) (helpdesk.Team, error) {
	id := c.Param("id")
	if id == newRecord {
		return helpdesk.Team{}, nil
	}
	teams, err := s.desk.Teams(c.Request().Context(), visitOf(c).actor())
	if err != nil {
		return helpdesk.Team{}, err
	}
	i := slices.IndexFunc(teams, func(t helpdesk.Team) bool { return t.ID == id })
	if i < 0 {
		return helpdesk.Team{}, echo.ErrNotFound
	}
	return teams[i], nil
}

func (s *Server) newTeamView(c echo.Context, t helpdesk.Team) (teamView, error) {
	v := visitOf(c)
	heading := t.Name
	if t.ID == "" {
		heading = v.T("team.new")
	}
	sp, err := s.newSettingsPage(c, "teams", heading)
	if err != nil {
		return teamView{}, err
	}
	_, users, err := s.people(c.Request().Context(), v)
	if err != nil {
		return teamView{}, err
	}
	sp.seen(c, t.ID, t)
	view := teamView{settingsPage: sp, Team: t}
	for _, u := range users {
		in := slices.Contains(t.Members, u.ID)
		if in || !u.Disabled {
			view.People = append(view.People, teamMember{u.ID, u.Name, u.Email, newAvatar(u.ID, u.Name), in, u.ID == t.Lead})
		}
	}
	return view, nil
}

func (s *Server) saveTeam(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	team, form, err := submitted(c, s.teamByID)
	if err != nil {
		return err
	}
	if form.Get("action") == "delete" {
		err = s.desk.DeleteTeam(ctx, v.actor(), team.ID)
	} else {
		team.Name, team.Members, team.Lead = form.Get("name"), form["member"], form.Get("lead")
		_, err = s.desk.SaveTeam(ctx, v.having(c), team)
	}
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/teams?saved=1")
	}
	view, failed := s.newTeamView(c, team)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-team", view)
}

// teamOptions are the teams that something can be given to.
func (s *Server) teamOptions(ctx context.Context, v *visit, chosen string) ([]option, error) {
	teams, err := s.desk.Teams(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	var options []option
	for _, t := range teams {
		options = append(options, option{t.ID, t.Name, t.ID == chosen})
	}
	return options, nil
}
