package ui

import (
	_ "embed"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// openAPI describes the API; a test compares it with the routes and with what
// they answer.
//
//go:embed openapi.yaml
var openAPI []byte

// apiHandler answers an API request on behalf of whom its token acts for.
type apiHandler func(c echo.Context, a helpdesk.Actor) error

// registerAPI adds the API to the web's router.
func (s *Server) registerAPI(e *echo.Echo) {
	e.Any("/api/*", echo.WrapHandler(s.newAPI()))
	e.GET("/openapi.yaml", serveOpenAPI)
}

// newAPI returns the API's router. It is one of its own, so that whatever goes
// wrong under /api, an unknown path or a panic too, is answered in JSON, and
// nothing of the pages (cookies, sessions, their catch-all route) reaches it.
func (s *Server) newAPI() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.failAPI
	e.Pre(routeHead)
	e.Use(keepHead, s.hardenAPI, s.recoverPanics, s.compressed(sendsFile), s.bodies.large)

	// A route takes these parameters in its query, and no other.
	add := func(method, path string, h apiHandler, query ...string) {
		e.Add(method, "/api/v1"+path, s.authorized(h, query))
	}
	add(http.MethodGet, "/tickets", s.apiTickets, "view", "q", "sort", "pipeline", "stage", "alias", "brand", "assignee", "team", "tag", "language", "reply_type", "priority",
		"waiting", "unread", "limit", "after")
	add(http.MethodPost, "/tickets", s.apiBegin)
	add(http.MethodGet, "/tickets/:number", s.apiTicket, "messages")
	add(http.MethodPatch, "/tickets/:number", s.apiChange)
	add(http.MethodGet, "/tickets/:number/messages", s.apiTicketMessages, "limit", "after")
	add(http.MethodGet, "/tickets/:number/similar", s.apiSimilar, "limit")
	add(http.MethodPost, "/tickets/:number/replies", s.apiReply)
	add(http.MethodPost, "/tickets/:number/notes", s.apiNote)
	add(http.MethodPost, "/tickets/:number/logged-replies", s.apiLogReply)
	add(http.MethodGet, "/messages/:id/source", s.apiSource)
	add(http.MethodGet, "/messages/:id/attachments/:index", s.apiAttachment)
	add(http.MethodPost, "/messages/:id/resolution", s.apiResolve)
	add(http.MethodPatch, "/messages/:id/analysis", s.apiCorrect)
	add(http.MethodGet, "/contacts", s.apiContacts, "q", "tag", "company", "sort", "limit", "after")
	add(http.MethodGet, "/contacts/:id", s.apiContact)
	add(http.MethodPatch, "/contacts/:id", s.apiChangeContact)
	add(http.MethodDelete, "/contacts/:id", s.apiEraseContact, "confirm")
	add(http.MethodGet, "/contacts/:id/export", s.sendPerson)
	add(http.MethodGet, "/erasures", s.apiErasures)
	add(http.MethodGet, "/erasures/:id", s.apiReadErasure)
	add(http.MethodGet, "/aliases", s.apiAliases)
	add(http.MethodGet, "/pipelines", s.apiPipelines)
	add(http.MethodGet, "/services", s.apiServices)
	add(http.MethodPost, "/inbound", s.apiInbound, "from", "to", "ip", "helo")
	add(http.MethodGet, "/queue", s.apiQueue, "domain", "limit", "after")
	add(http.MethodGet, "/quarantine", s.apiQuarantine, "state", "limit", "after")
	add(http.MethodPost, "/quarantine", s.apiDecideMany)
	add(http.MethodGet, "/quarantine/:id", s.apiQuarantinedMail)
	add(http.MethodGet, "/quarantine/:id/source", s.apiQuarantinedSource)
	add(http.MethodPost, "/quarantine/:id/release", s.apiRelease)
	add(http.MethodPost, "/quarantine/:id/reject", s.apiRejectQuarantined)
	add(http.MethodGet, "/trusted-senders", s.apiTrustedSenders)
	add(http.MethodDelete, "/trusted-senders", s.apiDistrust, "sender", "proof")
	add(http.MethodGet, "/ledger", s.apiLedger, "days", "day")
	add(http.MethodGet, "/backups", s.apiReadBackups)
	add(http.MethodGet, "/incoming", s.apiReadIncoming)
	add(http.MethodPost, "/backups", s.apiBackUp)
	add(http.MethodGet, "/reports/dmarc", s.apiDMARCReports, "days")
	add(http.MethodGet, "/reports/tls", s.apiTLSReports, "days")
	add(http.MethodGet, "/templates", s.apiTemplates)
	add(http.MethodPost, "/templates", s.apiCreateTemplate)
	add(http.MethodGet, "/templates/:id", s.apiTemplate)
	add(http.MethodPut, "/templates/:id", s.apiReplaceTemplate)
	add(http.MethodDelete, "/templates/:id", s.apiDeleteTemplate)
	add(http.MethodGet, "/views", s.apiViews)
	add(http.MethodPost, "/views", s.apiSaveView)
	add(http.MethodDelete, "/views/:id", s.apiDeleteView)
	add(http.MethodGet, "/rules", s.apiRules)
	add(http.MethodGet, "/hours", s.apiHours)
	add(http.MethodGet, "/hours/:id", s.apiOneHours)
	add(http.MethodPut, "/hours/:id", s.apiReplaceHours)
	add(http.MethodGet, "/events", s.apiEvents, "after", "limit")
	add(http.MethodGet, "/insights", s.apiInsights, "from", "to", "pipeline", "alias", "company")
	add(http.MethodGet, "/bulk-replies", s.apiBulkReplies)
	add(http.MethodPost, "/bulk-replies", s.apiSendBulkReply)
	add(http.MethodGet, "/bulk-replies/:id", s.apiBulkReply)
	add(http.MethodPost, "/bulk-replies/:id/undo", s.apiUndoBulkReply)
	add(http.MethodGet, "/me/sessions", s.apiSessions)
	add(http.MethodDelete, "/me/sessions", s.apiEndSessions)
	add(http.MethodDelete, "/me/sessions/:id", s.apiEndSession)
	add(http.MethodGet, "/webhooks", s.apiWebhooks)
	add(http.MethodPost, "/webhooks", s.apiCreateWebhook)
	add(http.MethodGet, "/webhooks/:id", s.apiWebhook)
	add(http.MethodPatch, "/webhooks/:id", s.apiChangeWebhook)
	add(http.MethodDelete, "/webhooks/:id", s.apiDeleteWebhook)
	add(http.MethodPost, "/webhooks/:id/secret", s.apiRotateWebhook)
	add(http.MethodPost, "/webhooks/:id/test", s.apiTestWebhook)
	add(http.MethodGet, "/webhooks/:id/deliveries", s.apiWebhookDeliveries, "limit")
	add(http.MethodPost, "/webhooks/:id/deliveries/:delivery/repeat", s.apiRepeatWebhook)
	e.GET("/api/v1/openapi.yaml", serveOpenAPI)
	return e
}

