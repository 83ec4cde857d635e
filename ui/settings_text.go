package ui

import (
	"cmp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// localizedView edits a text in several languages: the first row is for all
// that have none of their own, the last one is to write in another.
type localizedView struct {
	Name, Title, Hint string
	Rows              []localizedRow
	Variables         []option
}

type localizedRow struct {
	Language, Body string
	Languages      []option
	Preview        *previewView
}

// newLocalizedView shows the texts of an alias. automatic is what is sent
// without an agent.
func (s *Server) newLocalizedView(c echo.Context, name, aliasID, whole string, texts []helpdesk.Localized, automatic bool) localizedView {
	v := visitOf(c)
	view := localizedView{Name: name}
	for _, variable := range helpdesk.Variables {
		if automatic && strings.HasPrefix(variable, "agent.") {
			continue
		}
		view.Variables = append(view.Variables, option{Value: "{{" + variable + "}}", Label: v.T("template.variable." + strings.ReplaceAll(variable, ".", "_"))})
	}
	var have []string
	for _, l := range texts {
		have = append(have, l.Language)
	}
	row := func(language, body string) {
		r := localizedRow{Language: language, Body: body}
		for _, code := range append([]string{""}, templateLanguages...) {
			if code == language || !slices.Contains(have, code) {
				label := v.T("texts.any")
				if code != "" {
					label = languageName(v, code)
				}
				r.Languages = append(r.Languages, option{code, label, code == language})
			}
		}
		if language != "" && !slices.Contains(templateLanguages, language) {
			r.Languages = append(r.Languages, option{language, language, true})
		}
		if body != "" {
			written := helpdesk.NewLocalized(cmp.Or(language, string(v.Language)), body)
			r.Preview = s.preview(c, helpdesk.TemplateDraft{Alias: aliasID, Automatic: automatic,
				Version: helpdesk.TemplateVersion{Language: written.Language, Text: written.Text, HTML: written.HTML}})
		}
		view.Rows = append(view.Rows, r)
	}
	row("", whole)
	for _, l := range texts {
		row(l.Language, l.Written())
	}
	for _, code := range templateLanguages {
		if !slices.Contains(have, code) {
			row(code, "")
			break
		}
	}
	return view
}

// readLocalized reads the rows of such a view: the text for any language, and
// those for one each.
func readLocalized(c echo.Context, name string) (whole string, texts []helpdesk.Localized, err error) {
	form, err := c.FormParams()
	if err != nil {
		return "", nil, err
	}
	for i, body := range form[name] {
		if languages := form[name+"_language"]; i < len(languages) && languages[i] != "" {
			texts = append(texts, helpdesk.NewLocalized(languages[i], body))
			continue
		}
		if body = strings.TrimSpace(strings.ReplaceAll(body, "\r\n", "\n")); body != "" {
			whole = body
		}
	}
	return whole, texts, nil
}
