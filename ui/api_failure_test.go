package ui_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestAPIWantsAToken(t *testing.T) {
	h := newAPIHouse(t)
	entry, err := h.Login(h.ctx(), helpdesk.Visitor{IP: "192.0.2.1"}, "sato@example.jp", "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		header    []string
		challenge string
	}{
		{"nothing", nil, `Bearer realm="madoguchi"`},
		{"a session cookie", []string{"Cookie", "session=" + entry.Session + "; __Host-session=" + entry.Session}, `Bearer realm="madoguchi"`},
		{"a session as token", []string{"Authorization", "Bearer " + entry.Session}, `Bearer realm="madoguchi", error="invalid_token"`},
		{"another scheme", []string{"Authorization", "Basic c2F0bzp4"}, `Bearer realm="madoguchi", error="invalid_token"`},
		{"an empty token", []string{"Authorization", "Bearer "}, ""},
	} {
		restore := h.as("")
		for _, operation := range []string{"GET /tickets", "PATCH /tickets/1", "GET /messages/1/source"} {
			method, path, _ := strings.Cut(operation, " ")
			got := h.call(method, path, nil, c.header...)
			got.refused(401, helpdesk.CodeUnauthorized, "", "madoguchi token create")
			if challenge := got.Header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer") || c.challenge != "" && challenge != c.challenge {
				t.Errorf("%s: challenge %q", c.name, challenge)
			}
		}
		restore()
	}
	restore := h.as("")
	h.call("GET", "/tickets", nil, "Authorization", "bearer "+h.tokenOf(h.admin, helpdesk.ScopeRead)).ok(200)
	restore()
}

