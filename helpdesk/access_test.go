package helpdesk_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestSetupLinkWorksOnce(t *testing.T) {
	h := newHouse(t)
	if needs, err := h.NeedsSetup(t.Context()); err != nil || needs {
		t.Errorf("needs setup after setup: %v, %v", needs, err)
	}
	if secret, err := h.SetupSecret(t.Context()); err != nil || secret != "" {
		t.Errorf("a new setup link after setup: %q, %v", secret, err)
	}
	_, err := h.CompleteSetup(t.Context(), helpdesk.Setup{Secret: "x", Domain: "evil.example"})
	wantCode(t, err, helpdesk.CodeForbidden, "set up already")
}

func (h *house) newUser(role helpdesk.Role) *helpdesk.User {
	h.t.Helper()
	u, err := h.CreateUser(h.t.Context(), h.admin, helpdesk.NewUser{Email: string(role) + "2@example.jp", Name: "中村 " + string(role), Password: "another long secret", Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// What each role may do is decided in the helpdesk, whoever asks.
func TestRoles(t *testing.T) {
	h := newHouse(t)
	h.first()
	agent, supervisor := h.newUser(helpdesk.RoleAgent).Actor(), h.newUser(helpdesk.RoleSupervisor).Actor()
	stranger := helpdesk.Actor{Kind: helpdesk.ActorCustomer}
	commands := map[string]func(a helpdesk.Actor) error{
		"read": func(a helpdesk.Actor) error { _, err := h.Ticket(t.Context(), a, 1); return err },
		"source": func(a helpdesk.Actor) error {
			_, err := h.Source(t.Context(), a, h.ticket(1).Messages[0].Message.ID)
			return err
		},
		"note": func(a helpdesk.Actor) error { _, err := h.AddNote(t.Context(), a, 1, "a note"); return err },
		"reply": func(a helpdesk.Actor) error {
			_, err := h.Reply(t.Context(), a, helpdesk.Reply{Ticket: 1, Text: "x"})
			return err
		},
		"tag": func(a helpdesk.Actor) error {
			_, err := h.Change(t.Context(), a, 1, helpdesk.Change{Tags: &[]string{"a"}})
			return err
		},
		"merge":    func(a helpdesk.Actor) error { _, err := h.Merge(t.Context(), a, 1, 1); return err },
		"move":     func(a helpdesk.Actor) error { _, err := h.Move(t.Context(), a, "none", 0); return err },
		"go back":  func(a helpdesk.Actor) error { _, err := h.UndoMove(t.Context(), a, "none"); return err },
		"history":  func(a helpdesk.Actor) error { _, err := h.Movings(t.Context(), a, 1); return err },
		"refusals": func(a helpdesk.Actor) error { _, err := h.Suppressions(t.Context(), a); return err },
		"lift":     func(a helpdesk.Actor) error { return h.LiftSuppression(t.Context(), a, "none@example.com") },
		"timers":   func(a helpdesk.Actor) error { _, err := h.Timers(t.Context(), a, 10); return err },
		"alias":    func(a helpdesk.Actor) error { _, err := h.SaveAlias(t.Context(), a, h.alias); return err },
		"pipeline": func(a helpdesk.Actor) error {
			_, err := h.SavePipeline(t.Context(), a, helpdesk.Pipeline{})
			return err
		},
		"user": func(a helpdesk.Actor) error { _, err := h.CreateUser(t.Context(), a, helpdesk.NewUser{}); return err },
		"promote": func(a helpdesk.Actor) error {
			admin := helpdesk.RoleAdmin
			_, err := h.ChangeUser(t.Context(), a, a.UserID, helpdesk.UserChange{Role: &admin})
			return err
		},
		"token for another": func(a helpdesk.Actor) error {
			_, err := h.CreateToken(t.Context(), a, h.user.ID, helpdesk.ScopeRead)
			return err
		},
	}
	allowed := map[string]string{
		"agent": "read source note reply tag merge move go back history refusals", "supervisor": "read source note reply tag merge move go back history refusals timers",
		"read token": "read source timers history refusals", "write token": "read source note reply tag timers merge move go back history refusals",
		"admin": "read source note reply tag timers merge move go back history refusals lift alias pipeline user promote token for another", "stranger": "",
	}
	for name, actor := range map[string]helpdesk.Actor{"agent": agent, "supervisor": supervisor, "stranger": stranger, "admin": h.admin,
		"read token": h.admin.WithScope(helpdesk.ScopeRead), "write token": h.admin.WithScope(helpdesk.ScopeWrite)} {
		for command, run := range commands {
			forbidden := helpdesk.CodeOf(run(actor)) == helpdesk.CodeForbidden
			if may := strings.Contains(allowed[name], command); may == forbidden {
				t.Errorf("%s may %s: %v, want %v", name, command, !forbidden, may)
			}
		}
	}
}

func TestTokensActForTheirUser(t *testing.T) {
	h := newHouse(t)
	token, err := h.CreateToken(t.Context(), h.admin, h.user.ID, helpdesk.ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	u, scope, err := h.UserByToken(t.Context(), token)
	if err != nil || u.ID != h.user.ID || scope != helpdesk.ScopeRead {
		t.Errorf("user %v, scope %s, %v", u, scope, err)
	}
	_, _, err = h.UserByToken(t.Context(), token+"x")
	wantCode(t, err, helpdesk.CodeUnauthorized, "not valid")
	_, err = h.CreateToken(t.Context(), h.admin.WithScope(helpdesk.ScopeRead), h.user.ID, helpdesk.ScopeAdmin)
	wantCode(t, err, helpdesk.CodeForbidden, "")
}

func TestUserChanges(t *testing.T) {
	h := newHouse(t)
	agent := h.newUser(helpdesk.RoleAgent)
	entry, err := h.Login(t.Context(), helpdesk.Visitor{}, agent.Email, "another long secret")
	if err != nil {
		t.Fatal(err)
	}
	secret, wrong := "a third long secret", "not the one"
	_, err = h.ChangeUser(t.Context(), agent.Actor(), agent.ID, helpdesk.UserChange{Password: &secret, CurrentPassword: &wrong})
	wantCode(t, err, helpdesk.CodeInvalid, "current password is wrong")
	disabled := true
	if _, err := h.ChangeUser(t.Context(), h.admin, agent.ID, helpdesk.UserChange{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	_, _, err = h.UserBySession(t.Context(), entry.Session)
	wantCode(t, err, helpdesk.CodeUnauthorized, "")
	_, err = h.ChangeUser(t.Context(), h.admin, h.user.ID, helpdesk.UserChange{Disabled: &disabled})
	wantCode(t, err, helpdesk.CodeConflict, "last admin")
	_, err = h.CreateUser(t.Context(), h.admin, helpdesk.NewUser{Email: "sato@EXAMPLE.jp", Name: "x", Password: "long enough secret", Role: helpdesk.RoleAgent})
	wantCode(t, err, helpdesk.CodeConflict, "already")
	for text, n := range map[string]helpdesk.NewUser{
		"not a mail address": {Email: "nobody", Name: "x", Password: "long enough secret", Role: "agent"},
		"no name":            {Email: "a@b.example", Password: "long enough secret", Role: "agent"},
		"role \"boss\"":      {Email: "a@b.example", Name: "x", Password: "long enough secret", Role: "boss"},
		"fewer than 10":      {Email: "a@b.example", Name: "x", Password: "short", Role: "agent"},
	} {
		_, err := h.CreateUser(t.Context(), h.admin, n)
		wantCode(t, err, helpdesk.CodeInvalid, text)
	}
}

func TestDeclaredInTheFile(t *testing.T) {
	h := newHouse(t)
	declared := helpdesk.Declared{File: "madoguchi.toml",
		Pipelines: []helpdesk.DeclaredPipeline{{Name: "Sales", Reopen: true, ReopenStage: "talking",
			Stages: []helpdesk.Stage{{Name: "New", Kind: "open"}, {Name: "Talking", Kind: "open"}, {Name: "Won", Kind: "closed"}}}},
		Aliases: []helpdesk.DeclaredAlias{{Address: "Sales@Example.jp", Name: "Sales", Pipeline: "sales", Owner: "sato@example.jp", Tags: []string{"b", "a"}}},
	}
	if err := h.ApplyFile(t.Context(), declared); err != nil {
		t.Fatal(err)
	}
	before, _ := h.LastSeq(t.Context())
	if err := h.ApplyFile(t.Context(), declared); err != nil {
		t.Fatal(err)
	}
	if after, _ := h.LastSeq(t.Context()); after != before {
		t.Errorf("an unchanged file wrote %d events", after-before)
	}
	receipt := h.post("sales@example.jp", "From: a@customer.example", "Subject: Offer", "", "Please")
	if v := h.ticket(receipt.Ticket); v.Row.PipelineName != "Sales" || v.Row.AssigneeName != "佐藤 遥" || strings.Join(v.Row.Ticket.Tags, " ") != "b a" {
		t.Errorf("ticket %+v", v.Row)
	}
	aliases, _ := h.Aliases(t.Context(), h.admin)
	sales := aliases[0]
	if !sales.Managed {
		t.Fatalf("aliases %+v", aliases)
	}
	_, err := h.SaveAlias(t.Context(), h.admin, sales)
	wantCode(t, err, helpdesk.CodeConflict, "configuration file")
	declared.Aliases[0].Pipeline = "Nowhere"
	err = h.ApplyFile(t.Context(), declared)
	wantCode(t, err, helpdesk.CodeInvalid, `[[alias]] "Sales@Example.jp": there is no pipeline "Nowhere"`)
	if err := h.ApplyFile(t.Context(), helpdesk.Declared{}); err != nil {
		t.Fatal(err)
	}
	if aliases, _ := h.Aliases(t.Context(), h.admin); aliases[0].Managed {
		t.Error("an alias that the file dropped is still managed by it")
	}
}

func TestPipelineChecks(t *testing.T) {
	h := newHouse(t)
	h.first()
	list, _ := h.Pipelines(t.Context(), h.admin)
	p := list[0]
	p.Stages = p.Stages[1:]
	_, err := h.SavePipeline(t.Context(), h.admin, p)
	wantCode(t, err, helpdesk.CodeConflict, "still has tickets")
	for text, p := range map[string]helpdesk.Pipeline{
		"no name":          {},
		"first stage":      {Name: "x", Stages: []helpdesk.Stage{{Name: "a", Kind: "closed"}}},
		"either open":      {Name: "x", Stages: []helpdesk.Stage{{Name: "a", Kind: "open"}, {Name: "b", Kind: "odd"}}},
		"twice":            {Name: "x", Stages: []helpdesk.Stage{{Name: "a", Kind: "open"}, {Name: "A", Kind: "open"}}},
		"no open stage of": {Name: "x", Reopen: true, ReopenStage: "b", Stages: []helpdesk.Stage{{Name: "a", Kind: "open"}, {Name: "b", Kind: "closed"}}},
	} {
		_, err := h.SavePipeline(t.Context(), h.admin, p)
		wantCode(t, err, helpdesk.CodeInvalid, text)
	}
}

func TestListsPageThroughEverything(t *testing.T) {
	h := newHouse(t)
	for range 25 {
		h.post("support@example.jp", "From: a@customer.example", "Subject: x", "", strings.Repeat("y", h.mails))
		h.pass(time.Second)
	}
	seen, after, pages := map[uint64]bool{}, "", 0
	for {
		rows, next, err := h.Tickets(t.Context(), h.admin, helpdesk.TicketQuery{View: helpdesk.ViewUnassigned, Limit: 10, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			seen[row.Ticket.Number] = true
			if i > 0 && row.Ticket.UpdatedAt.After(rows[i-1].Ticket.UpdatedAt) {
				t.Error("not newest first")
			}
		}
		pages++
		if after = next; after == "" {
			break
		}
	}
	if len(seen) != 25 || pages != 3 {
		t.Errorf("%d tickets on %d pages", len(seen), pages)
	}
	_, _, err := h.Tickets(t.Context(), h.admin, helpdesk.TicketQuery{After: "!!"})
	wantCode(t, err, helpdesk.CodeInvalid, "not from this list")
	counts, err := h.Counts(t.Context(), h.admin)
	if err != nil || counts.Views[helpdesk.ViewUnassigned] != 25 || counts.Views[helpdesk.ViewMine] != 0 {
		t.Errorf("counts %+v, %v", counts, err)
	}
}

func TestWaitReturnsWhenSomethingIsDurable(t *testing.T) {
	h := newHouse(t)
	last, err := h.LastSeq(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	woken := make(chan uint64)
	go func() {
		seq, _ := h.Wait(context.Background(), last)
		woken <- seq
	}()
	h.first()
	if seq := <-woken; seq <= last {
		t.Errorf("woken with %d after %d", seq, last)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Wait(ended, 1<<60); err == nil {
		t.Error("Wait outlived its context")
	}
}
