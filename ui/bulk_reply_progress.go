package ui

import (
	"html/template"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// bulkProgressView says how far a bulk reply is.
type bulkProgressView struct {
	URL      string
	Text     string
	Say      string // what comes next
	Percent  int
	Working  bool
	Waits    bool // its mails have not left yet
	Undo     bool
	Troubled []template.HTML
}

func (s *Server) newBulkProgress(v *visit, b *helpdesk.BulkReply, troubled []helpdesk.BulkReplyItem) *bulkProgressView {
	w := &bulkProgressView{URL: bulkRepliesPath + "/" + b.ID, Percent: 100 * b.Next / max(b.Total, 1)}
	w.Working = b.State == helpdesk.BulkReplyPosting || b.State == helpdesk.BulkReplyUndoing
	w.Waits = b.LeavesAt.After(s.now())
	switch b.State {
	case helpdesk.BulkReplyPosting:
		w.Text = v.T("bulk_reply.posting", b.Next, b.Total)
	case helpdesk.BulkReplyPosted:
		w.Text = v.N("bulk_reply.posted", b.Posted)
	case helpdesk.BulkReplyUndoing:
		w.Text = v.T("bulk_reply.undoing", b.TakenBack, b.Posted)
	default:
		w.Text = v.N("bulk_reply.undone", b.TakenBack)
		if b.Left > 0 {
			w.Text += " " + v.N("bulk_reply.left", b.Left)
		}
	}
	if sent := b.State == helpdesk.BulkReplyPosting || b.State == helpdesk.BulkReplyPosted; sent {
		w.Undo = w.Waits && v.may(helpdesk.PermitBulk) && v.may(helpdesk.PermitReply)
		w.Say = v.T("bulk_reply.gone")
		if w.Waits {
			w.Say = v.T("bulk_reply.leaves", v.Clock(b.LeavesAt))
		}
	}
	for _, item := range troubled {
		why := v.T("bulk_reply.had_left")
		if item.Problem != "" {
			why = explain(v.Printer, &helpdesk.Error{Code: helpdesk.CodeConflict, Key: item.Problem, Args: item.Args, Message: item.Text})
		}
		w.Troubled = append(w.Troubled, withTickets(linkTo(item.Ticket)+" "+unmarked(why)))
	}
	return w
}

// bulkReplyProgress goes on with the posting for a while, and says how far it is.
func (s *Server) bulkReplyProgress(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	b, troubled, err := s.desk.BulkReply(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	if b.State == helpdesk.BulkReplyPosting || b.State == helpdesk.BulkReplyUndoing {
		if _, err := s.desk.WorkBulkReply(ctx, b.ID); err != nil {
			return err
		}
		if b, troubled, err = s.desk.BulkReply(ctx, v.actor(), b.ID); err != nil {
			return err
		}
	}
	return s.render(c, http.StatusOK, "bulk-progress", s.newBulkProgress(v, b, troubled))
}
