package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) tokenRoutes(g *echo.Group) {
	g.GET("/settings/tokens", s.tokensPage)
	g.POST("/settings/tokens", s.issueToken)
	g.POST("/settings/tokens/:id/revoke", s.revokeToken)
}

// tokensView lists the API tokens that the reader may see, and makes new ones.
type tokensView struct {
	settingsPage
	Tokens []tokenRow
	Secret string // shown once: it was just made
	Query  string // what names, owners and ids are narrowed to
	Finds  bool   // there are enough to search among
	Next   string // address of the page after this one, or ""
	// The form as it was filled in.
	Name   string
	Scopes []option
	Ends   []option
	People []option // nil for those who make only their own
}

type tokenRow struct {
	ID, Name, Owner string
	Scope           string
	Badge           *badge // nil while it is good for long
	Created, Used   moment
	UsedFrom, Ends  string
}

// tokenLives are the lives of tokens that are offered, in days; 0 is for ever.
var tokenLives = []struct {
	value string
	days  int
}{{"30", 30}, {"90", 90}, {"365", 365}, {"never", 0}}

func (s *Server) tokensPage(c echo.Context) error {
	view, err := s.newTokensView(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-tokens", view)
}

func (s *Server) newTokensView(c echo.Context) (view tokensView, err error) {
	ctx, v := c.Request().Context(), visitOf(c)
	list, err := s.desk.Tokens(ctx, v.actor())
	if err != nil {
		return view, err
	}
	if view.settingsPage, err = s.newSettingsPage(c, "tokens", ""); err != nil {
		return view, err
	}
	people, users, err := s.people(ctx, v)
	if err != nil {
		return view, err
	}
	all := v.may(helpdesk.PermitTokens)
	view.Query = strings.TrimSpace(c.QueryParam("q"))
	view.Finds = view.Query != "" || len(list) > recordsShown
	slices.Reverse(list) // the newest first
	list = slices.DeleteFunc(list, func(t helpdesk.APIToken) bool {
		owner := people[t.UserID]
		return !hasWords(strings.Join([]string{t.Name, t.ID(), owner.Name, owner.Email}, "\n"), view.Query)
	})
	list, view.Next = pageOf(list, "/settings/tokens", c.QueryParams())
	for i := range list {
		owner := people[list[i].UserID]
		row := newTokenRow(v.Printer, &list[i], v.Now)
		if owner.Disabled {
			row.Badge = &badge{"bad", v.T("token.owner_disabled")}
		}
		if all {
			row.Owner = owner.Name
		}
		view.Tokens = append(view.Tokens, row)
	}
	view.Name = c.FormValue("name")
	for _, scope := range []helpdesk.Scope{helpdesk.ScopeRead, helpdesk.ScopeWrite, helpdesk.ScopeAdmin, helpdesk.ScopeInbound} {
		if scope == helpdesk.ScopeInbound && !v.may(helpdesk.PermitInbound) {
			continue
		}
		view.Scopes = append(view.Scopes, option{string(scope), v.T("token.scope." + string(scope)), c.FormValue("scope") == string(scope)})
	}
	for _, life := range tokenLives {
		chosen := c.FormValue("ends") == life.value || c.FormValue("ends") == "" && life.value == "90"
		view.Ends = append(view.Ends, option{life.value, v.T("token.ends." + life.value), chosen})
	}
	if all {
		for _, u := range users {
			if !u.Disabled {
				view.People = append(view.People, option{u.ID, u.Name, u.ID == v.User.ID})
			}
		}
	}
	return view, nil
}

func newTokenRow(p locale.Printer, t *helpdesk.APIToken, now time.Time) tokenRow {
	row := tokenRow{ID: t.ID(), Name: t.Label(), Scope: p.T("token.scope_short." + string(t.Scope)), Created: longMoment(p, t.CreatedAt), UsedFrom: t.UsedFrom}
	if !t.UsedAt.IsZero() {
		row.Used = longMoment(p, t.UsedAt)
	}
	if !t.Ends.IsZero() {
		row.Ends = p.Long(t.Ends)
	}
	switch {
	case t.Ended(now):
		row.Badge = &badge{"bad", p.T("token.ended")}
	case t.Ending(now):
		row.Badge = &badge{"warn", p.T("token.ending")}
	}
	return row
}

// issueToken makes a token and shows it, this once: no address leads to it again.
func (s *Server) issueToken(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	wanted := helpdesk.NewToken{UserID: c.FormValue("user"), Name: c.FormValue("name"), Scope: helpdesk.Scope(c.FormValue("scope"))}
	if wanted.UserID == "" {
		wanted.UserID = v.User.ID
	}
	for _, life := range tokenLives {
		if life.value == c.FormValue("ends") && life.days > 0 {
			wanted.Ends = v.Now.AddDate(0, 0, life.days)
		}
	}
	token, refused := s.desk.IssueToken(ctx, v.actor(), wanted)
	typed := url.Values{"name": {wanted.Name}, "scope": {string(wanted.Scope)}, "ends": {c.FormValue("ends")}}
	if again, err := proveAgain(c, refused, "/settings/tokens?"+typed.Encode()); again {
		return err
	}
	view, err := s.newTokensView(c)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if refused != nil {
		if status, err = view.refuseForm(refused); err != nil {
			return err
		}
	} else {
		view.Secret, view.Name = token, ""
	}
	return s.render(c, status, "settings-tokens", view)
}

func (s *Server) revokeToken(c echo.Context) error {
	if _, err := s.desk.RevokeToken(c.Request().Context(), visitOf(c).actor(), c.Param("id")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/tokens?saved=1")
}
