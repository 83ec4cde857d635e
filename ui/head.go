package ui

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

const headKey = "head"

// routeHead finds the route of GET for a request for the head alone, which every address
// that answers GET has to answer too (RFC 9110, section 9.3.2): monitors ask so.
// Between it and keepHead the request is one for everything.
func routeHead(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r := c.Request(); r.Method == http.MethodHead {
			c.Set(headKey, true)
			r.Method = http.MethodGet
		}
		return next(c)
	}
}

// keepHead lets the rest see what was asked for, and says HEAD where it says GET of what
// an address takes. What a handler writes as the body net/http leaves out.
func keepHead(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Get(headKey) != nil {
			c.Request().Method = http.MethodHead
		}
		if allow, _ := c.Get(echo.ContextKeyHeaderAllow).(string); strings.Contains(allow, http.MethodGet) && !strings.Contains(allow, http.MethodHead) {
			c.Set(echo.ContextKeyHeaderAllow, allow+", "+http.MethodHead)
		}
		return next(c)
	}
}

// asksHead reports whether the head alone is asked for: then nothing is written down as
// looked at, taken out or begun.
func asksHead(c echo.Context) bool { return c.Request().Method == http.MethodHead }

// takenOut is a handler of what the log remembers when it is taken out. A request for its
// head takes nothing out.
func takenOut(h echo.HandlerFunc, needs ...helpdesk.Permission) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !asksHead(c) {
			return h(c)
		}
		return headOf(c, visitOf(c).actor(), needs...)
	}
}

// headOf answers a request for the head of what a is let take out.
func headOf(c echo.Context, a helpdesk.Actor, needs ...helpdesk.Permission) error {
	for _, p := range needs {
		if !a.May(p) {
			return c.NoContent(http.StatusForbidden)
		}
	}
	return c.NoContent(http.StatusOK)
}
