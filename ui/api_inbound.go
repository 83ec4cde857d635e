package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// InboundMail is a mail that a relay brings, with its envelope.
type InboundMail struct {
	From string // empty for a bounce
	To   []string
	// RemoteIP and HELO are of the client that the relay received it from; without
	// RemoteIP the sender is not authenticated.
	RemoteIP netip.Addr
	HELO     string
	// Raw is the mail as it arrives; an error of it is the client's.
	Raw io.Reader
	// By is the user whose token it is, and Key what the relay knows the request by
	// (Idempotency-Key), or "".
	By, Key string
}

// InboundResult is what became of it, once it is durable. No recipient with code
// 250 means that the mail was not taken.
type InboundResult struct {
	Message    string
	Ticket     uint64
	State      helpdesk.MessageState
	Duplicate  bool
	Recipients []InboundRecipient
}

// InboundRecipient is the answer for one recipient, as SMTP would give it.
type InboundRecipient struct {
	Address string `json:"address"`
	Code    int    `json:"code"`
	Status  string `json:"status"` // RFC 3463
	Message string `json:"message"`
}

const inboundPath = "/api/v1/inbound"

// Bounds of a mail over the API.
const (
	maxInboundBody       = 64 << 20 // the listener's own limit is checked besides
	maxInboundRecipients = 1000
)

// apiInbound takes a mail as it is from a relay. It answers when the mail is
// durable; a request that is repeated is recognised by its Idempotency-Key, or else
// by the mail.
func (s *Server) apiInbound(c echo.Context, a helpdesk.Actor) error {
	if err := s.desk.AuthorizeInbound(c.Request().Context(), a); err != nil {
		return err
	}
	if s.options.Inbound == nil {
		return &apiRefusal{http.StatusServiceUnavailable, string(helpdesk.CodeTemporary), "no mail is taken here"}
	}
	m, err := inboundEnvelope(c)
	if err != nil {
		return err
	}
	if m.Key, err = idempotencyKey(c); err != nil {
		return err
	}
	m.By = a.UserID
	r := c.Request()
	arriving := bufio.NewReader(http.MaxBytesReader(c.Response(), r.Body, maxInboundBody))
	if _, err := arriving.Peek(1); err != nil {
		return inboundBodyError(err)
	}
	body := &endingReader{r: arriving} // never read whole: many may arrive at once
	m.Raw = body
	// A client that goes away does not undo what is taken.
	result, err := s.options.Inbound(context.WithoutCancel(r.Context()), m)
	if body.err != nil {
		return inboundBodyError(body.err)
	}
	if used := (*helpdesk.Error)(nil); errors.As(err, &used) && used.Code == helpdesk.CodeConflict {
		return used
	}
	if err != nil {
		return &apiRefusal{http.StatusServiceUnavailable, string(helpdesk.CodeTemporary), "temporary failure; send the same request again"}
	}
	return s.answerInbound(c, result)
}

// inboundBodyError says why a body is no mail.
func inboundBodyError(err error) error {
	if err == io.EOF {
		return invalid("", "", "the body is empty; send the mail as it is")
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return bodyTooLarge(maxInboundBody)
	}
	return invalid("", "", fmt.Sprintf("the body ended early: %v", err))
}

// inboundEnvelope reads the envelope of the query.
func inboundEnvelope(c echo.Context) (m InboundMail, err error) {
	if kind, _, _ := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType)); kind != "message/rfc822" {
		return m, &apiRefusal{http.StatusUnsupportedMediaType, "unsupported_type", "the body must be a mail; send it with the header \"Content-Type: message/rfc822\""}
	}
	query := c.QueryParams()
	m = InboundMail{From: strings.Trim(query.Get("from"), "<> "), To: query["to"], HELO: strings.TrimSpace(query.Get("helo"))}
	switch {
	case len(m.To) == 0:
		return m, invalid("to", "", "the query names no recipient; add to=ADDRESS for each one of the envelope")
	case len(m.To) > maxInboundRecipients:
		return m, invalid("to", "", fmt.Sprintf("%d recipients are more than %d; send the mail in parts", len(m.To), maxInboundRecipients))
	case !query.Has("from"):
		return m, invalid("from", "", "the query names no sender; add from=ADDRESS, or from= for a bounce")
	}
	if text := query.Get("ip"); text != "" {
		if m.RemoteIP, err = netip.ParseAddr(text); err != nil {
			return m, invalid("ip", "", fmt.Sprintf("ip=%q is not an IP address; give that of the client which sent the mail to the relay", text))
		}
	}
	return m, nil
}

type apiInboundAnswer struct {
	ID         *string            `json:"id"`
	Ticket     *uint64            `json:"ticket"`
	State      *string            `json:"state"`
	Duplicate  bool               `json:"duplicate"`
	Recipients []InboundRecipient `json:"recipients"`
	Error      *apiError          `json:"error,omitempty"`
}

func (s *Server) answerInbound(c echo.Context, result InboundResult) error {
	answer := apiInboundAnswer{ID: orNull(result.Message), Ticket: orNull(result.Ticket), State: orNull(string(result.State)), Duplicate: result.Duplicate, Recipients: result.Recipients}
	switch {
	case result.Message == "":
		answer.Error = &apiError{Code: "refused", Message: "no recipient takes this mail; recipients says why"}
		return c.JSON(http.StatusUnprocessableEntity, answer)
	case result.Duplicate:
		return c.JSON(http.StatusOK, answer)
	}
	return c.JSON(http.StatusAccepted, answer)
}
