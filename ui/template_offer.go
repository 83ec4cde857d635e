package ui

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// templateOffer is a template as the composer offers it.
type templateOffer struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Folder    string        `json:"folder"`
	Shortcut  string        `json:"shortcut"`
	Words     string        `json:"words"` // the first ones
	Own       bool          `json:"own"`
	Fits      bool          `json:"fits"` // it is in the customer's language
	Language  offerLanguage `json:"language"`
	Languages []string      `json:"languages"` // codes of all its versions
}

type offerLanguage struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// offerTemplates answers with what can be put into an answer on a ticket.
func (s *Server) offerTemplates(c echo.Context) error {
	v := visitOf(c)
	offers, _, err := s.desk.TemplateOffers(c.Request().Context(), v.actor(), matterOf(c))
	if err != nil {
		return err
	}
	answer := []templateOffer{}
	for _, o := range offers {
		offer := templateOffer{ID: o.Template.ID, Name: o.Template.Name, Folder: o.Template.Folder, Shortcut: o.Template.Shortcut, Own: o.Template.OwnerID != "",
			Words: o.Words, Fits: o.Fits, Language: offerLanguage{o.Version.Language, languageName(v, o.Version.Language)}}
		for _, version := range o.Template.Versions {
			offer.Languages = append(offer.Languages, version.Language)
		}
		answer = append(answer, offer)
	}
	return s.sendJSON(c, answer)
}

// filledTemplate is a template made ready for the editor, with where its files
// are.
type filledTemplate struct {
	ID       string       `json:"id"`
	Subject  string       `json:"subject"` // for a mail that has none yet
	HTML     string       `json:"html"`
	Files    []filledFile `json:"files"`
	Unfilled []string     `json:"unfilled"`
}

type filledFile struct {
	URL  string `json:"url"`
	Name string `json:"name"`
	Type string `json:"type"`
}

func (s *Server) fillTemplate(c echo.Context) error {
	v, id := visitOf(c), c.Param("id")
	filled, err := s.desk.FillTemplate(c.Request().Context(), v.actor(), id, matterOf(c), c.QueryParam("language"), s.now().In(v.Zone))
	if err != nil {
		return err
	}
	answer := filledTemplate{ID: id, Subject: filled.Subject, HTML: filled.HTML, Files: []filledFile{}, Unfilled: append([]string{}, filled.Unfilled...)}
	for _, f := range filled.Files {
		answer.Files = append(answer.Files, filledFile{"/settings/templates/" + id + "/files/" + f.ID, f.Filename, f.ContentType})
	}
	return s.sendJSON(c, answer)
}

// colleague is somebody, or a team, whom a note can mention.
type colleague struct {
	ID      string `json:"id"` // as lists to assign to have it
	Name    string `json:"name"`
	Email   string `json:"email"` // of a team, how many it has
	Initial string `json:"initial"`
	Colour  int    `json:"colour"`
}

// colleagues answers with those whom a note can mention, the reader left out.
func (s *Server) colleagues(c echo.Context) error {
	v := visitOf(c)
	users, err := s.desk.Users(c.Request().Context(), v.actor())
	if err != nil {
		return err
	}
	answer := []colleague{}
	for _, u := range users {
		if u.Disabled || u.ID == v.User.ID {
			continue
		}
		a := newAvatar(u.ID, u.Name)
		answer = append(answer, colleague{u.ID, u.Name, u.Email, a.Initial, a.Colour})
	}
	teams, err := s.desk.Teams(c.Request().Context(), v.actor())
	if err != nil {
		return err
	}
	for _, t := range teams {
		a := newAvatar(t.ID, t.Name)
		answer = append(answer, colleague{"team:" + t.ID, t.Name, v.N("team.members", len(t.Members)), a.Initial, a.Colour})
	}
	return s.sendJSON(c, answer)
}

func (s *Server) sendJSON(c echo.Context, answer any) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, answer)
}

// previewView is a text with variables as the customer would get it, or why it
// could not be kept.
type previewView struct {
	HTML     template.HTML
	Subject  string
	Language string
	Unfilled string
	Error    string
}

