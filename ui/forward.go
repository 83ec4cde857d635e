package ui

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) forwardRoutes(g *echo.Group) {
	g.POST("/messages/:id/forward", s.forward)
}

// forward begins a mail that passes a message on, and shows it in the composer.
func (s *Server) forward(c echo.Context) error {
	draft, err := s.desk.DraftForward(c.Request().Context(), visitOf(c).actor(), c.Param("id"))
	if err != nil {
		return err
	}
	s.presence.draftChanged(draft.Ticket)
	return c.Redirect(http.StatusSeeOther, withQuery(backTo(c, draft.Ticket), "draft", draft.ID))
}

// forwardedView says in a composer what it passes on.
type forwardedView struct {
	Message   string // its id
	Who, When string
	Draft     string // that is discarded where it is not sent after all
}

// forwarding makes a composer that of a mail which passes a message on.
func (w *composerView) forwarding(v *visit, t *helpdesk.TicketView, draft *helpdesk.Draft) {
	if draft.Forward == "" {
		return
	}
	w.Forward = &forwardedView{Message: draft.Forward, Draft: draft.ID}
	for _, m := range t.Messages {
		if m.Message.ID == draft.Forward {
			w.Forward.Who, w.Forward.When = v.author(m), v.Long(m.Message.At)
		}
	}
	w.To, w.Cc, w.Bcc, w.Others, w.Quoted = draft.To, draft.Cc, draft.Bcc, "", nil
}

// author names who wrote a message.
func (v *visit) author(m helpdesk.MessageView) string {
	switch {
	case m.AuthorName != "" && m.Message.Direction == helpdesk.Outbound:
		return m.AuthorName
	case m.Message.From.Name != "":
		return customerCalled(v.Printer, m.Message.From.Name)
	}
	return m.Message.From.Email
}

// answerTo makes a composer that of an answer to the author of one message, such
// as a third party's.
func (s *Server) answerTo(ctx context.Context, v *visit, t *helpdesk.TicketView, id string, w *composerView) (err error) {
	i := slices.IndexFunc(t.Messages, func(m helpdesk.MessageView) bool { return messageElement(m.Message.ID) == id })
	if i < 0 || t.Messages[i].Message.Direction != helpdesk.Inbound {
		return nil
	}
	m := &t.Messages[i]
	w.To, w.Others, w.Cc, w.Bcc = personOrAddress(m.Message), strings.Join(otherReaders(t, m.Message), ", "), "", ""
	w.Cc, w.Mode = w.Others, "reply"
	w.Quoted, err = s.quoted(ctx, v, t, m)
	return err
}

// forwardInput is a message that a reply over the API passes on.
type forwardInput struct {
	Message     string `json:"message"`
	Attachments *[]int `json:"attachments"` // their indexes; all where it is left out
}

// pass puts the words of a message below those of a reply, with the files chosen.
func (s *Server) pass(ctx context.Context, a helpdesk.Actor, in *forwardInput, r *helpdesk.Reply) error {
	if in == nil {
		return nil
	}
	if in.Message == "" {
		return invalid("forward.message", "", "forward.message is empty; give the id of the message to forward")
	}
	f, err := s.desk.Forwarded(ctx, a, in.Message)
	if err != nil {
		return err
	}
	r.Forward = in.Message
	if r.HTML != "" && f.HTML != "" {
		r.HTML += f.HTML
	} else if r.HTML != "" {
		r.HTML, r.Text = "", r.Text+f.Text
	} else {
		r.Text += f.Text
	}
	for i, file := range f.Files {
		shown := file.ContentID != "" && r.HTML != ""
		if in.Attachments == nil || shown || slices.Contains(*in.Attachments, i) {
			if !shown {
				file.ContentID = ""
			}
			r.Attachments = append(r.Attachments, file)
		}
	}
	if in.Attachments != nil {
		for _, i := range *in.Attachments {
			if i < 0 || i >= len(f.Files) {
				return invalid("forward.attachments", "", "forward.attachments names a file that the message has not; count from 0, as in its attachments")
			}
		}
	}
	return nil
}
