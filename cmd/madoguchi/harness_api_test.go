package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// api speaks /api/v1 with a token.
type api struct {
	base, token string
}

// The shapes of the API's contract, as far as the tests read them.
type (
	ticketPage struct {
		Tickets []struct {
			Number  int    `json:"number"`
			Subject string `json:"subject"`
			Open    bool   `json:"open"`
		} `json:"tickets"`
		Next string `json:"next"`
	}
	ticketDetail struct {
		Ticket struct {
			Number   int    `json:"number"`
			Subject  string `json:"subject"`
			Assignee string `json:"assignee"`
			Contact  struct{ Name, Email string }
		} `json:"ticket"`
		Messages []apiMessage `json:"messages"`
		Held     []apiMessage `json:"held"`
		Notes    []struct {
			Text string `json:"text"`
		} `json:"notes"`
	}
	apiMessage struct {
		ID             string `json:"id"`
		Direction      string `json:"direction"`
		Subject        string `json:"subject"`
		Text           string `json:"text"`
		ReplyText      string `json:"reply_text"`
		MessageID      string `json:"message_id"`
		ReplyAddress   string `json:"reply_address"`
		Reason         string `json:"reason"`
		Authentication struct {
			SPF       string `json:"spf"`
			DMARC     string `json:"dmarc"`
			AlignedBy string `json:"aligned_by"`
			DKIM      []struct {
				Result string `json:"result"`
				Domain string `json:"domain"`
			} `json:"dkim"`
		} `json:"authentication"`
		Analysis *struct {
			Summary   string `json:"summary"`
			ReplyType string `json:"reply_type"`
		} `json:"analysis"`
		Delivery *struct {
			State string `json:"state"`
		} `json:"delivery"`
	}
)

// do makes one request; body and into may be nil. It returns the status code.
func (a api) do(t testing.TB, method, path string, header http.Header, body, into any) int {
	t.Helper()
	status, raw, err := a.try(t.Context(), method, path, header, body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil && status < 300 {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatalf("%s %s: %v in %.500s", method, path, err, raw)
		}
	}
	if status >= 300 {
		t.Logf("%s %s: %d %.500s", method, path, status, raw)
	}
	return status
}

// try makes one request of a server that may end at any moment.
func (a api) try(ctx context.Context, method, path string, header http.Header, body any) (status int, answer []byte, err error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, a.base+"/api/v1"+path, content)
	if err != nil {
		return 0, nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func (a api) get(t testing.TB, path string, into any) {
	t.Helper()
	if status := a.do(t, http.MethodGet, path, nil, nil, into); status != http.StatusOK {
		t.Fatalf("GET %s: %d", path, status)
	}
}

func (a api) ticket(t testing.TB, number int) (d ticketDetail) {
	t.Helper()
	a.get(t, fmt.Sprintf("/tickets/%d", number), &d)
	return d
}

// tickets returns the numbers of all tickets, page by page.
func (a api) tickets(t testing.TB) (numbers []int) {
	t.Helper()
	seen := map[int]bool{}
	for after := ""; ; {
		var page ticketPage
		a.get(t, "/tickets?limit=100&after="+url.QueryEscape(after), &page)
		for _, ticket := range page.Tickets {
			if seen[ticket.Number] {
				t.Fatalf("ticket %d is on two pages", ticket.Number)
			}
			seen[ticket.Number] = true
			numbers = append(numbers, ticket.Number)
		}
		if after = page.Next; after == "" {
			return numbers
		}
	}
}

// source returns the bytes of a message as they were received.
func (a api) source(t testing.TB, id string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.base+"/api/v1/messages/"+id+"/source", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("source of %s: %s, %v", id, response.Status, err)
	}
	return raw
}

// The desk of tests that need no first-run page.
const (
	adminEmail    = "sato@agents.test"
	adminPassword = "a counter in the morning"
	deskAddress   = "support@desk.test"
)

// newDesk sets up a data directory by the commands, as a sysadmin would who
// scripts it.
func newDesk(t testing.TB) (data string) {
	t.Helper()
	prepared.once.Do(func() {
		made := t.TempDir()
		succeed(t, adminPassword+"\n", "user", "add", adminEmail, "--role", "admin", "--name", "佐藤 花", "--password-file", "-", "--data", made)
		succeed(t, "", "alias", "add", deskAddress, "--name", "窓口サポート", "--data", made)
		entries, err := os.ReadDir(made)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{}
		for _, e := range entries {
			if files[e.Name()], err = os.ReadFile(filepath.Join(made, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
		prepared.files = files
	})
	if prepared.files == nil {
		t.Fatal("the desk that tests begin with could not be made")
	}
	data = t.TempDir()
	for name, content := range prepared.files {
		if err := os.WriteFile(filepath.Join(data, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

// prepared is what newDesk's directory holds, made once a run of the tests: to hash a
// password is slow on purpose.
var prepared struct {
	once  sync.Once
	files map[string][]byte // by name
}

// apiOf makes a token for the admin.
func (p *running) apiOf(t testing.TB) api {
	t.Helper()
	return api{p.web, strings.TrimSpace(succeed(t, "", "token", "create", "--user", adminEmail, "--scope", "admin", "--data", p.data))}
}

// login opens a session of the admin as a browser does, and returns a client
// that has it.
func (p *running) login(t testing.TB) *http.Client { return p.loginAs(t, adminEmail) }

func (p *running) loginAs(t testing.TB, email string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(p.web+"/login", url.Values{"email": {email}, "password": {adminPassword}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSeeOther || len(jar.Cookies(response.Request.URL)) == 0 {
		t.Fatalf("log in: %s", response.Status)
	}
	return client
}

// page returns a page's text as the logged-in user gets it.
func (p *running) page(t testing.TB, client *http.Client, path string) string {
	t.Helper()
	response, err := client.Get(p.web + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", path, response.Status, err)
	}
	return string(body)
}

// liveEvent is one event of the browser's stream, with when it arrived.
type liveEvent struct {
	Kind    string `json:"kind"`
	Ticket  int    `json:"ticket"`
	Message string `json:"message"`
	at      time.Time
}

// live follows the browser's stream until the test ends. It returns once the
// stream is open.
func (p *running) live(t testing.TB, client *http.Client) <-chan liveEvent {
	t.Helper()
	response, err := client.Get(p.web + "/live")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("GET /live: %s %s", response.Status, response.Header.Get("Content-Type"))
	}
	events := make(chan liveEvent, 1000)
	opened := make(chan struct{})
	go readStream(response.Body, opened, events)
	select {
	case <-opened:
	case <-time.After(patience):
		t.Fatal("the stream does not begin")
	}
	return events
}
