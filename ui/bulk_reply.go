package ui

import (
	"cmp"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// bulkRepliesPath is where replies to many tickets are written and watched.
const bulkRepliesPath = "/bulk-replies"

func (s *Server) bulkReplyRoutes(g *echo.Group) {
	g.GET(bulkRepliesPath, s.bulkRepliesPage)
	g.GET(bulkRepliesPath+"/:id", s.bulkReplyPage)
	g.POST(bulkRepliesPath+"/:id", s.saveBulkReply)
	g.GET(bulkRepliesPath+"/:id/progress", s.bulkReplyProgress)
	g.POST(bulkRepliesPath+"/:id/approve", s.decideBulkReply)
	g.POST(bulkRepliesPath+"/:id/undo", s.undoBulkReply)
	g.POST(bulkRepliesPath+"/:id/files", s.attachToBulkReply)
	g.POST(bulkRepliesPath+"/:id/files/:file/delete", s.detachFromBulkReply)
}

var variable = regexp.MustCompile(`\{\{[^}]*\}\}`)

// bulkReplyView is one of them, as it is written, approved or watched.
type bulkReplyView struct {
	page
	ID, URL   string
	Heading   string
	Badge     *badge
	Author    string
	Writes    bool // the reader writes it
	Approves  bool // the reader may decide on it
	Body      string
	Close     bool
	Used      []string // ids of templates
	Files     []bulkFile
	Templates []option
	Variables []option
	Returned  string // with what it was sent back
	Error     formError
	Preview   *bulkPreviewView
	Progress  *bulkProgressView
	Confirm   string
	Sent      template.HTML // what was written, once it is sent
}

// wordsOf shows a text with its variables.
func wordsOf(l helpdesk.Localized) template.HTML {
	if l.HTML != "" {
		return template.HTML(l.HTML) // from an allow-list, as the desk keeps it
	}
	return `<p class="bulk-said">` + linked(l.Text) + `</p>`
}

func (s *Server) bulkReplyPage(c echo.Context) error {
	view, err := s.newBulkReplyView(c)
	if err != nil {
		return err
	}
	return s.renderBulkReply(c, http.StatusOK, view)
}

func (s *Server) renderBulkReply(c echo.Context, status int, view *bulkReplyView) error {
	if target(c.Request()) == "bulk-preview" {
		return s.render(c, http.StatusOK, "bulk-preview", view.Preview)
	}
	return s.render(c, status, "bulk-reply", view)
}

func (s *Server) newBulkReplyView(c echo.Context) (*bulkReplyView, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	b, troubled, err := s.desk.BulkReply(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return nil, err
	}
	names, _, err := s.people(ctx, v)
	if err != nil {
		return nil, err
	}
	view := &bulkReplyView{ID: b.ID, URL: bulkRepliesPath + "/" + b.ID, Heading: v.N("bulk_reply.heading", b.Total), Badge: bulkReplyBadge(v, b), Author: names[b.By].Name, Sent: wordsOf(b.Words),
		Writes: b.State == helpdesk.BulkReplyWriting && b.By == v.User.ID && v.may(helpdesk.PermitBulk) && v.may(helpdesk.PermitReply),
		Body:   cmp.Or(b.Words.HTML, b.Words.Text), Close: b.Close, Used: b.Templates, Confirm: v.N("bulk_reply.confirm", b.Total)}
	for _, f := range b.Files {
		view.Files = append(view.Files, bulkFile{f.ID, f.Filename, v.Size(f.Size)})
	}
	view.Approves = b.State == helpdesk.BulkReplyReview && b.By != v.User.ID && v.may(helpdesk.PermitApprove)
	if b.Returned != "" {
		view.Returned = v.T("bulk_reply.returned", names[b.ReturnedBy].Name, b.Returned)
	}
	switch b.State {
	case helpdesk.BulkReplyWriting, helpdesk.BulkReplyReview:
		if view.Preview, err = s.newBulkPreview(c, b, view.Writes); err != nil {
			return nil, err
		}
	default:
		view.Progress = s.newBulkProgress(v, b, troubled)
	}
	if view.Writes {
		if err := s.offerToBulkReply(c, view); err != nil {
			return nil, err
		}
	}
	view.page, err = s.newPage(ctx, v, view.Heading, "")
	return view, err
}

// offerToBulkReply adds what one writes with.
func (s *Server) offerToBulkReply(c echo.Context, view *bulkReplyView) error {
	v := visitOf(c)
	list, err := s.desk.Templates(c.Request().Context(), v.actor())
	for _, t := range list {
		for i, version := range t.Versions {
			label := t.Name
			if len(t.Versions) > 1 {
				label += " (" + languageName(v, version.Language) + ")"
			}
			view.Templates = append(view.Templates, option{Value: t.ID + "/" + strconv.Itoa(i), Label: label})
		}
	}
	for _, name := range helpdesk.Variables {
		view.Variables = append(view.Variables, option{Value: "{{" + name + "}}", Label: v.T("template.variable." + strings.ReplaceAll(name, ".", "_"))})
	}
	return err
}

// bulkPreviewView is the mail that one of the tickets gets, and what would
// become of the whole.
type bulkPreviewView struct {
	URL            string
	Position       string
	Earlier, Later string // addresses
	Ticket         uint64
	To, From       string
	Subject        string
	HTML           template.HTML
	Trouble        string
	Error          string
	Notes          []string // what to know before sending
	Reach          string
	Troubled       []template.HTML
	Empty          bool
}

// newBulkPreview says in the reader's words what would be sent.
func (s *Server) newBulkPreview(c echo.Context, b *helpdesk.BulkReply, writes bool) (*bulkPreviewView, error) {
	v := visitOf(c)
	at, _ := strconv.Atoi(c.FormValue("at")) // 0 for anything else
	p, check, err := s.desk.PreviewBulkReply(c.Request().Context(), v.actor(), b.ID, at)
	if err != nil {
		return nil, err
	}
	view := &bulkPreviewView{URL: bulkRepliesPath + "/" + b.ID, Position: v.T("bulk_reply.position", p.Index+1, b.Total), Ticket: p.Ticket, Subject: p.Subject,
		From: formatAddress(p.From), HTML: template.HTML(p.HTML), // made by the desk, escaped and from an allow-list
		Reach: v.N("bulk_reply.reach", check.Reach), Empty: strings.TrimSpace(b.Words.Text) == ""}
	if len(p.To) > 0 {
		view.To = formatAddress(p.To[0])
	}
	if p.Trouble != nil {
		view.Trouble = explain(v.Printer, p.Trouble)
	}
	if p.Index > 0 {
		view.Earlier = view.URL + "?at=" + strconv.Itoa(p.Index-1)
	}
	if p.Index+1 < b.Total {
		view.Later = view.URL + "?at=" + strconv.Itoa(p.Index+1)
	}
	for _, trouble := range check.Troubled {
		view.Troubled = append(view.Troubled, withTickets(linkTo(trouble.Ticket)+" "+unmarked(explain(v.Printer, trouble.Why))))
	}
	view.note(v, check, writes)
	return view, nil
}

func (w *bulkPreviewView) note(v *visit, check *helpdesk.BulkReplyCheck, writes bool) {
	if check.Approval && writes {
		w.Notes = append(w.Notes, v.T("bulk_reply.note_approval"))
	}
	if check.Again > 0 {
		w.Notes = append(w.Notes, v.N("bulk_reply.note_again", check.Again))
	}
	for _, name := range helpdesk.Variables {
		if n := check.Unfilled[name]; n > 0 {
			w.Notes = append(w.Notes, v.N("bulk_reply.note_unfilled", n, v.T("template.variable."+strings.ReplaceAll(name, ".", "_"))))
		}
	}
	if !check.Unsubscribe {
		w.Notes = append(w.Notes, v.T("bulk_reply.note_unsubscribe"))
	}
}

func formatAddress(a helpdesk.Address) string {
	if a.Name == "" {
		return a.Email
	}
	return a.Name + " <" + a.Email + ">"
}

// saveBulkReply keeps what is written, and sends or discards it where that is
// asked for.
func (s *Server) saveBulkReply(c echo.Context) error {
	if err := s.readCompose(c); err != nil {
		return err
	}
	if form := c.Request().MultipartForm; form != nil {
		defer form.RemoveAll()
	}
	ctx, v, id := c.Request().Context(), visitOf(c), c.Param("id")
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	action := form.Get("action")
	if action == "discard" {
		if err := s.desk.DiscardBulkReply(ctx, v.actor(), id); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/inbox/open")
	}
	draft := helpdesk.BulkReplyDraft{Words: helpdesk.NewLocalized("", form.Get("text")), Templates: form["used"], Close: form.Get("close") != ""}
	if action == "template" {
		if err := s.useTemplate(c, form.Get("template"), &draft); err != nil {
			return err
		}
	}
	_, err = s.desk.SaveBulkReply(ctx, v.actor(), id, draft)
	if err == nil {
		err = s.addChosenFiles(c)
	}
	if err == nil && action == "send" {
		_, err = s.desk.SendBulkReply(ctx, v.actor(), id)
	}
	if err != nil {
		return s.refuseBulkReply(c, draft, err)
	}
	if target(c.Request()) == "bulk-preview" {
		return s.bulkReplyPage(c)
	}
	return c.Redirect(http.StatusSeeOther, bulkRepliesPath+"/"+id)
}

// useTemplate puts a template's words in place of what is written.
func (s *Server) useTemplate(c echo.Context, chosen string, draft *helpdesk.BulkReplyDraft) error {
	id, version, _ := strings.Cut(chosen, "/")
	if id == "" {
		return nil
	}
	t, err := s.desk.Template(c.Request().Context(), visitOf(c).actor(), id)
	if err != nil {
		return err
	}
	i, err := strconv.Atoi(version)
	if err != nil || i < 0 || i >= len(t.Versions) {
		i = 0
	}
	draft.Words = helpdesk.Localized{Text: t.Versions[i].Text, HTML: t.Versions[i].HTML}
	if !slices.Contains(draft.Templates, t.ID) {
		draft.Templates = append(draft.Templates, t.ID)
	}
	return nil
}

// refuseBulkReply shows what was typed again, with what is wrong with it.
func (s *Server) refuseBulkReply(c echo.Context, draft helpdesk.BulkReplyDraft, cause error) error {
	said, ok := refusal(visitOf(c).Printer, cause)
	if !ok {
		return cause
	}
	view, err := s.newBulkReplyView(c)
	if err != nil {
		return err
	}
	if !view.Writes {
		return cause // it was sent meanwhile
	}
	view.Error, view.Body, view.Close = said, cmp.Or(draft.Words.HTML, draft.Words.Text), draft.Close
	view.Preview.Error = said.Text
	return s.renderBulkReply(c, statusOf(codeOf(cause)), view)
}

// decideBulkReply approves one, or sends it back with a comment.
func (s *Server) decideBulkReply(c echo.Context) error {
	ctx, v, id := c.Request().Context(), visitOf(c), c.Param("id")
	var err error
	if c.FormValue("action") == "return" {
		_, err = s.desk.ReturnBulkReply(ctx, v.actor(), id, c.FormValue("comment"))
	} else {
		_, err = s.desk.ApproveBulkReply(ctx, v.actor(), id)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, bulkRepliesPath+"/"+id)
}

func (s *Server) undoBulkReply(c echo.Context) error {
	if _, err := s.desk.UndoBulkReply(c.Request().Context(), visitOf(c).actor(), c.Param("id")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, bulkRepliesPath+"/"+c.Param("id"))
}
