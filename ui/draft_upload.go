package ui

import (
	"cmp"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// uploaded is what a script is told of a file that was taken.
type uploaded struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Size      int64  `json:"size"`
	SizeText  string `json:"size_text"`
	Type      string `json:"type"`
	ContentID string `json:"content_id,omitempty"` // as HTML shows it: "cid:" and this
	URL       string `json:"url"`
}

// uploadFile takes one file for a draft: the form's field "file". With
// "inline" it is an image within the text.
func (s *Server) uploadFile(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, s.options.MaxUpload+1<<20)
	header, err := c.FormFile("file")
	if r.MultipartForm != nil {
		defer r.MultipartForm.RemoveAll()
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), err == nil && header.Size > s.options.MaxUpload:
		return invalid("file", "error.upload_too_large", "the file is larger than the limit of "+strconv.FormatInt(s.options.MaxUpload, 10)+" bytes",
			visitOf(c).Size(s.options.MaxUpload))
	case errors.Is(err, http.ErrMissingFile):
		return invalid("file", "error.upload_missing", "there is no file in the field \"file\"")
	case err != nil:
		return invalid("file", "error.upload_broken", "the upload broke off: "+err.Error())
	}
	d, err := draftOf(c)
	if err != nil {
		return err
	}
	data, err := readUpload(header)
	if err != nil {
		return fmt.Errorf("read file %q: %w", header.Filename, err)
	}
	contentType := cmp.Or(header.Header.Get("Content-Type"), "application/octet-stream")
	inline := c.FormValue("inline") != ""
	if inline && !shownInText(contentType) {
		return invalid("file", "error.image_kind", "an image in the text is PNG, JPEG, GIF or WebP; attach "+header.Filename+" instead", header.Filename)
	}
	f, err := s.desk.AddDraftFile(r.Context(), visitOf(c).actor(), d, helpdesk.Upload{Filename: header.Filename, ContentType: contentType, Data: data}, inline)
	if err != nil {
		return err
	}
	s.presence.draftChanged(d.Ticket)
	return c.JSON(http.StatusCreated, uploaded{ID: f.ID, Name: f.Filename, Size: f.Size, SizeText: visitOf(c).Size(f.Size), Type: f.ContentType,
		ContentID: f.ContentID, URL: draftFileURL(d.ID, f.ID)})
}

func draftFileURL(draft, file string) string { return "/drafts/" + draft + "/files/" + file }

// shownInText reports whether browsers draw a type without running anything.
func shownInText(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, kind)
}

func (s *Server) removeUpload(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	if err := s.desk.RemoveDraftFile(ctx, v.actor(), c.Param("id"), c.Param("file")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// draftFile shows an image within the text, and lets anything else be saved.
func (s *Server) draftFile(c echo.Context) error {
	f, data, err := s.desk.DraftFileData(c.Request().Context(), visitOf(c).actor(), c.Param("id"), c.Param("file"))
	if err != nil {
		return err
	}
	if f.ContentID == "" || !shownInText(f.ContentType) {
		return download(c, f.Filename, f.ContentType, data)
	}
	header := c.Response().Header()
	header.Set("Content-Security-Policy", filePolicy)
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "private, max-age=3600, immutable")
	return c.Blob(http.StatusOK, f.ContentType, data)
}
