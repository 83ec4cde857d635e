package ui_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// fill sends the form of a page that has a field, with fields of it filled in anew; what names no field is added.
func (b *browser) fill(p *page, path, field string, set ...string) *page {
	b.t.Helper()
	pairs := filledIn(b.t, p, field)
	for i := 0; i < len(set); i += 2 {
		found := false
		for j := 0; j < len(pairs); j += 2 {
			if pairs[j] == set[i] {
				pairs[j+1], found = set[i+1], true
			}
		}
		if !found {
			pairs = append(pairs, set[i], set[i+1])
		}
	}
	return b.post(path, pairs...)
}

// TestNobodyOverwritesTheHouseUnawares has two people open the same form of what the whole house works by.
func TestNobodyOverwritesTheHouseUnawares(t *testing.T) {
	h := newReadyHouse(t)
	a := h.admin.Actor()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	mori := h.user("mori@example.jp", "森", helpdesk.RoleAdmin)
	pipelines, err := h.Pipelines(h.ctx(), a)
	must(err)
	team, err := h.SaveTeam(h.ctx(), a, helpdesk.Team{Name: "営業", Members: []string{mori.ID}, Lead: mori.ID})
	must(err)
	field, err := h.SaveField(h.ctx(), a, helpdesk.Field{Owner: helpdesk.FieldOfTicket, Kind: helpdesk.FieldText, Name: "型番"})
	must(err)
	webhook, _, err := h.SaveWebhook(h.ctx(), a, helpdesk.Webhook{Name: "基幹", URL: "https://hook.example/", Kinds: []helpdesk.EventKind{helpdesk.EventTicketCreated}})
	must(err)
	roles, err := h.SaveRoles(h.ctx(), a, helpdesk.CustomRole{Name: "経理", Permissions: []helpdesk.Permission{helpdesk.PermitRead}})
	must(err)
	view, err := h.SaveView(h.ctx(), a, helpdesk.SavedView{Name: "至急", View: helpdesk.ViewOpen, Shared: true})
	must(err)
	one, two := h.as(h.admin), h.as(mori)
	for _, form := range []struct {
		path, save, field string
		words             [2]string
		with              []string
	}{
		{"/settings/pipelines/" + pipelines[0].ID, "", "name", [2]string{"先の流れ", "後の流れ"}, []string{"action", "save"}},
		{"/settings/due/house", "", "first_normal", [2]string{"31", "47"}, []string{"mode", "own"}},
		{"/settings/teams/" + team.ID, "", "name", [2]string{"先の組", "後の組"}, []string{"action", "save", "member", mori.ID}},
		{"/settings/fields/" + field.ID, "", "hint", [2]string{"先の説明", "後の説明"}, []string{"action", "save"}},
		{"/settings/webhooks/" + webhook.ID, "", "name", [2]string{"先の宛先", "後の宛先"}, []string{"action", "save"}},
		{"/settings/roles", "", "name:" + roles[0].ID, [2]string{"先の役割", "後の役割"}, nil},
		{"/settings/views", "", "name", [2]string{"先の一覧", "後の一覧"}, []string{"action", "save:" + view.ID}},
		{"/settings/users/" + mori.ID, "", "name", [2]string{"先の森", "後の森"}, []string{"enabled", "1", "role", "admin"}},
	} {
		t.Run(form.path, func(t *testing.T) {
			first, second := one.get(form.path).want(http.StatusOK), two.get(form.path).want(http.StatusOK)
			send := func(b *browser, p *page, word string) *page {
				return b.fill(p, form.path, form.field, append([]string{form.field, word}, form.with...)...)
			}
			send(one, first, form.words[0]).want(http.StatusSeeOther)
			told := send(two, second, form.words[1]).want(http.StatusConflict)
			told.shows(`value="`+form.words[1]+`"`, "ほかの人か別のタブがこの内容を変更しました", `href="`+form.path+`"`, "今の内容を見る")
			two.get(form.path).shows(`value="` + form.words[0] + `"`).hides(`value="` + form.words[1] + `"`)
			send(two, told, form.words[1]).want(http.StatusSeeOther)
			one.get(form.path).shows(`value="` + form.words[1] + `"`).hides(`value="` + form.words[0] + `"`)
		})
	}

	// What users set for themselves stands on two tabs of their own; what others set for them does not count there.
	first, second := two.get("/settings/profile"), two.get("/settings/profile")
	one.fill(one.get("/settings/users/"+mori.ID), "/settings/users/"+mori.ID, "email", "enabled", "1", "calendar", helpdesk.StandardCalendar).want(http.StatusSeeOther)
	two.fill(first, "/settings/profile", "signature", "signature", "先の署名").want(http.StatusSeeOther)
	told := two.fill(second, "/settings/profile", "signature", "signature", "後の署名").want(http.StatusConflict).shows("後の署名", "今の内容を見る")
	two.get("/settings/profile").shows("先の署名")
	two.fill(told, "/settings/profile", "signature", "signature", "後の署名").want(http.StatusSeeOther)

	// A rule that another admin has made is not taken back by a page that does not know of it.
	stale := one.get("/settings/login")
	two.fill(two.get("/settings/login"), "/settings/login", "rule:agent", "rule:agent", "7").want(http.StatusSeeOther)
	one.fill(stale, "/settings/login", "rule:agent", "rule:supervisor", "7").want(http.StatusConflict).shows("ほかの人か別のタブ")
	if settings, err := h.Settings(h.ctx()); err != nil || !slices.Equal(settings.SecondFactorRoles, []helpdesk.Role{helpdesk.RoleAgent}) {
		t.Errorf("a second factor is needed by %v, %v", settings.SecondFactorRoles, err)
	}
}

