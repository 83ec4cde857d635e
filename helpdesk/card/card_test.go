package card_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/card"
	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/helpdesk/fetch/fetchtest"
)

var (
	asked = card.Customer{Email: "hanako@home.example", Addresses: []string{"hanako@home.example", "h@work.example"}, Name: "花子", Language: "ja", Alias: "shop@example.jp"}
	noon  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

// shop is a desk that asks one shop on the internet of a test.
func shop(t *testing.T, s card.Source, handler http.HandlerFunc) *card.Desk {
	t.Helper()
	patience := cmp.Or(s.Network.Timeout, time.Minute)
	s.Network = fetchtest.Network(t, map[string][]string{"inside.test": {"10.0.0.7"}, "own.test": {"127.0.0.1"}}, map[string]http.Handler{"shop.example.com:443": handler})
	s.Network.Timeout = patience
	if s.URL == "" {
		s.URL = "https://shop.example.com/customer?key=private"
	}
	return card.New([]card.Source{s}, func() time.Time { return noon })
}

func answers(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		io.WriteString(w, text)
	}
}

func TestTheRequestIsSignedAndTheAnswerKept(t *testing.T) {
	var requests atomic.Int32
	d := shop(t, card.Source{Secret: "s3cret", Cache: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		body, _ := io.ReadAll(r.Body)
		at := r.Header.Get("Madoguchi-Timestamp")
		if got, want := r.Header.Get("Madoguchi-Signature"), "sha256="+card.Sign("s3cret", at, body); got != want || at != fmt.Sprint(noon.Unix()) {
			t.Errorf("signature %q at %q, want %q", got, at, want)
		}
		var q map[string]any
		if err := json.Unmarshal(body, &q); err != nil || r.Method != http.MethodPost || q["email"] != asked.Email || fmt.Sprint(q["addresses"]) != fmt.Sprint(asked.Addresses) || q["alias"] != asked.Alias {
			t.Errorf("%s %s, %v", r.Method, body, err)
		}
		answers(`{"title":"花子様","url":"https://shop.example.com/c/1","sections":[
			{"title":"会員","fields":[{"label":"ランク","value":"ゴールド","kind":"badge","tone":"good"},{"label":"累計","value":128000,"kind":"money","currency":"jpy"},
			  {"label":"入会","value":"2024-04-01","kind":"date"},{"label":"担当","value":"佐藤","url":"https://shop.example.com/s"},{"label":"空","value":""}]},
			{"orders":[{"number":"A-1","date":"2026-11-20","total":{"value":"3300","currency":"JPY"},"status":{"value":"発送済み","tone":"good"},"items":["タオル 2"],"url":"https://shop.example.com/o/1"}],
			 "pictures":[{"url":"https://cdn.example.com/1.jpg","caption":"タオル"}],"links":[{"label":"返品","url":"https://shop.example.com/r"}]}]}`)(w, r)
	})
	for range 2 {
		c, err := d.Ask(t.Context(), 0, asked, false)
		if err != nil {
			t.Fatal(err)
		}
		first, second := c.Sections[0], c.Sections[1]
		if !c.Known || len(first.Fields) != 4 || first.Fields[0].Kind != card.Badge || first.Fields[1].Text != "128000" || first.Fields[1].Currency != "JPY" ||
			second.Orders[0].Total.Text != "3300" || second.Orders[0].Status.Tone != card.Good || len(second.Pictures) != 1 || len(second.Links) != 1 || len(c.Notes) != 0 {
			t.Errorf("card: %+v", c)
		}
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("asked %d times within the cache's life", n)
	}
	if _, err := d.Ask(t.Context(), 0, asked, true); err != nil || requests.Load() != 2 {
		t.Errorf("asked again: %v, %d requests", err, requests.Load())
	}
}

