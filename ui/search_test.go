package ui_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/ui"
)

// newSearchableHouse is a ready house with a search index, to be brought up to
// date with index.
func newSearchableHouse(t *testing.T, change ...func(*ui.Options)) (h *house, index func()) {
	t.Helper()
	bolt, err := store.OpenBolt(filepath.Join(t.TempDir(), "test.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bolt.Close() })
	h = &house{t: t, log: &safeBuffer{}}
	if h.Desk, err = helpdesk.Open(t.Context(), bolt, helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"}); err != nil {
		t.Fatal(err)
	}
	if h.secret, err = h.SetupSecret(t.Context()); err != nil {
		t.Fatal(err)
	}
	finder := search.New(bolt, h.Desk)
	options := ui.Options{Mail: mailView{}, Hostname: "mx.example.jp", Search: finder,
		Similar: similar.NewFinder(similar.New(bolt, h.Desk, nil, slog.New(slog.DiscardHandler)), h.Desk, finder)}
	for _, f := range change {
		f(&options)
	}
	if h.web, err = ui.New(h.Desk, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.web.Close() })
	h.http = httptest.NewServer(h.web.Handler())
	t.Cleanup(h.http.Close)
	h.admin, err = h.CompleteSetup(t.Context(), helpdesk.Setup{Secret: h.secret, Domain: "example.jp", AdminEmail: "sato@example.jp",
		AdminName: "佐藤 遥", Password: password, AliasLocal: "support", AliasName: "サポート窓口", Locale: "ja"})
	if err != nil {
		t.Fatal(err)
	}
	return h, func() {
		t.Helper()
		if err := finder.Rebuild(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// The days that people type are those of their own zone, wherever the server stands; those
// that programs send are the house's.
func TestSearchedDaysAreTheReaders(t *testing.T) {
	evening := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC) // the 22nd in Tokyo, the 21st in New York
	h, index := newSearchableHouse(t, func(o *ui.Options) { o.Now = func() time.Time { return evening } })
	h.Desk.Now = func() time.Time { return evening }
	h.receive(letter{subject: "夜の便り", text: "本文"})
	index()
	b := h.as(h.admin)
	for zone, found := range map[string]bool{"Asia/Tokyo": true, "America/New_York": false} {
		b.header.Set("Cookie", "zone="+url.QueryEscape(zone))
		for query, found := range map[string]bool{"after:2026-11-22": found, "before:2026-11-22": !found} {
			if got := strings.Contains(b.get("/inbox/open?q="+query).want(http.StatusOK).body, "夜の便り"); got != found {
				t.Errorf("in %s, %s finds it: %t; want %t", zone, query, got, found)
			}
		}
	}
	b.header.Del("Cookie")
	token, err := h.CreateToken(h.ctx(), h.admin.Actor(), h.admin.ID, helpdesk.ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	b.header.Set("Authorization", "Bearer "+token)
	b.get("/api/v1/tickets?q=after:2026-11-22").want(http.StatusOK).shows("夜の便り")
	b.get("/api/v1/tickets?q=before:2026-11-22").want(http.StatusOK).hides("夜の便り")
}

func TestSearchBoxFindsEverywhereAndMarks(t *testing.T) {
	h, index := newSearchableHouse(t)
	h.receive(letter{from: "a@kyaku.example", name: "青木", subject: "お問い合わせ", text: "温度計の<b>ﾃﾞｰﾀ</b>について"})
	h.receive(letter{from: "b@kyaku.example", name: "馬場", subject: "別件", text: "請求書の件"})
	pipelines, err := h.Pipelines(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	closed, _ := pipelines[0].FirstOf(helpdesk.StageClosed)
	if _, err := h.Change(h.ctx(), h.admin.Actor(), 1, helpdesk.Change{Stage: &closed.ID}); err != nil {
		t.Fatal(err)
	}
	index()
	b := h.as(h.admin)
	find := func(view, text string) *page {
		return b.get("/inbox/" + view + "?q=" + url.QueryEscape(text))
	}
	find("open", "データ").want(http.StatusOK).shows("お問い合わせ", "&lt;b&gt;<mark>ﾃﾞｰﾀ</mark>&lt;/b&gt;").hides("別件", "<b>ﾃﾞｰﾀ")
	find("waiting", "データ").want(http.StatusOK).shows("条件に合うチケットはありません")
	find("open", "from:馬場 is:open").want(http.StatusOK).shows("別件").hides("お問い合わせ")
	find("open", "form:馬場").want(http.StatusUnprocessableEntity).shows("「form:」という条件はありません", "from:, to:")
}

// While the index is being made, a search says how far it is and that it may miss something.
func TestASearchSaysThatItsIndexIsBeingMade(t *testing.T) {
	h, index := newSearchableHouse(t)
	admin := h.as(h.admin)
	number := h.receive(letter{subject: "Invoice", text: "x"}).Ticket
	index()
	admin.get("/inbox/open?q=invoice").want(http.StatusOK).shows("Invoice").hides("索引を作成")
	for i := range 700 {
		tags := []string{[]string{"a", "b"}[i%2]}
		if _, err := h.Change(h.ctx(), h.admin.Actor(), number, helpdesk.Change{Tags: &tags}); err != nil {
			t.Fatal(err)
		}
	}
	admin.get("/inbox/open?q=invoice").want(http.StatusOK).shows("Invoice", "検索の索引を作成しています")
	index()
	admin.get("/inbox/open?q=invoice").want(http.StatusOK).hides("索引を作成")
}
