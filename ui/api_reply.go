package ui

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// replyInput is the body of a posted reply.
type replyInput struct {
	Text        string            `json:"text"`
	HTML        string            `json:"html"`
	To          []string          `json:"to"`
	Cc          []string          `json:"cc"`
	Bcc         []string          `json:"bcc"`
	Attachments []attachmentInput `json:"attachments"`
	Quote       bool              `json:"quote"`
	Close       bool              `json:"close"`
	Seen        uint64            `json:"seen"`
	Forward     *forwardInput     `json:"forward"`
}

type attachmentInput struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	ContentID   string `json:"content_id"` // of an image that the HTML shows
	Data        string `json:"data"`       // base64
}

// apiReply posts an answer, or requests the approval of one. The same Idempotency-Key again is the same answer
// again: it is neither written nor sent a second time. With it, another text is refused.
func (s *Server) apiReply(c echo.Context, a helpdesk.Actor) error {
	number, err := pathNumber(c)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	var input replyInput
	if err := readBody(c, maxAPIReplyBody, &input); err != nil {
		return err
	}
	reply, err := input.reply()
	if err != nil {
		return err
	}
	if err := s.pass(c.Request().Context(), a, input.Forward, &reply); err != nil {
		return err
	}
	reply.Ticket, reply.IdempotencyKey, reply.Digest = number, key, requestDigest(key, "reply", number, input.identity())
	sent, err := s.desk.Send(c.Request().Context(), a, reply, helpdesk.Sending{})
	if err != nil {
		return err
	}
	if sent.Draft != nil {
		return s.answerApproval(c, a, sent.Draft)
	}
	return s.answerMessage(c, a, sent.Message.ID)
}

func (in *replyInput) reply() (r helpdesk.Reply, err error) {
	r = helpdesk.Reply{Text: in.Text, HTML: in.HTML, Quote: in.Quote, Close: in.Close, Seen: in.Seen}
	if r.To, err = recipients("to", in.To); err != nil {
		return r, err
	}
	if r.Cc, err = recipients("cc", in.Cc); err != nil {
		return r, err
	}
	if r.Bcc, err = recipients("bcc", in.Bcc); err != nil {
		return r, err
	}
	for i, file := range in.Attachments {
		upload, err := file.upload(fmt.Sprintf("attachments[%d]", i))
		if err != nil {
			return r, err
		}
		r.Attachments = append(r.Attachments, upload)
	}
	return r, nil
}

// recipients reads a list with one address an item, alone or with a name. No
// list stays nil, which leaves the choice to helpdesk.
func recipients(field string, list []string) ([]helpdesk.Address, error) {
	if list == nil {
		return nil, nil
	}
	out := []helpdesk.Address{}
	for i, item := range list {
		address, ok := helpdesk.ParseAddress(item)
		if !ok && strings.ContainsAny(item, "<>,") {
			return nil, invalid(fmt.Sprintf("%s[%d]", field, i), "",
				fmt.Sprintf("%q is not one mail address; write it like tamura@example.com or \"Saki Tamura <tamura@example.com>\"", item))
		}
		address.Email = strings.ToLower(address.Email)
		out = append(out, address)
	}
	return out, nil
}

func (in *attachmentInput) upload(field string) (helpdesk.Upload, error) {
	if strings.TrimSpace(in.Filename) == "" {
		return helpdesk.Upload{}, invalid(field+".filename", "", fmt.Sprintf("%s has no filename", field))
	}
	data, err := base64.StdEncoding.DecodeString(in.Data)
	if err != nil {
		return helpdesk.Upload{}, invalid(field+".data", "", fmt.Sprintf("%s.data is not base64 (RFC 4648, section 4): %v", field, err))
	}
	if in.ContentType == "" {
		in.ContentType = "application/octet-stream"
	}
	return helpdesk.Upload{Filename: in.Filename, ContentType: in.ContentType, ContentID: in.ContentID, Data: data}, nil
}

// answerMessage answers with a message that was just made.
func (s *Server) answerMessage(c echo.Context, a helpdesk.Actor, id string) error {
	ctx := c.Request().Context()
	m, err := s.desk.Message(ctx, a, id)
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]apiMessage{"message": users.message(*m)})
}
