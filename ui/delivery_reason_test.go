package ui_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestAFailureIsSaidInTheReadersLanguage: what servers say is English, and their status says the same to everybody.
func TestAFailureIsSaidInTheReadersLanguage(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{from: "tamura@kyaku.example", name: "田村", subject: "お問い合わせ", text: "本文です。"})
	codes := []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.2.2", "5.2.3", "5.3.1", "5.3.2", "5.3.4", "5.4.1", "5.4.2", "5.4.3", "5.4.4", "5.4.5", "5.4.6", "5.4.7",
		"5.5.3", "5.7.1", "5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.25", "5.7.26", "5.7.28", "5.9.9", "", "4.7.1"}
	var to []helpdesk.Address
	for i := range codes {
		to = append(to, helpdesk.Address{Email: fmt.Sprintf("p%02d@kyaku.example", i)})
	}
	reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信です。", To: to})
	if err != nil {
		t.Fatal(err)
	}
	view, err := h.Message(h.ctx(), h.admin.Actor(), reply.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range view.Deliveries {
		if _, _, err := h.StartDelivery(h.ctx(), d.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.RecordAttempt(h.ctx(), d.ID, helpdesk.Attempt{Code: 550, Enhanced: codes[i], Text: "said " + codes[i]}, codes[i] != "4.7.1"); err != nil {
			t.Fatal(err)
		}
	}
	b := h.as(h.admin)
	b.get("/inbox/open/1").want(http.StatusOK).shows(
		"宛先のメールアドレスが存在しません。 said 5.1.1", "宛先のメールボックスがいっぱいです。 said 5.2.2", "宛先のサーバーに接続できません。 said 5.4.1",
		"送信元の確認（SPF・DKIM・DMARC）に失敗したとして、受け取りを断られました。 said 5.7.26", `fate-note">said 5.9.9`).hides("delivery.why")
	b.get("/settings/suppressions").want(http.StatusOK).shows("宛先のメールアドレスが存在しません。 said 5.1.1").hides("delivery.why")
	b.get("/settings/queue").want(http.StatusOK).shows("宛先のサーバーから、時間をおいて送り直すよう求められています。 4.7.1 said 4.7.1").hides("delivery.why")
	b.post("/settings/profile", "name", "佐藤 遥", "locale", "en").want(http.StatusSeeOther)
	b.get("/inbox/open/1").want(http.StatusOK).shows("There is no such address. said 5.1.1", "The mailbox is full. said 5.2.2").hides("delivery.why")
}

// TestAFailureIsSaidOnce: where our own words of an attempt say no more than what its status means, they are not said again.
func TestAFailureIsSaidOnce(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{from: "tamura@kyaku.example", name: "田村", subject: "お問い合わせ", text: "本文です。"})
	attempts := []helpdesk.Attempt{
		{Enhanced: "5.1.2", Text: "the domain kyaku.example does not exist or takes no mail"},
		{Enhanced: "5.1.10", Text: "kyaku.example accepts no mail (null MX)"},
		{Enhanced: "4.4.2", Text: "the server closed the connection"},
		{Code: 550, Enhanced: "5.1.1", Text: "No such address."},
		{Code: 552, Enhanced: "5.2.2", Text: "Mailbox full: ticket 4711, see https://kyaku.example/full"},
	}
	var to []helpdesk.Address
	for i := range attempts {
		to = append(to, helpdesk.Address{Email: fmt.Sprintf("p%02d@kyaku.example", i)})
	}
	reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信です。", To: to})
	if err != nil {
		t.Fatal(err)
	}
	h.fail(reply.ID, attempts...)
	b := h.as(h.admin)
	b.get("/inbox/open/1").want(http.StatusOK).shows("宛先のメールアドレスが存在しません。 5.1.1 No such address.", "5.1.10 kyaku.example accepts no mail (null MX)", "see https://kyaku.example/full").
		hides("does not exist or takes no mail", "closed the connection")
	b.post("/settings/profile", "name", "佐藤 遥", "locale", "en").want(http.StatusSeeOther)
	b.get("/inbox/open/1").want(http.StatusOK).shows("The domain does not exist or takes no mail. 5.1.2<", "broke off. 4.4.2<").hides("kyaku.example does not exist", "closed the connection")
}

