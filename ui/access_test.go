package ui_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

func TestSetupMakesTheFirstAdminOnce(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	b.get("/").want(http.StatusSeeOther).leads("/login")
	b.get("/login").want(http.StatusOK).shows("設定用のリンク").hides(`name="password"`)

	b.get("/setup").want(http.StatusForbidden).shows("この設定リンクは使えません")
	b.get("/setup?key=wrong").want(http.StatusForbidden).hides("<form method=\"post\" action=\"/setup\"")
	b.header.Set("Accept-Language", "en-GB,en;q=0.9")
	b.get("/setup?key=wrong").want(http.StatusForbidden).shows("This setup link does not work", `<html lang="en">`)
	b.header.Del("Accept-Language")

	b.get("/setup?key="+h.secret).want(http.StatusOK).shows("ようこそ", `name="domain"`)
	form := []string{"key", h.secret, "name", "佐藤 遥", "email", "sato@example.jp", "password", "short", "alias", "support",
		"domain", "example.jp", "alias_name", "アオバ計測 サポート"}
	b.post("/setup", form...).want(http.StatusUnprocessableEntity).shows("10 文字以上", "アオバ計測 サポート", `id="error-password"`, `required aria-invalid="true" autofocus`).hides(`value="short"`)
	form[7] = password
	b.post("/setup", form...).want(http.StatusSeeOther).leads("/setup/done")
	b.get("/inbox/open").want(http.StatusOK).shows("対応中のチケットはありません", `href="/setup/done"`)
	b.get("/setup/done").want(http.StatusOK).shows("madoguchi send-test --smtp 127.0.0.1:2525 --to support@example.jp", "swaks --server 127.0.0.1:2525", "10 mx.example.jp")
	b.get("/inbox/open").want(http.StatusOK).shows("佐藤 遥")

	b.get("/inbox/mine").want(http.StatusOK).shows("担当しているチケットはありません", "未割り当てのチケットを見る", `href="/inbox/unassigned"`)
	b.get("/inbox/open?tag=x").want(http.StatusOK).shows("条件に合うチケットはありません", "条件をすべて解除")
	b.get("/inbox/open?q=xyzzy").want(http.StatusOK).shows("別の言葉や、より短い言葉でも").hides("条件をすべて解除")

	again := h.browser()
	again.get("/setup?key=" + h.secret).want(http.StatusForbidden).shows("すでに済んでいます")
	again.post("/setup", form...).want(http.StatusForbidden)
}

// TestSetupOfAServerWithoutAName shows commands as the program was called, and that
// no other server could find this one.
func TestSetupOfAServerWithoutAName(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) { o.Hostname, o.Program = "vm", "bin/madoguchi" })
	b := h.as(h.admin)
	b.get("/setup/done").want(http.StatusOK).shows("bin/madoguchi send-test --smtp 127.0.0.1:2525 --to support@example.jp",
		"10 mail.example.jp", "今「vm」と名乗って", `href="/settings/domains"`).hides("10 vm")
}

func TestLoginOpensASessionInALockedCookie(t *testing.T) {
	h := newReadyHouse(t)
	b := h.browser()
	b.get("/inbox/open?tag=a").want(http.StatusSeeOther).leads("/login?next=%2Finbox%2Fopen%3Ftag%3Da")
	b.post("/login", "email", "sato@example.jp", "password", "wrong").want(http.StatusUnauthorized).
		shows("メールアドレスまたはパスワードが違います", `value="sato@example.jp"`)

	answer := b.post("/login", "email", "sato@example.jp", "password", password, "next", "/inbox/mine").want(http.StatusSeeOther).leads("/inbox/mine")
	cookie := answer.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure || cookie.Path != "/" {
		t.Errorf("cookie %+v is not locked to the browser", cookie)
	}
	b.get("/inbox/mine").want(http.StatusOK)
	b.post("/logout").want(http.StatusSeeOther)
	b.get("/inbox/mine").want(http.StatusSeeOther)

	// The session itself is over, not only the cookie gone.
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.http.URL+"/inbox/mine", nil)
	r.AddCookie(cookie)
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSeeOther {
		t.Errorf("a session that was logged out answers %d", response.StatusCode)
	}
}

func TestTooManyLoginsAreSaidToBeTooMany(t *testing.T) {
	h := newReadyHouse(t)
	b := h.browser()
	for range 20 {
		p := b.post("/login", "email", h.admin.Email, "password", "wrong")
		if p.StatusCode == http.StatusUnauthorized {
			continue
		}
		p.want(http.StatusTooManyRequests).shows("お待ちください", h.admin.Email)
		if wait, err := strconv.Atoi(p.Header.Get("Retry-After")); err != nil || wait < 1 {
			t.Errorf("Retry-After is %q", p.Header.Get("Retry-After"))
		}
		return
	}
	t.Error("20 wrong passwords in a row were all tried")
}

