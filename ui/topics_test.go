package ui_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestTopicsAreForThoseWhoWatchTheWork(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("mori@example.jp", "森 彩", helpdesk.RoleAgent)
	supervisor := h.user("ono@example.jp", "小野 光", helpdesk.RoleSupervisor)
	for range 3 {
		h.receive(letter{subject: "認証コード", text: "認証コードが届きません。"})
	}
	b := h.as(supervisor)
	b.get("/topics").want(http.StatusOK).shows("毎朝 4 時に")
	b.post("/topics/again").want(http.StatusSeeOther).leads("/topics")
	b.get("/topics").want(http.StatusOK).shows("集計しています")

	from := time.Date(2026, 11, 14, 15, 0, 0, 0, time.UTC) // the 15th, a Sunday, where the house is
	report := helpdesk.TopicReport{Day: "2026-11-21", From: from, To: from.AddDate(0, 0, 7), Zone: "Asia/Tokyo", By: "meaning", Model: "bge-m3", Tickets: 4, Left: 1, Weeks: 4,
		Topics: []helpdesk.Topic{{Name: "<b>認証コード</b>", NamedBy: "clerk", Terms: []string{"認証"}, Days: []int{0, 0, 0, 1, 0, 2, 0}, Before: []int{0, 1, 0, 0}, Rising: true, Chance: 0.0004, Tickets: []uint64{3, 2, 1}},
			{Name: "=請求書", Terms: []string{"請求書"}, Days: make([]int, 7), Before: make([]int, 4), Chance: 1}}}
	if err := h.StoreTopics(h.ctx(), report); err != nil {
		t.Fatal(err)
	}
	page := b.get("/topics").want(http.StatusOK).shows("&lt;b&gt;認証コード", "増加中", "週平均 0.3 件", "千回に一度もない", "名付け：clerk", "目立つ語による名前", "bge-m3 による意味の近さ", "11月15日〜11月21日", "日ごとの件数：日曜 0").hides("<b>認証")
	path := page.body[strings.Index(page.body, `href="/topics/`)+len(`href="`):]
	path = path[:strings.IndexByte(path, '"')]
	b.get(path).want(http.StatusOK).shows(`href="/tickets/1"`, `href="/tickets/3"`)
	file := b.get("/topics.csv").want(http.StatusOK).shows("weekly_before", "0.0004", "'=請求書", "3 2 1")
	if lines := strings.Count(strings.TrimSpace(file.body), "\n"); lines != 2 {
		t.Errorf("%d topics in the file", lines)
	}

	b = h.as(agent)
	b.get("/inbox/open").want(http.StatusOK).hides(`href="/topics"`)
	for _, path := range []string{"/topics", "/topics.csv", path} {
		b.get(path).want(http.StatusForbidden)
	}
	b.post("/topics/again").want(http.StatusForbidden)
}

// The days of topics are the house's, also for who reads them on the other side of the earth.
func TestTopicsNameTheHousesDays(t *testing.T) {
	h := newReadyHouse(t)
	from := time.Date(2026, 11, 15, 15, 0, 0, 0, time.UTC) // the 16th in Tokyo
	if err := h.StoreTopics(h.ctx(), helpdesk.TopicReport{Day: "2026-11-22", From: from, To: from.AddDate(0, 0, 7), Zone: "Asia/Tokyo", By: "words"}); err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	b.header.Set("Cookie", "zone=America%2FNew_York")
	b.get("/topics").want(http.StatusOK).shows("11月16日", "11月22日").hides("11月15日")
}
