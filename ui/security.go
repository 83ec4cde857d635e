package ui

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// pagePolicy is the content security policy of our own pages: nothing but our
// files, no inline script or style, no page of ours in a frame.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// The policies of what is no page of ours: a file that somebody sent, which runs
// nothing and belongs to no origin, and an answer for a program.
const (
	filePolicy   = "default-src 'none'; sandbox; frame-ancestors 'none'"
	answerPolicy = "default-src 'none'; frame-ancestors 'none'"
)

// harden gives every answer the headers of setHeaders; a handler that shows
// something foreign replaces the policy by a stricter one, one whose answer may be
// kept says for how long.
func (s *Server) harden(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		s.setHeaders(c.Response().Header())
		return next(c)
	}
}

// setHeaders sets what holds where nothing else is said: nothing is guessed, framed,
// kept, or told to others.
func (s *Server) setHeaders(header http.Header) {
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	header.Set("Cache-Control", "no-store")
	if s.options.Secure {
		header.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// refuseCrossOrigin refuses what another site makes a browser send. A request
// without Sec-Fetch-Site and Origin comes from no browser of the last years.
func (s *Server) refuseCrossOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.origins.Check(c.Request()); err != nil {
			return &helpdesk.Error{Code: helpdesk.CodeForbidden, Key: crossOrigin,
				Message: "this request came from another site and was refused; open the page here and try again"}
		}
		return next(c)
	}
}

// notEnding does work in a goroutine of its own, where a panic would end the server, and
// logs it instead.
func notEnding(log *slog.Logger, what string, work func()) {
	defer func() {
		if r := recover(); r != nil {
			log.Error(what, "error", fmt.Errorf("panic: %v\n%s", r, debug.Stack()))
		}
	}()
	work()
}

// recoverPanics turns a panic into an internal error, logged with its stack.
func (s *Server) recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil {
				if r == http.ErrAbortHandler {
					panic(r)
				}
				err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		return next(c)
	}
}
