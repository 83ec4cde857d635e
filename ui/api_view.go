package ui

import (
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiView is a saved view: a list with a name.
type apiView struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Owner     *string    `json:"owner"` // a user's address
	Shared    bool       `json:"shared"`
	Team      *string    `json:"team"` // whose members have it, by name
	View      string     `json:"view"`
	Query     string     `json:"q"`
	Sort      string     `json:"sort"`
	Filter    apiFilter  `json:"filter"`
	Count     *int       `json:"count"` // null for a search, which is not counted
	CreatedAt *time.Time `json:"created_at"`
}

// apiViewCount is one of the views that everybody has.
type apiViewCount struct {
	View  string `json:"view"`
	Count *int   `json:"count"` // null where it only ever grows
}

type viewInput struct {
	Name   string    `json:"name"`
	Shared bool      `json:"shared"`
	Team   string    `json:"team"`
	View   string    `json:"view"`
	Query  string    `json:"q"`
	Sort   string    `json:"sort"`
	Filter apiFilter `json:"filter"`
}

func (d directory) view(v helpdesk.SavedView, counts helpdesk.Counts) apiView {
	view := apiView{ID: v.ID, Name: v.Name, Owner: d.users.email(v.OwnerID), Shared: v.Shared, View: string(v.View), Query: v.Text, Sort: string(v.Sort),
		Filter: d.write(v.Filter), CreatedAt: timeOrNull(v.CreatedAt)}
	if names := d.teamNames([]string{v.TeamID}); len(names) > 0 {
		view.Team = &names[0]
	}
	if n, ok := counts.Saved[v.ID]; ok && v.Text == "" {
		view.Count = &n
	}
	return view
}

// apiViews lists the views that the token's user has, with how many tickets
// each holds.
func (s *Server) apiViews(c echo.Context, a helpdesk.Actor) error {
	ctx := c.Request().Context()
	counts, err := s.desk.Counts(ctx, a)
	if err != nil {
		return err
	}
	saved, err := s.desk.SavedViews(ctx, a)
	if err != nil {
		return err
	}
	d, err := s.directory(ctx, a)
	if err != nil {
		return err
	}
	answer := struct {
		Views  []apiViewCount `json:"views"`
		Saved  []apiView      `json:"saved"`
		Capped int            `json:"capped"`
	}{[]apiViewCount{}, []apiView{}, counts.Capped}
	for _, v := range helpdesk.Views {
		each := apiViewCount{View: string(v)}
		if n, ok := counts.Views[v]; ok {
			each.Count = &n
		}
		answer.Views = append(answer.Views, each)
	}
	for _, v := range saved {
		answer.Saved = append(answer.Saved, d.view(v, counts))
	}
	return c.JSON(http.StatusOK, answer)
}

func (s *Server) apiSaveView(c echo.Context, a helpdesk.Actor) error {
	var input viewInput
	if err := readBody(c, maxAPIBody, &input); err != nil {
		return err
	}
	ctx := c.Request().Context()
	d, err := s.directory(ctx, a)
	if err != nil {
		return err
	}
	v := helpdesk.SavedView{Name: input.Name, Shared: input.Shared, View: helpdesk.View(input.View), Text: input.Query, Sort: helpdesk.Sort(input.Sort)}
	if v.Filter, err = d.read(input.Filter); err != nil {
		return err
	}
	if input.Team != "" {
		ids := d.team(input.Team)
		if len(ids) == 0 || input.Team == helpdesk.AssigneeMe {
			return invalid("team", "", fmt.Sprintf("there is no team %q", input.Team))
		}
		v.TeamID = ids[0]
	}
	saved, err := s.desk.SaveView(ctx, a, v)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]apiView{"view": d.view(*saved, helpdesk.Counts{})})
}

// apiDeleteView answers with the view as it was.
func (s *Server) apiDeleteView(c echo.Context, a helpdesk.Actor) error {
	ctx, id := c.Request().Context(), c.Param("id")
	v, err := s.desk.SavedView(ctx, a, id)
	if err != nil {
		return err
	}
	if err := s.desk.DeleteView(ctx, a, id); err != nil {
		return err
	}
	d, err := s.directory(ctx, a)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]apiView{"view": d.view(*v, helpdesk.Counts{})})
}
