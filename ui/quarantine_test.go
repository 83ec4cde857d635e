package ui_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// disowned is the verdict on a mail that a mailing list sent in a bank's name.
func disowned() helpdesk.Authentication {
	return helpdesk.Authentication{SPF: helpdesk.AuthResult{Result: "pass", Domain: "list.example"}, DKIM: []helpdesk.AuthResult{{Result: "pass", Domain: "list.example"}},
		DMARC: helpdesk.AuthResult{Result: "fail", Domain: "bank.example", Reason: "neither DKIM nor SPF passed for bank.example"}, Policy: "reject"}
}

func (h *house) disowned(subject string) helpdesk.Receipt {
	return h.receive(letter{from: "suzuki@bank.example", name: "鈴木", subject: subject, text: "本文 <script>alert(1)</script>", authentication: disowned()})
}

// TestQuarantineSaysWhyAMailIsNoReport sends what is no report to the address of reports.
func TestQuarantineSaysWhyAMailIsNoReport(t *testing.T) {
	h := newReadyHouse(t)
	if _, err := h.SetPolicy(h.ctx(), h.admin.Actor(), helpdesk.Policy{ReportAddresses: []string{"reports@example.jp"}}); err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	for _, c := range []struct {
		file     string
		japanese string
	}{
		{"", "レポートのファイルが添付されていません。"},
		{"{}", "送り主の名前か、レポートの識別子がありません。"},
		{"<!DOCTYPE feedback><feedback></feedback>", "XML に文書型の宣言があります。"},
		{"<feedback>", "レポートの形式になっていません（"},
	} {
		l := letter{from: "x@receiver.example", subject: "Report", to: "reports@example.jp"}
		if c.file != "" {
			l.files = []file{{name: "report", contentType: "application/octet-stream", data: c.file}}
		}
		receipt := h.receive(l)
		const why = "レポート用の宛先に届きましたが、レポートを読み取れません："
		b.get("/quarantine/"+receipt.MessageID).want(http.StatusOK).shows(why+c.japanese).hides("no report on a domain", "it has no file")
		b.get("/messages/"+receipt.MessageID+"/explain").shows(c.japanese).hides("no report on a domain", "it has no file")
	}
}

func TestQuarantinePages(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	b.get("/quarantine").want(http.StatusOK).shows("隔離中のメールはありません")
	first, second := h.disowned("振込先の変更"), h.disowned("もう一通")
	b.get("/navigation?current=open").want(http.StatusOK).shows(`href="/quarantine"`)
	b.get("/inbox/open").want(http.StatusOK).hides("振込先の変更")
	b.get("/quarantine").want(http.StatusOK).shows("振込先の変更", "suzuki@bank.example", "bank.example はそのようなメールの拒否を求めています")
	b.get("/quarantine/"+first.MessageID).want(http.StatusOK).shows("&lt;script&gt;", "list.example の署名がある（DKIM）", "bank.example のすべてのアドレス", "203.0.113.0/24").hides("<script>alert")
	b.get("/quarantine/" + first.MessageID + "/source").want(http.StatusOK).shows("suzuki@bank.example")

	// A supervisor decides, but does not trust a whole domain; an agent sees nothing.
	supervisor := h.as(h.user("mori@example.jp", "森", helpdesk.RoleSupervisor))
	supervisor.get("/quarantine/" + first.MessageID).want(http.StatusOK).hides(`value="domain"`)
	supervisor.post("/quarantine/"+first.MessageID, "action", "trust", "sender", "domain", "proof", "dkim:list.example").want(http.StatusForbidden)
	agent := h.as(h.user("abe@example.jp", "安部", helpdesk.RoleAgent))
	agent.get("/quarantine").want(http.StatusForbidden)
	agent.get("/inbox/open").want(http.StatusOK).hides(`href="/quarantine"`)

	b.post("/quarantine/"+first.MessageID, "action", "trust", "sender", "address", "proof", "dkim:other.example").want(http.StatusUnprocessableEntity).shows("このメールに証拠 dkim:other.example はありません")
	released := b.post("/quarantine/"+first.MessageID, "action", "trust", "sender", "address", "proof", "dkim:list.example").want(http.StatusSeeOther)
	b.get(released.Header.Get("Location")).want(http.StatusOK).shows("振込先の変更", "隔離されていたこのメールを受け取りました", "隔離から受け取り")
	b.get("/settings/trusted").want(http.StatusOK).shows("suzuki@bank.example", "list.example の署名がある")
	if third := h.disowned("三通目"); third.State != helpdesk.MessagePosted {
		t.Errorf("a trusted sender's mail: %+v", third)
	}
	b.post("/settings/trusted", "pattern", "suzuki@bank.example", "proof", "dkim:list.example").want(http.StatusSeeOther)

	b.post("/quarantine", "action", "reject", "id", second.MessageID).want(http.StatusSeeOther)
	b.get("/quarantine?rejected=1").want(http.StatusOK).shows("1 通を拒否しました").hides("もう一通")
	b.get("/quarantine?state=rejected").want(http.StatusOK).shows("もう一通", "削除されます")
	b.post("/quarantine", "action", "release", "state", "rejected", "id", second.MessageID, "id", first.MessageID).want(http.StatusSeeOther)
	b.get("/quarantine?state=rejected&released=1").want(http.StatusOK).shows("1 通を受け取りました").hides("もう一通")
}

