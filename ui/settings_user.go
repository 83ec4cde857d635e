package ui

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

type usersView struct {
	settingsPage
	Users []userRow
	// Lists are everybody and those without a second factor; none where the reader
	// may not know.
	Lists []navItem
	Query string // what names and addresses are narrowed to
	// Missing: they are those without a second factor alone.
	Missing bool
	Finds   bool   // there are enough to search among
	Next    string // address of the page after this one, or ""
}

type userRow struct {
	helpdesk.User
	URL      string
	Avatar   avatar
	RoleName string
	Factor   *badge // by what they prove who they are
}

// withoutFactor is the list of those who log in by a password alone.
const withoutFactor = "missing"

func (s *Server) usersPage(c echo.Context) error {
	v := visitOf(c)
	sp, err := s.newSettingsPage(c, "users", "")
	if err != nil {
		return err
	}
	_, users, err := s.people(c.Request().Context(), v)
	if err != nil {
		return err
	}
	view, factors := usersView{settingsPage: sp, Query: strings.TrimSpace(c.QueryParam("q"))}, map[string]helpdesk.FactorSummary{}
	view.Finds = view.Query != "" || len(users) > recordsShown
	if v.may(helpdesk.PermitUsers) {
		if factors, err = s.desk.SecondFactors(c.Request().Context(), v.actor()); err != nil {
			return err
		}
	}
	lacking, missing := 0, c.QueryParam("factor") == withoutFactor
	view.Missing = missing
	for _, u := range users {
		row := userRow{User: u, URL: "/settings/users/" + u.ID, Avatar: newAvatar(u.ID, u.Name), RoleName: v.roleName(&u)}
		f, known := factors[u.ID]
		lacks := !u.Disabled && f.Lacking()
		if lacks {
			lacking++
		}
		if known && !u.Disabled {
			row.Factor = v.factorBadge(f)
		}
		if (!missing || lacks) && hasWords(u.Name+"\n"+u.Email, view.Query) {
			view.Users = append(view.Users, row)
		}
	}
	view.Users, view.Next = pageOf(view.Users, "/settings/users", c.QueryParams())
	if len(factors) > 0 {
		view.Lists = []navItem{{URL: "/settings/users", Label: v.T("access.list.all"), Current: !missing, Count: strconv.Itoa(len(users))},
			{URL: "/settings/users?factor=" + withoutFactor, Label: v.T("access.list.missing"), Current: missing, Count: strconv.Itoa(lacking)}}
	}
	return s.render(c, http.StatusOK, "settings-users", view)
}

// hasWords tells whether a text has each word of a query, as the search compares them.
func hasWords(text, query string) bool {
	text = search.Fold(text)
	return !slices.ContainsFunc(strings.Fields(search.Fold(query)), func(word string) bool { return !strings.Contains(text, word) })
}

// factorBadge says in a word by what somebody proves who they are.
func (v *visit) factorBadge(f helpdesk.FactorSummary) *badge {
	switch {
	case f.App:
		return &badge{"good", v.T("access.list.app")}
	case f.Passkeys > 0:
		return &badge{"good", v.T("access.list.passkey")}
	case f.Lacking() && f.SignOn:
		return &badge{"warn", v.T("access.list.sign_on_and_password")}
	case f.Lacking():
		return &badge{"warn", v.T("access.list.password")}
	}
	return &badge{"plain", v.T("access.list.sign_on")}
}

type userView struct {
	settingsPage
	Person    helpdesk.User
	Roles     []option
	Languages []option
	Self      bool
	Calendars []option // their own working hours
	Sessions  sessionsView
	Factors   factorsView
}

func (s *Server) userByID(c echo.Context) (helpdesk.User, error) {
	id := c.Param("id")
	if id == newRecord {
		// The address may say what was typed before the reader had to log in again.
		return helpdesk.User{Name: c.QueryParam("name"), Email: c.QueryParam("email"), Role: cmp.Or(helpdesk.Role(c.QueryParam("role")), helpdesk.RoleAgent),
			Locale: cmp.Or(c.QueryParam("locale"), string(visitOf(c).Language))}, nil
	}
	people, _, err := s.people(c.Request().Context(), visitOf(c))
	if err != nil {
		return helpdesk.User{}, err
	}
	user, ok := people[id]
	if !ok {
		return user, echo.ErrNotFound
	}
	return user, nil
}

