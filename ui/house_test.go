package ui_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/ui"
)

const password = "correct horse battery"

// house is the web of a helpdesk on a real database, over real HTTP.
type house struct {
	*helpdesk.Desk
	t      *testing.T
	secret string
	admin  *helpdesk.User // nil until setUp
	web    *ui.Server
	http   *httptest.Server
	log    *safeBuffer
	mails  int
}

// safeBuffer is a log that handlers write while the test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newHouse returns a house that is not set up yet.
func newHouse(t *testing.T, change ...func(*ui.Options)) *house {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{t: t, log: &safeBuffer{}}
	if h.Desk, err = helpdesk.Open(t.Context(), db, helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp", UndoWindow: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if h.secret, err = h.SetupSecret(t.Context()); err != nil {
		t.Fatal(err)
	}
	options := ui.Options{Mail: mailView{}, Hostname: "mx.example.jp", SMTPAddress: "127.0.0.1:2525", UndoWindow: time.Minute,
		Version: "1.2.3", Log: slog.New(slog.NewTextHandler(h.log, nil))}
	for _, f := range change {
		f(&options)
	}
	if h.web, err = ui.New(h.Desk, options); err != nil {
		t.Fatal(err)
	}
	h.http = httptest.NewServer(h.web.Handler())
	t.Cleanup(h.http.Close)
	t.Cleanup(func() { h.web.Close() })
	return h
}

