package ui

import (
	"cmp"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// bulkRepliesView lists them, the newest first.
type bulkRepliesView struct {
	page
	Rows []bulkReplyRow
}

type bulkReplyRow struct {
	URL, Words, Author, Count string
	Badge                     *badge
	At                        moment
}

func (s *Server) bulkRepliesPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	list, err := s.desk.BulkReplies(ctx, v.actor())
	if err != nil {
		return err
	}
	names, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	var view bulkRepliesView
	for _, b := range list {
		view.Rows = append(view.Rows, bulkReplyRow{URL: bulkRepliesPath + "/" + b.ID, Words: cmp.Or(gist(b.Words.Text), v.T("bulk_reply.empty")),
			Author: names[b.By].Name, Count: v.N("bulk_reply.tickets", b.Total), Badge: bulkReplyBadge(v, &b), At: shortMoment(v.Printer, b.ChangedAt)})
	}
	if view.page, err = s.newPage(ctx, v, v.T("bulk_reply.list"), ""); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "bulk-replies", view)
}

// gist is the first line that says something: not only whom it is to.
func gist(text string) (first string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(variable.ReplaceAllString(line, "…"))
		if first == "" {
			first = line
		}
		const salutation = 12 // characters
		if utf8.RuneCountInString(line) > salutation {
			return line
		}
	}
	return first
}

func bulkReplyBadge(v *visit, b *helpdesk.BulkReply) *badge {
	tones := map[helpdesk.BulkReplyState]string{helpdesk.BulkReplyPosted: "good", helpdesk.BulkReplyReview: "warn"}
	return &badge{cmp.Or(tones[b.State], "plain"), v.T("bulk_reply.state." + string(b.State))}
}
