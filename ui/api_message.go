package ui

import (
	"fmt"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiSource sends a mail exactly as it was received or composed.
func (s *Server) apiSource(c echo.Context, a helpdesk.Actor) error {
	raw, err := s.desk.Source(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	return download(c, c.Param("id")+".eml", "message/rfc822", raw)
}

// apiAttachment sends a file of a message; index counts from 0, as in the
// message's attachments.
func (s *Server) apiAttachment(c echo.Context, a helpdesk.Actor) error {
	index, err := strconv.ParseUint(c.Param("index"), 10, 31)
	if err != nil {
		return invalid("index", "", fmt.Sprintf("%q is not an attachment's index; the first one is 0", c.Param("index")))
	}
	attachment, data, err := s.desk.AttachmentData(c.Request().Context(), a, c.Param("id"), int(index))
	if err != nil {
		return err
	}
	return download(c, attachment.SavedAs(int(index)), attachment.ContentType, data)
}

// apiResolve decides on a held message and answers with the ticket that it
// belongs to from now on.
func (s *Server) apiResolve(c echo.Context, a helpdesk.Actor) error {
	var input struct {
		Resolution string `json:"resolution"`
	}
	if err := readBody(c, maxAPIBody, &input); err != nil {
		return err
	}
	number, err := s.desk.ResolveHeld(c.Request().Context(), a, c.Param("id"), helpdesk.Resolution(input.Resolution))
	if err != nil {
		return err
	}
	return s.answerTicket(c, a, number)
}
