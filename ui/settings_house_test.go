package ui_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
)

func TestRolesArePutTogetherInATable(t *testing.T) {
	h := newReadyHouse(t)
	admin := h.as(h.admin)
	admin.post("/settings/roles/new", "name", "閲覧のみ", "like", "agent").leads("/settings/roles?saved=1")
	page := admin.get("/settings/roles").want(http.StatusOK).shows("閲覧のみ", "返信する", "監査記録", "自分にない権限")
	admin.post("/settings/roles/new", "name", "閲覧のみ", "like", "agent").want(http.StatusConflict).shows("すでにあります")
	roles, err := h.Roles(h.ctx(), h.admin.Actor())
	if err != nil || len(roles) != 4 {
		t.Fatalf("%+v, %v", roles, err)
	}
	id := string(roles[3].ID)
	if !strings.Contains(page.body, id+":tickets.reply") {
		t.Errorf("the table has no box for %s", id)
	}
	admin.post("/settings/roles", "role", id, "name:"+id, "閲覧", "grant", id+":tickets.read").leads("/settings/roles?saved=1")
	roles, err = h.Roles(h.ctx(), h.admin.Actor())
	if err != nil || roles[3].Name != "閲覧" || len(roles[3].Set.List()) != 1 {
		t.Fatalf("%+v, %v", roles, err)
	}

	reader := h.user("reader@example.jp", "読み手", helpdesk.Role(id))
	number := h.receive(letter{subject: "Hello", text: "x"}).Ticket
	visitor := h.as(reader)
	visitor.get("/settings/profile").want(http.StatusOK).shows("閲覧").hides("監査記録", "送信元ドメイン")
	visitor.post("/tickets/"+fmt.Sprint(number)+"/change", "tag", "x").want(http.StatusForbidden)
	visitor.get("/settings/audit").want(http.StatusForbidden)
	admin.post("/settings/roles/" + id + "/delete").want(http.StatusConflict).shows("読み手")
}

