package ui

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"
)

// look is how the pages look in one browser. It belongs to the screen, not to
// the person, so a cookie keeps it.
type look struct {
	Theme   string // "light", "dark", or "" for what the system has
	Density string // "compact" or ""
	// Keys is "off" where single letters do nothing (WCAG 2.2, 2.1.4), or "".
	Keys string
}

const lookLifetime = 365 * 24 * time.Hour

func lookOf(c echo.Context) look {
	var l look
	if theme := cookieValue(c, "theme"); theme == "light" || theme == "dark" {
		l.Theme = theme
	}
	if cookieValue(c, "density") == "compact" {
		l.Density = "compact"
	}
	if cookieValue(c, "keys") == "off" {
		l.Keys = "off"
	}
	return l
}

// themes are the choices of the switch, with their words and icons.
func (l look) themes(v *visit) []navItem {
	return []navItem{
		{URL: "", Label: v.T("look.auto"), Icon: "auto", Current: l.Theme == ""},
		{URL: "light", Label: v.T("look.light"), Icon: "sun", Current: l.Theme == "light"},
		{URL: "dark", Label: v.T("look.dark"), Icon: "moon", Current: l.Theme == "dark"},
	}
}

// changeLook keeps a choice and returns to the page that it was made on.
func (s *Server) changeLook(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	for name, choices := range map[string][]string{"theme": {"light", "dark"}, "density": {"compact"}, "keys": {"off"}} {
		if !form.Has(name) {
			continue
		}
		value := ""
		for _, known := range choices {
			if form.Get(name) == known {
				value = known
			}
		}
		s.setCookie(c, name, value, lookLifetime)
	}
	back := "/"
	if u, err := url.Parse(c.Request().Referer()); err == nil {
		back = localPath(u.RequestURI(), back)
	}
	return c.Redirect(http.StatusSeeOther, back)
}