// sendsFile tells the routes whose answers are mails and files: they are sent
// as they are.
func sendsFile(c echo.Context) bool {
	return strings.HasPrefix(c.Path(), "/api/v1/messages/") || strings.HasSuffix(c.Path(), "/source") || strings.HasSuffix(c.Path(), "/export")
}

// serveOpenAPI sends the description (media type of RFC 9512).
func serveOpenAPI(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/yaml", openAPI)
}

// hardenAPI sets the headers of answers that are for programs: a browser that
// is led here shows and keeps nothing.
func (s *Server) hardenAPI(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		s.setHeaders(header)
		header.Set("Content-Security-Policy", answerPolicy)
		return next(c)
	}
}

// authorized lets a request through that brings a token (RFC 6750, section
// 2.1). Cookies do not count here, so no other site can use a browser's login.
// What the actor may do is decided in helpdesk. query names the parameters that the route
// takes.
func (s *Server) authorized(h apiHandler, query []string) echo.HandlerFunc {
	return func(c echo.Context) error {
		scheme, token, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
		if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
			return &helpdesk.Error{Code: helpdesk.CodeUnauthorized,
				Message: "the request has no token; send the header \"Authorization: Bearer TOKEN\" and make a token with: madoguchi token create --user EMAIL"}
		}
		user, scope, err := s.desk.UserByToken(c.Request().Context(), token)
		if err != nil {
			return err
		}
		if err := s.desk.UsedToken(c.Request().Context(), token, s.remoteIP(c)); unwritable(err) {
			s.log.Warn("the use of a token is not written down", "error", err) // what reads need not wait for room on the disk
		} else if err != nil {
			return err
		}
		if err := readable(c.Request(), query); err != nil {
			return err
		}
		return h(c, user.Actor().WithScope(scope).At(s.remoteIP(c)))
	}
}
