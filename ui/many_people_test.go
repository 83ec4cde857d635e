package ui_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// people makes n agents with numbers for names, and one of a name of her own.
func (h *house) people(n int) *helpdesk.User {
	h.t.Helper()
	for i := range n {
		h.user(fmt.Sprintf("agent%03d@example.jp", i), fmt.Sprintf("担当 %03d", i), helpdesk.RoleAgent)
	}
	return h.user("mio.katagiri@example.jp", "片桐 ミオ", helpdesk.RoleAgent)
}

// The list of people comes in pages, and is searched by names and addresses.
func TestManyPeopleAreListedInPages(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	b.get("/settings/users").want(http.StatusOK).hides("名前やメールアドレスで探す")
	h.people(120)
	p := b.get("/settings/users").want(http.StatusOK).shows("名前やメールアドレスで探す", "?from=100")
	shown := strings.Count(p.body, `class="record-row"`)
	rest := b.get("/settings/users?from=100").want(http.StatusOK).hides("from=200")
	if more := strings.Count(rest.body, `class="record-row"`); shown != 100 || more < 20 {
		t.Errorf("%d, then %d are listed", shown, more)
	}
	for _, words := range []string{"みお", "MIO.K", "片桐"} {
		p := b.get("/settings/users?factor=missing&q="+words).want(http.StatusOK).shows("片桐 ミオ", `name="factor" value="missing"`)
		if n := strings.Count(p.body, `class="record-row"`); n != 1 {
			t.Errorf("%q finds %d people", words, n)
		}
	}
	b.get("/settings/users?q=nobody").want(http.StatusOK).shows("該当するメンバーはいません")
	b.get("/settings/users?from=-1").want(http.StatusOK)
	b.get("/settings/users?from=9999").want(http.StatusOK)
}

// TestBrowserFindsAnAssigneeAmongManyPeople hands a ticket to somebody whose name is typed, by
// its own list and by the bar for several.
func TestBrowserFindsAnAssigneeAmongManyPeople(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{from: "tamura@kyaku.example", name: "田村", subject: "お問い合わせ", text: "本文です。"})
	mio := h.people(30)
	b := openTab(t, h.http.URL)
	b.openAs("sato@example.jp", "/inbox/open/1")
	// What the list says at once, the ticket has only when the server has heard of it.
	assigned := `fetch("/inbox/open/1").then(r => r.text()).then(text => new DOMParser().parseFromString(text, "text/html").querySelector("#assignee").value === "` + mio.ID + `")`

	finding := `document.activeElement.matches("#picker[open] input[type=search]")`
	b.press(input.DispatchKeyEventParams{Key: "a", Code: "KeyA", WindowsVirtualKeyCode: 65, Text: "a"})
	b.until(finding + ` && document.querySelectorAll("#picker .choice").length === 33`)
	b.keys("みお")
	b.until(`document.querySelectorAll("#picker .choice").length === 1`)
	b.keys(kb.Enter)
	b.until(`!document.querySelector("#picker[open]") && document.querySelector("#assignee").selectedOptions[0].textContent === "片桐 ミオ"`)
	b.until(`document.activeElement.id === "thread"`)
	b.until(assigned)

	// The address finds them as well, as a name is typed without an input method.
	b.press(input.DispatchKeyEventParams{Key: "a", Code: "KeyA", WindowsVirtualKeyCode: 65, Text: "a"})
	b.until(finding)
	b.keys("katagiri")
	b.until(`document.querySelectorAll("#picker .choice").length === 1 && document.querySelector("#picker .choice").innerText.includes("mio.katagiri@example.jp")`)
	b.keys(kb.Escape)
	b.until(`document.querySelector("#picker input[type=search]").value === ""`)
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#picker[open]")`)

	// A press does the same, the arrows choose, and Escape gives the focus back.
	b.click("label:has(> #assignee)")
	b.until(finding)
	b.keys("だれでもない")
	b.until(`document.querySelector("#picker [role=status]").textContent !== ""`)
	b.keys(kb.Escape)
	b.until(`document.querySelector("#picker input[type=search]").value === ""`) // as any such field is emptied
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#picker[open]") && document.activeElement.id === "assignee"`)
	b.press(input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r"})
	b.until(finding)
	b.keys("担当 00")
	b.until(`document.querySelectorAll("#picker .choice").length === 10`)
	b.keys(kb.ArrowDown)
	b.keys(kb.ArrowDown)
	b.keys(kb.Enter)
	b.until(`!document.querySelector("#picker[open]") && document.querySelector("#assignee").selectedOptions[0].textContent === "担当 001"`)

	b.do(chromedp.EmulateViewport(1440, 844))
	b.open("/inbox/open")
	b.until(`document.documentElement.dataset.live === "yes"`)
	b.click("#rows .row [data-check]")
	b.until(`document.querySelector("#bulk-assign > summary")`)
	b.click("#bulk-assign > summary")
	b.until(finding + ` && !document.querySelector("#bulk-assign").open`)
	b.keys("片桐")
	b.until(`document.querySelectorAll("#picker .choice").length === 1`)
	b.keys(kb.Enter)
	b.until(`!document.querySelector("#picker[open]") && document.querySelector("#toasts").textContent.trim() !== ""`)
	b.until(assigned)
}

