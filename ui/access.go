package ui

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/labstack/echo/v4"
	"github.com/mileusna/useragent"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func (s *Server) accessRoutes(g *echo.Group) {
	g.GET("/login", s.loginPage)
	g.POST("/login", s.login)
	s.stepRoutes(g)
	s.signOnRoutes(g)
	g.POST("/logout", s.logout)
	g.POST("/language", s.chooseLanguage)
	g.GET("/setup", s.setupPage)
	g.POST("/setup", s.setup)
	g.GET("/setup/done", s.setupDone, s.requireUser)
}

const (
	sessionLifetime  = 30 * 24 * time.Hour // of the cookie; the desk ends sessions by its own clock
	languageLifetime = 365 * 24 * time.Hour
	deviceLifetime   = 365 * 24 * time.Hour // of the cookie that tells a browser from new ones
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
	// Ended says that the reader was logged in before.
	Ended bool
	// Again says that the reader is logged in, but has to prove who they are once more.
	Again   bool
	Passkey passkeyAsk
	SignOn  signOnView
}

func (s *Server) loginPage(c echo.Context) error {
	v := visitOf(c)
	if again := c.QueryParam("again") != ""; v.User != nil && !again {
		return c.Redirect(http.StatusSeeOther, localPath(c.QueryParam("next"), "/"))
	}
	unready, err := s.desk.NeedsSetup(c.Request().Context())
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "login", s.newLoginView(c, loginView{Next: c.QueryParam("next"), Unready: unready,
		Ended: v.User == nil && cookieValue(c, s.sessionCookie()) != ""}))
}

func (s *Server) newLoginView(c echo.Context, l loginView) loginView {
	v := visitOf(c)
	l.page = page{visit: v, Title: v.T("login.title")}
	l.Passkey = passkeyAsk{Site: s.site(c).ID, Begin: "/login/passkey/begin"}
	l.SignOn = s.newSignOnView(l.Next, v.User != nil, c.QueryParam("out") != "")
	if l.Again = v.User != nil; l.Again {
		l.Email = v.User.Email
	}
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
	entry, err := s.desk.Login(c.Request().Context(), s.visitor(c), email, c.FormValue("password"))
	if err != nil {
		said, ok := refusal(visitOf(c).Printer, err)
		if !ok {
			return err
		}
		view := s.newLoginView(c, loginView{Email: email, Next: c.FormValue("next"), Error: said})
		return s.render(c, refusedWith(c, err), "login", view)
	}
	return s.proceed(c, entry, c.FormValue("next"))
}

// letIn gives the browser what a login leads to.
func (s *Server) letIn(c echo.Context, entry *helpdesk.Entry) {
	s.setCookie(c, s.sessionCookie(), entry.Session, sessionLifetime)
	s.setCookie(c, s.hostCookie("device"), entry.Device, deviceLifetime)
}

// visitor is from where somebody comes to log in.
func (s *Server) visitor(c echo.Context) helpdesk.Visitor {
	return helpdesk.Visitor{IP: s.remoteIP(c), Browser: browserName(c.Request().UserAgent()),
		Device: cookieValue(c, s.hostCookie("device")), Session: cookieValue(c, s.sessionCookie())}
}

// maxUserAgent bounds what is read of a browser's own description, in bytes, and
// maxBrowserWord one of the two words that are kept of it.
const (
	maxUserAgent   = 1000
	maxBrowserWord = 30
)

// browserName says a browser and its system in two words, "" where it says neither.
func browserName(agent string) string {
	parsed := useragent.Parse(agent[:min(len(agent), maxUserAgent)])
	var words []string
	for _, word := range []string{parsed.Name, parsed.OS} {
		if word != "" && len(word) <= maxBrowserWord && !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

// remoteIP is the peer's address. A forwarding header is believed only from a
// proxy on this very host: anybody else could write what they like.
func (s *Server) remoteIP(c echo.Context) string {
	peer, err := netip.ParseAddrPort(c.Request().RemoteAddr)
	if err != nil {
		return c.Request().RemoteAddr
	}
	if forwarded := c.Request().Header.Values("X-Forwarded-For"); len(forwarded) > 0 && peer.Addr().IsLoopback() {
		list := strings.Split(forwarded[len(forwarded)-1], ",") // some proxies add a field of their own after that of the client
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
	if opened := visitOf(c).opened; opened != nil && opened.By == helpdesk.LoginSignOn {
		if token, ok := s.signOnTokens.Peek(visitOf(c).session); ok {
			s.signOnTokens.Remove(visitOf(c).session)
			s.setCookie(c, s.signOutCookie(), token, stepCookieLifetime)
		}
		return c.Redirect(http.StatusSeeOther, "/login?out=1") // which leads out of the provider too
	}
	return c.Redirect(http.StatusSeeOther, "/login")
}

func (s *Server) chooseLanguage(c echo.Context) error {
	if l, ok := locale.Parse(c.FormValue("language")); ok {
		s.setCookie(c, "language", string(l), languageLifetime)
	}
	return c.Redirect(http.StatusSeeOther, localPath(c.FormValue("next"), "/login"))
}
