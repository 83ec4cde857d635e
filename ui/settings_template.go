package ui

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

func (s *Server) templateRoutes(g *echo.Group) {
	g.GET("/settings/templates", s.templatesPage)
	g.GET("/settings/templates/export", s.exportTemplates)
	g.POST("/settings/templates/import", s.importTemplates)
	g.POST("/settings/templates/preview", s.previewTemplate)
	g.GET("/settings/templates/:id", recordForm(s, "settings-template", s.templateByID, s.newTemplateView))
	g.POST("/settings/templates/:id", s.saveTemplate)
	g.GET("/settings/templates/:id/files/:file", s.templateFile)
	g.GET("/tickets/:number/templates", s.offerTemplates)
	g.GET("/tickets/:number/templates/:id", s.fillTemplate)
	g.GET("/colleagues", s.colleagues)
}

// templatesView lists the templates by folder.
type templatesView struct {
	settingsPage
	Query    string
	Folders  []templateFolder
	Shared   bool // the reader may change everybody's
	Imported string
	Empty    bool   // there is none at all
	Next     string // address of the page after this one, or ""
}

type templateFolder struct {
	Name      string
	Templates []templateRow
}

type templateRow struct {
	URL, Name, Shortcut string
	Start               string // its first words
	Languages           []string
	Own                 bool
	Uses                string
}

func (s *Server) templatesPage(c echo.Context) error {
	view, err := s.newTemplatesView(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-templates", view)
}

func (s *Server) newTemplatesView(c echo.Context) (templatesView, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "templates", "")
	if err != nil {
		return templatesView{}, err
	}
	list, err := s.desk.Templates(ctx, v.actor())
	if err != nil {
		return templatesView{}, err
	}
	view := templatesView{settingsPage: sp, Query: strings.TrimSpace(c.QueryParam("q")), Shared: v.may(helpdesk.PermitTemplates), Empty: len(list) == 0}
	if created, err := strconv.Atoi(c.QueryParam("created")); err == nil {
		replaced, _ := strconv.Atoi(c.QueryParam("replaced"))
		view.Imported = v.T("template.imported", created, replaced)
	}
	list = slices.DeleteFunc(list, func(t helpdesk.Template) bool { return !holds(t, view.Query) })
	list, view.Next = pageOf(list, "/settings/templates", c.QueryParams())
	for _, t := range list {
		if n := len(view.Folders); n == 0 || view.Folders[n-1].Name != t.Folder {
			view.Folders = append(view.Folders, templateFolder{Name: t.Folder})
		}
		folder := &view.Folders[len(view.Folders)-1]
		folder.Templates = append(folder.Templates, newTemplateRow(v, t))
	}
	return view, nil
}

func newTemplateRow(v *visit, t helpdesk.Template) templateRow {
	row := templateRow{URL: "/settings/templates/" + t.ID, Name: t.Name, Shortcut: t.Shortcut, Own: t.OwnerID != "",
		Start: startOf(strings.Join(strings.Fields(t.Versions[0].Text), " "), shownOfTemplate), Uses: v.N("template.used", t.Uses)}
	for _, version := range t.Versions {
		row.Languages = append(row.Languages, languageName(v, version.Language))
	}
	return row
}

// shownOfTemplate is as many characters as one line of a list can show.
const shownOfTemplate = 200

// startOf is a text up to a number of characters.
func startOf(text string, shown int) string {
	if utf8.RuneCountInString(text) <= shown {
		return text
	}
	return string([]rune(text)[:shown]) + "…"
}

// holds reports whether a template's words hold all of a query's.
func holds(t helpdesk.Template, query string) bool {
	words := t.Name + "\n" + t.Folder + "\n" + t.Shortcut
	for _, v := range t.Versions {
		words += "\n" + v.Subject + "\n" + v.Text
	}
	words = search.Fold(words)
	for word := range strings.FieldsSeq(search.Fold(query)) {
		if !strings.Contains(words, word) {
			return false
		}
	}
	return true
}

// languageName is the name of a language, or its code where there is none.
func languageName(v *visit, code string) string {
	base, rest, _ := strings.Cut(code, "-")
	if slices.Contains(templateLanguages, base) {
		return strings.TrimSpace(v.T("language."+base) + " " + rest)
	}
	return code
}

// templateLanguages are those that are offered first.
var templateLanguages = []string{"ja", "en", "zh", "ko", "de", "fr", "es", "it", "pt", "nl", "ru", "vi", "th", "id"}

