package ui_test

import (
	"fmt"
	"net/http"
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
