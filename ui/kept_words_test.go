package ui_test

import (
	"net/http"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// TestWordsOfRecordsAreInTheReadersLanguage has the program write down why it did not do something, and reads it in both
// languages; what a version before wrote down is shown as it is.
func TestWordsOfRecordsAreInTheReadersLanguage(t *testing.T) {
	h := newReadyHouse(t)
	agent := h.user("mori@example.jp", "森", helpdesk.RoleAgent)
	on, own := true, "mori@home.example"
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(h.ChangeUser(h.ctx(), h.admin.Actor(), agent.ID, helpdesk.UserChange{ForwardReplies: &on, ForwardTo: &own}))
	first := h.receive(letter{subject: "見積", text: "一通目です。", authentication: proven})
	must(h.Change(h.ctx(), h.admin.Actor(), first.Ticket, helpdesk.Change{Assignee: &agent.ID}))

	// An agent answers a copy, and may not log in any more when it is to leave.
	copied := h.receive(letter{subject: "見積", text: "二通目です。", to: h.replyTo(1, "返信です。"), authentication: proven})
	h.doDue(helpdesk.TimerCopy, h.CopyToAssignee)
	view, err := h.Message(h.ctx(), h.admin.Actor(), copied.MessageID)
	must(view, err)
	_, raw, err := h.StartDelivery(h.ctx(), view.Deliveries[0].ID)
	must(raw, err)
	h.receive(letter{from: own, subject: "Re: 見積", text: "担当者の返信です。", to: mail.Parse(raw).ReplyTo[0].Address, authentication: proven})
	must(h.ChangeUser(h.ctx(), h.admin.Actor(), agent.ID, helpdesk.UserChange{Disabled: &on}))
	h.doDue(helpdesk.TimerRelay, h.RelayAgentMail)

	// Nothing is copied from an alias that is off.
	off := false
	must(h.ChangeUser(h.ctx(), h.admin.Actor(), agent.ID, helpdesk.UserChange{Disabled: &off}))
	must(h.Change(h.ctx(), h.admin.Actor(), first.Ticket, helpdesk.Change{Assignee: &agent.ID}))
	h.receive(letter{subject: "見積", text: "三通目です。", to: h.replyTo(1, "もう一度返信します。"), authentication: proven})
	aliases, err := h.Aliases(h.ctx(), h.admin.Actor())
	must(aliases, err)
	aliases[0].Disabled = true
	must(h.SaveAlias(h.ctx(), h.admin.Actor(), aliases[0]))
	h.doDue(helpdesk.TimerCopy, h.CopyToAssignee)
	aliases[0].Disabled = false
	must(h.SaveAlias(h.ctx(), h.admin.Actor(), aliases[0]))

	// One reply is cancelled in the queue, and two are not tried, since their address refused another.
	reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "やめておきます。", To: []helpdesk.Address{{Email: "cancelled@kyaku.example"}}})
	must(reply, err)
	view, err = h.Message(h.ctx(), h.admin.Actor(), reply.ID)
	must(view, h.CancelDelivery(h.ctx(), h.admin.Actor(), view.Deliveries[0].ID))
	var again string
	for i := range 2 {
		reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: 1, Text: "ご確認ください。", To: []helpdesk.Address{{Email: "gone@kyaku.example"}}})
		must(reply, err)
		if i == 1 {
			h.fail(reply.ID, helpdesk.Attempt{Code: 550, Enhanced: "5.1.1", Text: "No such user"})
			break
		}
		view, err := h.Message(h.ctx(), h.admin.Actor(), reply.ID)
		must(view, err)
		again = view.Deliveries[0].ID
		_, _, err = h.StartDelivery(h.ctx(), again)
		must(nil, err)
		must(nil, h.RecordAttempt(h.ctx(), again, helpdesk.Attempt{Code: 451, Enhanced: "4.3.0", Text: "Later"}, false))
	}

	slow := &helpdesk.Error{Key: "analysis.unread.slow", Args: []any{120}}
	must(nil, h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: first.MessageID, Model: "m", Error: "the model gave no answer within 2m0s", Failure: helpdesk.KeepError(slow)}))
	must(nil, h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: copied.MessageID, Model: "m", Error: "as a version before said it"}))

	b := h.as(h.admin)
	b.get("/inbox/open/1").want(http.StatusOK).shows("佐藤 遥さんが送信待ちから取り消しました。", "以前のメールが届かなかったアドレスのため、送信していません。宛先のメールアドレスが存在しません。 5.1.1 No such user",
		"控えを <b>"+own+"</b> に送れませんでした：受信アドレス support@example.jp は停止中です", "返信として送信できませんでした",
		"分析できませんでした：モデルが120秒以内に応答しませんでした。", "分析できませんでした：as a version before said it").
		hides("cancelled in the queue", "not tried", "gave no answer", "could not be sent", "is disabled")
	b.post("/settings/profile", "name", "佐藤 遥", "locale", "en").want(http.StatusSeeOther)
	b.get("/inbox/open/1").want(http.StatusOK).shows("佐藤 遥 cancelled it in the queue.", "Nothing was sent, since an earlier mail to this address could not be delivered. There is no such address. 5.1.1 No such user",
		"A copy could not be sent to <b>"+own+"</b>: The alias support@example.jp is off", "It could not be sent as a reply", "The model gave no answer within 120 seconds.")
}

// replyTo answers a ticket, and returns the address at which the answer is answered.
func (h *house) replyTo(number uint64, text string) string {
	h.t.Helper()
	reply, err := h.Reply(h.ctx(), h.admin.Actor(), helpdesk.Reply{Ticket: number, Text: text})
	if err != nil {
		h.t.Fatal(err)
	}
	return reply.ReplyAddress
}
