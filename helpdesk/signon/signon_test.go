package signon_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/signon"
	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/ui"
)

// people are who can log in at the provider.
type people map[string]*storage.User

func (p people) GetUserByID(id string) *storage.User { return p[id] }
func (p people) ExampleClientID() string             { return "service" }
func (p people) GetUserByUsername(name string) *storage.User {
	for _, u := range p {
		if u.Username == name {
			return u
		}
	}
	return nil
}

// town is a certified OpenID provider and a desk that trusts it, both over HTTP.
type town struct {
	t        *testing.T
	desk     *helpdesk.Desk
	web      *httptest.Server
	provider *httptest.Server
	people   people
	client   *storage.Client
}

const (
	password = "correct horse battery"
	clientID = "madoguchi"
)

func newTown(t *testing.T, policy helpdesk.SignOn) *town {
	t.Helper()
	w := &town{t: t, people: people{}}
	var provider, pages http.Handler
	w.provider = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { provider.ServeHTTP(rw, r) }))
	t.Cleanup(w.provider.Close)
	w.web = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { pages.ServeHTTP(rw, r) }))
	t.Cleanup(w.web.Close)
	w.client = storage.WebClient(clientID, "the client's secret", w.web.URL+ui.SignOnCallback)
	quiet := slog.New(slog.DiscardHandler)
	provider = exampleop.SetupServer(w.provider.URL, storage.NewStorageWithClients(w.people, map[string]*storage.Client{clientID: w.client}), quiet, false)

	policy.Issuer = w.provider.URL
	db, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if w.desk, err = helpdesk.Open(t.Context(), db, helpdesk.Options{PasswordMemory: 64, Policy: helpdesk.Policy{SignOn: policy}}); err != nil {
		t.Fatal(err)
	}
	secret, err := w.desk.SetupSecret(t.Context())
	if err == nil {
		_, err = w.desk.CompleteSetup(t.Context(), helpdesk.Setup{Secret: secret, Domain: "example.jp", AdminEmail: "sato@example.jp",
			AdminName: "佐藤 遥", Password: password, AliasLocal: "support", AliasName: "サポート", Locale: "ja"})
	}
	if err != nil {
		t.Fatal(err)
	}
	server, err := ui.New(w.desk, ui.Options{PublicURL: w.web.URL, Policy: ui.Policy{SignOnName: "職員ポータル", SignOnOnly: policy.Only,
		SignOn: signon.New(signon.Config{Issuer: w.provider.URL, ClientID: clientID, ClientSecret: "the client's secret", Redirect: w.web.URL + ui.SignOnCallback})}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	pages = server.Handler()
	return w
}

// person adds somebody to the provider.
func (w *town) person(id, email string, verified bool) *storage.User {
	u := &storage.User{ID: id, Username: id, Password: "verysecure", FirstName: "花子", LastName: "森", Email: email, EmailVerified: verified}
	w.people[id] = u
	return u
}

// visitor is somebody's browser.
type visitor struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	status int
	body   string
	passed []*url.URL // where the last answer led, one after the other
}

func (w *town) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	v := &visitor{t: w.t}
	v.client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		v.passed = append(v.passed, r.URL)
		return nil
	}}
	return v
}

func (v *visitor) read(response *http.Response, err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	v.at, v.status, v.body = response.Request.URL, response.StatusCode, string(body)
}

func (v *visitor) get(address string) {
	v.t.Helper()
	v.passed = nil
	v.read(v.client.Get(address))
}

func (v *visitor) shows(words ...string) {
	v.t.Helper()
	for _, word := range words {
		if !strings.Contains(v.body, word) {
			v.t.Errorf("%s (%d) does not show %q:\n%.1500s", v.at, v.status, word, v.body)
		}
	}
}

// logIn goes by the button of the login page to the provider, logs in there, and
// comes back.
func (v *visitor) logIn(w *town, person, next string) {
	v.t.Helper()
	v.get(w.web.URL + "/login/oidc?next=" + url.QueryEscape(next))
	if !strings.HasPrefix(v.at.String(), w.provider.URL+"/login/username") {
		v.t.Fatalf("the button leads to %s (%d): %.500s", v.at, v.status, v.body)
	}
	v.passed = nil
	v.read(v.client.PostForm(w.provider.URL+"/login/username", url.Values{"id": {v.at.Query().Get("authRequestID")}, "username": {person}, "password": {"verysecure"}}))
}

