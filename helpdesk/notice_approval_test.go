package helpdesk_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Who may approve is called until somebody has decided, and the author hears
// what became of the reply.
func TestApprovalCallsWhoDecidesAndTellsTheAuthor(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.approving()
	ctx := t.Context()
	author, other := h.newUser(helpdesk.RoleAgent), h.newUser(helpdesk.RoleSupervisor)
	ask := func(text string) string {
		t.Helper()
		sent, err := h.Send(ctx, author.Actor(), helpdesk.Reply{Ticket: 1, Text: text}, helpdesk.Sending{})
		if err != nil || sent.Draft == nil {
			t.Fatalf("asked for approval: %+v, %v", sent, err)
		}
		return sent.Draft.ID
	}
	id := ask("ご案内いたします。")
	h.wantTold(h.user, "approval 1×1")
	h.wantTold(other, "approval 1×1")
	h.wantTold(author)

	if _, err := h.SendBack(ctx, other.Actor(), id, "金額を入れてください。"); err != nil {
		t.Fatal(err)
	}
	h.wantTold(author, "returned 1×1")
	h.wantTold(h.user) // somebody has decided
	h.must(h.ReadNotices(ctx, author.Actor(), 0))

	id = ask("金額は 4,400 円です。")
	if _, err := h.Approve(ctx, other.Actor(), id, 0, nil); err != nil {
		t.Fatal(err)
	}
	h.wantTold(author, "approved 1×1")
	h.wantTold(h.user)
	h.verify()
}

func TestWhatDidNotLeaveIsSaid(t *testing.T) {
	h := newHouse(t)
	h.first()
	mori := h.newUser(helpdesk.RoleAgent)
	earlier, err := h.Reply(t.Context(), mori.Actor(), helpdesk.Reply{Ticket: 1, Text: "はじめのお返事です。"})
	if err != nil {
		t.Fatal(err)
	}
	h.later(mori.Actor(), draftID, "明日お送りします。", h.now.Add(time.Hour), false)
	h.post(earlier.ReplyAddress, "From: tamura@customer.example", "Test-DMARC: pass", "Subject: Re: Invoice 2291", "", "もう結構です。")
	h.wantTold(mori, "customer 1×1", "returned 1×1")
}

func TestSpamCallsNobody(t *testing.T) {
	h := newHouse(t)
	h.first()
	mori := h.newUser(helpdesk.RoleAgent)
	reply := h.reply(1, "x")
	h.must(h.ReadNotices(t.Context(), h.admin, 0))
	h.markSpam(1)
	h.post(reply.ReplyAddress, "From: tamura@customer.example", "Test-DMARC: pass", "Subject: Re: Invoice 2291", "", "Buy")
	h.change(1, helpdesk.Change{Assignee: &mori.ID})
	h.wantTold(h.user)
	h.wantTold(mori)
	if _, err := h.AddNote(t.Context(), h.admin, 1, "@"+mori.Name+" 本当に迷惑メールですか。"); err != nil {
		t.Fatal(err)
	}
	h.wantTold(mori, "mention 1×1") // a colleague asks
}

// A draft that is opened again, sent later or taken back keeps its signature,
// and counts the templates it was written with.
func TestDraftsKeepSignatureAndTemplates(t *testing.T) {
	h := newHouse(t)
	h.first()
	ctx := t.Context()
	template, err := h.SaveTemplate(ctx, h.admin, helpdesk.Template{Name: "御礼", Versions: []helpdesk.TemplateVersion{{Language: "ja", HTML: "ありがとうございます。"}}})
	if err != nil {
		t.Fatal(err)
	}
	signature := helpdesk.NewLocalized("", "窓口 佐藤")
	_, err = h.SaveDraft(ctx, h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1, Text: "x", Signature: &signature, Templates: []string{template.ID}})
	h.must(err)
	kept := h.ticket(1).Drafts[0].Draft
	if kept.Signature == nil || *kept.Signature != signature || len(kept.Templates) != 1 {
		t.Fatalf("kept: %+v", kept)
	}
	_, err = h.Send(ctx, h.admin, helpdesk.Reply{Ticket: 1, Text: "x", Draft: draftID, IdempotencyKey: draftID, Signature: kept.Signature, Templates: kept.Templates}, helpdesk.Sending{At: h.now.Add(time.Hour)})
	h.must(err)
	h.pass(time.Hour)
	h.sendDue()
	v := h.ticket(1)
	reply := v.Messages[1]
	if reply.Body.Text != "x\n\n-- \n窓口 佐藤" && reply.Body.ReplyText != "x" || len(reply.Message.Templates) != 1 {
		t.Errorf("sent: %q with %v", reply.Body.Text, reply.Message.Templates)
	}
	if _, err := h.Undo(ctx, h.admin, reply.Message.ID); err != nil {
		t.Fatal(err)
	}
	if back := h.ticket(1).Drafts[0].Draft; back.Signature == nil || *back.Signature != signature || len(back.Templates) != 1 {
		t.Errorf("taken back: %+v", back)
	}
}
