package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// secretsOf are what nobody may read anywhere but where it is given out, by what
// they are.
type secretsOf map[string]string

// stayOut fails for each secret that is in something that the program said.
func (s secretsOf) stayOut(t *testing.T, said map[string]string) {
	t.Helper()
	for name, secret := range s {
		if len(secret) < 8 {
			t.Errorf("the %s is %q; nothing is looked for", name, secret)
			continue
		}
		for place, text := range said {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("the %s is in %s: …%s…", name, place, text[max(0, i-160):min(len(text), i+80)])
			}
		}
	}
}

// visit is a browser without scripts in front of a running server.
type visit struct {
	t    *testing.T
	http *http.Client
	web  string
}

func newVisit(t *testing.T, web string) visit {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return visit{t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, web}
}

// ask returns the status and the text of an answer; a form is posted where there is one.
func (v visit) ask(path string, form ...string) (int, string) {
	v.t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if len(form) > 0 {
		values := url.Values{}
		for i := 0; i < len(form); i += 2 {
			values.Add(form[i], form[i+1])
		}
		method, body = http.MethodPost, strings.NewReader(values.Encode())
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.web+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := v.http.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// want is ask with an expected status.
func (v visit) want(status int, path string, form ...string) string {
	v.t.Helper()
	got, text := v.ask(path, form...)
	if got != status {
		v.t.Fatalf("%s: %d, want %d: %.600s", path, got, status, text)
	}
	return text
}

func (v visit) question(path string) (q passkeyQuestion) {
	v.t.Helper()
	if err := json.Unmarshal([]byte(v.want(http.StatusOK, path, "x", "x")), &q); err != nil || q.Options.Challenge == "" || q.Sealed == "" {
		v.t.Fatalf("the question at %s: %+v, %v", path, q, err)
	}
	return q
}

// cookies puts the cookies that a browser has into the secrets.
func (s secretsOf) cookies(v visit, whose string) {
	at, _ := url.Parse(v.web)
	for _, cookie := range v.http.Jar.Cookies(at) {
		if len(cookie.Value) > 20 {
			s[whose+" cookie "+cookie.Name] = cookie.Value
		}
	}
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// TestNoSecretOfAWayInIsSaid goes every way in at the most talkative level, rightly
// and wrongly: a password and codes, passkeys, the sign-on provider; and changes
// what webhooks are signed with. Nothing that the program says anywhere has a
// secret of it.
func TestNoSecretOfAWayInIsSaid(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the secrets of each way in")
	}
	t.Parallel()
	port := freePort(t)
	web := "http://localhost:" + port // passkeys belong to names
	secrets := secretsOf{"password": adminPassword, "client secret": "client-sesame-80", "later client secret": "client-sesame-81", "provider's password": providerPassword}
	signOn := serveProvider(t, web, adminEmail, secrets["client secret"])
	text := func(clientSecret string) string {
		return `[log]
level = "debug"
[ai]
enabled = false
[metrics]
listen = "127.0.0.1:0"
[web]
url = "` + web + `"
[oidc]
issuer = "` + signOn.URL + `"
client_id = "` + providerClient + `"
client_secret = "` + clientSecret + `"
`
	}
	config := writeConfig(t, text(secrets["client secret"]))
	p := start(t, newDesk(t), "--config", config, "--http", "127.0.0.1:"+port)
	api := p.apiOf(t)
	secrets["API token"] = api.token

	// An authenticator app, its recovery codes, and a passkey.
	v := newVisit(t, web)
	v.want(http.StatusSeeOther, "/login", "email", adminEmail, "password", adminPassword)
	page := v.want(http.StatusOK, "/settings/access/app")
	key, enrolment := strings.ReplaceAll(between(page, "<code>", "</code>"), " ", ""), between(page, `name="enrolment" value="`, `"`)
	secrets["key of the app"], secrets["key of the app in groups"], secrets["sealed enrolment"] = key, between(page, "<code>", "</code>"), enrolment
	v.want(http.StatusUnprocessableEntity, "/settings/access/app", "enrolment", enrolment, "code", "000000")
	code := func() string {
		made, err := totp.GenerateCode(key, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	codes := strings.Split(between(v.want(http.StatusOK, "/settings/access/app", "enrolment", enrolment, "code", code()), `<ul class="recovery-codes"><li><code>`, "</code></li></ul>"), "</code></li><li><code>")
	if len(codes) != 10 {
		t.Fatalf("recovery codes %q", codes)
	}
	secrets["recovery code"], secrets["used recovery code"] = codes[0], codes[1]
	secrets["used recovery code as typed"] = strings.ReplaceAll(codes[1], "-", "")
	device := newSoftKey(t)
	for _, origin := range []string{"http://evil.example", web} {
		question := v.question("/settings/access/passkeys/begin")
		secrets["challenge of a passkey from "+origin], secrets["sealed challenge from "+origin] = question.Options.Challenge, question.Sealed
		forged := question
		forged.Options.Challenge = device.text([]byte("a challenge that nobody has set"))
		v.ask("/settings/access/passkeys", "sealed", question.Sealed, "name", "偽物", "answer", device.made(forged, "localhost", web))
		v.ask("/settings/access/passkeys", "sealed", question.Sealed, "name", "会社の鍵", "answer", device.made(question, "localhost", origin))
	}
	if list := v.want(http.StatusOK, "/settings/access"); !strings.Contains(list, "会社の鍵") || strings.Contains(list, "偽物") {
		t.Fatal("the passkey was not made, or the forged one was")
	}
	secrets.cookies(v, "the first browser's")
	if status, _ := v.ask("/logout", "x", "x"); status != http.StatusSeeOther {
		t.Fatalf("log out: %d", status)
	}

	// In by a code, wrongly and by a recovery code.
	v = newVisit(t, web)
	v.want(http.StatusUnauthorized, "/login", "email", adminEmail, "password", "a wrong password 82")
	secrets["wrong password"] = "a wrong password 82"
	v.want(http.StatusSeeOther, "/login", "email", adminEmail, "password", adminPassword)
	secrets.cookies(v, "the second step's")
	v.want(http.StatusUnauthorized, "/login/step", "code", "ZZZZ-YYYY-XXXX")
	secrets["wrong recovery code"] = "ZZZZ-YYYY-XXXX"
	v.want(http.StatusSeeOther, "/login/step", "code", codes[1], "trust", "1")
	secrets.cookies(v, "the trusted browser's")

	// In by a passkey.
	key2 := newVisit(t, web)
	question := key2.question("/login/passkey/begin")
	secrets["challenge of a login"], secrets["sealed challenge of a login"] = question.Options.Challenge, question.Sealed
	forged := question
	forged.Options.Challenge = device.text([]byte("another that nobody has set"))
	key2.want(http.StatusUnauthorized, "/login/passkey", "sealed", question.Sealed, "answer", device.used(forged, "localhost", web))
	key2.want(http.StatusSeeOther, "/login/passkey", "sealed", question.Sealed, "answer", device.used(question, "localhost", web))
	key2.want(http.StatusUnauthorized, "/login/passkey", "sealed", question.Sealed, "answer", device.used(question, "localhost", web))
	secrets.cookies(key2, "the passkey's browser's")

	// In by the provider, and an answer of it that was made up.
	single := newVisit(t, web)
	for _, passed := range signOn.logIn(t, single.http, web) {
		for _, name := range []string{"code", "state", "nonce", "code_challenge"} {
			if value := passed.Query().Get(name); len(value) >= 8 {
				secrets["provider's "+name+" at "+passed.Path] = value
			}
		}
	}
	secrets.cookies(single, "the provider's browser's")
	for name, token := range signOn.tokens {
		secrets["provider's "+name] = token
	}
	if len(signOn.tokens) < 2 {
		t.Fatalf("the provider gave out %v", signOn.tokens)
	}
	single.want(http.StatusSeeOther, "/login/oidc")
	single.want(http.StatusUnauthorized, "/login/oidc/callback?code=made-up-code-83&state=made-up-state-84")
	secrets["made-up code"], secrets["made-up state"] = "made-up-code-83", "made-up-state-84"

	// What webhooks are signed with.
	var hook struct {
		Webhook struct{ ID string }
		Secret  string
	}
	api.do(t, "POST", "/webhooks", nil, map[string]any{"name": "倉庫", "url": "https://hooks.example.com/x", "kinds": []string{"ticket.created"}}, &hook)
	var later struct{ Secret string }
	api.do(t, "POST", "/webhooks/"+hook.Webhook.ID+"/secret", nil, nil, &later)
	secrets["webhook secret"], secrets["later webhook secret"] = strings.TrimPrefix(hook.Secret, "whsec_"), strings.TrimPrefix(later.Secret, "whsec_")

	// Another client secret in the file, reread while running.
	if err := os.WriteFile(config, []byte(text(secrets["later client secret"])), 0o600); err != nil {
		t.Fatal(err)
	}
	p.command.Process.Signal(syscall.SIGHUP)
	p.log.waitFor(t, "oidc.client_secret")

	said := map[string]string{}
	for _, path := range []string{"/settings/access", "/settings/users", "/settings/login", "/settings/system", "/settings/audit", "/settings/check", "/settings/webhooks", "/settings/webhooks/" + hook.Webhook.ID,
		"/settings/tokens", "/notices", "/login?again=1", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline", "/no/such/page?code=x"} {
		_, said[path] = v.ask(path)
	}
	for _, path := range []string{"/events?limit=1000", "/webhooks", "/webhooks/" + hook.Webhook.ID} {
		_, answer, err := api.try(t.Context(), "GET", path, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		said["GET "+path] = string(answer)
	}
	for _, command := range []string{"token list", "user list"} {
		said[command] = succeed(t, "", append(strings.Fields(command), "--data", p.data)...)
	}
	p.stop()
	said["log"] = p.log.String()
	secrets.stayOut(t, said)
	for _, told := range []string{"login failed", "a passkey was not accepted", "single sign-on"} {
		if !strings.Contains(said["log"], told) {
			t.Errorf("the log does not say %q: what is looked through is not what it should be", told)
		}
	}
	kept, err := os.ReadFile(p.data + "/madoguchi.db")
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range secrets { // what is compared, and not computed with, is kept as a hash
		if !strings.HasPrefix(name, "key of") && !strings.Contains(name, "webhook secret") && bytes.Contains(kept, []byte(secret)) {
			t.Errorf("the %s is in the data directory", name)
		}
	}
}
