package ui_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/card"
	"github.com/madoguchi/madoguchi/helpdesk/fetch/fetchtest"
	"github.com/madoguchi/madoguchi/ui"
)

// TestACustomerCardIsShownAsText lets a shop answer with all that could harm a
// reader: the page shows words, links to the web, and pictures of our own proxy.
func TestACustomerCardIsShownAsText(t *testing.T) {
	answer := `{"title":"<img src=x onerror=alert(1)>","url":"javascript:alert(1)","sections":[{"title":"</section><script>alert(2)</script>",
		"fields":[{"label":"\"><b>","value":"<script>alert(3)</script>"},{"label":"total","value":"128000","kind":"money","currency":"JPY"},
			{"label":"rank","value":"ゴールド","kind":"badge","tone":"good\" onclick=\"x"},{"label":"since","value":"2024-04-01","kind":"date"}],
		"orders":[{"number":"A-1","url":"https://shop.example.com/o?a=1&b=\"x\"","status":{"value":"発送済み","tone":"good"},"items":["<i>タオル</i>"]}],
		"pictures":[{"url":"https://shop.example.com/towel.png"},{"url":"https://inside.test/secret.png"}],
		"links":[{"label":"x","url":"data:text/html,<script>"},{"label":"返品","url":"https://shop.example.com/r"}]}]}`
	status := http.StatusOK
	network := fetchtest.Network(t, map[string][]string{"inside.test": {"10.0.0.7"}}, map[string]http.Handler{"shop.example.com:443": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/towel.png" {
			io.WriteString(w, pixel)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, answer)
	})})
	h := newReadyHouse(t, func(o *ui.Options) {
		o.Cards = card.New([]card.Source{{Name: "ショップ", URL: "https://shop.example.com/card?token=private", Cache: time.Minute, Network: network}}, time.Now)
	})
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	ticket := b.get("/inbox/open/1").body
	place := regexp.MustCompile(`hx-get="(/contacts/[^"]*/cards/0[^"]*)"`).FindStringSubmatch(ticket)
	if place == nil || strings.Contains(ticket, "ゴールド") {
		t.Fatal("the ticket has no place for the card, or waited for it")
	}
	address := strings.ReplaceAll(place[1], "&amp;", "&")
	page := b.get(address)
	for _, want := range []string{"&lt;img src=x onerror=alert(1)&gt;", "&lt;script&gt;alert(3)&lt;/script&gt;", "128,000 円", `<span class="badge plain">ゴールド</span>`, "2024年4月1日", "発送済み", `href="https://shop.example.com/r"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the card lacks %s", want)
		}
	}
	for _, never := range []string{"<script", "<img src=x", "javascript:", "data:text", "onclick=\"x", "private", `src="https://`} {
		if strings.Contains(page.body, never) {
			t.Errorf("the card has %s:\n%s", never, page.body)
		}
	}
	pictures := regexp.MustCompile(`<img src="([^"]*)"`).FindAllStringSubmatch(page.body, -1)
	if len(pictures) != 2 {
		t.Fatalf("%d pictures", len(pictures))
	}
	towel := strings.ReplaceAll(pictures[0][1], "&amp;", "&")
	if p := b.get(towel); p.StatusCode != http.StatusOK || p.body != pixel {
		t.Errorf("a picture: %d", p.StatusCode)
	}
	if p := b.get(strings.ReplaceAll(pictures[1][1], "&amp;", "&")); p.StatusCode != http.StatusBadGateway {
		t.Errorf("a picture of a private network: %d", p.StatusCode)
	}
	for _, forged := range []string{strings.Replace(towel, "towel.png", "other.png", 1), strings.Split(towel, "&s=")[0] + "&s=AAAA", strings.Split(towel, "?")[0] + "?u=" + url.QueryEscape("https://shop.example.com/towel.png")} {
		if p := b.get(forged); p.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", forged, p.StatusCode)
		}
	}
	status = http.StatusInternalServerError
	if p := b.get(address); !strings.Contains(p.body, "128,000 円") {
		t.Error("what is kept is not shown")
	}
	failed := b.get(address + "&again=1")
	if failed.StatusCode != http.StatusOK || !strings.Contains(failed.body, "顧客カードのサーバーがエラーを返しました。") || !strings.Contains(failed.body, "もう一度試す") || strings.Contains(failed.body, "private") {
		t.Errorf("a failure: %d\n%s", failed.StatusCode, failed.body)
	}
	if log := h.log.String(); strings.Contains(log, "private") {
		t.Errorf("the log holds the address:\n%s", log)
	}
}