func (s *Server) preview(c echo.Context, draft helpdesk.TemplateDraft) *previewView {
	v := visitOf(c)
	filled, err := s.desk.PreviewDraft(c.Request().Context(), v.actor(), draft, s.now().In(v.Zone))
	if err != nil {
		said, ok := refusal(v.Printer, err)
		if !ok {
			said.Text = v.T("template.no_preview")
		}
		return &previewView{Error: said.Text}
	}
	view := &previewView{HTML: template.HTML(filled.HTML), Subject: filled.Subject, Language: filled.Language} // made by the desk, escaped and from an allow-list
	if len(filled.Unfilled) > 0 {
		view.Unfilled = v.T("template.unfilled", "{{"+strings.Join(filled.Unfilled, "}}, {{")+"}}")
	}
	return view
}

// previewTemplate shows what is being written, of a template, a signature or an
// acknowledgement, without keeping it.
func (s *Server) previewTemplate(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	language, bodyName := c.FormValue("preview_language"), cmp.Or(c.FormValue("preview_of"), "version_body")
	i, _ := strconv.Atoi(c.FormValue("preview_index"))
	at := func(name string) string {
		if list := form[name]; i >= 0 && i < len(list) {
			return list[i]
		}
		return ""
	}
	written := helpdesk.NewLocalized(language, at(bodyName))
	draft := helpdesk.TemplateDraft{Version: helpdesk.TemplateVersion{Language: language, Text: written.Text, HTML: written.HTML},
		Automatic: strings.HasPrefix(bodyName, "acknowledgement"), Alias: c.FormValue("preview_alias"), Ticket: previewTicket(c)}
	if bodyName == "version_body" {
		draft.Version.Subject = at("version_subject")
	}
	if strings.TrimSpace(at(bodyName)) == "" {
		return s.render(c, http.StatusOK, "template-preview", (*previewView)(nil))
	}
	return s.render(c, http.StatusOK, "template-preview", s.preview(c, draft))
}

// exportTemplates sends everybody's templates, or the reader's own, as a file
// that importTemplates reads.
func (s *Server) exportTemplates(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	list, err := s.desk.ExportTemplates(ctx, v.actor(), c.QueryParam("own") != "")
	if err != nil {
		return err
	}
	named, err := s.templateNames(ctx, v.actor())
	if err != nil {
		return err
	}
	file := templateExport{Templates: []apiTemplate{}}
	for _, t := range list {
		file.Templates = append(file.Templates, named.template(t))
	}
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return download(c, "templates.json", "application/json", append(data, '\n'))
}

// templateExport is the file of templates.
type templateExport struct {
	Templates []apiTemplate `json:"templates"`
}

func (s *Server) importTemplates(c echo.Context) error {
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxAPIReplyBody)
	created, replaced, err := s.importFile(c)
	if err == nil {
		return c.Redirect(http.StatusSeeOther, fmt.Sprintf("/settings/templates?created=%d&replaced=%d", created, replaced))
	}
	view, failed := s.newTemplatesView(c)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-templates", view)
}

// notTemplates is what is wrong with a file that somebody chose; err says it to programs.
func notTemplates(err error) error {
	return invalid("file", "error.template_json", "this is not a file of templates: "+err.Error())
}

func (s *Server) importFile(c echo.Context) (created, replaced int, err error) {
	header, err := c.FormFile("file")
	if err != nil {
		return 0, 0, invalid("file", "error.template_file", "choose a file with templates")
	}
	data, err := readUpload(header)
	if err != nil {
		return 0, 0, fmt.Errorf("read the file: %w", err)
	}
	var file templateExport
	if err := json.Unmarshal(data, &file); err != nil {
		return 0, 0, notTemplates(err)
	}
	var list []helpdesk.Template
	for i, t := range file.Templates {
		read, err := t.read(fmt.Sprintf("templates[%d]", i))
		if err != nil {
			return 0, 0, notTemplates(err)
		}
		list = append(list, read)
	}
	return s.desk.ImportTemplates(c.Request().Context(), visitOf(c).actor(), list, c.FormValue("scope") == "own")
}
