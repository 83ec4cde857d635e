package ui_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// unsaid finds a key that stands where its sentence should.
var unsaid = regexp.MustCompile(`[>"](due|hours|duetimes|rules|holiday|away|situation|unavailable|hold|priority|look|picker|merged|nav|view|list|filter|ticket|note|held|message|trust|reason|kind|channel|delivery|event|toast|composer|panel|analysis|keys|form|login|setup|record|stage|settings|error|role|time|badge|detail|file|mark|invitation|attached)\.[a-z_.]+[<"]`)

// clumsy finds a sentence that lacks an argument, or was given one too many.
var clumsy = regexp.MustCompile(`%!|%\[\d`)

func TestEveryPageSpeaksBothLanguages(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	full := h.fullTicket(agent)
	aliases, _ := h.Aliases(h.ctx(), h.admin.Actor())
	pipelines, _ := h.Pipelines(h.ctx(), h.admin.Actor())
	paths := []string{"/settings/profile", "/settings/aliases", "/settings/aliases/new", "/settings/aliases/" + aliases[0].ID,
		"/settings/pipelines", "/settings/pipelines/new", "/settings/pipelines/" + pipelines[0].ID, "/settings/users", "/settings/users/new",
		"/settings/users/" + agent.ID, "/settings/analysis", "/settings/system", "/settings/suppressions", "/setup/done",
		"/tickets/" + strconv.FormatUint(full, 10) + "/merge",
		"/inbox/open?tag=none", "/inbox/open?q=x&pipeline=" + pipelines[0].ID + "&assignee=" + agent.ID + "&alias=support@example.jp",
		"/inbox/open/" + strconv.FormatUint(full, 10)}
	for _, view := range helpdesk.Views {
		paths = append(paths, "/inbox/"+string(view))
	}
	for _, language := range locale.Languages() {
		tag := string(language)
		if _, err := h.ChangeUser(h.ctx(), h.admin.Actor(), h.admin.ID, helpdesk.UserChange{Locale: &tag}); err != nil {
			t.Fatal(err)
		}
		b := h.as(h.admin)
		for _, path := range paths {
			checkPage(t, b.get(path).want(http.StatusOK), language)
		}
		checkPage(t, b.get("/inbox/nowhere").want(http.StatusNotFound), language)
		checkPage(t, b.get("/inbox/open/999").want(http.StatusNotFound), language)
	}
	if log := h.log.String(); strings.Contains(log, "request failed") {
		t.Errorf("pages failed:\n%s", log)
	}
}

func checkPage(t *testing.T, p *page, language locale.Language) {
	t.Helper()
	path := p.Request.URL.RequestURI()
	p.shows(`<html lang="` + string(language) + `">`)
	for _, pattern := range []*regexp.Regexp{unsaid, clumsy} {
		if found := pattern.FindString(p.body); found != "" {
			t.Errorf("%s in %s shows %q", path, language, found)
		}
	}
	if regexp.MustCompile(`<script(>| [^>]*>[^<])|\son[a-z]+=|\sstyle=|javascript:`).MatchString(p.body) {
		t.Errorf("%s has a script or style inline, which its policy forbids", path)
	}
	policy := p.Header.Get("Content-Security-Policy")
	for _, rule := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, rule) {
			t.Errorf("%s has the policy %q, without %q", path, policy, rule)
		}
	}
	if p.Header.Get("X-Content-Type-Options") != "nosniff" || p.Header.Get("Referrer-Policy") != "same-origin" || p.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s lacks a security header: %v", path, p.Header)
	}
}

