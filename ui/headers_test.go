package ui_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// directives are the parts of a content security policy by name.
func directives(policy string) map[string]string {
	parts := map[string]string{}
	for part := range strings.SplitSeq(policy, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), " ")
		parts[name] = value
	}
	return parts
}

// hardened checks the headers that every answer has, and returns what is wrong.
func hardened(a *page) (wrong []string) {
	want := func(name string, allowed ...string) {
		for _, value := range allowed {
			if a.Header.Get(name) == value {
				return
			}
		}
		wrong = append(wrong, fmt.Sprintf("%s: %q", name, a.Header.Values(name)))
	}
	want("X-Content-Type-Options", "nosniff")
	want("Referrer-Policy", "same-origin", "no-referrer")
	want("Cross-Origin-Opener-Policy", "same-origin")
	want("Cross-Origin-Resource-Policy", "same-origin")
	want("Strict-Transport-Security", "max-age=31536000")
	want("Permissions-Policy", "camera=(), geolocation=(), microphone=()")

	policies := a.Header.Values("Content-Security-Policy")
	if len(policies) != 1 {
		return append(wrong, fmt.Sprintf("%d content security policies", len(policies)))
	}
	policy := directives(policies[0])
	_, sandboxed := policy["sandbox"]
	if policy["default-src"] != "'none'" {
		wrong = append(wrong, "the policy allows by default "+policy["default-src"])
	}
	if ancestors := policy["frame-ancestors"]; ancestors != "'none'" && (ancestors != "'self'" || !sandboxed) {
		wrong = append(wrong, "whose frame it is: "+ancestors)
	}
	for name, value := range policy {
		if strings.Contains(value, "unsafe-") && (name != "style-src" || !sandboxed) || strings.Contains(value, "*") || strings.Contains(value, "http:") {
			wrong = append(wrong, name+" allows "+value)
		}
	}
	if sandboxed && strings.Contains(policies[0], "allow-scripts") {
		wrong = append(wrong, "the sandbox runs scripts")
	}

	cache := a.Header.Get("Cache-Control")
	switch {
	case cache == "":
		wrong = append(wrong, "nothing says how long it may be kept")
	case strings.Contains(cache, "public") && strings.Contains(a.Header.Get("Set-Cookie"), "="):
		wrong = append(wrong, "a cookie in an answer that anybody may keep")
	case a.StatusCode != http.StatusOK && cache != "no-store":
		wrong = append(wrong, fmt.Sprintf("status %d is kept: %s", a.StatusCode, cache))
	}
	kind := a.Header.Get("Content-Type")
	if a.body != "" && kind == "" || strings.HasPrefix(kind, "text/") && !strings.Contains(strings.ToLower(kind), "charset=utf-8") {
		wrong = append(wrong, "what it is: "+kind)
	}
	return wrong
}

// TestEveryAnswerIsHardened looks at the headers of every route's answers: pages,
// fragments, files, mail, streams of data, errors and redirects, to those who may,
// who may not and whom nobody knows.
func TestEveryAnswerIsHardened(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the headers of every answer")
	}
	h := newRoutedHouse(t)
	admin, nobody, reader := h.as(h.admin), h.browser(), h.as(h.without("tickets.read"))
	look := func(what string, a *page) {
		t.Helper()
		for _, wrong := range hardened(a) {
			t.Errorf("%s (%d): %s", what, a.StatusCode, wrong)
		}
	}
	files, frames := 0, 0
	for _, r := range tabled(t, h.web.Handler().(*echo.Echo).Routes(), routeAccess) {
		if r.path == "/live" || strings.HasPrefix(r.path, "/debug/pprof/") && r.path != "/debug/pprof/" {
			continue // a stream of events is looked at below; profiles are files of Go's own
		}
		look(r.String()+" for nobody", h.use(nobody, r))
		look(r.String()+" without permission", h.use(reader, r))
		if r.late {
			continue
		}
		a := h.use(admin, r)
		look(r.String(), a)
		if strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") {
			files++
			if strings.HasPrefix(r.path, "/messages/") && directives(a.Header.Get("Content-Security-Policy"))["sandbox"] != "" {
				t.Errorf("%s: a file with %q", r, a.Header.Get("Content-Security-Policy"))
			}
		}
		if strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox allow-popups") {
			frames++
		}
		if r.method == http.MethodGet && r.part == "" {
			look(r.String()+" as a fragment", admin.fragment(h.address(r), "anything"))
		}
	}
	if files < 5 || frames < 1 {
		t.Errorf("%d files and %d frames with mail were looked at; the walk has lost them", files, frames)
	}
	for _, path := range []string{"/no/such/page", "/static/none.css", "/messages/none/html", "/messages/none/attachments/0", "/icon-9.png", "/api/v1/none", "/api/none", "/openapi.yaml"} {
		look(path, admin.get(path))
		look(path+" (HEAD)", admin.do(http.MethodHead, path, nil, ""))
		look(path+" (PUT)", admin.do(http.MethodPut, path, nil, ""))
	}
	for _, r := range tabled(t, h.web.APIRoutes(), apiScopes) {
		look("API "+r.String(), h.use(nobody, r))
	}
	style := nobody.get("/login").body
	_, rest, _ := strings.Cut(style, `href="/static/`)
	name, _, _ := strings.Cut(rest, `"`)
	look("a file of ours", admin.get("/static/"+name).want(http.StatusOK))
}
