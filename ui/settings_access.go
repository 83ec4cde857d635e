package ui

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// ownAccessRoutes are about how people get in: their own way on a page of its
// own, that of others beside their name.
func (s *Server) ownAccessRoutes(g *echo.Group) {
	g.GET("/settings/access", s.accessPage)
	g.POST("/settings/password", s.savePassword)
	g.POST("/settings/access/sessions", s.endSession)
	g.POST("/settings/users/:id/sessions", s.endSession)
}

// accessView is how the reader gets in.
type accessView struct {
	settingsPage
	Email    string // for the browser's store of passwords
	Password bool   // the error is about the password's form
	Sessions sessionsView
	Factors  factorsView
	// Onward is where somebody goes on who has come in by one of the last recovery codes; else "".
	Onward string
}

// factorsView is what proves a user besides their password.
type factorsView struct {
	helpdesk.Access
	Since, CodesAt moment
	Begins         string // when a second factor is needed, "" for now
	Keys           []passkeyRow
	Ask            passkeyAsk
	Name           string // what a new passkey is called unless somebody says otherwise
	ResetURL       string // of another user
	ReleaseURL     string // of the account at the sign-on provider
	None           bool
}

type passkeyRow struct {
	ID, Name    string
	Began, Used moment
	Never       bool // it was not used yet
}

// freeName is a name for a new passkey that tells it from those there are: name itself, or with a number.
func (f *factorsView) freeName(name string) string {
	free := name
	for n := 2; slices.ContainsFunc(f.Keys, func(k passkeyRow) bool { return k.Name == free }); n++ {
		free = name + " " + strconv.Itoa(n)
	}
	return free
}

func (s *Server) newFactors(c echo.Context, userID string) (factorsView, error) {
	v := visitOf(c)
	access, err := s.desk.Access(c.Request().Context(), v.actor(), userID)
	view := factorsView{Access: access, Since: longMoment(v.Printer, access.AppSince), CodesAt: longMoment(v.Printer, access.CodesAt),
		None: !access.App && len(access.Passkeys) == 0}
	if !access.From.IsZero() {
		view.Begins = v.Date(access.From)
	}
	for _, k := range access.Passkeys {
		view.Keys = append(view.Keys, passkeyRow{k.ID, k.Name, longMoment(v.Printer, k.CreatedAt), longMoment(v.Printer, k.UsedAt), k.UsedAt.IsZero()})
	}
	return view, err
}

// sessionsView is where a user is logged in.
type sessionsView struct {
	URL  string // that its forms post to
	Own  bool
	List []sessionRow
	// Others is how many there are besides the reader's own.
	Others int
}

type sessionRow struct {
	ID          string
	Browser     string
	From        string
	By          string
	Began, Used moment
	Current     bool
}

func (s *Server) accessPage(c echo.Context) error {
	view, err := s.newAccessView(c)
	if err != nil {
		return err
	}
	if onward := c.QueryParam("recovered"); onward != "" && view.Factors.App {
		view.Onward = localPath(onward, "/")
	}
	return s.render(c, http.StatusOK, "settings-access", view)
}

func (s *Server) newAccessView(c echo.Context) (view accessView, err error) {
	v := visitOf(c)
	view.Email = v.User.Email
	if view.settingsPage, err = s.newSettingsPage(c, "access", ""); err != nil {
		return view, err
	}
	if view.Factors, err = s.newFactors(c, v.User.ID); err != nil {
		return view, err
	}
	view.Factors.Ask = passkeyAsk{Site: s.site(c).ID, Begin: "/settings/access/passkeys/begin"}
	view.Factors.Name = view.Factors.freeName(browserWords(v.Printer, browserName(c.Request().UserAgent())))
	view.Sessions, err = s.newSessions(c, v.User.ID)
	return view, err
}

func (s *Server) newSessions(c echo.Context, userID string) (sessionsView, error) {
	v := visitOf(c)
	view := sessionsView{URL: "/settings/users/" + userID + "/sessions"}
	if userID == v.User.ID {
		view.URL, view.Own = "/settings/access/sessions", true
	}
	list, err := s.desk.Sessions(c.Request().Context(), v.actor(), userID)
	for _, session := range list {
		row := sessionRow{ID: session.ID, Browser: browserWords(v.Printer, session.Browser), From: session.From,
			Began: longMoment(v.Printer, session.CreatedAt), Used: longMoment(v.Printer, session.UsedAt), Current: session.Current}
		if session.By != "" {
			row.By = v.T("access.by." + string(session.By))
		}
		view.List = append(view.List, row)
		if !session.Current {
			view.Others++
		}
	}
	return view, err
}

// browserWords says a browser as the desk keeps it.
func browserWords(p locale.Printer, browser string) string {
	name, system, ok := strings.Cut(browser, ", ")
	switch {
	case browser == "":
		return p.T("access.browser_unknown")
	case !ok:
		return browser
	}
	return p.T("access.browser", name, system)
}

// endSession logs a user out of one browser, or of all but the reader's own.
func (s *Server) endSession(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	userID, back := v.User.ID, "/settings/access"
	if id := c.Param("id"); id != "" {
		userID, back = id, "/settings/users/"+id
	}
	var err error
	if id := c.FormValue("session"); id != "" {
		err = s.desk.EndSession(ctx, v.actor(), userID, id)
		if helpdesk.CodeOf(err) == helpdesk.CodeNotFound { // it ended meanwhile, which is what was wanted
			err = nil
		}
	} else {
		_, err = s.desk.EndSessions(ctx, v.actor(), userID)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, back+"?saved=1")
}

// savePassword changes one's own password, which logs out every other browser.
func (s *Server) savePassword(c echo.Context) error {
	v := visitOf(c)
	current, password := c.FormValue("current_password"), c.FormValue("password")
	_, err := s.desk.ChangeUser(c.Request().Context(), v.actor(), v.User.ID, helpdesk.UserChange{Password: &password, CurrentPassword: &current})
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/access?saved=1")
	}
	view, failed := s.newAccessView(c)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	view.Password = true
	return s.render(c, status, "settings-access", view)
}
