package ui

import (
	"html/template"
	"strings"
	"testing"
)

// Words, and parts that are given nothing, that are put in before a page is asked for read as those that are made for it.
func TestFixedWordsReadTheSame(t *testing.T) {
	const page = `{{define "page"}}<a title="{{t "odd"}}" href="{{asset "a.css"}}">{{t "odd"}}</a>
{{range .}}<title>{{t "odd"}}</title>{{icon "x"}}{{t .}}{{else}}{{t "none"}}{{end}}
{{with .}}{{t "odd"}}{{else}}{{t "none"}}{{end}}{{if .}}{{t "odd" | printf "%s!"}}{{$w := t "odd"}}{{$w}}{{else}}{{t "none"}}{{end}}
<textarea>{{t "odd"}}</textarea>{{template "part"}}{{range .}}{{template "part" .}}{{end}}{{end}}
{{define "part"}}<i title="{{t "odd"}}" data-n="{{.}}">{{if .}}{{.}}{{else}}{{t "odd" | printf "%s&"}}{{end}}{{template "inner"}}</i>{{end}}
{{define "inner"}}<b>{{t "odd" | printf "%q"}}</b>{{end}}`
	said := map[string]string{"odd": `"<b>'&amp;\ 窓口`, "none": "none"}
	words := template.FuncMap{
		"t":     func(key string) string { return said[key] },
		"asset": func(name string) string { return "/static/0/" + name },
		"icon":  func(string) template.HTML { return `<svg class="icon"/>` },
	}
	read := func(fix bool, data any) string {
		parsed, err := template.New("").Funcs(words).Parse(page)
		if err != nil {
			t.Fatal(err)
		}
		if fix {
			asked := 0
			fixWords(parsed, fixedWords{
				"t":    func(key string) template.HTML { asked++; return template.HTML(template.HTMLEscapeString(said[key])) },
				"icon": func(string) template.HTML { asked++; return `<svg class="icon"/>` },
			})
			if asked != 10 {
				t.Errorf("%d words are fixed, want the 10 that stand alone", asked)
			}
		}
		if fix {
			if err := fixParts(parsed); err != nil {
				t.Fatal(err)
			}
			if left := parsed.Lookup("page").Tree.Root.String(); strings.Contains(left, `{{template "part"}}`) || !strings.Contains(left, `{{template "part" .}}`) {
				t.Errorf("the part that is given nothing is to be fixed, and no other:\n%s", left)
			}
		}
		var out strings.Builder
		if err := parsed.ExecuteTemplate(&out, "page", data); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, data := range []any{[]string{"odd", "none"}, []string{}} {
		if fixed, asked := read(true, data), read(false, data); fixed != asked {
			t.Errorf("fixed:\n%s\nasked:\n%s", fixed, asked)
		}
	}
}
