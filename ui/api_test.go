package ui_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/storetest"
	"github.com/madoguchi/madoguchi/ui"
)

// apiHouse is the API over HTTP, of a helpdesk on a real database.
type apiHouse struct {
	*helpdesk.Desk
	t           *testing.T
	fault       *storetest.Fault
	clock       atomic.Int64 // Unix seconds
	admin       *helpdesk.User
	web         *ui.Server
	http        *httptest.Server
	log         *bytes.Buffer
	description *apiDescription
	mails       int
	// token is what requests bring along, and answered the operations that
	// were answered as described, with success.
	token    string
	answered map[string]bool
}

func newAPIHouse(t *testing.T) *apiHouse {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h := &apiHouse{t: t, fault: storetest.NewFault(db), log: &bytes.Buffer{}, answered: map[string]bool{}}
	h.clock.Store(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC).Unix())
	t.Cleanup(func() { h.fault.Close() })
	if h.Desk, err = helpdesk.Open(t.Context(), h.fault, helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp", Policy: helpdesk.Policy{ReportAddresses: []string{"reports@example.jp"}}}); err != nil {
		t.Fatal(err)
	}
	h.Desk.Now = h.now
	secret, err := h.SetupSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.admin, err = h.CompleteSetup(t.Context(), helpdesk.Setup{Secret: secret, Domain: "example.jp", AdminEmail: "sato@example.jp",
		AdminName: "佐藤 遥", Password: "correct horse battery", AliasLocal: "support", AliasName: "サポート窓口", Locale: "ja"})
	if err != nil {
		t.Fatal(err)
	}
	h.web, err = ui.New(h.Desk, ui.Options{Now: h.now, Log: slog.New(slog.NewJSONHandler(h.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	h.http = httptest.NewServer(h.web.Handler())
	t.Cleanup(h.http.Close)
	h.token = h.tokenOf(h.admin, helpdesk.ScopeAdmin)
	h.description = readDescription(t, h.http.URL)
	return h
}

func (h *apiHouse) now() time.Time        { return time.Unix(h.clock.Load(), 0).UTC() }
func (h *apiHouse) pass(d time.Duration)  { h.clock.Add(int64(d / time.Second)) }
func (h *apiHouse) ctx() context.Context  { return h.t.Context() }
func (h *apiHouse) actor() helpdesk.Actor { return h.admin.Actor() }
func (h *apiHouse) as(token string) func() {
	before := h.token
	h.token = token
	return func() { h.token = before }
}

func (h *apiHouse) tokenOf(u *helpdesk.User, s helpdesk.Scope) string {
	h.t.Helper()
	token, err := h.CreateToken(h.ctx(), h.actor(), u.ID, s)
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// post hands in a mail as the listener does.
func (h *apiHouse) post(to string, a helpdesk.Authentication, lines ...string) helpdesk.Receipt {
	h.t.Helper()
	h.mails++
	raw := fmt.Appendf(nil, "Message-ID: <mail-%d@customer.example>\r\n%s\r\n", h.mails, strings.Join(lines, "\r\n"))
	receipt, err := h.Receive(h.ctx(), helpdesk.Incoming{Envelope: helpdesk.Envelope{Recipients: []string{to}, MailFrom: "x@customer.example"},
		Raw: raw, Message: mail.Parse(raw), ReceivedAt: h.now(), Authentication: a})
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

// first opens ticket 1.
func (h *apiHouse) first() helpdesk.Receipt {
	h.t.Helper()
	return h.post("support@example.jp", helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "none"}},
		"From: =?utf-8?B?55Sw5p2RIOe+juWSsg==?= <tamura@customer.example>", "To: support@example.jp", "Cc: kojima@customer.example",
		"Subject: Invoice 2291", "Date: Sat, 21 Nov 2026 10:00:00 +0900", "", "Please send the invoice again.")
}

// answer is what came back for a request.
type answer struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   []byte
}

// call sends a request to a path below /api/v1 and holds the answer against
// the description. A body that is no string is sent as JSON. Headers come in
// pairs.
func (h *apiHouse) call(method, path string, body any, header ...string) answer {
	h.t.Helper()
	text, ok := body.(string)
	if body != nil && !ok {
		encoded, err := json.Marshal(body)
		if err != nil {
			h.t.Fatal(err)
		}
		text = string(encoded)
	}
	request, err := http.NewRequestWithContext(h.ctx(), method, h.http.URL+"/api/v1"+path, strings.NewReader(text))
	if err != nil {
		h.t.Fatal(err)
	}
	if h.token != "" {
		request.Header.Set("Authorization", "Bearer "+h.token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	a := h.send(request)
	operation := h.description.check(h.t, method, path, text, a)
	if a.Status < 300 {
		h.answered[operation] = true
	}
	return a
}

func (h *apiHouse) send(request *http.Request) answer {
	h.t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{h.t, response.StatusCode, response.Header, data}
}

func (h *apiHouse) get(path string) object { h.t.Helper(); return h.call("GET", path, nil).ok(200) }
func (h *apiHouse) create(path string, body any) object {
	h.t.Helper()
	return h.call("POST", path, body).ok(201)
}
func (h *apiHouse) change(path string, body any) object {
	h.t.Helper()
	return h.call("PATCH", path, body).ok(200)
}
func (h *apiHouse) reply(number int, body any) object {
	h.t.Helper()
	return h.create(fmt.Sprintf("/tickets/%d/replies", number), body).at("message")
}
func (h *apiHouse) ticket(number int) (history object) {
	h.t.Helper()
	return h.get(fmt.Sprintf("/tickets/%d", number))
}

// ok wants a status of success and returns the object that came with it.
func (a answer) ok(status int) object {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	var o object
	if err := json.Unmarshal(a.Body, &o); err != nil {
		a.t.Fatalf("%v: %s", err, a.Body)
	}
	return o
}

// refused wants an error with a status, code and field, and text in its message.
func (a answer) refused(status int, code helpdesk.Code, field, text string) {
	a.t.Helper()
	var got struct {
		Error struct{ Code, Message, Field string }
	}
	if err := json.Unmarshal(a.Body, &got); err != nil {
		a.t.Errorf("status %d, not in JSON: %s", a.Status, a.Body)
		return
	}
	if a.Status != status || got.Error.Code != string(code) || got.Error.Field != field || !strings.Contains(got.Error.Message, text) {
		a.t.Errorf("%d %+v; want %d, code %q, field %q and %q in the message", a.Status, got.Error, status, code, field, text)
	}
}

// error is what an answer says of its error.
func (a answer) error() object {
	var o object
	if err := json.Unmarshal(a.Body, &o); err != nil {
		a.t.Errorf("%v: %s", err, a.Body)
	}
	return o.at("error")
}

// object is a JSON object.
type object map[string]any

// at follows a path of names and indexes to another object.
func (o object) at(path ...any) object {
	var value any = map[string]any(o)
	for _, step := range path {
		switch step := step.(type) {
		case string:
			value = value.(map[string]any)[step]
		case int:
			value = value.([]any)[step]
		}
	}
	found, _ := value.(map[string]any)
	return found
}

func (o object) list(name string) []any { list, _ := o[name].([]any); return list }

// want compares fields; numbers are compared as they are printed.
func (o object) want(t *testing.T, fields object) {
	t.Helper()
	for name, want := range fields {
		if got, ok := o[name]; !ok || fmt.Sprint(got) != fmt.Sprint(want) || (got == nil) != (want == nil) {
			t.Errorf("%s is %#v, want %#v", name, got, want)
		}
	}
}