func (w *town) events(kind string) []helpdesk.Event {
	w.t.Helper()
	list, _, err := w.desk.Audit(w.t.Context(), helpdesk.System("test"), helpdesk.AuditQuery{Kind: kind})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func TestAMemberLogsInAtTheProvider(t *testing.T) {
	w := newTown(t, helpdesk.SignOn{})
	sato := w.person("u1", "Sato@Example.jp", true)
	v := w.visitor()
	v.get(w.web.URL + "/login")
	v.shows("職員ポータル でログイン", `name="password"`)
	v.logIn(w, "u1", "/settings/access")
	if v.at.String() != w.web.URL+"/settings/access" {
		t.Fatalf("led to %s: %.800s", v.at, v.body)
	}
	v.shows("シングルサインオン")
	if e := w.events("identity.bound"); len(e) != 1 || e[0].Data["user"] != "sato@example.jp" {
		t.Errorf("the log says %+v", e)
	}
	begun := v.passed[0] // to the provider's callback, and from there to ours
	for _, u := range v.passed {
		if u.Path == ui.SignOnCallback {
			begun = u
		}
	}

	// The subject counts from now on, not the address.
	sato.Email = "another@example.jp"
	again := w.visitor()
	again.logIn(w, "u1", "/settings/access")
	again.shows("このブラウザー")
	w.person("u2", "sato@example.jp", true)
	other := w.visitor()
	other.logIn(w, "u2", "/")
	other.shows("別のアカウントでログインしています")

	// An answer is good for the browser that asked, once.
	thief := w.visitor()
	thief.get(begun.String())
	thief.shows("はじめからログインし直してください")
	v.get(begun.String())
	v.shows("はじめからログインし直してください")

	// Logging out leads out of the provider too.
	v.passed = nil
	v.read(v.client.Post(w.web.URL+"/logout", "", nil))
	v.shows("職員ポータル からもログアウトする", "/login/oidc/out")
	v.get(w.web.URL + "/login/oidc/out")
	out := *v.passed[0]
	query := out.Query()
	if out.Path != "/end_session" || query.Get("id_token_hint") == "" || query.Get("post_logout_redirect_uri") != w.web.URL+"/login" {
		t.Errorf("the way out leads by %v", v.passed)
	}
	query.Del("post_logout_redirect_uri") // this provider cannot be told of any
	out.RawQuery = query.Encode()
	if v.get(out.String()); v.status != http.StatusOK || v.at.Path != "/logged-out" {
		t.Errorf("the provider does not let go: %s %.300s", v.at, v.body)
	}
	v.get(w.web.URL + "/login/oidc/out")
	if v.passed[0].Query().Has("id_token_hint") {
		t.Error("what names who leaves is there twice")
	}
	v.get(w.web.URL + "/settings/access")
	if v.at.Path != "/login" {
		t.Errorf("still in at %s", v.at)
	}
}

// A browser that was left open comes back in by the provider without being asked
// anything: that is a session, and no proof.
func TestAPassByAtTheProviderProvesNothing(t *testing.T) {
	w := newTown(t, helpdesk.SignOn{})
	w.person("u1", "sato@example.jp", true)
	v := w.visitor()
	v.logIn(w, "u1", "/settings/access/app")
	v.shows("otpauth://")
	w.desk.Now = func() time.Time { return time.Now().Add(time.Hour) } // the provider's proof is an hour old, the session is new
	again := w.visitor()
	again.logIn(w, "u1", "/settings/access/app")
	if again.at.Path != "/login" || again.at.Query().Get("again") == "" {
		t.Errorf("led to %s", again.at)
	}
	again.shows("もう一度ご本人の確認", "again=1")
}

func TestWhoTheProviderKnowsIsNotYetAMember(t *testing.T) {
	w := newTown(t, helpdesk.SignOn{Domains: []string{"example.jp"}})
	w.person("unverified", "sato@example.jp", false)
	w.person("stranger", "mori@example.jp", true)
	w.person("elsewhere", "sato@evil.example", true)
	for who, words := range map[string]string{"unverified": "確認されていません", "stranger": "mori@example.jp というメンバーは登録されていません", "elsewhere": "このドメインのアカウント"} {
		v := w.visitor()
		v.logIn(w, who, "/")
		if v.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", who, v.status)
		}
		v.shows(words, `name="password"`)
	}
	if e := w.events("identity"); len(e) > 0 {
		t.Errorf("somebody was bound: %+v", e)
	}
}

func TestMembersCanBeMadeWhenTheyCome(t *testing.T) {
	w := newTown(t, helpdesk.SignOn{Provision: helpdesk.RoleAgent, Domains: []string{"example.jp"}, Only: true})
	w.person("u1", "mori@example.jp", true)
	v := w.visitor()
	v.logIn(w, "u1", "/settings/profile")
	v.shows("mori@example.jp", "花子 森")
	users, err := w.desk.Users(t.Context(), helpdesk.System("test"))
	if err != nil || len(users) != 2 {
		t.Fatalf("%+v, %v", users, err)
	}
	// The provider is the only way in: no form, and no way around the page.
	stranger := w.visitor()
	stranger.get(w.web.URL + "/login")
	stranger.shows("職員ポータル でログイン")
	if strings.Contains(stranger.body, `name="password"`) {
		t.Error("there is a form for passwords")
	}
	_, err = w.desk.Login(t.Context(), helpdesk.Visitor{IP: "192.0.2.1"}, "sato@example.jp", password)
	if helpdesk.CodeOf(err) != helpdesk.CodeForbidden {
		t.Errorf("a password lets in: %v", err)
	}
}