// templateView is one template as it is edited, its languages side by side.
type templateView struct {
	settingsPage
	Template  helpdesk.Template
	Own       bool
	Shared    bool // the reader may make it everybody's
	Aliases   []option
	Versions  []versionView
	Languages []option // those that are not there yet
	Variables []option
	Used      string
	Ticket    string // whose customer the preview is filled for, "" for a sample
	Folders   []string
}

type versionView struct {
	Index          int
	Language, Name string
	Subject, Body  string
	Files          []templateFileView
	Preview        *previewView
	Removable      bool
	Fields         []option // the variables, to be put in
}

type templateFileView struct{ ID, Name, Size, URL string }

// templateByID returns the template that the path names; a new one begins in
// the reader's language, with the words that the address brings along.
func (s *Server) templateByID(c echo.Context) (helpdesk.Template, error) {
	v := visitOf(c)
	if c.Param("id") == newRecord {
		t := helpdesk.Template{Name: c.QueryParam("name"), Folder: c.QueryParam("folder"), Versions: []helpdesk.TemplateVersion{{Language: string(v.Language)}}}
		if !v.may(helpdesk.PermitTemplates) {
			t.OwnerID = v.User.ID
		}
		return t, nil
	}
	t, err := s.desk.Template(c.Request().Context(), v.actor(), c.Param("id"))
	if err != nil {
		return helpdesk.Template{}, err
	}
	return *t, nil
}

func (s *Server) newTemplateView(c echo.Context, t helpdesk.Template) (templateView, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "templates", cmp.Or(t.Name, v.T("template.new")))
	if err != nil {
		return templateView{}, err
	}
	sp.seen(c, t.ID, t)
	view := templateView{settingsPage: sp, Template: t, Own: t.OwnerID != "", Shared: v.may(helpdesk.PermitTemplates), Ticket: c.FormValue("ticket")}
	if !view.Own && !view.Shared {
		view.Locked = v.T("template.locked")
	}
	if t.ID != "" {
		view.Used = v.N("template.used", t.Uses)
	}
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return view, err
	}
	for _, a := range aliases {
		view.Aliases = append(view.Aliases, option{a.ID, a.Address, slices.Contains(t.Aliases, a.ID)})
	}
	for _, name := range helpdesk.Variables {
		view.Variables = append(view.Variables, option{Value: "{{" + name + "}}", Label: v.T("template.variable." + strings.ReplaceAll(name, ".", "_"))})
	}
	have := map[string]bool{}
	for i, version := range t.Versions {
		have[version.Language] = true
		view.Versions = append(view.Versions, s.newVersionView(c, t, i, len(t.Versions) > 1, view.Variables))
	}
	for _, l := range templateLanguages {
		if !have[l] {
			view.Languages = append(view.Languages, option{Value: l, Label: v.T("language." + l)})
		}
	}
	all, err := s.desk.Templates(ctx, v.actor())
	for _, other := range all {
		if other.Folder != "" && !slices.Contains(view.Folders, other.Folder) {
			view.Folders = append(view.Folders, other.Folder)
		}
	}
	return view, err
}

func (s *Server) newVersionView(c echo.Context, t helpdesk.Template, i int, removable bool, variables []option) versionView {
	v, version := visitOf(c), t.Versions[i]
	view := versionView{Index: i, Language: version.Language, Name: languageName(v, version.Language), Subject: version.Subject,
		Body: cmp.Or(version.HTML, version.Text), Removable: removable, Fields: variables}
	for _, f := range version.Files {
		view.Files = append(view.Files, templateFileView{f.ID, f.Filename, v.Size(f.Size), "/settings/templates/" + t.ID + "/files/" + f.ID})
	}
	if strings.TrimSpace(view.Body) != "" {
		view.Preview = s.preview(c, helpdesk.TemplateDraft{Version: version, Ticket: previewTicket(c)})
	}
	return view
}