// fullTicket makes a ticket on which everything that can be shown has
// happened, and returns its number.
func (h *house) fullTicket(agent *helpdesk.User) uint64 {
	h.t.Helper()
	first := h.receive(letter{subject: "記録が欠けます", text: "冷凍庫の2台だけ、記録が欠けます。\n", authentication: proven})
	number, actor := first.Ticket, h.admin.Actor()
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	_, err := h.AddNote(h.ctx(), agent.Actor(), number, "@佐藤 遥 確認をお願いします。")
	must(err)
	pipelines, err := h.Pipelines(h.ctx(), actor)
	must(err)
	stage, nobody, none := pipelines[0].Stages[1].ID, "", []string{}
	tags := []string{"TR-200"}
	for _, change := range []helpdesk.Change{{Stage: &stage}, {Assignee: &agent.ID}, {Assignee: &nobody}, {Tags: &tags}, {Tags: &none}, {Assignee: &h.admin.ID}} {
		_, err := h.Change(h.ctx(), actor, number, change)
		must(err)
	}
	undone, err := h.Reply(h.ctx(), actor, helpdesk.Reply{Ticket: number, Text: "取り消す返信"})
	must(err)
	_, err = h.Undo(h.ctx(), actor, undone.ID)
	must(err)
	drafts, err := h.Drafts(h.ctx(), actor, number)
	must(err)
	must(h.DiscardDraft(h.ctx(), actor, drafts[0].ID))
	reply, err := h.Reply(h.ctx(), actor, helpdesk.Reply{Ticket: number, Text: "ご確認ください。", Close: true,
		To: []helpdesk.Address{{Name: "田村 美咲", Email: "tamura@kyaku.example"}, {Email: "kojima@kyaku.example"}, {Email: "gone@kyaku.example"}}})
	must(err)
	view, err := h.Message(h.ctx(), actor, reply.ID)
	must(err)
	attempts := []helpdesk.Attempt{{OK: true, Code: 250}, {Code: 451, Enhanced: "4.7.1", Text: "try later"}, {Code: 550, Enhanced: "5.1.1", Text: "no such user"}}
	for i, delivery := range view.Deliveries {
		_, _, err := h.StartDelivery(h.ctx(), delivery.ID)
		must(err)
		must(h.RecordAttempt(h.ctx(), delivery.ID, attempts[i], attempts[i].Code == 550))
	}
	second := h.receive(letter{to: reply.ReplyAddress, subject: "Re: 記録が欠けます", text: "ありがとうございます。\n", authentication: proven})
	must(h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: second.MessageID, Ticket: number, Model: "model", ReplyType: "high_value", Summary: "要約です。",
		KeyInsights: []string{"要点"}, Opportunity: 4, FollowUp: true, ProductInterest: "interested", ActionItems: []string{"見積"}, ProductUsage: "12台",
		MonthlyVolume: "30台", Challenges: []string{"納期"}, Sentiment: "positive", Urgency: "high", Language: "ja"}))
	must(h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: first.MessageID, Ticket: number, Model: "model", Error: "the answer was no JSON"}))
	for _, from := range []string{"join@other.example", "refuse@other.example", "split@other.example", "held@other.example"} {
		held := h.receive(letter{from: from, name: from, to: reply.ReplyAddress, subject: "Re: 記録が欠けます", text: "代理です。\n"})
		if held.State != helpdesk.MessageHeld {
			h.t.Fatalf("mail of a stranger is %s, not held", held.State)
		}
		if resolution, _, _ := strings.Cut(from, "@"); resolution != "held" {
			_, err := h.ResolveHeld(h.ctx(), actor, held.MessageID, helpdesk.Resolution(resolution))
			must(err)
		}
	}
	return number
}

func TestTicketShowsWhatHappenedAndWhy(t *testing.T) {
	h := newReadyHouse(t)
	number := h.fullTicket(h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent))
	path := "/inbox/open/" + strconv.FormatUint(number, 10)
	h.as(h.admin).get(path).want(http.StatusOK).shows(
		"送信元を確認済み DKIM", "DKIM pass kyaku.example", // trust and its reason
		"返信用アドレスに届いたため", "会話の参加者でない方が、返信用アドレスを使いました", // why it is here
		"tamura@kyaku.example に配信済み", "kojima@kyaku.example は再送待ち", "時間をおいて送り直すよう求められています。 4.7.1", "gone@kyaku.example に届きませんでした", "宛先のメールアドレスが存在しません。 5.1.1 no such user", "今すぐ再送",
		"佐藤 遥さん</b>がステージを <b>受付</b> から <b>対応中</b> に変更しました", "林 大地さん</b>に割り当てました", "佐藤 遥さん</b>が担当になりました", "担当を外しました", "に再オープンしました",
		"社内メモ", "@佐藤 遥", "確認をお願いします。", "返信を取り消しました",
		`value="join"`, `value="split"`, `value="refuse"`,
		"高価値", "要点", "4 / 5", "分析できませんでした：the answer was no JSON",
	).hides("取り消す返信")
}

func TestAMailThatFailedItsSenderIsMarked(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "口座の変更", text: "至急お願いします。", authentication: helpdesk.Authentication{
		SPF: helpdesk.AuthResult{Result: "fail"}, DMARC: helpdesk.AuthResult{Result: "permerror"}}})
	b := h.as(h.admin)
	b.get("/inbox/open").shows("なりすましの疑い", "shield failed")
	b.get("/inbox/open/1").shows("このメールは送信元の認証に失敗しました", "DMARC permerror · SPF fail")
}

func TestMailTextIsEscapedFoldedAndLinked(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{name: `<b>"&`, from: "x@kyaku.example", subject: `<script>alert(1)</script>`,
		text: "<img src=x onerror=alert(1)>\nhttps://example.jp/a?b=1&c=2。次の文\n\n2026年11月18日(水) 10:40 サポート <support@example.jp>:\n> 前の文\n"})
	h.as(h.admin).get("/inbox/open/1").want(http.StatusOK).
		shows("&lt;img src=x onerror=alert(1)&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;", `<details class="folded">`, "引用を表示",
			`<a href="https://example.jp/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer nofollow">https://example.jp/a?b=1&amp;c=2</a>。次の文`).
		hides("<script>alert", "<img src=x")
}