func TestAPIQuarantine(t *testing.T) { newAPIHouse(t).judgeQuarantine() }

// judgeQuarantine asks for everything that the API offers about mail set aside.
func (h *apiHouse) judgeQuarantine() {
	t := h.t
	t.Helper()
	letter := func(subject string) string {
		h.pass(time.Second)
		return h.post("support@example.jp", disowned(), "From: suzuki@bank.example", "Subject: "+subject, "Message-ID: <"+subject+"@bank.example>", "", subject).MessageID
	}
	a, b, d := letter("a"), letter("b"), letter("d")
	page := h.get("/quarantine?limit=2")
	page.at("mails", 0).want(t, object{"id": d, "state": "waiting", "why": "dmarc", "from": "suzuki@bank.example", "purge_at": nil})
	h.get("/quarantine?after="+page["next"].(string)).at("mails", 0).want(t, object{"id": a})
	h.get("/quarantine/"+a).want(t, object{"text": "a\n", "proofs": []any{"dkim:list.example", "spf:list.example"}, "proof_risks": object{"dkim:list.example": "other", "spf:list.example": "other"}})
	h.call("GET", "/quarantine/"+a+"/source", nil)
	h.call("GET", "/quarantine?state=lost", nil).refused(400, helpdesk.CodeInvalid, "state", "waiting")
	h.call("POST", "/quarantine/"+a+"/release", object{"trust": object{"sender": "address", "proof": "smell:good"}}).refused(400, helpdesk.CodeInvalid, "proof", "dkim:DOMAIN")
	h.call("POST", "/quarantine/"+a+"/release", object{"trust": object{"sender": "domain"}})
	h.get("/tickets/1").at("ticket").want(t, object{"subject": "a"})
	h.get("/trusted-senders").at("trusted_senders", 0).want(t, object{"sender": "bank.example", "proof": "dkim:list.example"})
	h.call("DELETE", "/trusted-senders?sender=bank.example&proof=dkim:list.example", nil)
	h.call("POST", "/quarantine/"+b+"/reject", nil)
	rejected := h.call("POST", "/quarantine", object{"action": "reject", "ids": []string{"nothing", b}})
	if want := `{"id":"nothing","ticket":null,"error":"there is no quarantined mail nothing"},{"id":"` + b + `","ticket":null,"error":null}`; !strings.Contains(string(rejected.Body), want) {
		t.Errorf("rejected: %s", rejected.Body)
	}
	results := h.call("POST", "/quarantine", object{"action": "release", "ids": []string{d, "nothing", b}})
	if !strings.Contains(string(results.Body), `"ticket":2`) || !strings.Contains(string(results.Body), "there is no quarantined mail nothing") {
		t.Errorf("released: %s", results.Body)
	}
	h.call("POST", "/quarantine", object{"action": "eat", "ids": []string{}}).refused(400, helpdesk.CodeInvalid, "action", "release")
}