func TestLoginDoesNotLeadElsewhere(t *testing.T) {
	h := newReadyHouse(t)
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "javascript:alert(1)", "/%0d%0aX: y", ""} {
		answer := h.browser().post("/login", "email", "sato@example.jp", "password", password, "next", next).want(http.StatusSeeOther)
		if to := answer.Header.Get("Location"); strings.Contains(to, "evil") || strings.Contains(to, "javascript") || answer.Header.Get("X") != "" {
			t.Errorf("next=%q leads to %q", next, to)
		}
	}
}

func TestCookieIsBoundToTheHostOverTLS(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) { o.Secure = true })
	answer := h.browser().post("/login", "email", "sato@example.jp", "password", password).want(http.StatusSeeOther)
	cookie := answer.Cookies()[0]
	if cookie.Name != "__Host-session" || !cookie.Secure || cookie.Domain != "" {
		t.Errorf("cookie %+v, want a secure one with the __Host- prefix", cookie)
	}
	if answer.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security over TLS")
	}
}

func TestOtherSitesCannotAct(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) { o.PublicURL = "https://desk.example.jp" })
	receipt := h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	act := func(name, value string) *page {
		b.header.Set(name, value)
		defer b.header.Del(name)
		return b.post("/tickets/1/change", "tag", "x")
	}
	act("Sec-Fetch-Site", "cross-site").want(http.StatusForbidden).shows("ほかのサイトからの操作")
	act("Sec-Fetch-Site", "same-site").want(http.StatusForbidden)
	act("Origin", "https://evil.example").want(http.StatusForbidden)
	act("Origin", "null").want(http.StatusForbidden)
	row, err := h.TicketRow(h.ctx(), h.admin.Actor(), receipt.Ticket)
	if err != nil {
		t.Fatal(err)
	}
	if len(row.Ticket.Tags) > 0 {
		t.Fatalf("another site set the tags %v", row.Ticket.Tags)
	}
	act("Sec-Fetch-Site", "same-origin").want(http.StatusSeeOther)
	act("Origin", h.http.URL).want(http.StatusSeeOther)
	act("Origin", "https://desk.example.jp").want(http.StatusSeeOther) // the proxy's address

	login := h.browser()
	login.header.Set("Sec-Fetch-Site", "cross-site")
	login.post("/login", "email", "sato@example.jp", "password", password).want(http.StatusForbidden)
}

func TestRolesAreWhatTheDeskSays(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.as(h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent))
	agent.get("/settings/profile").want(http.StatusOK).hides(`href="/settings/users"`)
	agent.get("/settings/aliases").want(http.StatusOK).shows("変更する権限がありません").hides(`href="/settings/aliases/new"`)
	agent.get("/settings/aliases/new").want(http.StatusOK).shows("<fieldset disabled")
	agent.post("/settings/aliases/new", "address", "x@example.jp", "enabled", "1").want(http.StatusForbidden).shows("権限がありません")
	agent.post("/settings/pipelines/new", "action", "save", "name", "x", "stage_id", "", "stage_name", "a", "stage_kind", "open").want(http.StatusForbidden)
	agent.post("/settings/users/"+h.admin.ID, "name", "x", "email", "x@example.jp", "role", "agent").want(http.StatusForbidden)
	agent.post("/settings/profile", "name", "林 大地2", "locale", "en").want(http.StatusSeeOther)
	agent.get("/inbox/open").want(http.StatusOK).shows("Unassigned", "林 大地2") // their own language now

	aliases, err := h.Aliases(h.ctx(), h.admin.Actor())
	if err != nil || len(aliases) != 1 {
		t.Fatalf("aliases %v, %v: an agent made one", aliases, err)
	}
}

func TestWhoIsSwitchedOffIsOut(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	theirs, ours := h.as(agent), h.as(h.admin)
	theirs.get("/inbox/open").want(http.StatusOK)
	ours.post("/settings/users/"+agent.ID, "name", agent.Name, "email", agent.Email, "role", "agent").want(http.StatusSeeOther)
	theirs.get("/inbox/open").want(http.StatusSeeOther)
	ours.post("/settings/users/"+h.admin.ID, "name", "佐藤 遥", "email", "sato@example.jp", "role", "agent", "enabled", "1").
		want(http.StatusConflict).shows("最後の管理者")
}

