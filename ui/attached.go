package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// A mail attached to a message is read on a page of its own, and so are the
// mails attached to it: "part" in its address leads there, by the indexes of
// attachments from the message's own attachment on ("1.0").

func (s *Server) attachedRoutes(g *echo.Group) {
	g.GET("/messages/:id/attachments/:index/mail", s.attachedMail)
	g.GET("/messages/:id/attachments/:index/mail/html", s.attachedHTML)
	g.GET("/messages/:id/attachments/:index/mail/file", s.attachedFile)
}

// attachedView is the page that shows an attached mail.
type attachedView struct {
	page
	Ticket  uint64
	Back    string // the mail that this one is attached to; "" where the ticket shows it
	Subject string
	From    string
	Details []detail
	Date    moment
	Marks   []messageMark
	Parts   []textPart
	HasHTML bool
	HTML    bool // that form is shown
	Text    string
	Frame   string
	Images  int // remote ones, which are not shown

	Trackers   int
	Misleading misleadingView
	Files      []fileView
	Save       string
	Defects    []string
}

// maxAttachedDepth is how many mails within an attached one can be opened.
const maxAttachedDepth = 10

// attachedPath is a mail's place within a message.
type attachedPath struct {
	message string
	index   int
	within  []int
}

func readAttachedPath(c echo.Context) (attachedPath, error) {
	p := attachedPath{message: c.Param("id")}
	var err error
	if p.index, err = strconv.Atoi(c.Param("index")); err != nil {
		return p, echo.ErrNotFound
	}
	part := c.QueryParam("part")
	if part == "" {
		return p, nil
	}
	for text := range strings.SplitSeq(part, ".") {
		i, err := strconv.Atoi(text)
		if err != nil || len(p.within) > maxAttachedDepth {
			return p, echo.ErrNotFound
		}
		p.within = append(p.within, i)
	}
	return p, nil
}

// url is the address of the page of this kind ("", "/html", "/file").
func (p attachedPath) url(kind string, query url.Values) string {
	if len(p.within) > 0 {
		var part []string
		for _, i := range p.within {
			part = append(part, strconv.Itoa(i))
		}
		query.Set("part", strings.Join(part, "."))
	}
	address := "/messages/" + p.message + "/attachments/" + strconv.Itoa(p.index) + "/mail" + kind
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

func (p attachedPath) child(index int) attachedPath {
	p.within = append(slices.Clone(p.within), index)
	return p
}

// last is the file's number in the mail that it is attached to, from 0.
func (p attachedPath) last() int {
	if len(p.within) > 0 {
		return p.within[len(p.within)-1]
	}
	return p.index
}

// attached returns the file at the request's place: an attachment of a
// message, or of a mail within it.
func (s *Server) attached(c echo.Context) (attachedPath, LetterFile, error) {
	p, err := readAttachedPath(c)
	if err != nil {
		return p, LetterFile{}, err
	}
	a, data, err := s.desk.AttachmentData(c.Request().Context(), visitOf(c).actor(), p.message, p.index)
	if err != nil {
		return p, LetterFile{}, err
	}
	file := LetterFile{Attachment: a, Data: data}
	for _, i := range p.within {
		if !isMail(file.Attachment) {
			return p, LetterFile{}, echo.ErrNotFound
		}
		files := s.options.Mail.Read(file.Data).Files
		if i < 0 || i >= len(files) {
			return p, LetterFile{}, echo.ErrNotFound
		}
		file = files[i]
	}
	return p, file, nil
}

// attachedLetter is the mail at the request's place.
func (s *Server) attachedLetter(c echo.Context) (attachedPath, Letter, error) {
	p, file, err := s.attached(c)
	if err != nil {
		return p, Letter{}, err
	}
	if !isMail(file.Attachment) {
		return p, Letter{}, echo.ErrNotFound
	}
	return p, s.options.Mail.Read(file.Data), nil
}

func (s *Server) attachedMail(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	p, letter, err := s.attachedLetter(c)
	if err != nil {
		return err
	}
	m, err := s.desk.Message(ctx, v.actor(), p.message)
	if err != nil {
		return err
	}
	view := attachedView{Ticket: m.Message.Ticket, Subject: subjectOf(v.Printer, letter.Subject), From: personName(letter.From),
		Date: longMoment(v.Printer, letter.Date), Marks: v.protection(letter.Signed, letter.Encrypted), Defects: defects(v.Printer, letter.Defects),
		HasHTML: strings.TrimSpace(letter.HTML) != "", Parts: textParts(s.options.Mail.Fold(letter.Text, letter.HTML, letter.ReplyText)),
		Text: p.url("", url.Values{}), Frame: p.url("/html", url.Values{}), Save: p.url("/file", url.Values{})}
	if len(p.within) > 0 {
		outer := p
		outer.within = p.within[:len(p.within)-1]
		view.Back = outer.url("", url.Values{})
	}
	for _, line := range []detail{{v.T("detail.to"), addresses(letter.To)}, {v.T("detail.cc"), addresses(letter.Cc)}} {
		if line.Value != "" {
			view.Details = append(view.Details, line)
		}
	}
	if view.HTML = view.HasHTML && c.QueryParam("as") == "html"; view.HTML {
		safe := s.options.Mail.Sanitize(letter.HTML, func(string) string { return "" }, nil)
		view.Images, view.Trackers, view.Misleading = safe.RemoteImages, safe.Trackers, misleadingOf(safe)
	}
	for i, file := range letter.Files {
		if !file.Inline || file.ContentID == "" || !view.HasHTML {
			view.Files = append(view.Files, v.attachedFileView(p.child(i), i, file))
		}
	}
	if view.page, err = s.newPage(ctx, v, view.Subject, ""); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "attached", view)
}

// attachedFileView is a file of an attached mail.
func (v *visit) attachedFileView(p attachedPath, index int, file LetterFile) fileView {
	f := fileView{URL: p.url("/file", url.Values{}), Name: fileName(v.Printer, file.Attachment, index), Size: v.Size(file.Size), Icon: fileIcon(file.Attachment)}
	if isMail(file.Attachment) && len(p.within) <= maxAttachedDepth {
		f.Mail = p.url("", url.Values{})
	}
	f.Hint = v.nameHint(f.Name, file.Attachment)
	v.risk(&f, file.Attachment)
	return f
}

// AsHTML is the address of the page with the mail's HTML.
func (a attachedView) AsHTML() string {
	if strings.Contains(a.Text, "?") {
		return a.Text + "&as=html"
	}
	return a.Text + "?as=html"
}

// attachedHTML is the document inside the frame of an attached mail. Remote
// images are left out: whoever wants them saves the mail.
func (s *Server) attachedHTML(c echo.Context) error {
	_, letter, err := s.attachedLetter(c)
	if err != nil {
		return err
	}
	safe := s.options.Mail.Sanitize(letter.HTML, func(contentID string) string {
		for _, file := range letter.Files {
			if file.ContentID == contentID {
				return dataURL(file.ContentType, file.Data)
			}
		}
		return ""
	}, nil)
	return frameDocument(c, safe, false)
}

func (s *Server) attachedFile(c echo.Context) error {
	p, file, err := s.attached(c)
	if err != nil {
		return err
	}
	return download(c, file.SavedAs(p.last()), file.ContentType, file.Data)
}