// Before a sender is trusted it is said whose signature that would be: anybody's with
// an account at the service, or another domain's; the sender's own is offered first.
func TestTrustIsWarnedOfWhereOthersCouldWrite(t *testing.T) {
	h := newReadyHouse(t)
	b := h.as(h.admin)
	receive := func(from string, domains ...string) string {
		t.Helper()
		verdict := disowned()
		verdict.SPF = helpdesk.AuthResult{Result: "fail", Domain: "bank.example"}
		verdict.DKIM = nil
		for _, domain := range domains {
			verdict.DKIM = append(verdict.DKIM, helpdesk.AuthResult{Result: "pass", Domain: domain})
		}
		return h.receive(letter{from: from, name: "鈴木", subject: "x", text: "本文", authentication: verdict}).MessageID
	}
	shared, whole := "gmail.com は誰でも利用できるサービスです", "gmail.com のアドレスは誰でも取得できます"
	id := receive("suzuki@bank.example", "gmail.com", "list.example", "mail.bank.example")
	page := b.get("/quarantine/"+id).want(http.StatusOK).shows(shared, "list.example は送信元とは別のドメインです").hides("mail.bank.example は", whole)
	if first := strings.Index(page.body, `value="dkim:`); !strings.HasPrefix(page.body[first:], `value="dkim:mail.bank.example" checked`) {
		t.Errorf("the first proof is not the sender's own: %.80s", page.body[first:])
	}
	b.post("/quarantine/"+id, "action", "trust", "sender", "address", "proof", "dkim:gmail.com").want(http.StatusSeeOther)
	b.get("/settings/trusted").shows("suzuki@bank.example", shared)

	// At the service itself the address is its own; the whole service is everybody.
	id = receive("suzuki@gmail.com", "gmail.com")
	b.get("/quarantine/" + id).shows(whole).hides(shared)
	b.post("/quarantine/"+id, "action", "trust", "sender", "domain", "proof", "dkim:gmail.com").want(http.StatusSeeOther)
	b.get("/settings/trusted").shows(whole)
	for _, domain := range []string{"docomo.ne.jp", "yahoo.co.jp", "icloud.com", "outlook.jp", "amazonses.com", "eu-west-1.amazonses.com", "em123.sendgrid.net"} {
		if risk := (helpdesk.Proof{Kind: helpdesk.ProofDKIM, Value: domain}).Risk("suzuki@bank.example"); risk != helpdesk.RiskProvider {
			t.Errorf("%s: %q", domain, risk)
		}
	}
}

// Whoever works through the quarantine lets the last mail of a page out, and goes on.
func TestQuarantinePagesGoOnBehindWhatWasLetOut(t *testing.T) {
	h := newAPIHouse(t)
	var ids []string
	for _, subject := range []string{"a", "b", "c"} {
		h.pass(time.Second)
		ids = append(ids, h.post("support@example.jp", disowned(), "From: suzuki@bank.example", "Subject: "+subject, "Message-ID: <"+subject+"@bank.example>", "", subject).MessageID)
	}
	next := h.get("/quarantine?limit=2")["next"].(string)
	h.call("POST", "/quarantine/"+ids[1]+"/release", object{}).ok(200)
	page := h.get("/quarantine?after=" + next)
	page.at("mails", 0).want(t, object{"id": ids[0]})
	if len(page.list("mails")) != 1 {
		t.Errorf("the page behind: %v", page)
	}
	h.call("GET", "/quarantine?state=rejected&after="+next, nil).refused(400, helpdesk.CodeInvalid, "after", "not from this list")
	h.call("GET", "/quarantine?after="+ids[1], nil).refused(400, helpdesk.CodeInvalid, "after", "not from this list")
	h.call("GET", "/contacts?after=garbage", nil).refused(400, helpdesk.CodeInvalid, "after", "not from this list")
}

