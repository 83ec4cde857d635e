package ui_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// changes are what the form that changes a ticket needs, by the field it brings.
var changes = map[string]helpdesk.Permission{"stage": helpdesk.PermitStage, "assignee": helpdesk.PermitAssign,
	"priority": helpdesk.PermitEdit, "tag": helpdesk.PermitEdit, "untag": helpdesk.PermitEdit}

// pageForm is a form as a browser could send it.
type pageForm struct {
	action string
	fields []string
	usable bool // there is something enabled to press or to choose
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// forms returns the forms of a page that send something.
func forms(t *testing.T, body string) (list []*pageForm) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(n *html.Node, form *pageForm, disabled bool)
	walk = func(n *html.Node, form *pageForm, disabled bool) {
		if n.Type == html.ElementNode {
			_, off := attribute(n, "disabled")
			switch n.Data {
			case "noscript", "template":
				return
			case "fieldset":
				disabled = disabled || off
			case "form":
				if method, _ := attribute(n, "method"); method == "post" {
					form = &pageForm{}
					form.action, _ = attribute(n, "action")
					list = append(list, form)
				}
			case "input", "select", "textarea", "button":
				if form == nil {
					break
				}
				name, _ := attribute(n, "name")
				form.fields = append(form.fields, name)
				if kind, _ := attribute(n, "type"); kind != "hidden" && !off && !disabled {
					form.usable = true
				}
			}
		}
		for child := range n.ChildNodes() {
			walk(child, form, disabled)
		}
	}
	walk(root, nil, false)
	return list
}

// needs is the permission that sending a form takes.
func (f *pageForm) needs(t *testing.T) helpdesk.Permission {
	t.Helper()
	path, _, _ := strings.Cut(f.action, "?")
	if strings.HasSuffix(path, "/change") && strings.HasPrefix(path, "/tickets/") {
		for _, field := range f.fields {
			if p, ok := changes[field]; ok {
				return p
			}
		}
	}
	if strings.HasSuffix(path, "/compose") && strings.HasPrefix(path, "/tickets/") {
		return helpdesk.PermitReply // or notes: it is there for whoever may one of them, with the tabs they may
	}
	for name, a := range routeAccess {
		method, pattern, _ := strings.Cut(name, " ")
		if method == http.MethodPost && regexp.MustCompile("^"+regexp.MustCompile(`:\w+`).ReplaceAllString(pattern, "[^/]+")+"$").MatchString(path) {
			return a.needs
		}
	}
	t.Errorf("a form leads to %s, which is no route", f.action)
	return anybody
}

// TestNothingIsOfferedThatIsRefused reads the pages of daily work as roles that lack
// one permission each, and as one that may only read: no form that can be sent leads
// to a refusal.
func TestNothingIsOfferedThatIsRefused(t *testing.T) {
	h := newRoutedHouse(t)
	_, err := h.Snooze(h.ctx(), h.admin.Actor(), 2, time.Now().Add(time.Hour), "見積待ち")
	if err != nil {
		t.Fatal(err)
	}
	tags := []string{"見積"}
	if _, err := h.Change(h.ctx(), h.admin.Actor(), 1, helpdesk.Change{Tags: &tags}); err != nil {
		t.Fatal(err)
	}
	pages := []string{"/inbox/open", "/inbox/open/1", "/inbox/open/2", "/contacts/" + h.contact, "/contacts", "/companies"}
	for _, p := range []helpdesk.Permission{helpdesk.PermitReply, helpdesk.PermitNote, helpdesk.PermitEdit, helpdesk.PermitStage, helpdesk.PermitAssign,
		helpdesk.PermitMerge, helpdesk.PermitSpam, helpdesk.PermitContacts, helpdesk.PermitRead} {
		u := h.without(p)
		if p == helpdesk.PermitRead { // reading alone
			u = h.alone(route{access: access{needs: p}})
		}
		b, seen := h.as(u), 0
		for _, path := range pages {
			for _, form := range forms(t, b.get(path).want(http.StatusOK).body) {
				seen++
				needed := form.needs(t)
				refused := needed == p && !strings.HasSuffix(form.action, "/compose")
				if p == helpdesk.PermitRead {
					refused = needed != p && needed != anybody && needed != public
				}
				if refused && form.usable {
					t.Errorf("%s offers %s with %q, which a role without %s may not send", path, form.action, form.fields, needed)
				}
			}
		}
		if seen < 10 {
			t.Errorf("%d forms were looked at", seen)
		}
	}
	if all := h.as(h.admin).get("/inbox/open/1").body; !strings.Contains(all, `id="close-form"`) || !strings.Contains(all, `id="merge-link"`) {
		t.Error("an admin is not offered everything")
	}
}
