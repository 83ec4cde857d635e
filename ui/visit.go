package ui

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// firstMoment stands for a time where no time is said.
var firstMoment = time.Unix(0, 0).UTC()

// visit is who asks, and how to speak to them.
type visit struct {
	locale.Printer
	User    *helpdesk.User // nil before login
	Look    look
	session string            // the cookie's value
	opened  *helpdesk.Session // nil before login
	// remoteIP is the address of the reader's browser.
	remoteIP string
	headOnly bool // nothing that is shown is looked at
}

func (v *visit) actor() helpdesk.Actor { return v.User.Actor().At(v.remoteIP).In(v.opened) }

// may reports whether the reader has a permission: what they may never do is
// not offered. The desk checks it again.
// ReaderID is whose page it is, "" before login. What a browser keeps for one
// person is kept by it.
func (v *visit) ReaderID() string {
	if v.User == nil {
		return ""
	}
	return v.User.ID
}

func (v *visit) may(p helpdesk.Permission) bool { return v.User != nil && v.User.Actor().May(p) }

// roleName says the role of a user that the desk has read.
func (v *visit) roleName(u *helpdesk.User) string {
	if u.Role.BuiltIn() {
		return v.T("role." + string(u.Role))
	}
	return u.RoleName
}

// roleOf says a role.
func (v *visit) roleOf(role helpdesk.RoleView) string {
	if role.BuiltIn {
		return v.T("role." + string(role.ID))
	}
	return role.Name
}

const visitKey = "visit"

// visitOf returns the visit that identify found; for a request that never
// passed it, that of a stranger who reads Japanese.
func visitOf(c echo.Context) *visit {
	if v, ok := c.Get(visitKey).(*visit); ok {
		return v
	}
	return &visit{Printer: locale.Printer{Language: locale.Japanese}}
}

// identify finds out who asks: the user of the session, their language (their
// own, else the one chosen on the login page, else the browser's) and zone.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := &visit{session: cookieValue(c, s.sessionCookie()), remoteIP: s.remoteIP(c), headOnly: asksHead(c)}
		if v.session != "" {
			var err error
			v.User, v.opened, err = s.desk.UserBySession(c.Request().Context(), v.session)
			if err != nil && helpdesk.CodeOf(err) != helpdesk.CodeUnauthorized {
				return err
			}
		}
		if v.opened != nil {
			// A store that takes no updates must not keep anybody out.
			if err := s.desk.UsedSession(c.Request().Context(), v.opened, v.remoteIP); err != nil {
				s.log.Warn("the use of a session is not written down", "error", err)
			}
		}
		zone, err := time.LoadLocation(cookieValue(c, "zone"))
		if err != nil || cookieValue(c, "zone") == "" {
			zone = nil
		}
		v.Printer = s.catalogues.Printer(s.languageOf(c, v.User), zone, s.now())
		v.Look = lookOf(c)
		c.Set(visitKey, v)
		return next(c)
	}
}

func (s *Server) languageOf(c echo.Context, u *helpdesk.User) locale.Language {
	if u != nil {
		if l, ok := locale.Parse(u.Locale); ok {
			return l
		}
	}
	if l, ok := locale.Parse(cookieValue(c, "language")); ok {
		return l
	}
	return locale.Match(c.Request().Header.Get("Accept-Language"))
}

// requireUser sends strangers to the login page and back again afterwards.
func (s *Server) requireUser(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if visitOf(c).User != nil {
			return next(c)
		}
		r := c.Request()
		login := "/login"
		if next := returnTo(r); next != "/" {
			login += "?next=" + url.QueryEscape(next)
		}
		if fromScript(r) {
			c.Response().Header().Set("HX-Redirect", login)
			return c.NoContent(http.StatusUnauthorized)
		}
		return c.Redirect(http.StatusSeeOther, login)
	}
}

// returnTo is the page that somebody is led back to after a login: the one asked
// for, or, where a part of a page was or a form was sent, the one that holds it.
func returnTo(r *http.Request) string {
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Header.Get("HX-Request") == "" {
		return r.URL.RequestURI()
	}
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host {
		return "/"
	}
	return localPath(u.RequestURI(), "/")
}

// fromScript tells a script's request from a page that somebody goes to: led to
// the login page, a script would take that for success. Sec-Fetch-Dest does not
// tell: a page that comes through a service worker has it "empty" too.
func fromScript(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return r.Header.Get("HX-Request") != "" || strings.Contains(accept, "text/event-stream") || strings.Contains(accept, "application/json")
}

func cookieValue(c echo.Context, name string) string {
	cookie, err := c.Cookie(name)
	if err != nil {
		return ""
	}
	value, err := url.QueryUnescape(cookie.Value)
	if err != nil {
		return cookie.Value
	}
	return value
}

// sessionCookie is the name of the session's cookie.
func (s *Server) sessionCookie() string { return s.hostCookie("session") }

// hostCookie is the name of a cookie that nobody else may set: the prefix makes
// browsers refuse it from anywhere but this very host over TLS (RFC 6265bis).
func (s *Server) hostCookie(name string) string {
	if s.options.Secure {
		return "__Host-" + name
	}
	return name
}

func (s *Server) setCookie(c echo.Context, name, value string, lifetime time.Duration) {
	cookie := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: s.options.Secure, MaxAge: int(lifetime / time.Second)}
	if value == "" {
		cookie.MaxAge = -1
	}
	c.SetCookie(cookie)
}

// localPath returns path if it is one of this site's own pages, or fallback:
// what a form brings along must not lead elsewhere.
func localPath(path, fallback string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n") {
		return fallback
	}
	return path
}
