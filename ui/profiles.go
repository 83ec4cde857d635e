package ui

import (
	"net/http"
	"net/http/pprof"

	"github.com/labstack/echo/v4"
)

// profileRoutes show the program's own profiles to whoever may change the
// system, for a slow server is best looked at while it is slow.
func (s *Server) profileRoutes(g *echo.Group) {
	g.GET("/debug/pprof/", s.profile(pprof.Index))
	g.GET("/debug/pprof/profile", s.profile(pprof.Profile))
	g.GET("/debug/pprof/trace", s.profile(pprof.Trace))
	g.GET("/debug/pprof/symbol", s.profile(pprof.Symbol))
	g.GET("/debug/pprof/:name", func(c echo.Context) error {
		return s.profile(pprof.Handler(c.Param("name")).ServeHTTP)(c)
	})
}

// profile serves one of them. The command line is left out: flags may hold secrets.
func (s *Server) profile(show http.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.desk.Diagnose(c.Request().Context(), visitOf(c).actor()); err != nil {
			return err
		}
		if asksHead(c) {
			return c.NoContent(http.StatusOK) // without seconds of measuring
		}
		show(c.Response(), c.Request())
		return nil
	}
}
