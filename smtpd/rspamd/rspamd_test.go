package rspamd_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/rspamd"
)

func answering(t *testing.T, answer http.HandlerFunc) *rspamd.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return &rspamd.Client{URL: server.URL + "/", Timeout: time.Minute, Hostname: "mx.example.org"}
}

func TestQuestionAndAnswer(t *testing.T) {
	var asked *http.Request
	var body []byte
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r
		body, _ = io.ReadAll(r.Body)
		io.WriteString(w, `{"is_skipped":false,"score":7.1,"required_score":15,"action":"add header","symbols":{
			"SMALL":{"name":"SMALL","score":-0.1},"BIG":{"name":"BIG","score":6.5,"description":"x","options":["spam.test\nand","more"]},"MIDDLE":{"score":0.7}},
			"messages":{"smtp_message":"Try  again"},"milter":{"add_headers":{}}}`)
	})
	got, err := c.Check(t.Context(), rspamd.Request{ID: "01J", RemoteIP: netip.MustParseAddr("2001:db8::7"), HELO: "mail.test", MailFrom: "田村@customer.test",
		Recipients: []string{"a@desk.test", "b@desk.test"}, TLS: "TLS1.3 TLS_AES_128_GCM_SHA256", Raw: []byte("Subject: x\r\n\r\nx\r\n")})
	if err != nil || fmt.Sprint(got) != "{add header 7.1 15 [{BIG 6.5 spam.test and, more} {MIDDLE 0.7 } {SMALL -0.1 }] Try again}" {
		t.Errorf("%v, %v", got, err)
	}
	h := asked.Header
	if asked.URL.Path != "/checkv2" || h.Get("IP") != "2001:db8::7" || h.Get("Helo") != "mail.test" || h.Get("From") != "田村@customer.test" || len(h["Rcpt"]) != 2 ||
		h.Get("Queue-Id") != "01J" || h.Get("TLS-Version") != "TLS1.3" || h.Get("MTA-Name") != "mx.example.org" || string(body) != "Subject: x\r\n\r\nx\r\n" {
		t.Errorf("asked %s with %v, %q", asked.URL, h, body)
	}
}

// Whatever goes wrong is an error in time, never an action.
func TestTrouble(t *testing.T) {
	long := strings.Repeat("x", 2<<20)
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"silence":     {func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() }, "no answer within 200ms"},
		"500":         {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "it answers 500"},
		"a web page":  {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, "not JSON"},
		"an error":    {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"error":"out of\nmemory"}`) }, "out of memory"},
		"no action":   {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"score":1}`) }, "names no action"},
		"without end": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"action":"`+long+`"}`) }, "more than"},
	} {
		c := answering(t, test.answer)
		if name == "silence" {
			c.Timeout = 200 * time.Millisecond
		}
		_, err := c.Check(t.Context(), rspamd.Request{Raw: []byte("x")})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	gone := &rspamd.Client{URL: "http://127.0.0.1:1", Timeout: time.Second}
	if err := gone.Ping(t.Context()); err == nil {
		t.Error("a closed port is well")
	}
	if err := answering(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }).Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "is no rspamd") {
		t.Errorf("a web server: %v", err)
	}
	if err := answering(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "pong\r\n") }).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// A mail goes to the rspamd that the configuration names, and not on to where
// that leads.
func TestMailsGoNowhereElse(t *testing.T) {
	heard := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard++ }))
	t.Cleanup(elsewhere.Close)
	t.Setenv("HTTP_PROXY", elsewhere.URL)
	for _, status := range []int{http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		c := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		if _, err := c.Check(t.Context(), rspamd.Request{}); err == nil || !strings.Contains(err.Error(), strconv.Itoa(status)) {
			t.Errorf("%d: %v", status, err)
		}
	}
	named := &rspamd.Client{URL: "http://rspamd.invalid:11333", Timeout: time.Second}
	if _, err := named.Check(t.Context(), rspamd.Request{}); err == nil {
		t.Error("a name that is none answers")
	}
	if heard > 0 {
		t.Errorf("another server was asked %d times", heard)
	}
}