func TestListsFilterSearchAndPage(t *testing.T) {
	h := newReadyHouse(t)
	for i := range 60 {
		h.receive(letter{from: "k" + strconv.Itoa(i) + "@kyaku.example", name: "客", subject: "件名" + strconv.Itoa(i) + "番", text: "本文"})
	}
	b := h.as(h.admin)
	first := b.get("/inbox/open").want(http.StatusOK).shows("件名59番", `id="more"`).hides("件名5番")
	if n := strings.Count(first.body, `class="row `) + strings.Count(first.body, `class="row"`); n != 50 {
		t.Errorf("the first page has %d rows, want 50", n)
	}
	next := regexp.MustCompile(`id="more"[^>]*href="([^"]+)"`).FindStringSubmatch(first.body)
	b.fragment(strings.ReplaceAll(next[1], "&amp;", "&"), "more").want(http.StatusOK).shows("件名5番").hides("<html", "件名59番", `id="more"`)
	b.get("/inbox/open?q="+"%E4%BB%B6%E5%90%8D7%E7%95%AA").shows("件名7番", "を含む").hides("件名59番")
	b.get("/inbox/open?q=zzz").shows("条件に合うチケットはありません")
	b.fragment("/inbox/open?limit=60", "rows").shows("件名5番").hides("<html")
	b.get("/inbox/mine").shows("担当しているチケットはありません")
}

func TestFragmentsAreOnlyThePartAskedFor(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	b.fragment("/inbox/open/1", "ticket").want(http.StatusOK).shows(`id="ticket"`, `id="panel"`, "本文").hides("<html", `id="nav"`)
	b.fragment("/tickets/1/updates", "flow").want(http.StatusOK).shows(`hx-target="#flow"`, "本文").hides("data-composer", "<html")
	b.fragment("/navigation?current=open", "nav").want(http.StatusOK).shows(`aria-current="page"`).hides("<html")
	missing := b.fragment("/inbox/open/99", "ticket").want(http.StatusNotFound).shows("alert bad").hides("<html")
	if missing.Header.Get("HX-Retarget") != "#alerts" {
		t.Error("an error would replace the ticket instead of being shown beside it")
	}
	nobody := h.browser()
	over := nobody.fragment("/inbox/open", "rows").want(http.StatusUnauthorized)
	if over.Header.Get("HX-Redirect") != "/login" {
		t.Error("a fragment without a session does not lead to the login page")
	}
	nobody.header.Set("Referer", h.http.URL+"/inbox/open/1?tag=a")
	over = nobody.fragment("/tickets/1/updates", "flow").want(http.StatusUnauthorized)
	if to := over.Header.Get("HX-Redirect"); to != "/login?next=%2Finbox%2Fopen%2F1%3Ftag%3Da" {
		t.Errorf("a page whose session has ended leads to %s: what was written there would be looked for in vain", to)
	}
	nobody.header.Set("Referer", "https://elsewhere.example/inbox")
	if to := nobody.fragment("/tickets/1/updates", "flow").Header.Get("HX-Redirect"); to != "/login" {
		t.Errorf("a page of others leads to %s", to)
	}
	b.get("/tickets/1").want(http.StatusSeeOther).leads("/inbox/open/1")
}

func TestAnErrorPageLeadsBackToWhereOneWas(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	b.get("/inbox/open/99").want(http.StatusNotFound).shows("受信箱へ").hides("前のページに戻る")
	b.header.Set("Referer", "https://elsewhere.example/inbox/open/1")
	b.get("/inbox/open/99").want(http.StatusNotFound).hides("前のページに戻る", "elsewhere.example")
	b.header.Set("Referer", h.http.URL+"/inbox/open/1?tag=a")
	b.get("/inbox/open/99").want(http.StatusNotFound).shows("前のページに戻る", `href="/inbox/open/1?tag=a"`)
	b.post("/tickets/1/change", "tag", strings.Repeat("x", 11<<20)).want(http.StatusRequestEntityTooLarge).
		shows("大きすぎる", `href="/inbox/open/1?tag=a"`).hides("サーバーで問題が起きました")
	if log := h.log.String(); strings.Contains(log, "request failed") {
		t.Errorf("what was too large is logged as a fault of the server:\n%s", log)
	}
}

func TestAnInternalErrorHidesItsTextAndIsLoggedOnce(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) { o.Mail = brokenView{} })
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	p := b.get("/inbox/open/1").want(http.StatusInternalServerError).shows("サーバーで問題が起きました").hides("view is broken")
	id := regexp.MustCompile(`<code>([0-9A-Z]{26})</code>`).FindStringSubmatch(p.body)
	if id == nil {
		t.Fatal("the page names no id")
	}
	if log := h.log.String(); strings.Count(log, id[1]) != 1 || !strings.Contains(log, "view is broken") {
		t.Errorf("the log does not tell once what went wrong:\n%s", log)
	}
}

