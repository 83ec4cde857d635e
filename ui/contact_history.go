package ui

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // one of the formats that thumbnails are made of
	"image/jpeg"
	_ "image/png" // another
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // another

	"github.com/madoguchi/madoguchi/helpdesk"
)

// historyView is what went between a person and us: figures and files. It is
// fetched after the ticket has been painted.
type historyView struct {
	Contact  string
	Figures  []personFigure
	Files    []personFile
	Total    int    // of all files
	FilesURL string // of all files
}

type personFigure struct{ Label, Value, Hint string }

// personFile is a file with the ticket that it is on.
type personFile struct {
	fileView
	Ticket    uint64
	TicketURL string
	Subject   string
	Ours      bool // we sent it
	Time      moment
}

// panelFiles is how many files the panel shows.
const panelFiles = 6

func (s *Server) contactHistory(c echo.Context) error {
	ctx, v, id := c.Request().Context(), visitOf(c), c.Param("id")
	view, err := s.desk.Contact(ctx, v.actor(), id)
	if err != nil {
		return err
	}
	page, err := s.desk.ContactFiles(ctx, v.actor(), view.Contact.ID, "", panelFiles, "")
	if err != nil {
		return err
	}
	history := historyView{Contact: view.Contact.ID, Figures: v.figures(view), Total: page.Total, Files: s.personFiles(v, page.Files),
		FilesURL: "/contacts/" + view.Contact.ID + "#files"}
	return s.render(c, http.StatusOK, "contact-history", history)
}

func (v *visit) figures(view *helpdesk.ContactView) []personFigure {
	number, open := v.Number(view.Tickets), v.N("contact.tickets_open", view.Open)
	if view.Tickets >= view.Capped {
		number, open = v.countUpTo(view.Tickets, view.Capped), ""
		if view.Open > 0 {
			open = v.T("contact.tickets_open_capped", v.Number(view.Open))
		}
	}
	list := []personFigure{
		{Label: v.T("contact.tickets"), Value: number, Hint: open},
		{Label: v.T("contact.first_seen"), Value: v.Short(view.Contact.CreatedAt)},
		{Label: v.T("contact.last_seen"), Value: v.Short(view.Contact.LastSeenAt)},
	}
	if view.Answers > 0 {
		list = append(list, personFigure{v.T("contact.answer_time"), v.Duration(view.AnswerTime), v.N("contact.answers", view.Answers)})
	}
	return list
}

func (s *Server) personFiles(v *visit, files []helpdesk.ContactFile) (list []personFile) {
	r := reader{visit: v, server: s}
	for _, f := range files {
		file := personFile{fileView: r.file(f.Message, f.Index, f.Attachment), Ticket: f.Ticket, TicketURL: "/tickets/" + strconv.FormatUint(f.Ticket, 10),
			Subject: subjectOf(v.Printer, f.Subject), Ours: f.Direction == helpdesk.Outbound, Time: shortMoment(v.Printer, f.At)}
		list = append(list, file)
	}
	return list
}

// filesView is a page of a person's files, with a search by name.
type filesView struct {
	Contact string
	Query   string
	Files   []personFile
	Total   int
	Cut     bool
	Next    string // address of the page after this one
}

func (s *Server) newFilesView(c echo.Context, id string) (filesView, error) {
	v, q := visitOf(c), strings.TrimSpace(c.QueryParam("file"))
	page, err := s.desk.ContactFiles(c.Request().Context(), v.actor(), id, q, 30, c.QueryParam("files_after"))
	view := filesView{Contact: id, Query: q, Files: s.personFiles(v, page.Files), Total: page.Total, Cut: page.Cut}
	if page.Next != "" {
		view.Next = "/contacts/" + id + "/files?" + url.Values{"file": {q}, "files_after": {page.Next}}.Encode()
	}
	return view, err
}

// contactFiles answers with the files alone: the next ones, or those with a name.
func (s *Server) contactFiles(c echo.Context) error {
	if target(c.Request()) == "" {
		return c.Redirect(http.StatusSeeOther, "/contacts/"+url.PathEscape(c.Param("id"))+"?"+c.QueryString()+"#files")
	}
	view, err := s.newFilesView(c, c.Param("id"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "contact-files", view)
}

// Bounds of thumbnails.
const (
	maxThumbnailSource = 25 << 20   // bytes of the attachment
	maxThumbnailPixels = 40_000_000 // of the picture
	thumbnailEdge      = 160        // pixels of the longer edge
)

// thumbnailTypes are those that are tried; what the bytes are is seen when they
// are decoded.
var thumbnailTypes = []string{"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"}

// noThumbnail stands for what only says that it is a picture: the icon of a file, in a grey for light and dark.
const noThumbnail = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 24 24" width="160" height="160" fill="none" stroke="#8a8f98" stroke-width="1.2" stroke-linejoin="round" stroke-linecap="round">` +
	`<path d="M9.2 1.8H4.7c-.7 0-1.2.5-1.2 1.2v10c0 .7.5 1.2 1.2 1.2h6.6c.7 0 1.2-.5 1.2-1.2V5.1z"/><path d="M9.2 1.8v3.3h3.3M5.8 8.5h4.4M5.8 11h4.4"/></svg>`

// thumbnail draws an attached picture anew, small: nothing that its sender wrote
// reaches the browser but colours.
func (s *Server) thumbnail(c echo.Context) error {
	index, err := strconv.Atoi(c.Param("index"))
	if err != nil {
		return echo.ErrNotFound
	}
	ctx := c.Request().Context()
	_, data, err := s.desk.AttachmentData(ctx, visitOf(c).actor(), c.Param("id"), index)
	if err != nil {
		return err
	}
	select {
	case s.thumbnails <- struct{}{}:
		defer func() { <-s.thumbnails }()
	case <-ctx.Done():
		return ctx.Err()
	}
	small, err := drawThumbnail(data)
	header := c.Response().Header()
	header.Set("Cache-Control", "private, max-age=604800, immutable")
	header.Set("Content-Security-Policy", filePolicy)
	if err != nil {
		s.log.Info("no thumbnail", "id", c.Param("id"), "attachment", index, "error", err)
		return c.Blob(http.StatusOK, "image/svg+xml", []byte(noThumbnail))
	}
	return c.Blob(http.StatusOK, "image/jpeg", small)
}

func drawThumbnail(data []byte) ([]byte, error) {
	if len(data) > maxThumbnailSource {
		return nil, fmt.Errorf("%d bytes are more than %d", len(data), maxThumbnailSource)
	}
	size, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read the picture: %w", err)
	}
	if size.Width <= 0 || size.Height <= 0 || size.Width > maxThumbnailPixels/size.Height {
		return nil, fmt.Errorf("a %s of %d by %d is too large", format, size.Width, size.Height)
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read the picture: %w", err)
	}
	scale := min(1, float64(thumbnailEdge)/float64(max(size.Width, size.Height)))
	small := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(size.Width)*scale)), max(1, int(float64(size.Height)*scale))))
	draw.Draw(small, small.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src) // JPEG knows no transparency
	draw.ApproxBiLinear.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Over, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: 80}); err != nil {
		return nil, fmt.Errorf("write the thumbnail: %w", err)
	}
	return out.Bytes(), nil
}
