package ui_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

// filledIn are the fields of the form on a page which has a field of that name, as a browser would send them.
func filledIn(t *testing.T, p *page, field string) (pairs []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	attribute := func(n *html.Node, name string) (string, bool) {
		i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
		if i < 0 {
			return "", false
		}
		return n.Attr[i].Val, true
	}
	text := func(n *html.Node) (s string) {
		for d := range n.Descendants() {
			if d.Type == html.TextNode {
				s += d.Data
			}
		}
		return s
	}
	fields := func(form *html.Node) (list []string) {
		for n := range form.Descendants() {
			name, _ := attribute(n, "name")
			value, _ := attribute(n, "value")
			kind, _ := attribute(n, "type")
			_, checked := attribute(n, "checked")
			switch {
			case name == "":
			case n.Data == "textarea":
				list = append(list, name, text(n))
			case n.Data == "select":
				chosen, found := "", false
				for o := range n.Descendants() {
					if _, selected := attribute(o, "selected"); o.Data == "option" && (selected || !found) {
						value, has := attribute(o, "value")
						if found = true; !has {
							value = text(o)
						}
						chosen = value
					}
				}
				list = append(list, name, chosen)
			case n.Data == "input" && kind != "file" && (kind != "checkbox" && kind != "radio" || checked):
				list = append(list, name, value)
			}
		}
		return list
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" {
			if list := fields(n); slices.Contains(list, field) {
				return list
			}
		}
	}
	t.Fatalf("%s has no form with a field %q", p.Request.URL, field)
	return nil
}

// submit sends the form of a page with one field filled in anew.
func (b *browser) submit(p *page, field, value string, encoding string) *page {
	b.t.Helper()
	pairs := append(filledIn(b.t, p, field), "action", "save")
	pairs[slices.Index(pairs, field)+1] = value
	path := p.Request.URL.Path
	if encoding == "" {
		return b.post(path, pairs...)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		form.WriteField(pairs[i], pairs[i+1])
	}
	form.Close()
	return b.do(http.MethodPost, path, &body, form.FormDataContentType())
}

// TestNobodyOverwritesAnotherUnawares has two people open the same form. Who saves second is told, keeps what was typed,
// sees where what is there now is, and replaces it only by saving again.
func TestNobodyOverwritesAnotherUnawares(t *testing.T) {
	h := newReadyHouse(t)
	a := h.admin.Actor()
	aliases, err := h.Aliases(h.ctx(), a)
	if err != nil {
		t.Fatal(err)
	}
	template, err := h.SaveTemplate(h.ctx(), a, helpdesk.Template{Name: "案内", Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: "本文"}}})
	if err != nil {
		t.Fatal(err)
	}
	rule, err := h.SaveRule(h.ctx(), a, helpdesk.AssignmentRule{Name: "規則", When: helpdesk.RuleConditions{Keywords: []string{"請求"}}, Then: helpdesk.RuleActions{Tags: []string{"経理"}}})
	if err != nil {
		t.Fatal(err)
	}
	service, err := h.SaveService(h.ctx(), a, helpdesk.Service{Name: "自動", Language: "ja", Aliases: []string{aliases[0].ID}, Templates: []string{template.ID},
		Delay: helpdesk.ServiceDelay, Threshold: helpdesk.ServiceThreshold, SenderLimit: 1})
	if err != nil {
		t.Fatal(err)
	}
	company, err := h.SaveCompany(h.ctx(), a, helpdesk.Company{Name: "客先", Domains: []string{"kyaku.example"}, Notes: "覚え書き"})
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := h.SaveCalendar(h.ctx(), a, helpdesk.Calendar{Name: "夜間", Hours: hours.Office("Asia/Tokyo")})
	if err != nil {
		t.Fatal(err)
	}
	one, two := h.as(h.admin), h.as(h.user("mori@example.jp", "森", helpdesk.RoleAdmin))
	for _, form := range []struct{ path, field, encoding string }{
		{"/settings/aliases/" + aliases[0].ID, "signature", ""},
		{"/settings/templates/" + template.ID, "version_body", "multipart"},
		{"/settings/rules/" + rule.ID, "name", ""},
		{"/settings/services/" + service.ID, "name", ""},
		{"/companies/" + company.ID, "notes", ""},
		{"/settings/hours/" + calendar.ID, "name", ""},
	} {
		first, second := one.get(form.path).want(http.StatusOK), two.get(form.path).want(http.StatusOK)
		one.submit(first, form.field, "先の言葉", form.encoding).want(http.StatusSeeOther)
		told := two.submit(second, form.field, "後の言葉", form.encoding).want(http.StatusConflict)
		told.shows("後の言葉", "ほかの人か別のタブがこの内容を変更しました", `href="`+form.path+`"`, "今の内容を見る")
		two.get(form.path).shows("先の言葉").hides("後の言葉")
		two.submit(told, form.field, "後の言葉", form.encoding).want(http.StatusSeeOther)
		one.get(form.path).shows("後の言葉").hides("先の言葉")
		// One's own change before is no other's, and what was refused for another reason is not newer for it.
		one.submit(one.get(form.path), form.field, "三つ目の言葉", form.encoding).want(http.StatusSeeOther)
	}

	// A template that is used meanwhile says the same as before.
	open := one.get("/settings/templates/" + template.ID)
	h.receive(letter{subject: "質問", text: "本文"})
	if _, err := h.Reply(h.ctx(), a, helpdesk.Reply{Ticket: 1, Text: "返事", Templates: []string{template.ID}}); err != nil {
		t.Fatal(err)
	}
	one.submit(open, "version_body", "使われた後", "multipart").want(http.StatusSeeOther)
}
