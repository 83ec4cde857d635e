package ui

import (
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// mailInput is the body of a mail that begins a ticket: its fields are a
// reply's, and where it leaves from and what it is about.
type mailInput struct {
	Alias       string            `json:"alias"` // its address
	Subject     string            `json:"subject"`
	Text        string            `json:"text"`
	HTML        string            `json:"html"`
	To          []string          `json:"to"`
	Cc          []string          `json:"cc"`
	Bcc         []string          `json:"bcc"`
	Attachments []attachmentInput `json:"attachments"`
	Close       bool              `json:"close"`
}

// apiApproval is a mail that waits for a second person.
type apiApproval struct {
	ID          string     `json:"id"` // of the draft that it is until then
	Ticket      *uint64    `json:"ticket"`
	Author      *string    `json:"author"`
	To          []string   `json:"to"`
	Cc          []string   `json:"cc"`
	Bcc         []string   `json:"bcc"`
	Subject     string     `json:"subject"` // of a new mail; "" for a reply, which has its ticket's
	Text        string     `json:"text"`
	RequestedAt *time.Time `json:"requested_at"`
}

// apiBegin sends a mail that begins a ticket.
func (s *Server) apiBegin(c echo.Context, a helpdesk.Actor) error {
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	var input mailInput
	if err := readBody(c, maxAPIReplyBody, &input); err != nil {
		return err
	}
	ctx := c.Request().Context()
	senders, err := s.desk.Senders(ctx, a)
	if err != nil {
		return err
	}
	opening := &helpdesk.Opening{Subject: input.Subject}
	for _, alias := range senders {
		if alias.Address == input.Alias {
			opening.AliasID = alias.ID
		}
	}
	if opening.AliasID == "" {
		return invalid("alias", "", fmt.Sprintf("alias %q is not one that mail can leave from; GET /aliases names them", input.Alias))
	}
	in := replyInput{Text: input.Text, HTML: input.HTML, To: input.To, Cc: input.Cc, Bcc: input.Bcc, Attachments: input.Attachments, Close: input.Close}
	reply, err := in.reply()
	if err != nil {
		return err
	}
	reply.Opening, reply.IdempotencyKey, reply.Digest = opening, key, requestDigest(key, "mail", input.Alias, input.Subject, in.identity())
	sent, err := s.desk.Send(ctx, a, reply, helpdesk.Sending{})
	if err != nil {
		return err
	}
	if sent.Draft != nil {
		return s.answerApproval(c, a, sent.Draft)
	}
	row, err := s.desk.TicketRow(ctx, a, sent.Message.Ticket)
	if err != nil {
		return err
	}
	m, err := s.desk.Message(ctx, a, sent.Message.ID)
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, struct {
		Ticket  apiTicket  `json:"ticket"`
		Message apiMessage `json:"message"`
	}{users.ticket(*row), users.message(*m)})
}

// answerApproval answers that a mail was accepted, and leaves once somebody else
// has approved it.
func (s *Server) answerApproval(c echo.Context, a helpdesk.Actor, d *helpdesk.Draft) error {
	users, err := s.roster(c.Request().Context(), a)
	if err != nil {
		return err
	}
	answer := apiApproval{ID: d.ID, Author: users.email(d.UserID), To: bare(d.Ready.To), Cc: bare(d.Ready.Cc), Bcc: bare(d.Ready.Bcc),
		Subject: d.Subject, Text: d.Text, RequestedAt: timeOrNull(d.UpdatedAt)}
	if d.Ticket != 0 {
		answer.Ticket = &d.Ticket
	}
	return c.JSON(http.StatusAccepted, map[string]apiApproval{"approval": answer})
}