func (s *Server) newUserView(c echo.Context, u helpdesk.User) (userView, error) {
	v := visitOf(c)
	heading := u.Name
	if u.ID == "" {
		heading = v.T("settings.user.new")
	}
	sp, err := s.newSettingsPage(c, "users", heading)
	if err != nil {
		return userView{}, err
	}
	sp.seen(c, u.ID, u)
	view := userView{settingsPage: sp, Person: u, Self: u.ID == v.User.ID, Languages: localeOptions(v, u.Locale, v.T("settings.profile.browser_language"))}
	if view.Calendars, err = s.calendarOptions(c.Request().Context(), v, u.CalendarID, v.T("hours.of_house")); err != nil {
		return view, err
	}
	if u.Disabled {
		view.Badge = &badge{"plain", v.T("settings.user.disabled")}
	}
	if u.ID != "" && !view.Self && v.may(helpdesk.PermitUsers) {
		if view.Sessions, err = s.newSessions(c, u.ID); err != nil {
			return view, err
		}
		if view.Factors, err = s.newFactors(c, u.ID); err != nil {
			return view, err
		}
		view.Factors.ResetURL, view.Factors.ReleaseURL = "/settings/users/"+u.ID+"/reset-access", "/settings/users/"+u.ID+"/release-identity"
	}
	roles, err := s.desk.Roles(c.Request().Context(), v.actor())
	for _, role := range roles {
		// What the reader may not do themselves they cannot give, save leave as it is.
		if role.Set.Within(v.actor().Permissions()) || role.ID == u.Role {
			view.Roles = append(view.Roles, option{string(role.ID), v.roleOf(role), role.ID == u.Role})
		}
	}
	return view, err
}

func (s *Server) saveUser(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	user, err := s.userByID(c)
	if err != nil {
		return err
	}
	user.Email, user.Name = strings.TrimSpace(c.FormValue("email")), strings.TrimSpace(c.FormValue("name"))
	user.Role, user.Locale = helpdesk.Role(c.FormValue("role")), c.FormValue("locale")
	user.Disabled = user.ID != "" && c.FormValue("enabled") == ""
	password := c.FormValue("password")
	if user.ID == "" {
		_, err = s.desk.CreateUser(ctx, v.actor(), helpdesk.NewUser{Email: user.Email, Name: user.Name, Password: password, Role: user.Role, Locale: user.Locale})
	} else {
		change := helpdesk.UserChange{Name: &user.Name, Email: &user.Email, Locale: &user.Locale, Role: &user.Role, Disabled: &user.Disabled}
		user.CalendarID = c.FormValue("calendar")
		change.CalendarID = &user.CalendarID
		if password != "" && user.ID != v.User.ID {
			change.Password = &password
		}
		_, err = s.desk.ChangeUser(ctx, v.having(c), user.ID, change)
	}
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/users?saved=1")
	}
	typed := url.Values{"name": {user.Name}, "email": {user.Email}, "role": {string(user.Role)}, "locale": {user.Locale}}
	if again, err := proveAgain(c, err, "/settings/users/"+c.Param("id")+"?"+typed.Encode()); again {
		return err
	}
	view, failed := s.newUserView(c, user)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-user", view)
}

// profileView is one's own page.
type profileView struct {
	settingsPage
	Person    helpdesk.User
	Languages []option
	Absence   awayView
}

func (s *Server) profilePage(c echo.Context) error {
	view, err := s.newProfileView(c, *visitOf(c).User)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-profile", view)
}

func (s *Server) newProfileView(c echo.Context, u helpdesk.User) (profileView, error) {
	v := visitOf(c)
	sp, err := s.newSettingsPage(c, "profile", "")
	if err != nil {
		return profileView{}, err
	}
	sp.Version = cmp.Or(sp.Version, u.ProfileVersion()) // the page is also that of one's absence
	_, users, err := s.people(c.Request().Context(), v)
	return profileView{settingsPage: sp, Person: u, Languages: localeOptions(v, u.Locale, v.T("settings.profile.browser_language")), Absence: v.newAway(&u, users)}, err
}

func (s *Server) saveProfile(c echo.Context) error {
	u := *visitOf(c).User
	u.Name, u.Locale = strings.TrimSpace(c.FormValue("name")), c.FormValue("locale")
	u.Signature = c.FormValue("signature")
	u.ForwardReplies, u.ForwardTo = c.FormValue("forward_replies") != "", strings.TrimSpace(c.FormValue("forward_to"))
	_, err := s.desk.ChangeUser(c.Request().Context(), visitOf(c).having(c), u.ID,
		helpdesk.UserChange{Name: &u.Name, Locale: &u.Locale, Signature: &u.Signature, ForwardReplies: &u.ForwardReplies, ForwardTo: &u.ForwardTo})
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/profile?saved=1")
	}
	return s.refuseProfile(c, u, err)
}

func (s *Server) refuseProfile(c echo.Context, u helpdesk.User, cause error) error {
	view, err := s.newProfileView(c, u)
	if err != nil {
		return err
	}
	status, err := view.refuseForm(cause)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-profile", view)
}