// TestNoTicketsMoveForAPageThatIsOld keeps a stage that was made while somebody had the pipeline open, with its tickets.
func TestNoTicketsMoveForAPageThatIsOld(t *testing.T) {
	h := newReadyHouse(t)
	a := h.admin.Actor()
	pipelines, err := h.Pipelines(h.ctx(), a)
	if err != nil {
		t.Fatal(err)
	}
	p := pipelines[0]
	path, b := "/settings/pipelines/"+p.ID, h.as(h.admin)
	old := b.get(path)
	h.receive(letter{subject: "部品待ち", text: "本文"})
	p.Stages = append(p.Stages, helpdesk.Stage{Name: "保留", Kind: helpdesk.StageOpen})
	if _, err := h.SavePipeline(h.ctx(), a, p); err != nil {
		t.Fatal(err)
	}
	held := "保留"
	if _, err := h.Change(h.ctx(), a, 1, helpdesk.Change{Stage: &held}); err != nil {
		t.Fatal(err)
	}
	stages := slices.DeleteFunc(filledIn(t, old, "stage_name"), func(string) bool { return false })
	told := b.post(path, append(stages, "action", "save")...).want(http.StatusConflict).shows("ほかの人か別のタブ").hides("into:")
	asked := b.post(path, append(filledIn(t, told, "stage_name"), "action", "save")...).want(http.StatusUnprocessableEntity).shows("into:")
	if row, err := h.TicketRow(h.ctx(), a, 1); err != nil || row.StageName != "保留" {
		t.Fatalf("the ticket is in %s, %v", row.StageName, err)
	}
	if !strings.Contains(asked.body, "保留") {
		t.Error("it is not said which stage still has tickets")
	}
}

// TestAViewIsNotUpdatedOverAnothers leaves a view that everybody has as somebody else has just made it.
func TestAViewIsNotUpdatedOverAnothers(t *testing.T) {
	h := newReadyHouse(t)
	a := h.admin.Actor()
	view, err := h.SaveView(h.ctx(), a, helpdesk.SavedView{Name: "至急", View: helpdesk.ViewOpen, Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	list := b.get("/inbox/open?saved=" + view.ID + "&tag=x").want(http.StatusOK)
	view.Filter.Tags = []string{"y"}
	if _, err := h.SaveView(h.ctx(), a, *view); err != nil {
		t.Fatal(err)
	}
	b.fill(list, "/views", "id").want(http.StatusConflict).shows("ほかの人がこのビューを変更したため")
	if now, err := h.SavedView(h.ctx(), a, view.ID); err != nil || !slices.Equal(now.Filter.Tags, []string{"y"}) {
		t.Errorf("the view has %v, %v", now.Filter.Tags, err)
	}
	b.fill(b.get("/inbox/open?saved="+view.ID+"&tag=x"), "/views", "id").want(http.StatusSeeOther)
}

// TestTwoPeopleFillInDifferentFields has each write into a custom field of the same ticket; both stay.
func TestTwoPeopleFillInDifferentFields(t *testing.T) {
	h := newReadyHouse(t)
	a := h.admin.Actor()
	var ids []string
	for _, f := range []helpdesk.Field{{Kind: helpdesk.FieldText, Name: "型番"}, {Kind: helpdesk.FieldChoices, Name: "部品", Choices: []helpdesk.FieldOption{{Name: "脚"}, {Name: "板"}}}} {
		f.Owner = helpdesk.FieldOfTicket
		saved, err := h.SaveField(h.ctx(), a, f)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, saved.ID)
	}
	h.receive(letter{subject: "修理", text: "本文"})
	one, two := h.as(h.admin), h.as(h.user("mori@example.jp", "森", helpdesk.RoleAgent))
	first, second := one.get("/inbox/open/1"), two.get("/inbox/open/1")
	fields, err := h.Fields(h.ctx(), a)
	if err != nil {
		t.Fatal(err)
	}
	board := fields[1].Choices[1].ID
	one.fill(first, "/tickets/1/fields", "value:"+ids[0], "value:"+ids[0], "A-100\r\nB").want(http.StatusSeeOther)
	two.fill(second, "/tickets/1/fields", "value:"+ids[0], "value:"+ids[1], board).want(http.StatusSeeOther)
	has := func(want ...string) {
		t.Helper()
		row, err := h.TicketRow(h.ctx(), a, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := append(slices.Clone(row.Ticket.Fields[ids[0]]), row.Ticket.Fields[ids[1]]...); !slices.Equal(got, want) {
			t.Errorf("the fields have %q, want %q", got, want)
		}
	}
	has("A-100\nB", board)
	// What is emptied is empty; an unchanged text of two lines is no change.
	events := h.seen(1).LastSeq
	now := two.get("/inbox/open/1")
	two.fill(now, "/tickets/1/fields", "value:"+ids[0], "value:"+ids[1], board, "value:"+ids[0], "A-100\r\nB").want(http.StatusSeeOther)
	if seq := h.seen(1).LastSeq; seq != events {
		t.Errorf("saving what is there made event %d after %d", seq, events)
	}
	two.fill(now, "/tickets/1/fields", "value:"+ids[0], "value:"+ids[0], "", "value:"+ids[1], board).want(http.StatusSeeOther)
	has(board)
}
