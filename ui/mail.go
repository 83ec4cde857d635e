package ui

import (
	"encoding/base64"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) messageRoutes(g *echo.Group) {
	g.GET("/messages/:id/body", s.messageBody)
	g.GET("/messages/:id/html", s.messageHTML)
	g.GET("/messages/:id/source", s.messageSource)
	g.GET("/messages/:id/attachments/:index", s.attachment)
	s.attachedRoutes(g)
	g.POST("/messages/:id/undo", s.undo)
	g.POST("/messages/:id/resolve", s.resolveHeld)
	g.POST("/deliveries/:id/retry", s.retryDelivery)
}

// framePolicy is the content security policy of a mail's HTML: it may load
// nothing, run nothing and be framed only by us. The style sheet of a mail is
// inline by nature and can do no harm where nothing can be fetched. The remote
// images that somebody asked to see come from our own origin.
func framePolicy(images bool, sandbox string) string {
	source := "data:"
	if images {
		source = "'self' data:"
	}
	return "default-src 'none'; img-src " + source + "; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox " + sandbox
}

// What a mail's frame may do: open its links in windows of their own. The copy
// that is measured may be looked into by our page, and nothing else.
const (
	frameShown    = "allow-popups allow-popups-to-escape-sandbox"
	frameMeasured = "allow-same-origin"
)

// bodyView is a mail's body in one of its two forms.
type bodyView struct {
	ID         string
	HTML       bool
	HasHTML    bool
	Parts      []textPart
	Withheld   int  // remote images that are not shown
	Images     bool // remote images are shown
	Trackers   int  // images that are never loaded
	Misleading misleadingView
}

// misleadingView names the first links whose words say another site than the
// one they open, and counts the others.
type misleadingView struct {
	Links []MisleadingLink
	More  int
}

func misleadingOf(safe SafeHTML) misleadingView {
	links := distinct(safe.Misleading)
	shown := min(len(links), maxMisleading)
	return misleadingView{Links: links[:shown], More: len(links) - shown}
}

// Frame is the address of the document with the HTML.
func (b bodyView) Frame() string {
	if b.Images {
		return "/messages/" + b.ID + "/html?images=1"
	}
	return "/messages/" + b.ID + "/html"
}

// maxMisleading is how many misleading links are named above a mail.
const maxMisleading = 3

// messageBody answers with the other form of a mail's body.
func (s *Server) messageBody(c echo.Context) error {
	m, err := s.desk.Message(c.Request().Context(), visitOf(c).actor(), c.Param("id"))
	if err != nil {
		return err
	}
	body := bodyView{ID: m.Message.ID, HTML: c.QueryParam("as") == "html", HasHTML: true, Parts: textParts(s.options.Mail.Fold(m.Body.Text, m.Body.HTML, m.Body.ReplyText))}
	if body.HTML {
		safe := s.options.Mail.Sanitize(m.Body.HTML, func(string) string { return "" }, nil)
		body.Images = safe.RemoteImages > 0 && c.QueryParam("images") != ""
		if !body.Images {
			body.Withheld = safe.RemoteImages
		}
		body.Trackers = safe.Trackers
		body.Misleading = misleadingOf(safe)
	}
	return s.render(c, http.StatusOK, "body", body)
}

