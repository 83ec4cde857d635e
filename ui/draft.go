package ui

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/oklog/ulid/v2"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) draftRoutes(g *echo.Group) {
	g.POST("/drafts/:id", s.inJSON(s.saveDraft))
	g.POST("/drafts/:id/delete", s.discardDraft)
	g.POST("/drafts/:id/take", s.takeDraft)
	g.POST("/drafts/:id/files", s.inJSON(s.uploadFile))
	g.POST("/drafts/:id/files/:file/delete", s.inJSON(s.removeUpload))
	g.GET(draftFilePath, s.draftFile)
	g.GET("/tickets/:number/drafts", s.draftsFragment)
	s.leavingRoutes(g)
}

const draftFilePath = "/drafts/:id/files/:file"

// inJSON answers a script: errors too come as JSON, with a sentence to show.
func (s *Server) inJSON(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		err := next(c)
		if err == nil || c.Response().Committed {
			return err
		}
		err = fromEcho(err)
		code := codeOf(err)
		answer := map[string]string{"error": explain(visitOf(c).Printer, err), "code": string(code)}
		var refused *helpdesk.Error
		if errors.As(err, &refused) {
			answer["key"] = strings.TrimPrefix(refused.Key, "error.")
		}
		if code == helpdesk.CodeInternal || unwritable(err) {
			answer["id"] = ulid.Make().String()
			s.log.Error("request failed", "id", answer["id"], "method", c.Request().Method, "path", c.Path(), "error", err)
		}
		return c.JSON(statusOf(code), answer)
	}
}

// draftOf reads which draft a form is about.
func draftOf(c echo.Context) (helpdesk.Draft, error) {
	d := helpdesk.Draft{ID: c.Param("id"), Kind: helpdesk.DraftKind(c.FormValue("kind"))}
	for _, field := range []struct {
		name  string
		value *uint64
	}{{"ticket", &d.Ticket}, {"seen", &d.Seen}} {
		typed := c.FormValue(field.name)
		if typed == "" {
			continue
		}
		var err error
		if *field.value, err = strconv.ParseUint(typed, 10, 64); err != nil {
			return d, invalid(field.name, "", field.name+" must be a number")
		}
	}
	return d, nil
}

// saveDraft keeps what is being written, a moment after the last key.
func (s *Server) saveDraft(c echo.Context) error {
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxDraftForm)
	d, err := draftOf(c)
	if err != nil {
		return err
	}
	text := func(name string) string { return strings.ReplaceAll(c.FormValue(name), "\r\n", "\n") }
	d.Text, d.HTML, d.To, d.Cc, d.Bcc = text("text"), text("html"), text("to"), text("cc"), text("bcc")
	d.Subject, d.AliasID, d.Quote = text("subject"), c.FormValue("alias"), c.FormValue("quote") != ""
	d.Forward = c.FormValue("forward")
	if c.FormValue("signature_shown") != "" {
		signature := helpdesk.NewLocalized("", text("signature"))
		d.Signature = &signature
	}
	d.Templates = splitList(c.FormValue("templates"))
	saved, err := s.desk.SaveDraftFrom(c.Request().Context(), visitOf(c).actor(), d, draftCopy(c, "stamp"))
	if err != nil {
		return err
	}
	s.presence.draftChanged(saved.Ticket)
	return c.JSON(http.StatusOK, map[string]string{"stamp": saved.Stamp(), "at": visitOf(c).Short(saved.UpdatedAt)})
}

// maxDraftForm is in bytes: a text of the longest kind, as a form encodes it.
const maxDraftForm = 8 << 20

// draftCopy is what a form says of the copy of its draft; field has the stamp.
func draftCopy(c echo.Context, field string) helpdesk.DraftCopy {
	return helpdesk.DraftCopy{Page: c.FormValue("page"), Stamp: c.FormValue(field)}
}

func (s *Server) discardDraft(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	d, err := s.desk.Draft(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	if err := s.desk.DiscardDraft(ctx, v.actor(), d.ID); err != nil {
		return err
	}
	s.presence.draftChanged(d.Ticket)
	return c.Redirect(http.StatusSeeOther, backToDraft(c, &d.Draft))
}

// takeDraft puts a colleague's draft into the reader's own composer.
func (s *Server) takeDraft(c echo.Context) error {
	d, err := s.desk.TakeDraft(c.Request().Context(), visitOf(c).actor(), c.Param("id"))
	if err != nil {
		return err
	}
	s.presence.draftChanged(d.Ticket)
	return c.Redirect(http.StatusSeeOther, withQuery(backToDraft(c, d), "draft", d.ID))
}

// backToDraft is the place where a draft is written: its ticket, or the list
// for one that has none yet.
func backToDraft(c echo.Context, d *helpdesk.Draft) string {
	if d.Ticket == 0 {
		return openingPath
	}
	return backTo(c, d.Ticket)
}

// withQuery adds a parameter to a local address.
func withQuery(path, name, value string) string {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + name + "=" + value
}
