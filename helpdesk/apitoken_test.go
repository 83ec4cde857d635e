package helpdesk_test

import (
	"fmt"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestTokensAreListedAndRevoked(t *testing.T) {
	h := newHouse(t)
	agent := h.newUser(helpdesk.RoleAgent)
	admin := h.user.Actor()
	secrets := map[string]string{}
	for _, u := range []*helpdesk.User{h.user, agent} {
		secret, err := h.CreateToken(t.Context(), u.Actor(), u.ID, helpdesk.ScopeRead)
		if err != nil {
			t.Fatal(err)
		}
		secrets[u.ID] = secret
	}
	all, err := h.Tokens(t.Context(), admin)
	if err != nil || len(all) != 2 {
		t.Fatalf("an admin sees %d tokens, want 2 (%v)", len(all), err)
	}
	own, err := h.Tokens(t.Context(), agent.Actor())
	if err != nil || len(own) != 1 || own[0].UserID != agent.ID {
		t.Fatalf("an agent sees %+v, want the own token (%v)", own, err)
	}
	byUser := map[string]string{}
	for _, token := range all {
		byUser[token.UserID] = token.ID()
	}

	_, err = h.RevokeToken(t.Context(), agent.Actor(), byUser[h.user.ID])
	wantCode(t, err, helpdesk.CodeNotFound, "no token")
	_, err = h.RevokeToken(t.Context(), agent.Actor().WithScope(helpdesk.ScopeRead), byUser[agent.ID])
	wantCode(t, err, helpdesk.CodeForbidden, "scope")
	for _, id := range []string{"", "abc", "mdg_abcdef", byUser[agent.ID] + "z"} {
		_, err = h.RevokeToken(t.Context(), admin, id)
		wantCode(t, err, helpdesk.CodeInvalid, "does not name a token")
	}

	for _, u := range []*helpdesk.User{agent, h.user} {
		if _, _, err := h.UserByToken(t.Context(), secrets[u.ID]); err != nil {
			t.Fatalf("before it is revoked: %v", err)
		}
		revoked, err := h.RevokeToken(t.Context(), u.Actor(), byUser[u.ID])
		if err != nil || revoked.UserID != u.ID {
			t.Fatalf("revoked %+v: %v", revoked, err)
		}
		_, _, err = h.UserByToken(t.Context(), secrets[u.ID])
		wantCode(t, err, helpdesk.CodeUnauthorized, "not valid")
	}
	last, err := h.LastSeq(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list, err := h.Events(t.Context(), admin, last-1, 1)
	if err != nil || len(list) != 1 || list[0].Kind != helpdesk.EventTokenRevoked || list[0].Data["user"] != h.user.Email || list[0].Data["token"] != byUser[h.user.ID] {
		t.Errorf("the log ends with %+v (%v)", list, err)
	}
}

func TestTokenBeginningOfTwo(t *testing.T) {
	h := newHouse(t)
	owner := h.user
	for i := range 3000 {
		if i%150 == 149 { // nobody has more than 200
			fresh := helpdesk.NewUser{Email: fmt.Sprintf("token%d@example.jp", i), Name: "Token", Password: "another long secret", Role: helpdesk.RoleAgent}
			var err error
			if owner, err = h.CreateUser(t.Context(), h.admin, fresh); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.CreateToken(t.Context(), h.user.Actor(), owner.ID, helpdesk.ScopeRead); err != nil {
			t.Fatal(err)
		}
		list, err := h.Tokens(t.Context(), h.user.Actor())
		if err != nil {
			t.Fatal(err)
		}
		begun := map[string]int{}
		for _, token := range list {
			beginning := token.ID()[:4]
			if begun[beginning]++; begun[beginning] == 2 {
				_, err := h.RevokeToken(t.Context(), h.user.Actor(), beginning)
				wantCode(t, err, helpdesk.CodeConflict, "more than one token")
				return
			}
		}
	}
	t.Fatal("no two tokens began alike")
}
