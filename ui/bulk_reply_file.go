package ui

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// bulkFile is a file that goes along with every mail of a reply to many.
type bulkFile struct{ ID, Name, Size string }

// attachToBulkReply keeps what is written, and attaches the chosen files.
func (s *Server) attachToBulkReply(c echo.Context) error {
	if err := s.readCompose(c); err != nil {
		return err
	}
	if form := c.Request().MultipartForm; form != nil {
		defer form.RemoveAll()
	}
	return s.changeBulkReplyFiles(c, func() error { return s.addChosenFiles(c) })
}

// addChosenFiles attaches what is chosen in the form and was not attached yet.
func (s *Server) addChosenFiles(c echo.Context) error {
	files, err := s.uploads(c)
	for _, file := range files {
		if err == nil {
			_, err = s.desk.AddBulkReplyFile(c.Request().Context(), visitOf(c).actor(), c.Param("id"), file)
		}
	}
	return err
}

// detachFromBulkReply keeps what is written, and takes a file off.
func (s *Server) detachFromBulkReply(c echo.Context) error {
	return s.changeBulkReplyFiles(c, func() error {
		_, err := s.desk.RemoveBulkReplyFile(c.Request().Context(), visitOf(c).actor(), c.Param("id"), c.Param("file"))
		return err
	})
}

func (s *Server) changeBulkReplyFiles(c echo.Context, change func() error) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	draft := helpdesk.BulkReplyDraft{Words: helpdesk.NewLocalized("", form.Get("text")), Templates: form["used"], Close: form.Get("close") != ""}
	_, err = s.desk.SaveBulkReply(c.Request().Context(), visitOf(c).actor(), c.Param("id"), draft)
	if err == nil {
		err = change()
	}
	if err != nil {
		return s.refuseBulkReply(c, draft, err)
	}
	return c.Redirect(http.StatusSeeOther, bulkRepliesPath+"/"+c.Param("id"))
}