// saveTemplate saves, copies or deletes a template, or changes which languages
// its form has.
func (s *Server) saveTemplate(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	t, err := s.templateByID(c)
	if err != nil {
		return err
	}
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, s.options.MaxUpload+1<<20)
	action, argument, _ := strings.Cut(c.FormValue("action"), ":")
	switch action {
	case "delete":
		if err := s.desk.DeleteTemplate(ctx, v.actor(), t.ID); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/settings/templates?saved=1")
	case "copy":
		copied, err := s.desk.CopyTemplate(ctx, v.actor(), t.ID, v.T("template.copy_of", t.Name))
		if err != nil {
			return s.refuseTemplate(c, t, err)
		}
		return c.Redirect(http.StatusSeeOther, "/settings/templates/"+copied.ID+"?saved=1")
	}
	if err := readTemplateForm(c, &t); err != nil {
		return err
	}
	switch action {
	case "add":
		if language := c.FormValue("language"); language != "" {
			t.Versions = append(t.Versions, helpdesk.TemplateVersion{Language: language})
		}
	case "remove":
		if i, err := strconv.Atoi(argument); err == nil && i >= 0 && i < len(t.Versions) {
			t.Versions = slices.Delete(t.Versions, i, i+1)
		}
	default:
		saved, err := s.desk.SaveTemplate(ctx, v.having(c), t)
		if err != nil {
			return s.refuseTemplate(c, t, err)
		}
		return c.Redirect(http.StatusSeeOther, "/settings/templates/"+saved.ID+"?saved=1")
	}
	for i := range t.Versions { // files that are not saved yet cannot be kept in a form
		t.Versions[i].Files = slices.DeleteFunc(t.Versions[i].Files, func(f helpdesk.TemplateFile) bool { return f.ID == "" })
	}
	view, err := s.newTemplateView(c, t)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-template", view)
}

func (s *Server) refuseTemplate(c echo.Context, t helpdesk.Template, cause error) error {
	for i := range t.Versions {
		t.Versions[i].Files = slices.DeleteFunc(t.Versions[i].Files, func(f helpdesk.TemplateFile) bool { return f.ID == "" })
	}
	view, err := s.newTemplateView(c, t)
	if err != nil {
		return err
	}
	status, err := view.refuseForm(cause)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-template", view)
}

// readTemplateForm reads the form into a template. What the form does not have
// (its id, its uses) stays.
func readTemplateForm(c echo.Context, t *helpdesk.Template) error {
	form, err := c.MultipartForm()
	if err != nil {
		return fmt.Errorf("read form: %w", err)
	}
	value := func(name string) string { return strings.TrimSpace(c.FormValue(name)) }
	t.Name, t.Folder, t.Shortcut = value("name"), value("folder"), value("shortcut")
	t.Aliases, t.OwnerID = form.Value["alias"], ""
	if value("scope") == "own" {
		t.OwnerID = visitOf(c).User.ID
	}
	known := map[string]helpdesk.TemplateFile{}
	for _, v := range t.Versions {
		for _, f := range v.Files {
			known[f.ID] = f
		}
	}
	t.Versions = nil
	for i, language := range form.Value["version_language"] {
		at := func(name string) string {
			if list := form.Value[name]; i < len(list) {
				return list[i]
			}
			return ""
		}
		written := helpdesk.NewLocalized(language, at("version_body"))
		v := helpdesk.TemplateVersion{Language: language, Subject: at("version_subject"), Text: written.Text, HTML: written.HTML}
		for _, id := range form.Value["kept_"+strconv.Itoa(i)] {
			if f, ok := known[id]; ok {
				v.Files = append(v.Files, f)
			}
		}
		for _, header := range form.File["files_"+strconv.Itoa(i)] {
			if header.Filename == "" && header.Size == 0 {
				continue // no file chosen
			}
			data, err := readUpload(header)
			if err != nil {
				return fmt.Errorf("read file %q: %w", header.Filename, err)
			}
			v.Files = append(v.Files, helpdesk.TemplateFile{Filename: header.Filename, ContentType: header.Header.Get("Content-Type"), Data: append([]byte{}, data...)})
		}
		t.Versions = append(t.Versions, v)
	}
	return nil
}

// templateFile sends a file of a template.
func (s *Server) templateFile(c echo.Context) error {
	f, err := s.desk.TemplateFile(c.Request().Context(), visitOf(c).actor(), c.Param("id"), c.Param("file"))
	if err != nil {
		return err
	}
	return download(c, f.Filename, f.ContentType, f.Data)
}

// previewTicket is the ticket that a preview is filled for, 0 for a sample.
func previewTicket(c echo.Context) uint64 {
	number, _ := strconv.ParseUint(strings.TrimLeft(strings.TrimSpace(c.FormValue("ticket")), "#＃"), 10, 64)
	return number
}
