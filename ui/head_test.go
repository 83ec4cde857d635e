package ui_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestEveryPageAnswersHead asks every address for its head, as monitors and curl -I do
// (RFC 9110, section 9.3.2): the status is that of GET, there is no body, and nothing is
// written down, begun or logged in.
func TestEveryPageAnswersHead(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out HEAD for every page")
	}
	h := newRoutedHouse(t)
	admin, nobody, reader := h.as(h.admin), h.browser(), h.as(h.without("tickets.read"))
	made, err := h.CreateToken(h.ctx(), h.admin.Actor(), h.admin.ID, helpdesk.ScopeAdmin)
	if err != nil {
		t.Fatal(err)
	}
	token := h.browser()
	token.header.Set("Authorization", "Bearer "+made)
	ask := func(r route, who string, b *browser) {
		t.Helper()
		long := r.path == "/live" || strings.HasPrefix(r.path, "/debug/pprof/")
		get := &page{Response: &http.Response{StatusCode: http.StatusOK}}
		if !long {
			get = b.get(h.address(r))
		}
		before := h.lastSeq()
		head := b.do(http.MethodHead, h.address(r), nil, "")
		if head.body != "" || h.lastSeq() != before {
			t.Errorf("HEAD %s for %s: a body of %d bytes, %d events", r.path, who, len(head.body), h.lastSeq()-before)
		}
		if long && b != admin {
			return
		}
		if head.StatusCode != get.StatusCode || leadsTo(head) != leadsTo(get) {
			t.Errorf("HEAD %s for %s: status %d leads to %q, and GET %d to %q", r.path, who, head.StatusCode, leadsTo(head), get.StatusCode, leadsTo(get))
		}
	}
	pages, programs := 0, 0
	for _, r := range tabled(t, h.web.Handler().(*echo.Echo).Routes(), routeAccess) {
		if r.method == http.MethodGet && !r.late {
			ask(r, "an admin", admin)
			ask(r, "somebody who may not", reader)
			ask(r, "nobody", nobody)
			pages++
		}
	}
	for _, r := range tabled(t, h.web.APIRoutes(), apiScopes) {
		if r.method == http.MethodGet {
			ask(r, "a program", token)
			ask(r, "nobody", nobody)
			programs++
		}
	}
	if pages < 100 || programs < 30 {
		t.Errorf("%d pages and %d addresses of the API; the walk has lost them", pages, programs)
	}
	if a := token.do(http.MethodHead, "/api/v1/inbound", nil, ""); a.StatusCode != http.StatusMethodNotAllowed || strings.Contains(a.Header.Get("Allow"), "HEAD") {
		t.Errorf("HEAD of what takes POST alone: status %d, allowed %q", a.StatusCode, a.Header.Get("Allow"))
	}
	if a := token.do(http.MethodPut, "/api/v1/tickets/1/messages", nil, ""); !strings.Contains(a.Header.Get("Allow"), "HEAD") {
		t.Errorf("a PUT is told that %q is allowed", a.Header.Get("Allow"))
	}
}

// leadsTo is where an answer leads, without the query: that of a new draft is made anew.
func leadsTo(p *page) string {
	path, _, _ := strings.Cut(p.Header.Get("Location"), "?")
	return path
}

// TestHeadLeavesTheModelItsOrder opens nothing: a monitor that asks for the head of a ticket's page does not have its
// mail read before that of others, as somebody who opens it does.
func TestHeadLeavesTheModelItsOrder(t *testing.T) {
	h := newReadyHouse(t)
	first, second := h.receive(letter{subject: "先", text: "一"}), h.receive(letter{subject: "後", text: "二", from: "other@kyaku.example"})
	events, err := h.Events(h.ctx(), h.admin.Actor(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.EnqueueAnalyses(h.ctx(), events); err != nil {
		t.Fatal(err)
	}
	next := func() string {
		t.Helper()
		var due []string
		claimed, _, err := h.ClaimDue(h.ctx(), helpdesk.TimerAnalyse, 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, timer := range claimed {
			due = append(due, timer.ID)
		}
		return strings.Join(due, " ")
	}
	b := h.as(h.admin)
	b.do(http.MethodHead, "/inbox/open/2", nil, "").want(http.StatusOK)
	b.do(http.MethodHead, "/tickets/2/updates", nil, "").want(http.StatusOK)
	if got := next(); got != first.MessageID {
		t.Errorf("after HEAD of the second ticket %s is read first, not %s", got, first.MessageID)
	}
	b.get("/inbox/open/2").want(http.StatusOK)
	if got := next(); got != second.MessageID {
		t.Errorf("the second ticket's mail %s is read next, but %q", second.MessageID, got)
	}
}
