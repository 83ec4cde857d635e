package helpdesk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// app is an authenticator app on a phone whose clock is that of the house.
type app struct {
	h      *house
	secret string
}

func (a app) code() string {
	a.h.t.Helper()
	code, err := totp.GenerateCode(a.secret, a.h.now)
	if err != nil {
		a.h.t.Fatal(err)
	}
	return code
}

// setUpApp gives whoever is logged in an app, and returns the recovery codes.
func (h *house) setUpApp(session string) (app, []string) {
	h.t.Helper()
	me := h.acting(session)
	begun, err := h.BeginApp(h.t.Context(), me)
	if err != nil {
		h.t.Fatal(err)
	}
	phone := app{h, begun.Secret}
	codes, err := h.AddApp(h.t.Context(), me, begun.Sealed, phone.code())
	if err != nil {
		h.t.Fatal(err)
	}
	h.pass(time.Minute) // the code that set it up works no more
	return phone, codes
}

// step logs in as far as the password goes.
func (h *house) step(v helpdesk.Visitor) string {
	h.t.Helper()
	entry := h.enter(v)
	if entry.Step == "" || entry.Session != "" || entry.Device != "" {
		h.t.Fatalf("the password alone leads to %+v", entry)
	}
	return entry.Step
}

func TestACodeFollowsOnThePassword(t *testing.T) {
	h := newGuessedHouse(t)
	ctx, here := t.Context(), from("192.0.2.1")
	first := h.enter(here)
	phone, recovery := h.setUpApp(first.Session)

	step := h.step(here)
	if left, err := h.StepOf(ctx, step); err != nil || !left.Code || left.Enrol || left.Passkey || left.User.Email != aiko {
		t.Fatalf("%+v, %v", left, err)
	}
	_, err := h.LoginCode(ctx, here, step, "000000", false)
	wantCode(t, err, helpdesk.CodeUnauthorized, "code is wrong")
	code := phone.code()
	entry, err := h.LoginCode(ctx, here, step, " "+code[:3]+" "+code[3:], false)
	if err != nil || !h.stillIn(entry.Session) {
		t.Fatalf("the right code: %v", err)
	}
	_, err = h.LoginCode(ctx, here, h.step(here), code, false)
	wantCode(t, err, helpdesk.CodeUnauthorized, "used before") // RFC 6238, section 5.2
	h.pass(30 * time.Second)
	wide := strings.Map(func(r rune) rune { return r - '0' + '０' }, phone.code())
	if _, err := h.LoginCode(ctx, here, h.step(here), wide, false); err != nil {
		t.Errorf("the digits of a Japanese keyboard: %v", err)
	}
	h.pass(time.Minute)
	late := phone.code()
	h.pass(30 * time.Second)
	if _, err := h.LoginCode(ctx, here, h.step(here), late, false); err != nil {
		t.Errorf("a phone that is 30 s slow: %v", err)
	}
	h.pass(2 * time.Minute)
	_, err = h.LoginCode(ctx, here, h.step(here), late, false)
	wantCode(t, err, helpdesk.CodeUnauthorized, "")

	// A recovery code works once.
	typed := strings.ToUpper(strings.ReplaceAll(recovery[3], "-", " "))
	if _, err := h.LoginCode(ctx, here, h.step(here), typed, false); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	_, err = h.LoginCode(ctx, here, h.step(here), recovery[3], false)
	wantCode(t, err, helpdesk.CodeUnauthorized, "")
	if access, err := h.Access(ctx, h.admin, first.User.ID); err != nil || access.Codes != 9 || !access.App {
		t.Errorf("%+v, %v", access, err)
	}

	// A step that took too long, and one before another password, lead nowhere.
	step = h.step(here)
	h.pass(11 * time.Minute)
	_, err = h.LoginCode(ctx, here, step, phone.code(), false)
	wantCode(t, err, helpdesk.CodeUnauthorized, "begin anew")
	step = h.step(here)
	other := "an entirely new secret"
	if _, err := h.ChangeUser(ctx, h.admin, first.User.ID, helpdesk.UserChange{Password: &other}); err != nil {
		t.Fatal(err)
	}
	_, err = h.LoginCode(ctx, here, step, phone.code(), false)
	wantCode(t, err, helpdesk.CodeUnauthorized, "begin anew")
	for _, e := range h.audit(helpdesk.AuditQuery{}) {
		for _, value := range e.Data {
			if strings.Contains(value, phone.secret) || strings.Contains(value, recovery[0]) {
				t.Errorf("a secret in the log: %+v", e)
			}
		}
	}
}