func TestPasswordChangeKeepsThisBrowserAlone(t *testing.T) {
	h := newReadyHouse(t)
	here, there := h.as(h.admin), h.as(h.admin)
	here.post("/settings/password", "current_password", "wrong", "password", "another long one").want(http.StatusUnprocessableEntity).shows("現在のパスワードが違います")
	here.post("/settings/password", "current_password", password, "password", "another long one").want(http.StatusSeeOther)
	here.get("/inbox/open").want(http.StatusOK)
	there.get("/inbox/open").want(http.StatusSeeOther)
}

func TestLanguageFollowsBrowserThenChoiceThenUser(t *testing.T) {
	h := newReadyHouse(t)
	b := h.browser()
	b.header.Set("Accept-Language", "fr-FR,de;q=0.5")
	b.get("/login").shows(`<html lang="en">`)
	b.header.Set("Accept-Language", "ja,en;q=0.5")
	b.get("/login").shows(`<html lang="ja">`)
	b.post("/language", "language", "en", "next", "/login").want(http.StatusSeeOther).leads("/login")
	b.get("/login").shows(`<html lang="en">`, "Log in to Madoguchi")
	b.post("/login", "email", "sato@example.jp", "password", password).want(http.StatusSeeOther)
	b.get("/inbox/open").shows(`<html lang="ja">`) // the admin chose Japanese at setup
}

func TestTimesAreSaidInTheReadersZone(t *testing.T) {
	noon := time.Date(2026, 11, 21, 15, 30, 0, 0, time.UTC)
	h := newReadyHouse(t, func(o *ui.Options) { o.Now = func() time.Time { return noon } })
	h.Desk.Now = func() time.Time { return noon.Add(-time.Hour) }
	h.receive(letter{subject: "件名", text: "本文"})
	b := h.as(h.admin)
	b.header.Set("Cookie", "zone=Asia%2FTokyo")
	// 14:30 UTC is 23:30 in Tokyo, where it is past midnight by now.
	page := b.get("/inbox/open").want(http.StatusOK)
	page.shows("昨日")
	b.header.Set("Cookie", "zone=UTC")
	b.get("/inbox/open").want(http.StatusOK).shows(">14:30<")
}

func TestPeopleEndTheirSessions(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	b := h.browser()
	b.header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	b.post("/login", "email", "sato@example.jp", "password", password).want(http.StatusSeeOther)
	other := h.browser()
	other.header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1")
	answer := other.post("/login", "email", "sato@example.jp", "password", password).want(http.StatusSeeOther)
	theirs := h.as(agent)

	b.get("/settings/access").want(http.StatusOK).shows("Linux の Firefox", "このブラウザー", "iOS の Safari").hides(answer.Cookies()[0].Value)
	b.get("/notices").want(http.StatusOK).shows("新しいブラウザーからログインがありました", "iOS の Safari（127.0.0.1）")
	list, err := h.Sessions(h.ctx(), h.admin.Actor(), h.admin.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, session := range list {
		if session.Browser == "Safari, iOS" {
			b.post("/settings/access/sessions", "session", session.ID).want(http.StatusSeeOther).leads("/settings/access?saved=1")
		}
	}
	other.get("/inbox/mine").want(http.StatusSeeOther)
	b.get("/inbox/mine").want(http.StatusOK)

	// An admin ends a member's; a member nobody's but their own.
	theirs.post("/settings/users/" + h.admin.ID + "/sessions").want(http.StatusForbidden)
	b.get("/settings/users/" + agent.ID).want(http.StatusOK).shows("このメンバーがログインしているブラウザーです")
	b.post("/settings/users/" + agent.ID + "/sessions").want(http.StatusSeeOther)
	theirs.get("/inbox/mine").want(http.StatusSeeOther)
}

// A proxy on this host says whom it speaks for in the last place; what a client
// wrote before that is a lie.
func TestTheAddressOfAVisitorIsNotMadeUp(t *testing.T) {
	h := newReadyHouse(t)
	for _, forwarded := range [][]string{{"203.0.113.9"}, {"198.51.100.1, 203.0.113.9"}, {"198.51.100.1", "203.0.113.9"}, {"198.51.100.1, 10.0.0.1", "203.0.113.9"}} {
		b := h.browser()
		b.header["X-Forwarded-For"] = forwarded
		b.post("/login", "email", "sato@example.jp", "password", password).want(http.StatusSeeOther)
		b.get("/settings/access").want(http.StatusOK).shows("203.0.113.9").hides("198.51.100.1", "10.0.0.1")
	}
}
