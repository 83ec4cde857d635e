package helpdesk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestATokenEnds follows a token from its making to its end: its user is told a week
// before and when it has ended, and then it opens nothing.
func TestATokenEnds(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	now := h.Now()
	token, err := h.IssueToken(ctx, h.admin, helpdesk.NewToken{UserID: h.user.ID, Name: " 倉庫  システム ", Scope: helpdesk.ScopeRead, Ends: now.AddDate(0, 0, 30)})
	if err != nil {
		t.Fatal(err)
	}
	list, err := h.Tokens(ctx, h.admin)
	if err != nil || len(list) != 1 || list[0].Name != "倉庫 システム" || strings.Contains(list[0].Hash, token) || list[0].Ending(now) {
		t.Fatalf("%+v, %v", list, err)
	}
	told := func() (names []string) {
		t.Helper()
		due, _, err := h.ClaimDue(ctx, helpdesk.TimerToken, 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, timer := range due {
			if err := h.TokenEnding(ctx, timer.ID); err != nil {
				t.Fatal(err)
			}
		}
		notices, _, err := h.Notices(ctx, h.user.Actor(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range notices {
			if n.Notice.Kind == helpdesk.NoticeToken {
				names = append(names, n.Subject)
			}
		}
		return names
	}
	if names := told(); len(names) != 0 {
		t.Errorf("told of %q at once", names)
	}
	day := 0
	at := func(days int) {
		for ; day < days; day++ { // the clock is looked at meanwhile
			moment := now.AddDate(0, 0, day+1)
			h.Desk.Now = func() time.Time { return moment }
			h.tend()
		}
	}
	at(24)
	if names := told(); len(names) != 1 || names[0] != "倉庫 システム" {
		t.Errorf("a week before the end, told of %q", names)
	}
	if _, _, err := h.UserByToken(ctx, token); err != nil {
		t.Errorf("before its end: %v", err)
	}
	at(31)
	_, _, err = h.UserByToken(ctx, token)
	wantCode(t, err, helpdesk.CodeUnauthorized, "ended")
	told()
	events, err := h.Events(ctx, h.admin, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[helpdesk.EventKind]int{}
	for _, e := range events {
		kinds[e.Kind]++
	}
	if kinds[helpdesk.EventTokenEnding] != 1 || kinds[helpdesk.EventTokenEnded] != 1 {
		t.Errorf("%v", kinds)
	}
	if _, err := h.RevokeToken(ctx, h.admin, list[0].ID()); err != nil {
		t.Fatal(err)
	}
	_, err = h.IssueToken(ctx, h.admin, helpdesk.NewToken{UserID: h.user.ID, Scope: helpdesk.ScopeRead, Ends: now})
	wantCode(t, err, helpdesk.CodeInvalid, "ended")
	if problems, err := h.Verify(ctx); err != nil || len(problems) > 0 {
		t.Errorf("%q, %v", problems, err)
	}
}