func TestTeamsAndFieldsOnATicket(t *testing.T) {
	h := newReadyHouse(t)
	admin := h.as(h.admin)
	mori := h.user("mori@example.jp", "森 健太", helpdesk.RoleAgent)
	number := h.receive(letter{subject: "Hello", text: "x"}).Ticket
	admin.get("/settings/teams").want(http.StatusOK).shows("チームはまだありません")
	admin.get("/settings/teams/new").want(http.StatusOK).shows("森 健太")
	admin.post("/settings/teams/new", "action", "save", "name", "請求チーム", "member", mori.ID, "lead", mori.ID).leads("/settings/teams?saved=1")
	admin.get("/settings/teams").shows("請求チーム", "リーダー 森 健太さん")
	teams, err := h.Teams(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	admin.post("/tickets/"+fmt.Sprint(number)+"/change", "assignee", "team:"+teams[0].ID)
	admin.get("/inbox/open/"+fmt.Sprint(number)).want(http.StatusOK).shows("請求チーム", "に割り当てました")

	admin.get("/settings/fields/new").want(http.StatusOK)
	admin.post("/settings/fields/new", "action", "save", "owner", "ticket", "kind", "choice", "name", "原因").want(http.StatusUnprocessableEntity).shows("選択肢がありません")
	admin.post("/settings/fields/new", "action", "save", "owner", "ticket", "kind", "choice", "name", "原因", "choices", "不具合\n質問", "required", "1").leads("/settings/fields?saved=1")
	admin.post("/settings/fields/new", "action", "save", "owner", "contact", "kind", "link", "name", "顧客ページ").leads("/settings/fields?saved=1")
	fields, err := h.Fields(h.ctx(), h.admin.Actor())
	if err != nil || len(fields) != 2 {
		t.Fatalf("%+v, %v", fields, err)
	}
	admin.get("/settings/fields").want(http.StatusOK).shows("原因", "必須", "顧客ページ")
	admin.get("/settings/fields/" + fields[0].ID).want(http.StatusOK).shows("不具合")
	admin.get("/inbox/open/" + fmt.Sprint(number)).shows("未入力（クローズに必要）")
	admin.post("/tickets/"+fmt.Sprint(number)+"/change", "stage", "完了").want(http.StatusUnprocessableEntity).shows("原因")
	admin.post("/tickets/"+fmt.Sprint(number)+"/fields", "field", fields[0].ID, "value:"+fields[0].ID, fields[0].Choices[1].ID)
	contact := h.seen(number).Row.Contact
	admin.post("/contacts/"+contact.ID+"/fields", "field", fields[1].ID, "value:"+fields[1].ID, "javascript:alert(1)").want(http.StatusUnprocessableEntity).shows("https://")
	admin.post("/contacts/"+contact.ID+"/fields", "field", fields[1].ID, "value:"+fields[1].ID, "https://shop.example/c/1")
	admin.get("/inbox/open/"+fmt.Sprint(number)).shows("質問", "https://shop.example/c/1")
	admin.post("/tickets/"+fmt.Sprint(number)+"/change", "stage", "完了").want(http.StatusSeeOther)
}

func TestTheAuditPageAndItsFile(t *testing.T) {
	h := newReadyHouse(t)
	admin := h.as(h.admin)
	admin.post("/settings/teams/new", "action", "save", "name", "=cmd()", "member", h.admin.ID)
	admin.get("/settings/audit").want(http.StatusOK).shows("チームを保存", "=cmd()", "127.0.0.1", "ログイン")
	admin.get("/settings/audit?kind=login").shows("ログイン").hides("=cmd()")
	admin.get("/settings/audit?kind=role").shows("この条件に合う記録はありません")
	file := admin.get("/settings/audit.csv?kind=team").want(http.StatusOK)
	if !strings.HasPrefix(file.body, "\ufeffseq,time,who") || !strings.Contains(file.body, ",'=cmd(),") || strings.Contains(file.body, ",=cmd") {
		t.Errorf("the file: %q", file.body)
	}
	h.as(h.user("mori@example.jp", "森", helpdesk.RoleAgent)).get("/settings/audit.csv").want(http.StatusForbidden)
}

// What is read of a domain is what others publish: a fault in reading it must not end
// the server.
func TestACheckOfADomainThatBreaksEndsNothing(t *testing.T) {
	h := newReadyHouse(t, func(o *ui.Options) {
		o.CheckDomain = func(context.Context, string) []ui.DomainPart { panic("over a record") }
	})
	h.as(h.admin).get("/settings/domains").want(http.StatusOK).shows("example.jp")
}

func TestDomainsThatAreNotInOrderAreMarked(t *testing.T) {
	asked := make(chan string, 10)
	h := newReadyHouse(t, func(o *ui.Options) {
		o.CheckDomain = func(_ context.Context, domain string) []ui.DomainPart {
			asked <- domain
			return []ui.DomainPart{{Kind: "mx", State: "fine", Found: []string{"10 mx.example.jp."}},
				{Kind: "spf", State: "missing", Bad: true, Name: domain, Type: "TXT", Value: "v=spf1 a:mx.example.jp ~all"}, {Kind: "dkim", State: "unset"}}
		}
	})
	number := h.receive(letter{subject: "Hello", text: "x"}).Ticket
	admin := h.as(h.admin)
	admin.get("/settings/domains").want(http.StatusOK).shows("example.jp", "対応が必要です", "v=spf1 a:mx.example.jp ~all", "鍵をまだ用意できていません")
	if domain := <-asked; domain != "example.jp" || len(asked) > 0 {
		t.Errorf("asked for %q and %d more", domain, len(asked))
	}
	admin.get("/settings/domains") // remembered
	if len(asked) > 0 {
		t.Error("the DNS was asked again at once")
	}
	admin.post("/settings/domains").leads("/settings/domains")
	if len(asked) != 1 {
		t.Errorf("asked %d times on request", len(asked))
	}
	admin.get("/inbox/open/"+fmt.Sprint(number)).shows("届かないことがあります", "SPF", "必要なレコードを見る")
	aliases, err := h.Aliases(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	admin.get("/settings/aliases/" + aliases[0].ID).shows("届かないことがあります")
	agent := h.as(h.user("mori@example.jp", "森", helpdesk.RoleAgent))
	agent.get("/inbox/open/" + fmt.Sprint(number)).shows("届かないことがあります").hides("必要なレコードを見る")
	agent.get("/settings/domains").want(http.StatusOK).shows("権限がありません").hides("v=spf1")

	// A disabled alias says so where one would answer.
	aliases[0].Disabled = true
	if _, err := h.SaveAlias(h.ctx(), h.admin.Actor(), aliases[0]); err != nil {
		t.Fatal(err)
	}
	agent.get("/inbox/open/"+fmt.Sprint(number)).shows("support@example.jp は停止中です", "履歴の閲覧と検索はできます")
}

func TestARemovedStageAsksWhereItsTicketsGo(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "Hello", text: "x"})
	pipelines, err := h.Pipelines(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	p := pipelines[0]
	without := func(more ...string) *page {
		pairs := []string{"action", "save", "name", p.Name, "reopen", "1", "reopen_stage", p.Stages[1].ID}
		for _, stage := range p.Stages[1:] {
			pairs = append(pairs, "stage_id", stage.ID, "stage_name", stage.Name, "stage_kind", string(stage.Kind), "stage_ref", stage.ID)
		}
		return h.as(h.admin).post("/settings/pipelines/"+p.ID, append(pairs, more...)...)
	}
	without().want(http.StatusUnprocessableEntity).shows("1 件のチケットがあります", "移す先を選ぶ")
	without("into:"+p.Stages[0].ID, p.Stages[1].ID).leads("/settings/pipelines/" + p.ID + "?saved=1")
	if row := h.seen(1).Row; row.StageName != p.Stages[1].Name {
		t.Errorf("the ticket is in %q", row.StageName)
	}
}

// seen is a ticket as the desk has it.
func (h *house) seen(number uint64) *helpdesk.TicketView {
	h.t.Helper()
	v, err := h.Ticket(h.ctx(), h.admin.Actor(), number)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func TestTheLedgerPageBalances(t *testing.T) {
	h := newReadyHouse(t)
	admin := h.as(h.admin)
	h.receive(letter{subject: "Hello", text: "x"})
	h.CountRefusal(helpdesk.RefusedUnknown)
	page := admin.get("/settings/ledger").want(http.StatusOK).shows("これまでに受け入れた 1 通は、すべて見つかりました", "宛先がない", "一致").hides("が不明", "madoguchi verify")
	day := regexp.MustCompile(`/settings/ledger\?day=\d{4}-\d\d-\d\d`).FindString(page.body)
	admin.get(day).want(http.StatusOK).shows("お客様から")
	admin.get("/settings/ledger?day=x").want(http.StatusUnprocessableEntity)
	h.as(h.user("mori@example.jp", "森", helpdesk.RoleSupervisor)).get("/settings/ledger").want(http.StatusOK).hides("受け入れ")
	admin.post("/settings/profile", "name", "admin", "locale", "en").want(http.StatusSeeOther)
	admin.get("/settings/ledger").want(http.StatusOK).shows("The one mail ever accepted was found.")
	h.receive(letter{subject: "Hello again", text: "y"})
	admin.get("/settings/ledger").want(http.StatusOK).shows("All 2 mails ever accepted were found.")
}

func TestATemplateSaysHowOftenItWasUsed(t *testing.T) {
	h := newReadyHouse(t)
	admin := h.as(h.admin)
	number := h.receive(letter{subject: "Hello", text: "x"}).Ticket
	template, err := h.SaveTemplate(h.ctx(), h.admin.Actor(), helpdesk.Template{Name: "営業時間", Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: "9時からです"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: number, Text: "x", Templates: []string{template.ID}}); err != nil {
		t.Fatal(err)
	}
	admin.get("/settings/templates").want(http.StatusOK).shows("1 回使用")
	admin.get("/settings/templates/" + template.ID).want(http.StatusOK).shows("1 回使用")
}