// While the provider is away, the page says so, and passwords go on.
func TestTheProviderIsAway(t *testing.T) {
	w := newTown(t, helpdesk.SignOn{})
	w.provider.Close()
	v := w.visitor()
	v.get(w.web.URL + "/login/oidc")
	v.shows("職員ポータル に接続できません", `name="password"`)
	if v.status != http.StatusServiceUnavailable {
		t.Errorf("status %d", v.status)
	}
	v.read(v.client.PostForm(w.web.URL+"/login", url.Values{"email": {"sato@example.jp"}, "password": {password}, "next": {"/settings/access"}}))
	v.shows("ログイン中のブラウザー")
}

// Whoever says no at the provider comes back to the login page.
func TestTheProviderRefuses(t *testing.T) {
	w := newTown(t, helpdesk.SignOn{})
	v := w.visitor()
	v.get(w.web.URL + "/login/oidc?next=/inbox/mine")
	var state string
	for _, u := range v.passed {
		if s := u.Query().Get("state"); s != "" {
			state = s
		}
	}
	v.get(w.web.URL + ui.SignOnCallback + "?error=access_denied&state=" + state)
	v.shows("ログインが完了しませんでした")
	v.get(w.web.URL + "/login/oidc")
	v.get(w.web.URL + ui.SignOnCallback + "?code=made-up&state=another")
	v.shows("応答を確認できませんでした")
}

// A domain that may no longer log in is out at once: its members' sessions by the
// provider end, who is on the way in is refused, and whoever was bound stays out.
func TestADomainIsTakenOffTheProvidersList(t *testing.T) {
	policy := helpdesk.SignOn{Provision: helpdesk.RoleAgent, Domains: []string{"example.jp", "partner.example"}}
	w := newTown(t, policy)
	policy.Issuer = w.provider.URL
	w.person("u1", "mori@example.jp", true)
	partner := w.person("u2", "ito@partner.example", true)
	ours, theirs := w.visitor(), w.visitor()
	ours.logIn(w, "u1", "/settings/access")
	theirs.logIn(w, "u2", "/settings/access")
	if _, err := w.desk.Login(t.Context(), helpdesk.Visitor{IP: "192.0.2.1"}, "sato@example.jp", password); err != nil {
		t.Fatal(err)
	}
	in := func(v *visitor) bool {
		v.get(w.web.URL + "/settings/access")
		return v.at.Path == "/settings/access"
	}
	set := func(p helpdesk.SignOn, ends int) {
		t.Helper()
		ended, err := w.desk.SetPolicy(t.Context(), helpdesk.File("madoguchi.toml"), helpdesk.Policy{SignOn: p})
		if err != nil || ended != (helpdesk.Ended{SignOn: ends}) {
			t.Errorf("ended: %+v, want %d: %v", ended, ends, err)
		}
	}
	set(policy, 0)
	if !in(ours) || !in(theirs) {
		t.Error("the same policy once more logs out")
	}
	less := policy
	less.Domains = []string{"Example.JP"}
	set(less, 1)
	if !in(ours) || in(theirs) {
		t.Error("the wrong one is logged out")
	}
	if e := w.events("session.ended"); len(e) != 1 || e[0].Data["user"] != "ito@partner.example" || e[0].Actor.Kind != helpdesk.ActorFile {
		t.Errorf("the log says %+v", e)
	}
	theirs.logIn(w, "u2", "/settings/access")
	theirs.shows("このドメインのアカウント")
	if in(theirs) {
		t.Error("a member of a domain that may not log in is let in")
	}
	// What the provider says today counts, and their name here stays the same.
	partner.Email = "ito@example.jp"
	theirs.logIn(w, "u2", "/settings/access")
	theirs.shows("ito@partner.example")

	// Without the provider, nobody stays who came by it; a password does.
	set(helpdesk.SignOn{}, 2)
	if in(ours) || in(theirs) {
		t.Error("logged in by a provider that is none of ours")
	}
	admin, err := w.desk.Users(t.Context(), helpdesk.System("test"))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range admin {
		list, err := w.desk.Sessions(t.Context(), helpdesk.System("test"), u.ID)
		if want := map[bool]int{true: 1}[u.Email == "sato@example.jp"]; err != nil || len(list) != want {
			t.Errorf("%s is logged in %d times, want %d: %v", u.Email, len(list), want, err)
		}
	}
}
