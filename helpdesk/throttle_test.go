package helpdesk_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// aiko is whose password is guessed here: hers is hashed with less memory than
// the admin's, so that the tests are quick.
const aiko = "aiko@example.jp"

func newGuessedHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	_, err := h.CreateUser(t.Context(), h.admin, helpdesk.NewUser{Email: aiko, Name: "Aiko", Password: "correct horse battery", Role: helpdesk.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// enter logs in with the right password, which must succeed.
func (h *house) enter(v helpdesk.Visitor) *helpdesk.Entry {
	h.t.Helper()
	entry, err := h.Login(h.t.Context(), v, aiko, "correct horse battery")
	if err != nil {
		h.t.Fatal(err)
	}
	return entry
}

// guess tries a wrong password n times, whatever the answers.
func (h *house) guess(n int, v helpdesk.Visitor, email string) (last error) {
	for range n {
		_, last = h.Login(h.t.Context(), v, email, "wrong wrong wrong")
	}
	return last
}

func TestGuessingIsSlowedDown(t *testing.T) {
	h := newGuessedHouse(t)
	for range 6 {
		wantCode(t, h.guess(1, from("192.0.2.1"), aiko), helpdesk.CodeUnauthorized, "address or the password is wrong")
	}
	_, err := h.Login(t.Context(), from("192.0.2.9"), aiko, "correct horse battery") // the same network
	wantCode(t, err, helpdesk.CodeLimited, "try again in 2s")
	h.pass(3 * time.Second)
	for range 12 {
		h.guess(1, from("192.0.2.1"), aiko)
		h.pass(20 * time.Minute)
	}
	h.guess(1, from("192.0.2.1"), aiko)
	wantCode(t, h.guess(1, from("192.0.2.1"), aiko), helpdesk.CodeLimited, "15m")
	h.pass(16 * time.Minute)
	h.enter(from("192.0.2.1"))
	wantCode(t, h.guess(1, from("192.0.2.1"), aiko), helpdesk.CodeUnauthorized, "wrong")
	counts := h.LoginCounts()
	if counts.Done != 1 || counts.Failed < 15 || counts.Limited != 2 {
		t.Errorf("counted %+v", counts)
	}
}

// Whoever restarts the server, or tries many at once, gains nothing.
func TestGuessesAreCountedForGood(t *testing.T) {
	h := newGuessedHouse(t)
	var group sync.WaitGroup
	answers := make(chan helpdesk.Code, 20)
	for range 20 {
		group.Go(func() { answers <- helpdesk.CodeOf(h.guess(1, from("192.0.2.1"), aiko)) })
	}
	group.Wait()
	close(answers)
	tried := 0
	for code := range answers {
		if code == helpdesk.CodeUnauthorized {
			tried++
		}
	}
	if tried != 6 {
		t.Errorf("%d of 20 guesses at once were compared, want 6", tried)
	}
	again, err := helpdesk.Open(t.Context(), h.db, helpdesk.Options{PasswordMemory: 64})
	if err != nil {
		t.Fatal(err)
	}
	again.Now = h.Desk.Now
	_, err = again.Login(t.Context(), from("192.0.2.1"), aiko, "correct horse battery")
	wantCode(t, err, helpdesk.CodeLimited, "try again")
}

// What is said of an address tells nobody whether there is such a user.
func TestGuessingTellsNotWhoIsThere(t *testing.T) {
	h := newGuessedHouse(t)
	agent := h.newUser(helpdesk.RoleAgent)
	disabled := true
	if _, err := h.ChangeUser(t.Context(), h.admin, agent.ID, helpdesk.UserChange{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	said := map[string][]string{}
	for i, email := range []string{aiko, agent.Email, "nobody@example.jp"} {
		for range 8 {
			said[email] = append(said[email], h.guess(1, from(fmt.Sprintf("192.0.%d.1", i)), email).Error())
			h.pass(time.Second)
		}
	}
	want := fmt.Sprint(said[aiko])
	for email, lines := range said {
		if fmt.Sprint(lines) != want {
			t.Errorf("of %s is said %q, of a user %q", email, lines, want)
		}
	}
}

// An attacker with many networks cannot keep the only admin out.
func TestNobodyIsLockedOutFromElsewhere(t *testing.T) {
	h := newGuessedHouse(t)
	known := h.enter(from("192.0.2.1"))
	attack := func() (last error) {
		for i := range 60 {
			last = h.guess(1, from(fmt.Sprintf("10.%d.0.1", i)), aiko)
		}
		return last
	}
	wantCode(t, attack(), helpdesk.CodeLimited, "try again") // the world as a whole is slowed down
	h.enter(helpdesk.Visitor{IP: "172.16.0.1", Device: known.Device})
	attack()
	h.enter(from("192.0.2.77")) // the usual network, another browser

	// Guessing from their own network does not keep their browser out either.
	wantCode(t, h.guess(40, from("192.0.2.9"), aiko), helpdesk.CodeLimited, "")
	h.enter(helpdesk.Visitor{IP: "192.0.2.1", Device: known.Device})
	// But a stolen browser guesses no more than anybody.
	wantCode(t, h.guess(8, helpdesk.Visitor{IP: "192.0.2.1", Device: known.Device}, aiko), helpdesk.CodeLimited, "")
}

// A network that tries many accounts is slowed down, and logging in to one's
// own meanwhile does not help.
func TestSprayingIsSlowedDown(t *testing.T) {
	h := newGuessedHouse(t)
	var err error
	for i := range 35 {
		err = h.guess(1, from("2001:db8:1:2::"+fmt.Sprint(i+1)), fmt.Sprintf("user%d@example.jp", i))
	}
	wantCode(t, err, helpdesk.CodeLimited, "")
	h.pass(time.Minute)
	h.enter(from("2001:db8:1:2::ffff"))
	h.guess(1, from("2001:db8:1:2::1"), "a@example.jp")
	wantCode(t, h.guess(1, from("2001:db8:1:2::2"), "b@example.jp"), helpdesk.CodeLimited, "")
	wantCode(t, h.guess(1, from("2001:db8:1:3::2"), "b@example.jp"), helpdesk.CodeUnauthorized, "") // another /64
}

func TestTheOwnPasswordIsNotGuessed(t *testing.T) {
	h := newGuessedHouse(t)
	wrong, next := "not the one", "an entirely new secret"
	var err error
	for range 8 {
		_, err = h.ChangeUser(t.Context(), h.admin, h.user.ID, helpdesk.UserChange{Password: &next, CurrentPassword: &wrong})
	}
	wantCode(t, err, helpdesk.CodeLimited, "try again")
}
