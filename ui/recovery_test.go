package ui_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

var (
	sealedEnrolment = regexp.MustCompile(`name="enrolment" value="([^"]+)"`)
	enrolmentSecret = regexp.MustCompile(`data-copy="([A-Z2-7 ]+)"`)
	recoveryCode    = regexp.MustCompile(`<li><code>([a-z0-9-]+)</code>`)
)

// setUpApp gives a user an authenticator app, and returns the recovery codes.
func (b *browser) setUpApp() (codes []string) {
	b.t.Helper()
	page := b.get("/settings/access/app").want(http.StatusOK).body
	sealed, secret := sealedEnrolment.FindStringSubmatch(page), enrolmentSecret.FindStringSubmatch(page)
	if sealed == nil || secret == nil {
		b.t.Fatalf("there is nothing to set up: %s", page)
	}
	code, err := totp.GenerateCode(strings.ReplaceAll(secret[1], " ", ""), time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, found := range recoveryCode.FindAllStringSubmatch(b.post("/settings/access/app", "enrolment", sealed[1], "code", code).want(http.StatusOK).body, -1) {
		codes = append(codes, found[1])
	}
	return codes
}

// Whoever comes in by one of the last recovery codes is told before they are gone.
func TestTheLastRecoveryCodesAreSpokenOf(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent)
	codes := h.as(agent).setUpApp()
	if len(codes) != 10 {
		t.Fatalf("recovery codes: %q", codes)
	}
	for i, code := range codes {
		b := h.browser()
		b.post("/login", "email", agent.Email, "password", password, "next", "/inbox/mine").want(http.StatusSeeOther)
		answer := b.post("/login/step", "code", code, "next", "/inbox/mine").want(http.StatusSeeOther)
		if i < 7 {
			answer.leads("/inbox/mine")
			continue
		}
		answer.leads("/settings/access?recovered=%2Finbox%2Fmine")
		told := b.get("/settings/access?recovered=%2Finbox%2Fmine").want(http.StatusOK)
		told.shows("回復コードでログインしました。残りは "+strconv.Itoa(9-i)+" 個です", `href="/inbox/mine"`)
	}
	h.as(h.admin).get("/settings/access?recovered=/").hides("回復コードでログインしました")
}