type brokenView struct{ mailView }

func (brokenView) Fold(_, _, _ string) []ui.Segment { panic("view is broken") }

func TestAssetsAreKeptByTheirHash(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	b.header.Set("Accept-Encoding", "gzip")
	p := b.get("/login")
	style := regexp.MustCompile(`href="(/static/[0-9a-f]{12}/app\.css)"`).FindStringSubmatch(b.get("/setup?key=" + h.secret).body)
	if style == nil {
		b.header.Del("Accept-Encoding")
		style = regexp.MustCompile(`href="(/static/[0-9a-f]{12}/app\.css)"`).FindStringSubmatch(b.get("/login").body)
		b.header.Set("Accept-Encoding", "gzip")
	}
	if style == nil {
		t.Fatalf("no style sheet in %.500s", p.body)
	}
	css := b.get(style[1]).want(http.StatusOK)
	if css.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(css.Header.Get("Cache-Control"), "immutable") || css.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("style sheet headers %v", css.Header)
	}
	old := b.get("/static/000000000000/app.css").want(http.StatusOK)
	if strings.Contains(old.Header.Get("Cache-Control"), "immutable") {
		t.Error("a file of another version is kept for ever")
	}
	b.get("/static/x/../server.go").want(http.StatusNotFound)
}

func TestSettingsAreSaved(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	b.post("/settings/aliases/new", "address", "sales@example.jp", "name", "営業", "tags", "営業、 見積,見積", "language", "ja", "signature", "署名\r\n二行目", "enabled", "1").want(http.StatusSeeOther)
	b.post("/settings/aliases/new", "address", "sales@example.jp", "enabled", "1").want(http.StatusConflict).shows("sales@example.jp はすでにあります")
	b.post("/settings/aliases/new", "address", "not an address", "enabled", "1").want(http.StatusUnprocessableEntity).shows("メールアドレスではありません", `value="not an address"`)
	aliases, _ := h.Aliases(h.ctx(), h.admin.Actor())
	if len(aliases) != 2 || aliases[0].Signature != "署名\n二行目" || len(aliases[0].Tags) != 2 || aliases[0].Disabled {
		t.Fatalf("saved %+v", aliases)
	}
	b.post("/settings/aliases/"+aliases[0].ID, "address", "sales@example.jp", "name", "営業").want(http.StatusSeeOther)
	b.get("/settings/aliases").shows("停止中")
	b.post("/settings/aliases/"+aliases[0].ID, "action", "delete").want(http.StatusSeeOther)
	b.get("/settings/aliases").hides("sales@example.jp")

	stages := func(action string) []string {
		return []string{"action", action, "name", "営業", "reopen", "1", "reopen_stage", "1",
			"stage_id", "", "stage_name", "リード", "stage_kind", "open",
			"stage_id", "", "stage_name", "見積", "stage_kind", "open",
			"stage_id", "", "stage_name", "受注", "stage_kind", "closed"}
	}
	moved := b.post("/settings/pipelines/new", stages("up:1")...).want(http.StatusOK).shows("変更はまだ保存されていません")
	if strings.Index(moved.body, `value="見積"`) > strings.Index(moved.body, `value="リード"`) {
		t.Error("the stage did not move up")
	}
	b.post("/settings/pipelines/new", stages("remove:2")...).want(http.StatusOK).hides("受注")
	b.post("/settings/pipelines/new", stages("up:2")...).want(http.StatusOK)
	b.post("/settings/pipelines/new", stages("save")...).want(http.StatusSeeOther)
	pipelines, _ := h.Pipelines(h.ctx(), h.admin.Actor())
	if p := pipelines[1]; p.Name != "営業" || len(p.Stages) != 3 || p.ReopenStage != p.Stages[1].ID {
		t.Fatalf("saved %+v", p)
	}
	b.post("/settings/pipelines/new", "action", "save", "name", "x", "stage_id", "", "stage_name", "a", "stage_kind", "closed").
		want(http.StatusUnprocessableEntity).shows("最初のステージは")

	b.post("/settings/users/new", "email", "hayashi@example.jp", "name", "林 大地", "role", "supervisor", "password", password).want(http.StatusSeeOther)
	b.get("/settings/users").shows("林 大地", "スーパーバイザー")
	b.post("/settings/profile", "name", "佐藤 遥", "locale", "ja", "forward_replies", "1", "forward_to", "me@home.example").want(http.StatusSeeOther)
	b.get("/settings/profile?saved=1").shows("保存しました", `value="me@home.example"`)
}
