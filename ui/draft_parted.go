package ui

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// One person may write a draft in two windows. What is sent says which copy of it that
// is; where the other window was ahead, it is refused once, and becomes a draft of its own
// beside the other's.

// asWritten tells the desk which words a form sends, and which copy of a draft they are.
func asWritten(c echo.Context, r *helpdesk.Reply) {
	r.Copy = draftCopy(c, "stamp")
	r.Digest = requestDigest(r.IdempotencyKey, c.FormValue("text"), c.FormValue("html"), c.FormValue("subject"), c.FormValue("to"), c.FormValue("cc"), c.FormValue("bcc"))
}

// parted reports whether what was refused goes on as a draft of its own.
func parted(refused *helpdesk.Error) bool {
	return slices.Contains([]string{"error.draft_overtaken", "error.draft_sent", "error.draft_noted"}, refused.Key)
}

// part makes what is in the composer another draft, of which the page is to save what is
// of this kind. Files stay with the other one.
func (w *composerView) part(kind string) {
	if kind == "note" {
		w.NoteKey, w.NoteStamp, w.Parted = rand.Text(), "", kind
		return
	}
	w.Key, w.Stamp, w.Files, w.Parted = rand.Text(), "", nil, "reply"
}

// partOpening does so with a mail that begins a ticket, beside the drafts there are.
func (s *Server) partOpening(ctx context.Context, v *visit, view *openingView) error {
	mails, err := s.desk.MailDrafts(ctx, v.actor())
	if err != nil {
		return err
	}
	view.Composer.part("")
	view.Composer.Draft = v.User.ID + openingPath + "/" + view.Composer.Key
	view.Drafts = mailCards(v, mails, view.Composer.Key)
	return nil
}
