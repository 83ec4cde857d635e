package ui_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func TestNoticesAreShownAndChosen(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	if _, err := h.Change(h.ctx(), agent.Actor(), 1, helpdesk.Change{Assignee: &h.admin.ID}); err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	b.get("/inbox/open").shows(`data-unread="1"`, "お知らせ（未読 1 件）")
	b.get("/notices").shows("林 大地さんが #1 をあなたの担当にしました", "件名", `class="choice notice unread"`)
	b.post("/notices/read", "back", "/inbox/open").want(http.StatusSeeOther)
	b.get("/notices").shows("林 大地さん").hides(`notice unread`)
	b.get("/settings/notices").shows("担当になったとき", `name="assigned:web" value="1" checked`, `name="assigned:mail" value="1" `, "このブラウザーで受け取る")
	b.post("/settings/notices", "assigned:mail", "1").want(http.StatusSeeOther)
	b.get("/settings/notices").shows(`name="assigned:mail" value="1" checked`).hides(`name="assigned:web" value="1" checked`, `name="customer:web" value="1" checked`)
	b.do(http.MethodPost, "/settings/push", strings.NewReader(`{"endpoint":"http://push.example/x","keys":{}}`), "application/json").
		want(http.StatusUnprocessableEntity).shows("https:// で始まる")
}

func TestManyNoticesAreSaidToBeMore(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	b := h.as(h.admin)
	for n := range uint64(helpdesk.MaxUnread) {
		h.receive(letter{subject: "件名", text: "本文"})
		if _, err := h.Change(h.ctx(), agent.Actor(), n+1, helpdesk.Change{Assignee: &h.admin.ID}); err != nil {
			t.Fatal(err)
		}
		if n == helpdesk.MaxUnread-2 {
			b.get("/inbox/open").shows("お知らせ（未読 99 件）").hides("99+", "件以上）")
		}
	}
	b.get("/inbox/open").shows("お知らせ（未読 99 件以上）", `<b aria-hidden="true">99+</b>`)
}

func TestTheWebCanBeInstalled(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	manifest := b.get("/manifest.webmanifest").want(http.StatusOK)
	var m struct {
		Name, Display string
		StartURL      string `json:"start_url"`
		Icons         []struct{ Src, Sizes, Purpose string }
	}
	if err := json.Unmarshal([]byte(manifest.body), &m); err != nil || m.Name != "窓口" || m.Display != "standalone" || len(m.Icons) < 4 {
		t.Errorf("manifest %s: %v", manifest.body, err)
	}
	for _, icon := range m.Icons {
		answer := b.get(icon.Src).want(http.StatusOK)
		if answer.Header.Get("Content-Type") != "image/png" {
			continue
		}
		img, err := png.Decode(strings.NewReader(answer.body))
		if err != nil {
			t.Fatalf("%s: %v", icon.Src, err)
		}
		side := img.Bounds().Dx()
		_, _, _, corner := img.At(0, 0).RGBA()
		white, _, _, _ := img.At(side/2, side*137/200).RGBA() // on the counter
		if icon.Purpose == "maskable" {
			white, _, _, _ = img.At(side/2, side/2+int(float64(side)*3.7/25)).RGBA()
		}
		if (corner == 0) == (icon.Purpose == "maskable") || white < 0xf000 {
			t.Errorf("%s: corner %d, counter %d", icon.Src, corner, white)
		}
	}
	worker := b.get("/sw.js").want(http.StatusOK)
	if !strings.HasPrefix(worker.Header.Get("Content-Type"), "text/javascript") || worker.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the worker comes as %v", worker.Header)
	}
	offline := b.get("/offline").want(http.StatusOK).shows("サーバーに接続できません")
	style := sha256.Sum256([]byte(partOf(offline.body, "<style>", "</style>")))
	if policy := offline.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(style[:])+"'") {
		t.Errorf("a browser would not take the style of the page: %s", policy)
	}
}

// TestACustomerIsCalledBySamaOnce: no 様 follows a name that has an honorific already, nor a bare address.
func TestACustomerIsCalledBySamaOnce(t *testing.T) {
	h := newReadyHouse(t)
	for i, from := range []struct{ name, email, called string }{
		{"田村 美咲", "tamura@kyaku.example", "田村 美咲 様"}, {"佐藤様", "sato@kyaku.example", "佐藤様"},
		{"株式会社テスト 御中", "office@kyaku.example", "株式会社テスト 御中"}, {"", "nobody@kyaku.example", "nobody@kyaku.example"},
	} {
		number := uint64(i + 1)
		h.receive(letter{from: from.email, name: from.name, subject: "件名", text: "本文です。"})
		if _, err := h.Change(h.ctx(), h.admin.Actor(), number, helpdesk.Change{Assignee: &h.admin.ID}); err != nil {
			t.Fatal(err)
		}
		reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: number, Text: "返信です。"})
		if err != nil {
			t.Fatal(err)
		}
		view, err := h.Message(h.ctx(), h.admin.Actor(), reply.ID)
		if err != nil {
			t.Fatal(err)
		}
		delivery := view.Deliveries[0].ID
		if _, _, err := h.StartDelivery(h.ctx(), delivery); err != nil {
			t.Fatal(err)
		}
		if err := h.RecordAttempt(h.ctx(), delivery, helpdesk.Attempt{Code: 550, Enhanced: "5.7.1", Text: "no"}, true); err != nil {
			t.Fatal(err)
		}
		h.as(h.admin).get("/notices").want(http.StatusOK).shows(fmt.Sprintf("#%d の返信が %sに届きませんでした", number, from.called))
	}
}

// TestAMentionIsToldWithItsWordsAndALinkToThem: by mail as in the web, the link opens the note, which a long ticket would
// have folded away.
func TestAMentionIsToldWithItsWordsAndALinkToThem(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "返金のお願い", text: "本文"})
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	note, err := h.AddNote(h.ctx(), agent.Actor(), 1, "@sato 12,000円を返金してもよいですか。")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := h.Notices(h.ctx(), h.admin.Actor(), 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d notices: %v", len(list), err)
	}
	catalogues, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	title, text := ui.NoticeWords(catalogues, "https://desk.example.jp")("ja", list[0])
	want := "返金のお願い\n\n@sato 12,000円を返金してもよいですか。\n\nhttps://desk.example.jp"
	path, found := strings.CutPrefix(text, want)
	if title != "林 大地さんが #1 のメモであなたをメンションしました" || !found {
		t.Fatalf("told %q, %q", title, text)
	}
	b := h.as(h.admin)
	b.get(path).want(http.StatusOK).shows(`data-at="note-`+note.ID+`"`, `id="note-`+note.ID+`"`)
	b.get("/notices").shows("at=note-" + note.ID)
}
