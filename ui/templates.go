package ui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/ui/locale"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates are every page and fragment, parsed once per language so that they
// can speak without being handed a printer.
type templates map[locale.Language]*template.Template

func parseTemplates(c *locale.Catalogues, a *assets) (templates, error) {
	all := templates{}
	rows, err := newRows(all)
	if err != nil {
		return nil, fmt.Errorf("keep rows: %w", err)
	}
	var parsed *template.Template
	for _, l := range locale.Languages() {
		speak := c.Printer(l, nil, firstMoment)
		groups := spoken(speak, speak)
		words := template.FuncMap{
			"t":        speak.T,
			"n":        speak.N,
			"asset":    a.url,
			"icon":     func(name string) template.HTML { return icon(a, name, "icon") },
			"small":    func(name string) template.HTML { return icon(a, name, "icon small") },
			"lang":     func() string { return string(l) },
			"fields":   fields,
			"keys":     func() []spokenGroup { return groups },
			"keycap":   keycap,
			"words":    strings.Fields,
			"join":     strings.Join,
			"customer": func(name string) string { return customerCalled(speak, name) },
			"capital":  locale.Capital,
			"row":      func(row rowView) (template.HTML, error) { return rows.html(l, row) },
		}
		if parsed == nil {
			parsed, err = template.New("").Funcs(words).ParseFS(templateFiles, "templates/*.html")
		} else {
			parsed, err = parsed.Clone() // to copy is quicker than to parse again
		}
		if err != nil {
			return nil, fmt.Errorf("parse templates: %w", err)
		}
		all[l] = parsed.Funcs(words)
	}
	for l, t := range all { // after all were copied
		fixWords(t, newFixedWords(c.Printer(l, nil, firstMoment), a))
		if err := fixParts(t); err != nil {
			return nil, fmt.Errorf("write what templates always say: %w", err)
		}
	}
	return all, nil
}

// icon refers to a drawing of the sprite. name is always a word of ours.
func icon(a *assets, name, class string) template.HTML {
	return template.HTML(`<svg class="` + class + `" aria-hidden="true"><use href="` + a.url("icons.svg") + `#` + name + `"/></svg>`)
}

// fields lets a template pass several things to another.
func fields(pairs ...any) (map[string]any, error) {
	named := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("fields: %v is no name", pairs[i])
		}
		named[name] = pairs[i+1]
	}
	return named, nil
}

// render answers with a template. What fails halfway is reported instead of
// half a page.
func (s *Server) render(c echo.Context, status int, name string, data any) error {
	var page bytes.Buffer
	if err := s.templates[visitOf(c).Language].ExecuteTemplate(&page, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	header := c.Response().Header()
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "HX-Request, HX-Target, Accept-Language, Cookie")
	return c.HTMLBlob(status, page.Bytes())
}

// target is the id of the element that htmx is about to replace, or "" where a
// whole page is wanted.
func target(r *http.Request) string {
	if r.Header.Get("HX-Request") == "" {
		return ""
	}
	_, id, _ := strings.Cut(r.Header.Get("HX-Target"), "#")
	return id
}
