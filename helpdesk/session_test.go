package helpdesk_test

import (
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// from is a visitor without a past, from a network address.
func from(ip string) helpdesk.Visitor {
	return helpdesk.Visitor{IP: ip, Browser: "Firefox, Linux"}
}

// logIn logs in with the admin's password, which must succeed.
func (h *house) logIn(v helpdesk.Visitor) *helpdesk.Entry {
	h.t.Helper()
	entry, err := h.Login(h.t.Context(), v, "sato@example.jp", "correct horse battery")
	if err != nil {
		h.t.Fatal(err)
	}
	return entry
}

// acting is the actor in a session.
func (h *house) acting(session string) helpdesk.Actor {
	h.t.Helper()
	u, s, err := h.UserBySession(h.t.Context(), session)
	if err != nil {
		h.t.Fatal(err)
	}
	return u.Actor().In(s)
}

func (h *house) stillIn(session string) bool {
	h.t.Helper()
	_, _, err := h.UserBySession(h.t.Context(), session)
	if code := helpdesk.CodeOf(err); err != nil && code != helpdesk.CodeUnauthorized {
		h.t.Fatal(err)
	}
	return err == nil
}

func TestLoginOpensASession(t *testing.T) {
	h := newHouse(t)
	entry, err := h.Login(t.Context(), from("192.0.2.1"), " SATO@example.jp", "correct horse battery")
	if err != nil || entry.User.ID != h.user.ID {
		t.Fatalf("login: %v", err)
	}
	if !h.stillIn(entry.Session) {
		t.Error("the session is not one")
	}
	if err := h.Logout(t.Context(), entry.Session); err != nil {
		t.Fatal(err)
	}
	_, _, err = h.UserBySession(t.Context(), entry.Session)
	wantCode(t, err, helpdesk.CodeUnauthorized, "log in again")
}

func TestSessionsEndByThemselves(t *testing.T) {
	h := newHouse(t)
	used, left := h.logIn(from("192.0.2.1")).Session, h.logIn(from("192.0.2.1")).Session
	for range 29 { // a session that is used lives on
		h.pass(24 * time.Hour)
		_, s, err := h.UserBySession(t.Context(), used)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.UsedSession(t.Context(), s, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	if h.stillIn(left) {
		t.Error("a session that nobody used for 29 days is open")
	}
	h.pass(24 * time.Hour)
	if h.stillIn(used) {
		t.Error("a session lives longer than 30 days")
	}
}

func TestPeopleSeeAndEndTheirSessions(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	here, there, third := h.logIn(from("192.0.2.1")), h.logIn(helpdesk.Visitor{IP: "198.51.100.7", Browser: "Safari, iOS"}), h.logIn(from("203.0.113.4"))
	me := h.acting(here.Session)
	list, err := h.Sessions(ctx, me, h.user.ID)
	if err != nil || len(list) != 3 || !list[0].Current || list[0].By != helpdesk.LoginPassword || list[1].Current {
		t.Fatalf("%+v, %v", list, err)
	}
	i := slices.IndexFunc(list, func(s helpdesk.SessionView) bool { return s.From == "198.51.100.7" && s.Browser == "Safari, iOS" })
	if i < 0 {
		t.Fatalf("the other browser is not in %+v", list)
	}
	if err := h.EndSession(ctx, me, h.user.ID, list[i].ID); err != nil {
		t.Fatal(err)
	}
	if h.stillIn(there.Session) || !h.stillIn(third.Session) {
		t.Error("not that session alone has ended")
	}
	wantCode(t, h.EndSession(ctx, me, h.user.ID, list[i].ID), helpdesk.CodeNotFound, "session")
	if n, err := h.EndSessions(ctx, me, h.user.ID); n != 1 || err != nil || h.stillIn(third.Session) || !h.stillIn(here.Session) {
		t.Errorf("%d others ended, %v", n, err)
	}
	if got := h.audit(helpdesk.AuditQuery{Kind: "session"}); len(got) != 2 || got[0].Data["user"] != "sato@example.jp" {
		t.Errorf("the log says %+v", got)
	}

	agent := h.newUser(helpdesk.RoleAgent)
	theirs, err := h.Login(ctx, from("192.0.2.1"), agent.Email, "another long secret")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Sessions(ctx, theirs.User.Actor(), h.user.ID); helpdesk.CodeOf(err) != helpdesk.CodeForbidden {
		t.Errorf("an agent reads the admin's sessions: %v", err)
	}
	_, err = h.EndSessions(ctx, theirs.User.Actor(), h.user.ID)
	wantCode(t, err, helpdesk.CodeForbidden, "")
	if n, err := h.EndSessions(ctx, me, agent.ID); n != 1 || err != nil || h.stillIn(theirs.Session) {
		t.Errorf("an admin ends %d sessions of an agent: %v", n, err)
	}
}

func TestChangesEndSessions(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	agent := h.newUser(helpdesk.RoleAgent)
	password := "another long secret"
	logIn := func() string {
		t.Helper()
		entry, err := h.Login(ctx, from("192.0.2.1"), agent.Email, password)
		if err != nil {
			t.Fatal(err)
		}
		return entry.Session
	}
	role, disabled := helpdesk.RoleSupervisor, true
	next, name := "an entirely new secret", "中村 花"
	for what, change := range map[string]helpdesk.UserChange{"role": {Role: &role}, "password": {Password: &next}} {
		session := logIn()
		if _, err := h.ChangeUser(ctx, h.admin, agent.ID, change); err != nil {
			t.Fatal(err)
		}
		if change.Password != nil {
			password = next
		}
		if h.stillIn(session) {
			t.Errorf("a session outlives another %s", what)
		}
	}
	session := logIn()
	if _, err := h.ChangeUser(ctx, h.admin, agent.ID, helpdesk.UserChange{Name: &name}); err != nil || !h.stillIn(session) {
		t.Errorf("another name ends a session: %v", err)
	}
	// Who changes their own password stays where they do it.
	other, newest := logIn(), "one that I chose myself"
	if _, err := h.ChangeUser(ctx, h.acting(session), agent.ID, helpdesk.UserChange{Password: &newest, CurrentPassword: &password}); err != nil {
		t.Fatal(err)
	}
	if !h.stillIn(session) || h.stillIn(other) {
		t.Error("not the other browsers alone were logged out")
	}
	if _, err := h.ChangeUser(ctx, h.admin, agent.ID, helpdesk.UserChange{Disabled: &disabled}); err != nil || h.stillIn(session) {
		t.Errorf("who is switched off is in: %v", err)
	}
}

// A browser that was never seen with an account is told of; one that was is not.
func TestALoginFromANewBrowserIsTold(t *testing.T) {
	h := newHouse(t)
	notices := func() []helpdesk.NoticeView {
		t.Helper()
		list, _, err := h.Notices(t.Context(), h.admin, 10)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	first := h.logIn(from("192.0.2.1"))
	if list := notices(); len(list) != 0 {
		t.Fatalf("the very first login is told of: %+v", list)
	}
	h.logIn(helpdesk.Visitor{IP: "198.51.100.9", Browser: "Firefox, Linux", Device: first.Device})
	if list := notices(); len(list) != 0 {
		t.Fatalf("a known browser is told of: %+v", list)
	}
	h.logIn(helpdesk.Visitor{IP: "203.0.113.9", Browser: "Edge, Windows", Device: "made up"})
	list := notices()
	if len(list) != 1 || list[0].Notice.Kind != helpdesk.NoticeLogin || list[0].Subject != "Edge, Windows" || list[0].Notice.By.From != "203.0.113.9" {
		t.Fatalf("%+v", list)
	}
	if e := h.audit(helpdesk.AuditQuery{Kind: "login.done"})[0]; e.Data["device"] != "new" || e.Data["browser"] != "Edge, Windows" || e.Data["by"] != "password" {
		t.Errorf("the log says %+v", e)
	}
}