func TestHostileAnswersHarmNobody(t *testing.T) {
	many := strings.Repeat(`{"label":"l","value":"v"},`, 200)
	c, err := card.Read(strings.NewReader(`{"title":"<script>alert(1)</script>` + "\u202e\u200b" + `evil","url":"javascript:alert(1)","unknown":{"x":[1]},"sections":[
		{"fields":[` + many + `{"label":"last","value":"v"}]},
		{"fields":[{"label":"a","value":"` + strings.Repeat("長", 5000) + `"},{"label":"b","value":"x","kind":"html"},{"label":"c","value":"javascript:alert(1)","kind":"link"},
		  {"label":"d","value":"1e999999999","kind":"money","currency":"BITCOIN"},{"label":"e","value":"tomorrow","kind":"date"},{"label":"f","value":"x","kind":"badge","tone":"red\"onload="}],
		 "links":[{"label":"x","url":"javascript:alert(1)"},{"label":"y","url":"data:text/html,x"},{"label":"z","url":"//evil.example"},{"label":"u","url":"https://user:pw@evil.example/"}],
		 "pictures":[{"url":"file:///etc/passwd"},{"url":"http://127.0.0.1/x.png"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Title != "<script>alert(1)</script>evil" || c.Link != "" || len(c.Sections) != 2 || len(c.Sections[0].Fields) != 30 {
		t.Errorf("card: %q %q, %d sections", c.Title, c.Link, len(c.Sections))
	}
	s := c.Sections[1]
	if len([]rune(s.Fields[0].Text)) != 500 || s.Fields[5].Tone != card.Plain || len(s.Links) != 0 || len(s.Pictures) != 1 {
		t.Errorf("section: %+v", s)
	}
	for _, f := range s.Fields[1:5] {
		if f.Kind != card.Text || f.Link != "" {
			t.Errorf("field: %+v", f)
		}
	}
	notes := strings.Join(c.Notes, "\n")
	for _, want := range []string{"url: not an https or http address", "sections[0].fields: 30 of 201 are shown", "sections[1].links[3].url", `sections[1].fields[1].kind: "html"`} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note says %q:\n%s", want, notes)
		}
	}
	deep := strings.Repeat("[", 100_000)
	for _, bad := range []string{"", "null x", "[]", `"text"`, `{"sections":{}}`, `{"title":{"a":1}}`, `{"sections":[` + deep, `{"a":1}{"b":2}`, `{"title":"` + strings.Repeat("x", 300<<10) + `"}`} {
		if c, err := card.Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%.30q is taken for a card: %+v", bad, c)
		}
	}
}

func TestEachFailureHasItsWord(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	for _, c := range []struct {
		url, key string
		handler  http.HandlerFunc
	}{
		{"", "status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		{"", "redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}},
		{"", "type", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }},
		{"", "answer", answers(`{"title":`)},
		{"", "answer", answers(`{"title":"` + strings.Repeat("x", 1<<20) + `"}`)},
		{"", "timeout", func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		}},
		{"", "timeout", func(w http.ResponseWriter, r *http.Request) {
			answers(`{"title":`)(w, r)
			w.(http.Flusher).Flush()
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		}},
		{"https://inside.test/", "refused_address", nil},
		{"https://own.test/", "refused_address", nil},
		{"http://127.0.0.1/", "refused_address", nil},
		{"https://[::ffff:10.0.0.1]/", "refused_address", nil},
		{"https://nowhere.test/", "unreachable", nil},
	} {
		if c.handler == nil {
			c.handler = answers(`{}`)
		}
		source := card.Source{URL: c.url, Cache: time.Minute}
		if c.key == "timeout" {
			source.Network.Timeout = 500 * time.Millisecond
		}
		d := shop(t, source, c.handler)
		got, err := d.Ask(t.Context(), 0, asked, false)
		var problem *card.Problem
		if !errors.As(err, &problem) || problem.Key != c.key || got != nil {
			t.Errorf("%s %s: %+v, %v", c.url, c.key, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "private") {
			t.Errorf("the error holds the address: %v", err)
		}
	}
	d := shop(t, card.Source{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	if c, err := d.Ask(t.Context(), 0, asked, false); err != nil || c.Known {
		t.Errorf("a customer whom nobody knows: %+v, %v", c, err)
	}
}

func TestAPrivateNetworkIsReachedOnlyWhereItIsAllowed(t *testing.T) {
	server := httptest.NewServer(answers(`{"title":"inside"}`))
	t.Cleanup(server.Close)
	public := card.New([]card.Source{{URL: server.URL}}, time.Now)
	var problem *card.Problem
	if _, err := public.Ask(t.Context(), 0, asked, false); !errors.As(err, &problem) || problem.Key != "refused_address" {
		t.Errorf("a server of this host: %v", err)
	}
	private := card.New([]card.Source{{URL: server.URL, Network: fetch.Network{Dial: card.DialAnywhere, Timeout: time.Minute}}}, time.Now)
	if c, err := private.Ask(t.Context(), 0, asked, false); err != nil || c.Title != "inside" {
		t.Errorf("where it is allowed: %+v, %v", c, err)
	}
}

func TestSourcesAreChosenByAlias(t *testing.T) {
	d := card.New([]card.Source{{Name: "all"}, {Name: "shop", Aliases: []string{"Shop@example.jp"}}}, time.Now)
	for alias, want := range map[string]string{"shop@example.jp": "[0 1]", "support@example.jp": "[0]", "": "[0 1]"} {
		if got := fmt.Sprint(d.For(alias)); got != want {
			t.Errorf("for %q: %s, want %s", alias, got, want)
		}
	}
}
