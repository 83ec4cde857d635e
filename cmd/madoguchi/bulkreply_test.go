package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// proxyTo stands for the proxy in front of a web that is known by another name.
type proxyTo string

func (p proxyTo) RoundTrip(r *http.Request) (*http.Response, error) {
	passed := r.Clone(r.Context())
	passed.Host, passed.URL.Scheme, passed.URL.Host = r.URL.Host, "http", string(p)
	return http.DefaultTransport.RoundTrip(passed)
}

// TestMailToManyCanBeEndedWithOneClick sends one text to two customers through
// the whole program, and lets one of them ask for no more of it as mail programs
// do, from another server and without a session.
func TestMailToManyCanBeEndedWithOneClick(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out mail to many")
	}
	t.Parallel()
	box := serveMailbox(t)
	z := dnstest.ServeZone(t, "customer.test. 60 IN MX 10 mx.customer.test.", "mx.customer.test. 60 IN A 127.0.0.1", "mx.desk.test. 60 IN A 192.0.2.25")
	data := newDesk(t)
	config := writeConfig(t, fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\ndata = %q\n[web]\nurl = \"https://desk.test\"\n[outbound]\nport = %s\n[dns]\nresolver = %q\n[helpdesk]\nundo_window = \"0s\"\n[ai]\nenabled = false\n",
		data, box.port(), z.Address))
	for line := range strings.SplitSeq(strings.TrimSpace(succeed(t, "", "dns", "desk.test", "--zone", "--data", data, "--config", config)), "\n") {
		if !strings.HasPrefix(line, ";") {
			z.Add(t, line)
		}
	}
	listen := "127.0.0.1:" + freePort(t)
	s := start(t, data, "--config", config, "--http", listen)
	behind := proxyTo(listen)
	succeed(t, "", "dns", "--data", data)
	customers := []string{"tanaka@customer.test", "suzuki@customer.test"}
	for i, from := range customers {
		send(t, s.smtp, from, deskAddress, fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: down\r\nMessage-ID: <%d@customer.test>\r\n\r\nhello %d\r\n", from, deskAddress, i, i))
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: behind, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(path string, form url.Values) *http.Response {
		t.Helper()
		response, err := client.PostForm(s.web+path, form)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if body, _ := io.ReadAll(response.Body); response.StatusCode >= 400 {
			t.Fatalf("%s: %s\n%s", path, response.Status, body)
		}
		return response
	}
	writeToAll := func(text string) string {
		t.Helper()
		path := post("/bulk", url.Values{"do": {"reply"}, "ticket": {"1", "2"}}).Header.Get("HX-Redirect")
		post(path, url.Values{"text": {text}, "action": {"send"}})
		return path
	}
	post("/login", url.Values{"email": {adminEmail}, "password": {adminPassword}})
	writeToAll("Works again, {{customer.email}}")
	first := box.next(t, customers[0], time.Minute)
	box.next(t, customers[1], time.Minute)
	if signed := signaturesOf(t, z, first); signed["rsa"] == "" || signed["ed25519"] == "" {
		t.Errorf("signed with %v", signed)
	}
	m, err := mail.ReadMessage(bytes.NewReader(first.raw))
	if err != nil {
		t.Fatal(err)
	}
	if covered := strings.ToLower(m.Header.Get("DKIM-Signature")); !strings.Contains(covered, "list-unsubscribe:") || !strings.Contains(covered, "list-unsubscribe-post") {
		t.Errorf("the signature does not cover both fields: %s", covered)
	}
	if body, _ := io.ReadAll(m.Body); !bytes.Contains(body, []byte("Works again, tanaka@customer.test")) {
		t.Errorf("the text is not for the customer:\n%s", body)
	}
	link := regexp.MustCompile(`<https://desk\.test(/unsubscribe/[^>]+)>`).FindStringSubmatch(m.Header.Get("List-Unsubscribe"))
	if link == nil || m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Fatalf("List-Unsubscribe: %q", m.Header["List-Unsubscribe"])
	}
	anybody := func(method, path string, form url.Values) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, s.web+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "https://mail.elsewhere.test")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		request.Header.Set("Accept-Language", "en")
		response, err := behind.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(body)
	}
	if code, page := anybody(http.MethodGet, link[1], nil); code != http.StatusOK || !strings.Contains(page, "Unsubscribe?") || !strings.Contains(page, customers[0]) {
		t.Errorf("looking at the link: %d\n%s", code, page)
	}
	if code, page := anybody(http.MethodPost, link[1], url.Values{"List-Unsubscribe": {"One-Click"}}); code != http.StatusOK || !strings.Contains(page, "You are unsubscribed") {
		t.Errorf("one click: %d\n%s", code, page)
	}
	if code, _ := anybody(http.MethodPost, link[1][:len(link[1])-2]+"zz", nil); code != http.StatusNotFound {
		t.Errorf("a forged link: %d", code)
	}
	path := writeToAll("And again")
	box.next(t, customers[1], time.Minute)
	if page := s.page(t, client, path); !strings.Contains(page, customers[0]) {
		t.Errorf("who did not get it is not named:\n%s", page)
	}
	if page := s.page(t, client, "/settings/suppressions"); !strings.Contains(page, customers[0]) {
		t.Error("the settings do not show who asked")
	}
	s.web = "http://" + listen
	s.apiOf(t).do(t, http.MethodPost, "/tickets/1/replies", nil, map[string]string{"text": "your answer"}, nil)
	if answer := box.next(t, customers[0], time.Minute); bytes.Contains(answer.raw, []byte("List-Unsubscribe")) || !bytes.Contains(answer.raw, []byte("your answer")) {
		t.Errorf("an answer to one customer:\n%s", answer.raw)
	}
}
