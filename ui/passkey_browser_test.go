package ui_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// securityKey puts a device into the browser that holds passkeys and verifies
// its owner.
func (b *tab) securityKey() (id webauthn.AuthenticatorID) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		made, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true,
			HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
		if err == nil {
			id = made.AuthenticatorID
		}
		return err
	}))
	return id
}

// virtualCredential is webauthn.Credential less what this kind of device has not.
type virtualCredential struct {
	CredentialID         []byte  `json:"credentialId"`
	IsResidentCredential bool    `json:"isResidentCredential"`
	RpID                 string  `json:"rpId"`
	PrivateKey           []byte  `json:"privateKey"`
	UserHandle           []byte  `json:"userHandle"`
	SignCount            float64 `json:"signCount"`
}

type addCredentialParams struct {
	AuthenticatorID webauthn.AuthenticatorID `json:"authenticatorId"`
	Credential      virtualCredential        `json:"credential"`
}

var addCredential = cdp.Command[addCredentialParams, cdp.Empty]{Method: webauthn.CommandAddCredential}

// turnBack sets the counter of every passkey of a device, as a copy of the
// device has it.
func (b *tab) turnBack(id webauthn.AuthenticatorID, count float64) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		kept, err := cdp.Call(ctx, t, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: id})
		if err != nil {
			return err
		}
		for _, credential := range kept.Credentials {
			if _, err := cdp.Call(ctx, t, webauthn.RemoveCredential, webauthn.RemoveCredentialParams{AuthenticatorID: id, CredentialID: credential.CredentialID}); err != nil {
				return err
			}
			if _, err := cdp.Call(ctx, t, addCredential, addCredentialParams{id, virtualCredential{
				credential.CredentialID, true, credential.RpID, credential.PrivateKey, credential.UserHandle, count}}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// fill puts a text into a field.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.CSS(selector), text))
}

// TestPasskeys makes passkeys in a real browser and logs in with them, in both
// languages: alone, and after a password.
func TestPasskeys(t *testing.T) {
	h := newReadyHouse(t)
	b := openTab(t, strings.Replace(h.http.URL, "127.0.0.1", "localhost", 1)) // passkeys belong to names
	device := b.securityKey()
	b.openAs("sato@example.jp", "/settings/access")
	b.fill(`.passkey-add [name=name]`, "会社のパソコン")
	b.click(`.passkey-add button`)
	b.until(`document.querySelector(".saved") && document.querySelector(".passkey-row [name=name]").value === "会社のパソコン"`)
	b.until(says + `("まだ使われていません")`)

	// The next one is not proposed the same name.
	b.until(`(() => { const name = document.querySelector(".passkey-row [name=name]"); name.value = sessionStorage.proposed = document.querySelector(".passkey-add [name=name]").value; return name.value !== "" })()`)
	b.click(`.passkey-row [value=rename]`)
	b.until(`document.querySelector(".saved") && document.querySelector(".passkey-add [name=name]").value === sessionStorage.proposed + " 2"`)
	b.fill(`.passkey-row [name=name]`, "会社のパソコン")
	b.click(`.passkey-row [value=rename]`)
	b.until(`document.querySelector(".passkey-add [name=name]").value === sessionStorage.proposed`)

	// A device has one passkey for a person.
	b.open("/settings/access")
	b.click(`.passkey-add button`)
	b.until(says + `("この端末のパスキーはすでに登録されています")`)

	logOut := func() {
		b.open("/inbox/open")
		b.logOut()
	}
	by := func() string {
		t.Helper()
		list, err := h.Sessions(h.ctx(), h.admin.Actor(), h.admin.ID)
		if err != nil || len(list) == 0 {
			t.Fatalf("%v, %v", list, err)
		}
		return string(list[0].By)
	}
	for _, language := range []string{"ja", "en"} {
		logOut()
		b.open("/login")
		b.click(`.languages [value=` + language + `]`)
		b.until(`document.documentElement.lang === "` + language + `" && document.querySelector(".passkey-door:not([hidden])")`)
		b.until(says + `("` + map[string]string{"ja": "パスキーでログイン", "en": "Log in with a passkey"}[language] + `")`)
		b.click(`.passkey-form button`)
		b.until(`location.pathname.startsWith("/inbox")`)
		if by() != "passkey" {
			t.Errorf("the session is by %q", by())
		}
	}
	b.open("/settings/access")
	b.until(says + `("最後の利用")`)

	// With an app, the passkey also follows on the password.
	b.open("/settings/access/app")
	secret := strings.ReplaceAll(eval[string](b, `document.querySelector(".enrol-secret code").textContent`), " ", "")
	if eval[int](b, `document.querySelector(".enrol-code").naturalWidth`) == 0 {
		t.Error("the code of squares is not shown")
	}
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b.fill(`[name=code]`, code)
	b.click(`.save-bar .primary`)
	b.until(`document.querySelectorAll(".recovery-codes li").length === 10`)
	b.do(chromedp.EmulateViewport(390, 844)) // a phone, too, is where it is set up anew
	b.open("/settings/access")
	b.until(`document.querySelector("#second-factor a[href='/settings/access/app']").getBoundingClientRect().height >= 40`)
	b.do(chromedp.EmulateViewport(1440, 900))
	logOut()
	b.open("/login")
	b.fill(`[name=email]`, "sato@example.jp")
	b.fill(`[name=password]`, password)
	b.click(`form[action="/login"] .primary`)
	b.until(`location.pathname === "/login/step" && document.querySelector(".passkey-door:not([hidden])")`)
	b.click(`.passkey-form button`)
	b.until(`location.pathname.startsWith("/inbox")`)

	// A copy of the device is refused, and the log says it.
	logOut()
	b.turnBack(device, 1)
	b.open("/login")
	b.until(`document.querySelector(".passkey-door:not([hidden])")`)
	b.click(`.passkey-form button`)
	b.until(says + `("seems to have been copied")`)
	if list, _, err := h.Audit(h.ctx(), h.admin.Actor(), helpdesk.AuditQuery{Kind: "passkey.copied"}); err != nil || len(list) != 1 {
		t.Errorf("the log: %v, %v", list, err)
	}
	if found := b.complaints("Content Security Policy", "Uncaught"); len(found) > 0 {
		t.Errorf("the console: %q", found)
	}
}

// TestTheSecondStepOverHTTP goes through the pages without scripts.
func TestTheSecondStepOverHTTP(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	b := h.as(h.admin)
	b.get("/settings/login").want(http.StatusOK).shows("二段階認証が必要な権限")
	b.post("/settings/login", "role", "admin", "rule:admin", "0").want(http.StatusConflict).shows("先にご自身の二段階認証")
	b.get("/settings/users?factor=missing").want(http.StatusOK).shows("林 大地", "パスワードのみ", "二段階認証なし")

	// With time until it begins, each login offers it, and can go on without.
	b.post("/settings/login", "role", "agent", "rule:agent", "7", "role", "admin", "rule:admin", "").want(http.StatusSeeOther).leads("/settings/login?saved=1")
	b.get("/settings/login").want(http.StatusOK).shows(`<option value="keep" selected>`, "未設定 1 人")
	b.post("/settings/login", "role", "agent", "rule:agent", "keep").want(http.StatusSeeOther)
	early := h.browser()
	early.post("/login", "email", agent.Email, "password", password, "next", "/inbox/mine").want(http.StatusSeeOther).leads("/login/step?next=%2Finbox%2Fmine")
	early.get("/login/step?next=%2Finbox%2Fmine").want(http.StatusOK).shows("いま設定しておくと安心です", "あとで設定する", "data:image/png")
	early.post("/login/step", "later", "1", "next", "/inbox/mine").want(http.StatusSeeOther).leads("/inbox/mine")
	early.get("/settings/access").want(http.StatusOK).shows("までに設定")

	b.post("/settings/login", "role", "agent", "rule:agent", "0").want(http.StatusSeeOther).leads("/settings/login?saved=1")
	early.get("/inbox/mine").want(http.StatusSeeOther) // it begins at once
	theirs := h.browser()
	theirs.get("/login/step").want(http.StatusUnauthorized).shows("はじめからログインし直してください", `name="password"`)
	theirs.post("/login", "email", agent.Email, "password", password, "next", "/inbox/mine").want(http.StatusSeeOther).leads("/login/step?next=%2Finbox%2Fmine")
	theirs.get("/inbox/mine").want(http.StatusSeeOther) // no session yet
	theirs.post("/login/step", "later", "1").want(http.StatusUnauthorized).shows("これ以上あとに回すことはできません")
	page := theirs.get("/login/step?next=%2Finbox%2Fmine").want(http.StatusOK).shows("二段階認証の設定", "data:image/png;base64,", "otpauth://totp/")
	secret, enrolment := strings.ReplaceAll(between(page.body, `<code>`, `</code>`), " ", ""), between(page.body, `name="enrolment" value="`, `"`)
	theirs.post("/login/step", "enrolment", enrolment, "code", "000000").want(http.StatusUnprocessableEntity).shows("コードが一致しません", enrolment)
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	done := theirs.post("/login/step", "enrolment", enrolment, "code", code, "next", "//evil.example").want(http.StatusOK).shows("回復コード", `download="madoguchi-kaifuku-code.txt"`, `href="/"`)
	recovery := between(done.body, `<ul class="recovery-codes"><li><code>`, `</code>`)
	theirs.get("/inbox/mine").want(http.StatusOK)
	theirs.post("/settings/access/app/remove").want(http.StatusConflict).shows("最後の方法は解除できません")

	again := h.browser()
	again.post("/login", "email", agent.Email, "password", password).want(http.StatusSeeOther)
	again.get("/login/step").want(http.StatusOK).shows("確認コードを入力", `autocomplete="one-time-code"`).hides("data:image/png")
	again.post("/login/step", "code", "111111").want(http.StatusUnauthorized).shows("確認コードが違うか")
	again.post("/login/step", "code", recovery, "trust", "1").want(http.StatusSeeOther).leads("/")
	again.post("/logout").want(http.StatusSeeOther)
	again.post("/login", "email", agent.Email, "password", password).want(http.StatusSeeOther).leads("/") // trusted now

	b.get("/settings/users/"+agent.ID).want(http.StatusOK).shows("認証アプリ（", "本人確認の方法を解除")
	b.post("/settings/users/" + agent.ID + "/reset-access").want(http.StatusSeeOther)
	again.get("/inbox/mine").want(http.StatusSeeOther)

	// Where the last login is too long ago, one comes by the login page.
	old := h.as(h.admin)
	h.Desk.Now = func() time.Time { return time.Now().Add(time.Hour) }
	old.get("/settings/access/app").want(http.StatusSeeOther).leads("/login?again=1&next=%2Fsettings%2Faccess%2Fapp")
	old.get("/login?again=1&next=%2Fsettings%2Faccess%2Fapp").want(http.StatusOK).shows("もう一度ご本人の確認", `value="sato@example.jp"`)
	old.post("/login", "email", "sato@example.jp", "password", password, "next", "/settings/access/app").want(http.StatusSeeOther).leads("/settings/access/app")
	old.get("/settings/access/app").want(http.StatusOK)
}

// between is what stands between two marks, first.
func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}