// TestWhatOurSideDecidedIsSaidInTheReadersLanguage: that encryption or a login is missing is told by no status, and that an
// address is not written to again comes with what the first mail met.
func TestWhatOurSideDecidedIsSaidInTheReadersLanguage(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{from: "tamura@kyaku.example", name: "田村", subject: "お問い合わせ", text: "本文です。"})
	attempts := []helpdesk.Attempt{
		{Enhanced: "4.7.0", Text: "the MTA-STS policy of kyaku.example names none of its hosts (mx1.kyaku.example, mx2.kyaku.example)"},
		{Enhanced: "4.7.0", Text: "whether mx.kyaku.example is protected by DANE is not known: TLSA of _25._tcp.mx.kyaku.example: the DNS answers SERVFAIL"},
		{Enhanced: "4.7.10", Text: "the server offers no STARTTLS, and this mail must be encrypted"},
		{Enhanced: "4.7.0", Text: "the connection is not encrypted, so the password is not sent"},
		{Enhanced: "4.4.2", Text: "tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		{Code: 535, Enhanced: "5.7.8", Text: "Authentication failed"},
		{Code: 421, Enhanced: "4.7.0", Text: "Try again later"},
		{Enhanced: "5.1.2", Text: "the domain kyaku.example does not exist or takes no mail"},
	}
	var to []helpdesk.Address
	for i := range attempts {
		to = append(to, helpdesk.Address{Email: fmt.Sprintf("p%02d@kyaku.example", i)})
	}
	reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信です。", To: to})
	if err != nil {
		t.Fatal(err)
	}
	h.fail(reply.ID, attempts...)
	b := h.as(h.admin)
	b.get("/inbox/open/1").want(http.StatusOK).shows(
		"kyaku.example のメールサーバー（mx1.kyaku.example, mx2.kyaku.example）が、そのドメインの MTA-STS の方針に挙げられていないため、送信しませんでした。 4.7.0<",
		"mx.kyaku.example が DANE で保護されているかどうかを DNS で確認できないため、送信しませんでした。 4.7.0<",
		"宛先のサーバーが暗号化（STARTTLS）に対応していないため、送信しませんでした。 4.7.10<",
		"スマートホストへの接続が暗号化されていないため、パスワードを送りませんでした。 4.7.0<",
		"宛先のサーバーの証明書を確認できません（tls: failed to verify certificate: x509: certificate signed by unknown authority）。 4.4.2<",
		"ログインを断られました。 5.7.8 Authentication failed", "4.7.0 Try again later").hides("delivery.own", "途中で切れました")
	again := func() *page {
		return b.post("/tickets/1/compose", "mode", "reply", "text", "もう一度お送りします。", "to", to[len(to)-1].Email, "seen", "1000000", "key", "again").want(http.StatusConflict)
	}
	again().shows("p07@kyaku.example には以前のメールが届かなかったため、送信しません。", "理由: 宛先のドメインが存在しないか、メールを受け付けていません。 5.1.2").hides("does not exist")
	b.post("/settings/profile", "name", "佐藤 遥", "locale", "en").want(http.StatusSeeOther)
	again().shows("Reason: The domain does not exist or takes no mail. 5.1.2")
	b.get("/inbox/open/1").want(http.StatusOK).shows("since their server offers no encryption (STARTTLS). 4.7.10<")
}

// fail has the deliveries of a message fail for good, in their order; those without an attempt wait.
func (h *house) fail(message string, attempts ...helpdesk.Attempt) {
	h.t.Helper()
	view, err := h.Message(h.ctx(), h.admin.Actor(), message)
	if err != nil {
		h.t.Fatal(err)
	}
	for i, attempt := range attempts {
		if _, _, err := h.StartDelivery(h.ctx(), view.Deliveries[i].ID); err != nil {
			h.t.Fatal(err)
		}
		if err := h.RecordAttempt(h.ctx(), view.Deliveries[i].ID, attempt, true); err != nil {
			h.t.Fatal(err)
		}
	}
}

// TestManyFatesAreFolded shows of a mail to many what went wrong, and folds the rest; without a script.
func TestManyFatesAreFolded(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{from: "tamura@kyaku.example", name: "田村", subject: "お知らせ", text: "本文です。"})
	send := func(n int, domain string) string {
		var to []helpdesk.Address
		for i := range n {
			to = append(to, helpdesk.Address{Email: fmt.Sprintf("p%02d@%s", i, domain)})
		}
		reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "返信です。", To: to})
		if err != nil {
			t.Fatal(err)
		}
		return reply.ID
	}
	h.fail(send(8, "few.example"), helpdesk.Attempt{})
	b := h.as(h.admin)
	b.get("/inbox/open/1").want(http.StatusOK).shows("p07@few.example").hides("件の宛先", "more-to")

	many := send(60, "many.example")
	view, err := h.Message(h.ctx(), h.admin.Actor(), many)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range view.Deliveries {
		if i%9 != 8 {
			continue
		}
		if _, _, err := h.StartDelivery(h.ctx(), d.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.RecordAttempt(h.ctx(), d.ID, helpdesk.Attempt{Code: 550, Enhanced: "5.1.1", Text: "said so"}, i != 8); err != nil {
			t.Fatal(err)
		}
	}
	page := b.get("/inbox/open/1").want(http.StatusOK).shows("他 54 件の宛先")
	head, rest, _ := strings.Cut(page.body, `<span class="more-to-count">他 54 件</span></summary>`)
	if head = head[strings.LastIndex(head, "<details"):]; !strings.Contains(head, "p05@many.example</span>") || strings.Contains(head, "p06@many") || !strings.HasPrefix(rest, "p06@many.example、") {
		t.Errorf("the head of the mail to many is %s … %.200s", head, rest)
	}
	lists := strings.Split(page.body, `<ul class="fates">`)
	if len(lists) != 4 {
		t.Fatalf("%d lists of fates", len(lists)-1)
	}
	shown, folded := lists[2], lists[3]
	for i, d := range view.Deliveries {
		if in := strings.Contains(shown, d.Recipient); in != (i%9 == 8) {
			t.Errorf("%s is shown: %v", d.Recipient, in)
		}
		if !strings.Contains(shown+folded, d.Recipient) {
			t.Errorf("%s is not on the page", d.Recipient)
		}
	}
	// What failed stands before what is tried again.
	if failed, again := strings.Index(shown, "p17@many.example"), strings.Index(shown, "p08@many.example"); failed > again {
		t.Error("a delay stands before a failure")
	}
}