// press presses a key as a keyboard does: what its page prevents is not typed.
func (b *tab) press(key input.DispatchKeyEventParams) {
	b.t.Helper()
	for _, key.Type = range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, key); err != nil {
			b.t.Fatal(err)
		}
	}
}

// The templates of a large house come in pages, in their folders, and each shows no more of its
// words than a line holds.
func TestManyTemplatesAreListedInPages(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	for i := range 105 {
		_, err := h.SaveTemplate(h.ctx(), h.admin.Actor(), helpdesk.Template{Name: fmt.Sprintf("文例 %03d", i), Folder: []string{"返品", "配送"}[i/60],
			Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: "お世話になっております。" + strings.Repeat("長い本文です。", 100) + "敬具"}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	first := b.get("/settings/templates?saved=1").want(http.StatusOK).shows(`href="/settings/templates?from=100"`, "<h2>配送</h2>", "<h2>返品</h2>", "文例 099").hides("文例 100", "敬具")
	if rows := strings.Count(first.body, `class="record-row"`); rows != 100 {
		t.Errorf("%d templates are on the first page", rows)
	}
	b.get("/settings/templates?from=100").want(http.StatusOK).shows("<h2>配送</h2>", "文例 100", "文例 104").hides("文例 099", "<h2>返品</h2>", "from=200")
	b.get("/settings/templates?q=文例").shows("from=100&amp;q=%E6%96%87%E4%BE%8B")
	b.get("/settings/templates?q=敬具+104").shows("文例 104").hides("文例 103", "from=")
}

// The tokens of a large house come in pages, are searched, and say that their owner's account is
// off: they are refused until it is on again.
func TestManyTokensAreListedInPages(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	b.get("/settings/tokens").want(http.StatusOK).hides("用途、持ち主、ID で探す")
	agent := h.user("agent@example.jp", "高橋", helpdesk.RoleAgent)
	secret, err := h.IssueToken(h.ctx(), agent.Actor(), helpdesk.NewToken{UserID: agent.ID, Name: "棚卸し", Scope: helpdesk.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 102 {
		if _, err := h.IssueToken(h.ctx(), h.admin.Actor(), helpdesk.NewToken{UserID: h.admin.ID, Name: fmt.Sprintf("連携 %03d", i), Scope: helpdesk.ScopeRead}); err != nil {
			t.Fatal(err)
		}
	}
	b.get("/settings/tokens").want(http.StatusOK).shows("用途、持ち主、ID で探す", "?from=100").hides("棚卸し")
	b.get("/settings/tokens?from=100").want(http.StatusOK).shows("棚卸し").hides("from=200", "持ち主が停止中")
	for _, words := range []string{"棚卸し", "AGENT@example", "高橋"} {
		b.get("/settings/tokens?q="+words).want(http.StatusOK).shows("棚卸し").hides("連携 1", "from=")
	}
	b.get("/settings/tokens?q=nobody").want(http.StatusOK).shows("該当するトークンはありません")

	off := true
	if _, err := h.ChangeUser(h.ctx(), h.admin.Actor(), agent.ID, helpdesk.UserChange{Disabled: &off}); err != nil {
		t.Fatal(err)
	}
	b.get("/settings/tokens?q=棚卸し").shows("持ち主が停止中")
	api := h.browser()
	api.header.Set("Authorization", "Bearer "+secret)
	api.get("/api/v1/tickets").want(http.StatusUnauthorized)
}