// Of several mails that were chosen some may be gone, decided on by somebody else: the rest is decided on, and the
// page says both.
func TestQuarantineSaysWhatWasGone(t *testing.T) {
	h := newReadyHouse(t)
	b, other := h.as(h.admin), h.as(h.user("mori@example.jp", "森", helpdesk.RoleSupervisor))
	var ids []string
	for _, subject := range []string{"一通目", "二通目", "三通目", "四通目"} {
		ids = append(ids, h.disowned(subject).MessageID)
	}
	decide := func(b *browser, action string, ids ...string) *page {
		t.Helper()
		form := []string{"action", action}
		for _, id := range ids {
			form = append(form, "id", id)
		}
		done := b.post("/quarantine", form...).want(http.StatusSeeOther)
		return b.get(done.Header.Get("Location")).want(http.StatusOK)
	}
	decide(other, "release", ids[0]).shows("1 通を受け取りました").hides("隔離にありません")
	decide(b, "reject", ids[0], ids[1]).shows("1 通を拒否しました", "1 通は、ほかの人がすでに判断したため、隔離にありません", "拒否したメールを見る").hides("二通目")
	decide(b, "release", ids[0], ids[2]).shows("1 通を受け取りました", "1 通は、ほかの人が").hides("三通目")
	decide(b, "reject", ids[0], ids[2]).shows("2 通は、ほかの人が").hides("0 通を拒否しました", "拒否したメールを見る")

	// So it is for one whose page was open.
	for _, action := range []string{"release", "reject", "trust"} {
		left := b.post("/quarantine/"+ids[0], "action", action, "sender", "address", "proof", "dkim:list.example").want(http.StatusSeeOther)
		b.get(left.Header.Get("Location")).want(http.StatusOK).shows("1 通は、ほかの人が", "四通目").hides("0 通を受け取りました", "0 通を拒否しました")
	}
	b.post("/quarantine/"+ids[3], "action", "reject").want(http.StatusSeeOther)

	// What has no recipient any more holds up no other, and what was done is said beside it.
	if _, err := h.SaveAlias(h.ctx(), h.admin.Actor(), helpdesk.Alias{Address: "info@example.jp", Name: "案内"}); err != nil {
		t.Fatal(err)
	}
	stays := h.receive(letter{from: "suzuki@bank.example", to: "info@example.jp", subject: "宛先なし", text: "本文", authentication: disowned()})
	goes := h.disowned("宛先あり")
	aliases, err := h.Aliases(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range aliases {
		if a.Address == "info@example.jp" {
			if err := h.DeleteAlias(h.ctx(), h.admin.Actor(), a.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.post("/quarantine", "action", "release", "id", stays.MessageID, "id", goes.MessageID).want(http.StatusConflict).
		shows("1 通を受け取りました", "このメールは受け取れません", "宛先なし").hides("宛先あり")
}

// TestAReleaseIsRefusedInTheReadersLanguage says why a mail cannot be taken in, where its address takes none any more.
func TestAReleaseIsRefusedInTheReadersLanguage(t *testing.T) {
	h := newReadyHouse(t)
	mail := h.disowned("振込先の変更")
	aliases, err := h.Aliases(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	alias := aliases[0]
	b := h.as(h.admin)
	alias.Disabled = true
	if _, err := h.SaveAlias(h.ctx(), h.admin.Actor(), alias); err != nil {
		t.Fatal(err)
	}
	b.post("/quarantine/"+mail.MessageID, "action", "release").want(http.StatusConflict).shows("このメールは受け取れません：宛先のアドレスは受け取りを停止しています。").hides("takes mail")
	alias.Address, alias.Disabled = "other@example.jp", false
	if _, err := h.SaveAlias(h.ctx(), h.admin.Actor(), alias); err != nil {
		t.Fatal(err)
	}
	b.post("/quarantine/"+mail.MessageID, "action", "release").want(http.StatusConflict).shows("このメールは受け取れません：宛先のアドレスがありません。").hides("such address")
}
