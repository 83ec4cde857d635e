package ui

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) accessRoutes(g *echo.Group) {
	g.GET("/login", s.loginPage)
	g.POST("/login", s.login)
	g.POST("/logout", s.logout)
	g.POST("/language", s.chooseLanguage)
	g.GET("/setup", s.setupPage)
	g.POST("/setup", s.setup)
	g.GET("/setup/done", s.setupDone, s.requireUser)
}

const (
	sessionLifetime  = 30 * 24 * time.Hour // of the cookie; the desk ends sessions by its own clock
	languageLifetime = 365 * 24 * time.Hour
)

// loginView is the login page; Next is where to go afterwards.
type loginView struct {
	page
	Languages []option
	Path      string // of this page, for the language switch
	Email     string
	Next      string
	Error     formError
	// Unready says that nobody can log in yet: the house is not set up.
	Unready bool
}

func (s *Server) loginPage(c echo.Context) error {
	v := visitOf(c)
	if v.User != nil {
		return c.Redirect(http.StatusSeeOther, localPath(c.QueryParam("next"), "/"))
	}
	unready, err := s.desk.NeedsSetup(c.Request().Context())
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "login", s.newLoginView(c, loginView{Next: c.QueryParam("next"), Unready: unready}))
}

func (s *Server) newLoginView(c echo.Context, l loginView) loginView {
	v := visitOf(c)
	l.page = page{visit: v, Title: v.T("login.title")}
	l.Languages, l.Path = languageOptions(v.Printer), "/login?"+c.QueryParams().Encode()
	return l
}

// languageOptions lists the languages by their own names.
func languageOptions(p locale.Printer) (list []option) {
	names := map[locale.Language]string{locale.Japanese: "日本語", locale.English: "English"}
	for _, l := range locale.Languages() {
		list = append(list, option{string(l), names[l], p.Language == l})
	}
	return list
}

func (s *Server) login(c echo.Context) error {
	email := strings.TrimSpace(c.FormValue("email"))
	token, _, err := s.desk.Login(c.Request().Context(), email, c.FormValue("password"), s.remoteIP(c))
	if err != nil {
		said, ok := refusal(visitOf(c).Printer, err)
		if !ok {
			return err
		}
		view := s.newLoginView(c, loginView{Email: email, Next: c.FormValue("next"), Error: said})
		return s.render(c, statusOf(helpdesk.CodeOf(err)), "login", view)
	}
	s.setCookie(c, s.sessionCookie(), token, sessionLifetime)
	return c.Redirect(http.StatusSeeOther, localPath(c.FormValue("next"), "/"))
}

// remoteIP is the peer's address. A forwarding header is believed only from a
// proxy on this very host: anybody else could write what they like.
func (s *Server) remoteIP(c echo.Context) string {
	peer, err := netip.ParseAddrPort(c.Request().RemoteAddr)
	if err != nil {
		return c.Request().RemoteAddr
	}
	if forwarded := c.Request().Header.Get("X-Forwarded-For"); forwarded != "" && peer.Addr().IsLoopback() {
		list := strings.Split(forwarded, ",")
		if client, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
			return client.String()
		}
	}
	return peer.Addr().String()
}

func (s *Server) logout(c echo.Context) error {
	if v := visitOf(c); v.session != "" {
		if err := s.desk.Logout(c.Request().Context(), v.session); err != nil && helpdesk.CodeOf(err) != helpdesk.CodeUnauthorized {
			return err
		}
	}
	s.setCookie(c, s.sessionCookie(), "", 0)
	c.Response().Header().Set("Clear-Site-Data", `"cache"`)
	return c.Redirect(http.StatusSeeOther, "/login")
}

func (s *Server) chooseLanguage(c echo.Context) error {
	if l, ok := locale.Parse(c.FormValue("language")); ok {
		s.setCookie(c, "language", string(l), languageLifetime)
	}
	return c.Redirect(http.StatusSeeOther, localPath(c.FormValue("next"), "/login"))
}
