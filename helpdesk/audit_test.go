package helpdesk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (h *house) audit(q helpdesk.AuditQuery) []helpdesk.Event {
	h.t.Helper()
	var all []helpdesk.Event
	for {
		page, next, err := h.Audit(h.t.Context(), h.admin, q)
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, page...)
		if q.After = next; next == "" {
			return all
		}
	}
}

func TestTheAuditLogSaysWhatChanged(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	admin := h.admin.At("192.0.2.7")
	alias := h.alias
	alias.Name, alias.Disabled = "Support", true
	if _, err := h.SaveAlias(ctx, admin, alias); err != nil {
		t.Fatal(err)
	}
	e := h.audit(helpdesk.AuditQuery{Kind: "alias.saved"})[0]
	if e.Actor.From != "192.0.2.7" || e.Actor.Name != "佐藤 遥" || e.Data["name.before"] != "サポート窓口" || e.Data["name.after"] != "Support" ||
		e.Data["disabled.after"] != "yes" {
		t.Errorf("a changed alias: %+v", e)
	}
	if _, ok := e.Data["address.before"]; ok {
		t.Errorf("what did not change is in the log: %v", e.Data)
	}

	password := "an entirely new password"
	mori := h.hire("mori@example.jp", "森")
	role := helpdesk.RoleSupervisor
	if _, err := h.ChangeUser(ctx, admin, mori.ID, helpdesk.UserChange{Password: &password, Role: &role}); err != nil {
		t.Fatal(err)
	}
	e = h.audit(helpdesk.AuditQuery{Kind: "user"})[0]
	if e.Data["role.before"] != "agent" || e.Data["role.after"] != "supervisor" || e.Data["password.after"] != "new" {
		t.Errorf("a changed user: %+v", e)
	}
	token, err := h.CreateToken(ctx, admin, mori.ID, helpdesk.ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // a line a day
		if err := h.UsedToken(ctx, token, "192.0.2.9"); err != nil {
			t.Fatal(err)
		}
	}
	h.pass(25 * time.Hour)
	if err := h.UsedToken(ctx, token, "192.0.2.9"); err != nil {
		t.Fatal(err)
	}
	used := h.audit(helpdesk.AuditQuery{Kind: "token.used", UserID: mori.ID})
	if len(used) != 2 || used[0].Actor.From != "192.0.2.9" || used[0].Actor.Name != "森" {
		t.Errorf("uses of the token: %+v", used)
	}

	for _, e := range h.audit(helpdesk.AuditQuery{}) {
		if line := fmt.Sprint(e); strings.Contains(line, password) || strings.Contains(line, token) || strings.Contains(line, "argon2") || strings.Contains(line, "correct horse") {
			t.Errorf("a secret in the log: %s", line)
		}
		if e.Ticket != 0 {
			t.Errorf("a ticket's event in the audit log: %+v", e)
		}
	}
	if got := h.audit(helpdesk.AuditQuery{From: h.now.Add(-time.Hour)}); len(got) != 1 {
		t.Errorf("%d events in the last hour, want the token's use alone", len(got))
	}

	// Others see that something changed, not what.
	list, err := h.Events(ctx, mori.Actor(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Kind == helpdesk.EventAliasSaved && (len(e.Data) > 0 || e.Actor.From != "") {
			t.Errorf("an agent reads %+v", e)
		}
	}
	var lines int
	if err := h.ExportAudit(ctx, admin, helpdesk.AuditQuery{}, func(helpdesk.Event) error { lines++; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := h.audit(helpdesk.AuditQuery{}); lines != len(got) || got[0].Kind != helpdesk.EventExported {
		t.Errorf("%d lines exported of %d; the newest is %s", lines, len(got), got[0].Kind)
	}
}

func TestLoginsAreAudited(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	if _, err := h.Login(ctx, helpdesk.Visitor{IP: "192.0.2.1"}, "sato@example.jp", "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Login(ctx, helpdesk.Visitor{IP: "192.0.2.2"}, "sato@example.jp", "wrong"); err == nil {
		t.Fatal("a wrong password")
	}
	if _, err := h.Login(ctx, helpdesk.Visitor{IP: "192.0.2.3"}, "hunter2 typed into the wrong box", "x"); err == nil {
		t.Fatal("no such user")
	}
	list := h.audit(helpdesk.AuditQuery{Kind: "login"})
	if len(list) != 3 || list[0].Data["user"] != "" || list[1].Data["user"] != "sato@example.jp" || list[1].Actor.From != "192.0.2.2" || list[2].Kind != helpdesk.EventLogin {
		t.Fatalf("%+v", list)
	}
	// Guessing fills neither the disk nor the log: it is counted.
	for i := range 25 {
		h.Login(ctx, helpdesk.Visitor{IP: fmt.Sprintf("198.51.%d.1", i)}, fmt.Sprintf("nobody%d", i), "x")
	}
	if n := len(h.audit(helpdesk.AuditQuery{Kind: "login.failed"})); n > 20 {
		t.Errorf("%d lines", n)
	}
	h.pass(time.Hour)
	h.Login(ctx, helpdesk.Visitor{IP: "203.0.113.1"}, "nobody", "x")
	if e := h.audit(helpdesk.AuditQuery{Kind: "login.failed"})[0]; e.Data["others"] == "" {
		t.Errorf("the next line does not count the others: %+v", e)
	}
}
