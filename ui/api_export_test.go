package ui

import "github.com/labstack/echo/v4"

// APIRoutes are the routes of the API's own router.
func (s *Server) APIRoutes() []*echo.Route { return s.newAPI().Routes() }

// FailAPI answers a request with an error, as the API's router does.
func (s *Server) FailAPI(err error, c echo.Context) { s.failAPI(err, c) }