// distinct names every pair of hosts once, in the order of the mail.
func distinct(links []MisleadingLink) (list []MisleadingLink) {
	for _, l := range links {
		if !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	return list
}

// messageHTML is the document inside the frame.
func (s *Server) messageHTML(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	m, err := s.desk.Message(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	images := c.QueryParam("images") != ""
	var imageURL func(string) string
	if images {
		imageURL = func(address string) string { return s.imageSeals.url(m.Message.ID, address, v.session) }
	}
	safe := s.options.Mail.Sanitize(m.Body.HTML, func(contentID string) string {
		a, data, err := s.desk.InlineImage(ctx, v.actor(), m.Message.ID, contentID)
		if err != nil {
			return "" // a picture the mail refers to and does not have
		}
		return dataURL(a.ContentType, data)
	}, imageURL)
	return frameDocument(c, safe, images)
}

// frameDocument answers with the document of a mail's frame; images says that
// remote ones are in it.
func frameDocument(c echo.Context, safe SafeHTML, images bool) error {
	header := c.Response().Header()
	header.Set("Content-Security-Policy", framePolicy(images, frameShown))
	if c.QueryParam("measure") != "" {
		header.Set("Content-Security-Policy", framePolicy(images, frameMeasured))
	}
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-DNS-Prefetch-Control", "off")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "private, max-age=600")
	if images {
		header.Set("Cache-Control", "no-store") // the seals in it are of this session and process
	}
	return c.HTML(http.StatusOK, frameStart+safe.HTML+"</body></html>")
}

const frameStart = `<!doctype html><html><head><meta charset="utf-8"><meta name="color-scheme" content="light">` +
	`<style>html{background:#fff;color:#23211d}body{margin:0;padding:12px 16px;font:14px/1.7 -apple-system,"Segoe UI","Hiragino Sans","Noto Sans JP","Noto Sans CJK JP",Meiryo,sans-serif;` +
	`overflow-wrap:anywhere;overflow-x:auto}img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}` +
	// A table of many columns is scrolled on a phone: it keeps its words, and room for a
	// few Japanese characters in each cell of what is drawn as a table.
	`table:has(>*>tr>:nth-child(4))>*>tr>*{overflow-wrap:break-word}` +
	`table:is([border]:not([border="0"]),:has(>*>tr>th)):has(>*>tr>:nth-child(4))>*>tr>*,table:has(>*>tr>:nth-child(4))>*>tr>[style*=solid]{min-width:5em}` +
	// The mark of a misleading link. A mail's own style has no word about it.
	`a[data-target]::after{content:" ⚠ " attr(data-target)!important;margin-left:.4em!important;padding:1px 6px!important;border-radius:4px!important;background:#fbeccb!important;` +
	`color:#6b4a00!important;font:12px/1.5 sans-serif!important;text-decoration:none!important;display:inline-block!important;visibility:visible!important;text-indent:0!important}` +
	`</style></head><body>`

// dataURL puts an inline image into the document. Only what browsers draw
// without running anything is let through.
func dataURL(contentType string, data []byte) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, kind) {
		return ""
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// messageSource is the mail as it came, to be saved.
func (s *Server) messageSource(c echo.Context) error {
	raw, err := s.desk.Source(c.Request().Context(), visitOf(c).actor(), c.Param("id"))
	if err != nil {
		return err
	}
	return download(c, c.Param("id")+".eml", "message/rfc822", raw)
}

func (s *Server) attachment(c echo.Context) error {
	index, err := strconv.Atoi(c.Param("index"))
	if err != nil {
		return echo.ErrNotFound
	}
	a, data, err := s.desk.AttachmentData(c.Request().Context(), visitOf(c).actor(), c.Param("id"), index)
	if err != nil {
		return err
	}
	return download(c, a.SavedAs(index), a.ContentType, data)
}

// download sends a file that browsers save and never open in our origin,
// whatever it claims to be.
func download(c echo.Context, name, contentType string, data []byte) error {
	header := c.Response().Header()
	header.Set("Content-Disposition", contentDisposition(name))
	header.Set("Content-Security-Policy", filePolicy)
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "private, no-store")
	return c.Blob(http.StatusOK, safeType(contentType), data)
}

// contentDisposition names a download (RFC 6266) with a plain name for old
// clients and the real one beside it.
func contentDisposition(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\`, r) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return '_'
		}
		return r
	}, name)
	plain := strings.Map(func(r rune) rune {
		if r > '~' || r == '"' || r == '%' {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + encodeExtended(name)
}

// encodeExtended is the value encoding of RFC 8187.
func encodeExtended(s string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~"
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// safeType is the type a download is sent with: the sender's own where it is
// well formed and none that a browser would run.
func safeType(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "application/octet-stream"
	}
	for _, active := range []string{"html", "xml", "svg", "javascript", "ecmascript", "xhtml", "multipart"} {
		if strings.Contains(kind, active) {
			return "application/octet-stream"
		}
	}
	return kind
}

// resolveHeld decides where a held mail goes.
func (s *Server) resolveHeld(c echo.Context) error {
	number, err := s.desk.ResolveHeld(c.Request().Context(), visitOf(c).actor(), c.Param("id"), helpdesk.Resolution(c.FormValue("resolution")))
	if err != nil {
		return err
	}
	shown, err := strconv.ParseUint(c.FormValue("ticket"), 10, 64)
	if err != nil || shown == number || number == 0 {
		return c.Redirect(http.StatusSeeOther, backTo(c, max(shown, number)))
	}
	// A ticket of its own: that is what to look at next.
	p := placeOfPath(c.FormValue("back"), number)
	if target(c.Request()) != "" {
		c.Response().Header().Set("HX-Push-Url", p.address(number))
	}
	return c.Redirect(http.StatusSeeOther, p.address(number))
}

func (s *Server) retryDelivery(c echo.Context) error {
	if err := s.desk.RetryDelivery(c.Request().Context(), visitOf(c).actor(), c.Param("id")); err != nil {
		return err
	}
	number, _ := strconv.ParseUint(c.FormValue("ticket"), 10, 64)
	return c.Redirect(http.StatusSeeOther, backTo(c, number))
}