func TestAPIScopesAndRoles(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	agent, err := h.CreateUser(h.ctx(), h.actor(), helpdesk.NewUser{Email: "kato@example.jp", Name: "加藤", Password: "correct horse battery", Role: helpdesk.RoleAgent})
	if err != nil {
		t.Fatal(err)
	}
	restore := h.as(h.tokenOf(agent, helpdesk.ScopeRead))
	h.get("/tickets/1")
	for operation, body := range map[string]object{
		"POST /tickets/1/replies":        {"text": "x"},
		"POST /tickets/1/notes":          {"text": "x"},
		"POST /tickets/1/logged-replies": {"text": "x", "channel": "phone"},
		"PATCH /tickets/1":               {"stage": "完了"},
		"POST /messages/x/resolution":    {"resolution": "join"},
	} {
		method, path, _ := strings.Cut(operation, " ")
		got := h.call(method, path, body)
		got.refused(403, helpdesk.CodeForbidden, "", `make one with scope "write"`)
		if challenge := got.Header.Get("WWW-Authenticate"); challenge != `Bearer realm="madoguchi", error="insufficient_scope"` {
			t.Errorf("%s with too small a scope: challenge %q", operation, challenge)
		}
	}
	restore()
	if history := h.ticket(1); len(history.list("messages"))+len(history.list("notes")) != 1 {
		t.Errorf("a read token wrote: %v", history)
	}
	restore = h.as(h.tokenOf(agent, helpdesk.ScopeWrite))
	h.reply(1, object{"text": "by the agent"}).want(t, object{"author": "kato@example.jp", "author_name": "加藤"})
	h.get("/tickets?view=mine").at("tickets", 0).want(t, object{"number": 1, "assignee": "kato@example.jp"})
	disabled := true
	if _, err := h.ChangeUser(h.ctx(), h.actor(), agent.ID, helpdesk.UserChange{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	h.call("GET", "/tickets", nil).refused(401, helpdesk.CodeUnauthorized, "", "")
	restore()
}

func TestAPIRefusesWhatItCannotRead(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	for path, field := range map[string]string{
		"/tickets?limit=0": "limit", "/tickets?limit=201": "limit", "/tickets?limit=ten": "limit", "/contacts?limit=-1": "limit",
		"/events?limit=1001": "limit", "/events?after=-1": "after", "/events?after=18446744073709551616": "after",
		"/tickets?q=%93%FA": "q", "/tickets?q=a%zz": "", "/tickets?limit=1;q=a": "", // what cannot be read is not left out
		"/tickets?view=every": "view", "/tickets?after=%21": "after", "/tickets/abc": "number", "/tickets/-1": "number", "/tickets/1.5": "number",
	} {
		h.call("GET", path, nil).refused(400, helpdesk.CodeInvalid, field, "")
	}
	h.call("GET", "/tickets/99", nil).refused(404, helpdesk.CodeNotFound, "", "there is no ticket 99")
	for body, text := range map[string]string{
		``: "the body is empty", `{"text": "x"`: "ends in the middle", `{"text": x}`: "not JSON", `["text"]`: "is a JSON array; send an object",
		`{"text": "x"} {}`: "goes on after", "\x00": "not JSON",
		"{\"text\": \"\x93\xfa\x96{\"}": "not UTF-8 at byte 10", // 日本 in Shift_JIS
	} {
		h.call("POST", "/tickets/1/notes", body).refused(400, helpdesk.CodeInvalid, "", text)
	}
	if notes := h.ticket(1).list("notes"); len(notes) != 0 {
		t.Errorf("notes %v were written", notes)
	}
	for body, want := range map[string]struct{ field, text string }{
		`{"snooze": {"until": "tomorrow"}}`:                  {"until", "write it like 2026-11-21T09:30:00+09:00"},
		`{"snooze": {"untill": "2026-12-01T00:00:00Z"}}`:     {"untill", "there is no field"},
		`{"snooze": {"until": 5}}`:                           {"snooze.until", "must be a string"},
		`{"fields": {"cause": {"name": "x"}}}`:               {"fields", "a field's value is"},
		`{"fields": {"cause": ["x", 5]}, "stage": "closed"}`: {"fields", "a field's list holds texts"},
	} {
		h.call("PATCH", "/tickets/1", body).refused(400, helpdesk.CodeInvalid, want.field, want.text)
	}
	h.ticket(1).at("ticket").want(t, object{"snoozed": false})
}

func TestAPIBoundsBodies(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	long := `{"text": "` + strings.Repeat("x", 1_000_000) + `"}`
	h.call("POST", "/tickets/1/notes", long).refused(413, "too_large", "", "1000000 bytes")
	for _, text := range []string{long, `{"text": "x"}` + strings.Repeat(" ", 1_000_000)} { // without a Content-Length
		request, err := http.NewRequestWithContext(h.ctx(), "POST", h.http.URL+"/api/v1/tickets/1/notes", io.NopCloser(strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+h.token)
		h.send(request).refused(413, "too_large", "", "1000000 bytes")
	}
	h.call("POST", "/tickets/1/replies", object{"text": strings.Repeat("x", 1_100_000)}).refused(400, helpdesk.CodeInvalid, "text", "the limit is")
	if history := h.ticket(1); len(history.list("messages"))+len(history.list("notes")) != 1 {
		t.Error("something too large was written")
	}
}

func TestAPIUnknownPathsAndMethods(t *testing.T) {
	h := newAPIHouse(t)
	for _, token := range []string{h.token, ""} {
		restore := h.as(token)
		for _, path := range []string{"/ticket", "/tickets/1/reply", "/", "/tickets/1/replies/2", "/../../login"} {
			h.call("GET", path, nil).refused(404, helpdesk.CodeNotFound, "", "openapi.yaml")
		}
		got := h.call("DELETE", "/tickets/1", nil)
		got.refused(405, "method_not_allowed", "", "does not take DELETE")
		if allow := got.Header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "PATCH") {
			t.Errorf("allowed: %q", allow)
		}
		h.call("PUT", "/aliases", object{}).refused(405, "method_not_allowed", "", "")
		h.call("POST", "/openapi.yaml", object{}).refused(405, "method_not_allowed", "", "")
		restore()
	}
	response, err := http.Get(h.http.URL + "/api/v2/tickets")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 404 || !strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		t.Errorf("/api/v2: %d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
}

func TestAPIHidesInternalErrors(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	h.fault.FailCommit(1, errors.New("disk sda1 is full"))
	got := h.call("POST", "/tickets/1/notes", object{"text": "lost"})
	got.refused(500, helpdesk.CodeInternal, "", "the server")
	id, _ := got.error()["id"].(string)
	if strings.Contains(string(got.Body), "sda1") || len(id) != 26 {
		t.Errorf("the answer says %s", got.Body)
	}
	log := h.log.String()
	if strings.Count(log, "sda1") != 1 || strings.Count(log, id) != 1 || strings.Contains(log, h.token) {
		t.Errorf("the log says %s", log)
	}
	h.create("/tickets/1/notes", object{"text": "kept"})
	if notes := h.ticket(1).list("notes"); len(notes) != 1 {
		t.Errorf("notes %v", notes)
	}
}

// A full disk is trouble that passes: what cannot be written says so, keeps what was typed, and what reads goes on.
func TestFullDisk(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	b := (&house{Desk: h.Desk, t: t, admin: h.admin, http: h.http}).as(h.admin)
	fresh := h.tokenOf(h.admin, helpdesk.ScopeRead)
	h.fault.FailAlways(fmt.Errorf("write to the log: %w", syscall.ENOSPC))
	got := h.call("POST", "/tickets/1/notes", object{"text": "lost"})
	got.refused(503, helpdesk.CodeTemporary, "", "disk is full")
	if id, _ := got.error()["id"].(string); len(id) != 26 || !strings.Contains(h.log.String(), id) || got.Header.Get("Retry-After") == "" {
		t.Errorf("answered with %v, %s", got.Header, got.Body)
	}
	back := h.as(fresh) // whose first use cannot be written down
	h.get("/tickets")
	back()
	b.get("/inbox/open/1").want(http.StatusOK)
	b.post("/settings/aliases/new", "address", "info@example.jp", "name", "打ち込んだ名前").want(http.StatusServiceUnavailable).
		shows("ディスクに空きがないか", "打ち込んだ名前")
	page := b.post("/tickets/1/change", "tag", "急ぎ").want(http.StatusServiceUnavailable).shows("ディスクに空きがないか", "お問い合わせ番号")
	if page.Header.Get("Retry-After") == "" || strings.Contains(page.body, "write to the log") {
		t.Errorf("the page is %v\n%s", page.Header, page.body)
	}
	h.fault.FailAlways(nil)
	h.create("/tickets/1/notes", object{"text": "kept"})
}

// No command of the API fails for the moment by itself, so the error is given.
func TestAPITemporaryErrors(t *testing.T) {
	h := newAPIHouse(t)
	recorder := httptest.NewRecorder()
	c := echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/tickets", nil), recorder)
	h.web.FailAPI(&helpdesk.Error{Code: helpdesk.CodeTemporary, Message: "busy"}, c)
	answer{t, recorder.Code, recorder.Header(), recorder.Body.Bytes()}.refused(503, helpdesk.CodeTemporary, "", "busy")
	if recorder.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	recorder = httptest.NewRecorder()
	c = echo.New().NewContext(httptest.NewRequestWithContext(gone, "GET", "/api/v1/tickets", nil), recorder)
	h.web.FailAPI(context.Canceled, c)
	if recorder.Body.Len() != 0 || h.log.Len() != 0 {
		t.Errorf("a client that has gone is answered %q and logged %q", recorder.Body, h.log)
	}
}

func TestAPIAnswersAreForProgramsOnly(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	for _, path := range []string{"/tickets", "/nothing"} {
		got := h.call("GET", path, nil)
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Content-Type": "application/json"} {
			if value := got.Header.Get(name); value != want {
				t.Errorf("%s: %s is %q, want %q", path, name, value, want)
			}
		}
		if got.Header.Get("Set-Cookie") != "" || got.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, got.Header)
		}
	}
}

// Lists are compressed, files are sent as they are.
func TestAPICompression(t *testing.T) {
	h := newAPIHouse(t)
	receipt := h.post("support@example.jp", helpdesk.Authentication{}, "From: tamura@customer.example", "Subject: Long", "", strings.Repeat("Again and again. ", 500))
	for path, want := range map[string]string{"/tickets/1": "gzip", "/messages/" + receipt.MessageID + "/source": "", "/tickets/2": ""} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", h.http.URL+"/api/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+h.token)
		request.Header.Set("Accept-Encoding", "gzip")
		if got := h.send(request); got.Header.Get("Content-Encoding") != want || len(got.Body) == 0 {
			t.Errorf("%s: %d, encoding %q, %d bytes", path, got.Status, got.Header.Get("Content-Encoding"), len(got.Body))
		}
	}
}