// newReadyHouse returns a house with an admin and the alias support@example.jp.
func newReadyHouse(t *testing.T, change ...func(*ui.Options)) *house {
	t.Helper()
	h := newHouse(t, change...)
	var err error
	h.admin, err = h.CompleteSetup(t.Context(), helpdesk.Setup{Secret: h.secret, Domain: "example.jp", AdminEmail: "sato@example.jp",
		AdminName: "佐藤 遥", Password: password, AliasLocal: "support", AliasName: "サポート窓口", Locale: "ja"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// requireApproval makes replies of a desk's first alias wait for a second person.
func requireApproval(t *testing.T, desk *helpdesk.Desk, by helpdesk.Actor) {
	t.Helper()
	aliases, err := desk.Aliases(t.Context(), by)
	if err != nil {
		t.Fatal(err)
	}
	aliases[0].Approval = true
	if _, err := desk.SaveAlias(t.Context(), by, aliases[0]); err != nil {
		t.Fatal(err)
	}
}

func (h *house) ctx() context.Context { return h.t.Context() }

// user makes a user with the given role.
func (h *house) user(email, name string, role helpdesk.Role) *helpdesk.User {
	h.t.Helper()
	u, err := h.CreateUser(h.ctx(), h.admin.Actor(), helpdesk.NewUser{Email: email, Name: name, Password: password, Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// letter is a mail to be received.
type letter struct {
	from, name, to, subject, text, html string
	files                               []file
	authentication                      helpdesk.Authentication
}

type file struct{ name, contentType, contentID, data string }

var proven = helpdesk.Authentication{SPF: helpdesk.AuthResult{Result: "pass", Domain: "kyaku.example"}, DMARC: helpdesk.AuthResult{Result: "pass"},
	DKIM: []helpdesk.AuthResult{{Result: "pass", Domain: "kyaku.example"}}, Policy: "reject", AlignedBy: "dkim"}

// receive takes a mail in as the listener would.
func (h *house) receive(l letter) helpdesk.Receipt {
	h.t.Helper()
	h.mails++
	if l.from == "" {
		l.from, l.name = "tamura@kyaku.example", "田村 美咲"
	}
	if l.to == "" {
		l.to = "support@example.jp"
	}
	raw := l.source(h.mails)
	receipt, err := h.Receive(h.ctx(), helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Authentication: l.authentication,
		Envelope: helpdesk.Envelope{RemoteIP: "203.0.113.7", HELO: "mx.kyaku.example", MailFrom: l.from, Recipients: []string{l.to}}})
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

func (l letter) source(n int) []byte {
	var b bytes.Buffer
	word := func(s string) string { return mime.BEncoding.Encode("utf-8", s) }
	parts := multipart.NewWriter(&b)
	fmt.Fprintf(&b, "From: %s <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%d@kyaku.example>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0900\r\nMIME-Version: 1.0\r\n",
		word(l.name), l.from, l.to, word(l.subject), n)
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%s\r\n\r\n", parts.Boundary())
	part := func(header map[string][]string, body string) {
		w, err := parts.CreatePart(header)
		if err != nil {
			panic(err)
		}
		io.WriteString(w, body)
	}
	part(map[string][]string{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Transfer-Encoding": {"8bit"}}, strings.ReplaceAll(l.text, "\n", "\r\n"))
	if l.html != "" {
		b.Truncate(bytes.LastIndex(b.Bytes(), []byte("--"+parts.Boundary())))
		alternative := multipart.NewWriter(&b)
		fmt.Fprintf(&b, "--%s\r\nContent-Type: multipart/alternative; boundary=%s\r\n\r\n", parts.Boundary(), alternative.Boundary())
		for kind, body := range map[string]string{"plain": l.text, "html": l.html} {
			w, _ := alternative.CreatePart(map[string][]string{"Content-Type": {"text/" + kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"8bit"}})
			io.WriteString(w, body)
		}
		alternative.Close()
	}
	for _, f := range l.files {
		header := map[string][]string{"Content-Type": {f.contentType}, "Content-Transfer-Encoding": {"8bit"}}
		if f.name != "" {
			header["Content-Disposition"] = []string{"attachment; filename*=UTF-8''" + url.PathEscape(f.name)}
		}
		if f.contentID != "" {
			header["Content-ID"] = []string{"<" + f.contentID + ">"}
			header["Content-Disposition"] = []string{"inline"}
		}
		part(header, f.data)
	}
	parts.Close()
	return b.Bytes()
}

// mailView is the real mail library, seen as the web sees it.
type mailView struct{}

func (mailView) Sanitize(html string, inline, imageURL func(string) string) ui.SafeHTML {
	safe := mail.SanitizeHTML(html, mail.SanitizeOptions{InlineURL: inline, ImageURL: imageURL, RemoteImages: imageURL != nil, MarkMisleading: true})
	shown := ui.SafeHTML{HTML: safe.HTML, RemoteImages: safe.RemoteImages, Trackers: safe.Trackers}
	for _, l := range safe.Links {
		if l.Misleading {
			shown.Misleading = append(shown.Misleading, ui.MisleadingLink{Shown: l.Shown, Host: l.Host})
		}
	}
	return shown
}

func (mailView) Fold(text, html, newWords string) (segments []ui.Segment) {
	kinds := map[mail.SegmentKind]ui.SegmentKind{mail.SegmentNew: ui.SegmentNew, mail.SegmentQuote: ui.SegmentQuote, mail.SegmentSignature: ui.SegmentSignature}
	for _, s := range mail.FoldMail(text, html, newWords) {
		segments = append(segments, ui.Segment{Kind: kinds[s.Kind], Text: s.Text})
	}
	return segments
}

// browser is somebody with a browser: it keeps cookies and does not follow
// redirects unless asked to.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
	header http.Header
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{t: h.t, base: h.http.URL, header: http.Header{}, client: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as returns the browser of a user who has logged in.
func (h *house) as(u *helpdesk.User) *browser {
	h.t.Helper()
	b := h.browser()
	b.post("/login", "email", u.Email, "password", password).want(http.StatusSeeOther)
	return b
}

// page is a response with its body read.
type page struct {
	*http.Response
	t    *testing.T
	body string
}

func (b *browser) do(method, path string, body io.Reader, contentType string) *page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return &page{response, b.t, string(data)}
}

func (b *browser) get(path string) *page {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil, "")
}

// post sends a form whose fields are given in pairs.
func (b *browser) post(path string, pairs ...string) *page {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, strings.NewReader(form.Encode()), "application/x-www-form-urlencoded")
}

// fragment gets what would replace the element with an id.
func (b *browser) fragment(path, id string) *page {
	b.t.Helper()
	b.header.Set("HX-Request", "true")
	b.header.Set("HX-Target", "div#"+id)
	defer b.header.Del("HX-Request")
	defer b.header.Del("HX-Target")
	return b.get(path)
}

func (a *page) want(status int) *page {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s %s: status %d, want %d\n%.2000s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	return a
}

func (a *page) shows(words ...string) *page {
	a.t.Helper()
	for _, word := range words {
		if !strings.Contains(a.body, word) {
			a.t.Fatalf("%s does not show %q:\n%s", a.Request.URL.Path, word, plain(a.body))
		}
	}
	return a
}

func (a *page) hides(words ...string) *page {
	a.t.Helper()
	for _, word := range words {
		if strings.Contains(a.body, word) {
			a.t.Fatalf("%s shows %q", a.Request.URL.Path, word)
		}
	}
	return a
}

func (a *page) leads(to string) *page {
	a.t.Helper()
	if got := a.Header.Get("Location"); got != to {
		a.t.Fatalf("%s leads to %q, want %q", a.Request.URL.Path, got, to)
	}
	return a
}

// plain is what a page says without its elements, for messages of tests.
func plain(body string) string {
	words := regexp.MustCompile(`<[^>]*>|\s+`).ReplaceAllString(body, " ")
	return strings.Join(strings.Fields(words), " ")
}