func TestCodesAreNotGuessed(t *testing.T) {
	h := newGuessedHouse(t)
	ctx, here, there := t.Context(), from("192.0.2.1"), from("203.0.113.1")
	first := h.enter(here)
	phone, _ := h.setUpApp(first.Session)
	step := h.step(there)
	var err error
	for range 8 {
		_, err = h.LoginCode(ctx, there, step, "123123", false)
	}
	wantCode(t, err, helpdesk.CodeLimited, "try again")
	_, err = h.LoginCode(ctx, there, step, phone.code(), false)
	wantCode(t, err, helpdesk.CodeLimited, "")
	if _, err := h.LoginCode(ctx, here, h.step(here), phone.code(), false); err != nil {
		t.Errorf("somebody else's guesses keep the owner out: %v", err)
	}
}

func TestATrustedBrowserSkipsTheCode(t *testing.T) {
	h := newGuessedHouse(t)
	ctx, here := t.Context(), from("192.0.2.1")
	phone, _ := h.setUpApp(h.enter(here).Session)
	entry, err := h.LoginCode(ctx, here, h.step(here), phone.code(), true)
	if err != nil {
		t.Fatal(err)
	}
	trusted := helpdesk.Visitor{IP: "198.51.100.1", Device: entry.Device}
	if again := h.enter(trusted); again.Session == "" {
		t.Error("a trusted browser is asked for a code")
	}
	h.step(here) // another browser is
	if err := h.DistrustDevices(ctx, entry.User.Actor()); err != nil {
		t.Fatal(err)
	}
	h.pass(time.Minute)
	if _, err = h.LoginCode(ctx, trusted, h.step(trusted), phone.code(), true); err != nil {
		t.Fatal(err)
	}
	if h.enter(trusted).Session == "" {
		t.Error("a browser that is trusted anew is asked for a code")
	}
	h.pass(31 * 24 * time.Hour)
	h.step(trusted)
	if entry, err = h.LoginCode(ctx, trusted, h.step(trusted), phone.code(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ResetSecondFactor(ctx, h.admin, entry.User.ID); err != nil || h.stillIn(entry.Session) {
		t.Errorf("an admin's reset: %v", err)
	}
	if h.enter(trusted).Session == "" {
		t.Error("a code is asked for although there is no app")
	}
}

func TestChangesOfAccessNeedAFreshLogin(t *testing.T) {
	h := newGuessedHouse(t)
	ctx := t.Context()
	session := h.enter(from("192.0.2.1")).Session
	_, codes := h.setUpApp(session)
	me := h.acting(session)
	again, err := h.NewRecoveryCodes(ctx, me)
	if err != nil || len(again) != 10 || again[0] == codes[0] {
		t.Fatalf("%v, %v", again, err)
	}
	h.pass(31 * time.Minute)
	me = h.acting(session)
	for what, do := range map[string]func() error{
		"app":    func() error { _, err := h.BeginApp(ctx, me); return err },
		"remove": func() error { return h.RemoveApp(ctx, me) },
		"codes":  func() error { _, err := h.NewRecoveryCodes(ctx, me); return err },
		"passkey": func() error {
			_, _, err := h.BeginPasskey(ctx, me, helpdesk.Site{ID: "desk.example.jp", Origin: "https://desk.example.jp"})
			return err
		},
	} {
		if err := do(); helpdesk.CodeOf(err) != helpdesk.CodeUnauthorized {
			t.Errorf("%s half an hour after the login: %v", what, err)
		}
	}
	token := h.user.Actor().WithScope(helpdesk.ScopeAdmin) // no browser's session at all
	wantCode(t, h.RemoveApp(ctx, token), helpdesk.CodeUnauthorized, "log in again")
}

// What lets somebody in, or further, is not given out by a browser that was left
// open; a program's token has none.
func TestWaysInAreGivenOutAfterAFreshLogin(t *testing.T) {
	h := newGuessedHouse(t)
	ctx := t.Context()
	session := h.enter(from("192.0.2.1")).Session
	member := h.newUser(helpdesk.RoleAgent)
	secret, address, admin, off, on, name := "an entirely new secret", "another@example.jp", helpdesk.RoleAdmin, true, false, "森"
	change := func(a helpdesk.Actor, ch helpdesk.UserChange) error {
		_, err := h.ChangeUser(ctx, a, member.ID, ch)
		return err
	}
	if err := change(h.admin, helpdesk.UserChange{Disabled: &off}); err != nil {
		t.Fatal(err)
	}
	h.pass(31 * time.Minute)
	me := h.acting(session)
	for what, do := range map[string]func() error{
		"a token": func() error {
			_, err := h.IssueToken(ctx, me, helpdesk.NewToken{UserID: me.UserID, Scope: helpdesk.ScopeRead})
			return err
		},
		"a user": func() error {
			_, err := h.CreateUser(ctx, me, helpdesk.NewUser{Email: "x@example.jp", Name: "x", Password: secret, Role: admin})
			return err
		},
		"another's password":       func() error { return change(me, helpdesk.UserChange{Password: &secret}) },
		"another's role":           func() error { return change(me, helpdesk.UserChange{Role: &admin}) },
		"another's address":        func() error { return change(me, helpdesk.UserChange{Email: &address}) },
		"letting somebody back in": func() error { return change(me, helpdesk.UserChange{Disabled: &on}) },
		"a second factor":          func() error { _, err := h.ResetSecondFactor(ctx, me, member.ID); return err },
		"an identity":              func() error { return h.ReleaseIdentity(ctx, me, member.ID) },
		"the rule":                 func() error { return h.RequireSecondFactor(ctx, me, nil) },
	} {
		if err := do(); helpdesk.CodeOf(err) != helpdesk.CodeUnauthorized {
			t.Errorf("%s half an hour after the login: %v", what, err)
		}
	}
	if err := change(me, helpdesk.UserChange{Name: &name, Email: &member.Email, Role: &member.Role}); err != nil {
		t.Errorf("another's name: %v", err)
	}
	if err := change(h.user.Actor().WithScope(helpdesk.ScopeAdmin), helpdesk.UserChange{Password: &secret}); err != nil {
		t.Errorf("by a program: %v", err)
	}
}

func TestARoleCanNeedASecondFactor(t *testing.T) {
	h := newGuessedHouse(t)
	ctx, here := t.Context(), from("192.0.2.1")
	agent := h.newUser(helpdesk.RoleAgent)
	logIn := func() *helpdesk.Entry {
		t.Helper()
		entry, err := h.Login(ctx, here, agent.Email, "another long secret")
		if err != nil {
			t.Fatal(err)
		}
		return entry
	}
	before := logIn()
	session := h.enter(here).Session
	me := h.acting(session)
	wantCode(t, h.RequireSecondFactor(ctx, me, []helpdesk.SecondFactorRule{{Role: helpdesk.RoleAdmin}}), helpdesk.CodeConflict, "of your own first")
	phone, _ := h.setUpApp(session)
	if err := h.RequireSecondFactor(ctx, h.acting(session), []helpdesk.SecondFactorRule{{Role: helpdesk.RoleAgent}, {Role: helpdesk.RoleAdmin}}); err != nil {
		t.Fatal(err)
	}
	if h.stillIn(before.Session) || !h.stillIn(session) {
		t.Error("not those alone were logged out who have no second factor")
	}
	wantCode(t, h.RemoveApp(ctx, h.acting(session)), helpdesk.CodeConflict, "another one first")
	if e := h.audit(helpdesk.AuditQuery{Kind: "second_factor.required"}); len(e) != 1 || e[0].Data["roles.after"] != "admin, agent" {
		t.Errorf("the log says %+v", e)
	}

	// The next login sets it up, and nothing else.
	entry := logIn()
	left, err := h.StepOf(ctx, entry.Step)
	if err != nil || !left.Enrol || entry.Session != "" {
		t.Fatalf("%+v, %+v, %v", entry, left, err)
	}
	_, err = h.LoginCode(ctx, here, entry.Step, "000000", false)
	wantCode(t, err, helpdesk.CodeUnauthorized, "")
	begun, err := h.StepEnrolment(ctx, entry.Step)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = h.LoginEnrol(ctx, here, entry.Step, begun.Sealed, "000000")
	wantCode(t, err, helpdesk.CodeInvalid, "not the one")
	_, _, err = h.LoginEnrol(ctx, here, h.step(here), begun.Sealed, phone.code()) // of another user
	wantCode(t, err, helpdesk.CodeUnauthorized, "")
	in, codes, err := h.LoginEnrol(ctx, here, entry.Step, begun.Sealed, app{h, begun.Secret}.code())
	if err != nil || len(codes) != 10 || !h.stillIn(in.Session) {
		t.Fatalf("%+v, %v", in, err)
	}
	_, _, err = h.LoginEnrol(ctx, here, entry.Step, begun.Sealed, app{h, begun.Secret}.code())
	wantCode(t, err, helpdesk.CodeUnauthorized, "nothing to set up")
}

// A rule can begin later: until then it is asked for and can be put off.
func TestASecondFactorCanBeNeededFromADayOn(t *testing.T) {
	h := newGuessedHouse(t)
	ctx, here := t.Context(), from("192.0.2.1")
	session := h.enter(here).Session
	member, ready := h.newUser(helpdesk.RoleAgent), h.newUser(helpdesk.RoleSupervisor)
	logIn := func(u *helpdesk.User) *helpdesk.Entry {
		t.Helper()
		entry, err := h.Login(ctx, here, u.Email, "another long secret")
		if err != nil {
			t.Fatal(err)
		}
		return entry
	}
	before, prepared := logIn(member).Session, logIn(ready).Session
	h.setUpApp(prepared)
	day := h.now.Add(3 * 24 * time.Hour)
	rule := []helpdesk.SecondFactorRule{{Role: helpdesk.RoleAgent, From: day}, {Role: helpdesk.RoleSupervisor, From: day}, {Role: helpdesk.RoleAdmin, From: day}}
	if err := h.RequireSecondFactor(ctx, h.acting(session), rule); err != nil {
		t.Fatal(err)
	}
	if e := h.audit(helpdesk.AuditQuery{Kind: "second_factor.required"}); len(e) != 1 || e[0].Data["roles.after"] != strings.ReplaceAll("admin (D), agent (D), supervisor (D)", "D", day.Format(time.DateOnly)) {
		t.Errorf("the log says %+v", e)
	}
	if !h.stillIn(before) {
		t.Error("somebody was logged out though there is time")
	}
	list, err := h.SecondFactors(ctx, h.admin)
	if err != nil || !list[member.ID].Lacking() || list[ready.ID].Lacking() || !list[ready.ID].App {
		t.Errorf("%+v, %v", list, err)
	}

	// At the login it is asked for, and can be put off until the day.
	step := logIn(member).Step
	left, err := h.StepOf(ctx, step)
	if err != nil || !left.Enrol || !left.Until.Equal(day) {
		t.Fatalf("%+v, %v", left, err)
	}
	entry, err := h.LoginLater(ctx, here, step)
	if err != nil || !h.stillIn(entry.Session) {
		t.Fatalf("put off: %v", err)
	}
	_, err = h.LoginLater(ctx, here, logIn(ready).Step) // who has a second factor does not go around it
	wantCode(t, err, helpdesk.CodeUnauthorized, "cannot be put off")
	if access, err := h.Access(ctx, h.admin, member.ID); err != nil || !access.Required || !access.From.Equal(day) {
		t.Errorf("%+v, %v", access, err)
	}

	h.now = day.Add(-time.Minute)
	entry, late := logIn(member), logIn(member).Step
	if entry, err = h.LoginLater(ctx, here, entry.Step); err != nil {
		t.Fatal(err)
	}
	h.now = day
	h.work(helpdesk.TimerSecondFactor, h.BeginSecondFactor)
	if h.stillIn(entry.Session) || !h.stillIn(prepared) {
		t.Error("not those alone were logged out who have no second factor")
	}
	_, err = h.LoginLater(ctx, here, late)
	wantCode(t, err, helpdesk.CodeUnauthorized, "cannot be put off")
	if left, err := h.StepOf(ctx, logIn(member).Step); err != nil || !left.Enrol || !left.Until.IsZero() {
		t.Errorf("%+v, %v", left, err)
	}
	wantCode(t, h.RequireSecondFactor(ctx, h.admin, []helpdesk.SecondFactorRule{{Role: helpdesk.RoleAgent, From: day.AddDate(1, 0, 0)}}), helpdesk.CodeInvalid, "at the latest")
}
