package helpdesk_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// later sends a reply of a draft at a time.
func (h *house) later(a helpdesk.Actor, id, text string, at time.Time, regardless bool) *helpdesk.Draft {
	h.t.Helper()
	h.draft(a, 1, id, text)
	sent, err := h.Send(h.t.Context(), a, helpdesk.Reply{Ticket: 1, Text: text, Seen: h.ticket(1).LastSeq, Draft: id, IdempotencyKey: id}, helpdesk.Sending{At: at, Regardless: regardless})
	if err != nil || sent.Draft == nil {
		h.t.Fatalf("scheduling gave %+v, %v", sent, err)
	}
	return sent.Draft
}

// sendDue works on the timers of scheduled drafts, and returns how many were due.
func (h *house) sendDue() int {
	h.t.Helper()
	due, _, err := h.ClaimDue(h.t.Context(), helpdesk.TimerSend, 10, time.Minute)
	h.must(err)
	for _, timer := range due {
		h.must(h.SendScheduled(h.t.Context(), timer.ID))
	}
	return len(due)
}

func TestScheduledReplyLeavesOnceAtItsTime(t *testing.T) {
	h := newHouse(t)
	h.first()
	_, err := h.Send(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "x"}, helpdesk.Sending{At: h.now})
	wantCode(t, err, helpdesk.CodeInvalid, "has passed")
	h.later(h.admin, draftID, "Good morning", h.now.Add(15*time.Hour), false)
	if v := h.ticket(1); v.Row.Ticket.Scheduled != 1 || len(v.Messages) != 1 || v.Drafts[0].State != helpdesk.DraftScheduled {
		t.Fatalf("scheduled: %+v", v.Drafts)
	}
	_, err = h.SaveDraft(t.Context(), h.admin, helpdesk.Draft{ID: draftID, Kind: helpdesk.DraftReply, Ticket: 1, Text: "changed"})
	if keyOf(err) != "draft_scheduled" {
		t.Errorf("a save of a scheduled draft: %v", err)
	}
	h.pass(15*time.Hour - time.Second)
	if n := h.sendDue(); n != 0 {
		t.Fatalf("%d were due a second too early", n)
	}
	h.pass(time.Second)

	// A crash before the commit leaves draft and timer; one after it leaves neither.
	due, _, err := h.ClaimDue(t.Context(), helpdesk.TimerSend, 10, time.Minute)
	if err != nil || len(due) != 1 {
		t.Fatalf("%d due, %v", len(due), err)
	}
	h.fault.FailCommit(1, errors.New("the disk is gone"))
	if err := h.SendScheduled(t.Context(), draftID); err == nil {
		t.Fatal("the commit did not fail")
	}
	if v := h.ticket(1); len(v.Messages) != 1 || v.Row.Ticket.Scheduled != 1 {
		t.Fatalf("after the failure: %d messages, %d scheduled", len(v.Messages), v.Row.Ticket.Scheduled)
	}
	h.must(h.ReleaseClaims(t.Context()))
	if n := h.sendDue(); n != 1 {
		t.Fatalf("%d were due after the restart", n)
	}
	h.must(h.SendScheduled(t.Context(), draftID)) // whoever claimed it before comes late
	v := h.ticket(1)
	if len(v.Messages) != 2 || v.Messages[1].Message.AuthorID != h.admin.UserID || len(v.Drafts) != 0 || v.Row.Ticket.Scheduled != 0 || !v.Row.Ticket.WaitingSince.IsZero() {
		t.Errorf("sent: %d messages, drafts %+v", len(v.Messages), v.Drafts)
	}
}

func TestCustomerStopsWhatWasScheduled(t *testing.T) {
	h := newHouse(t)
	h.first()
	earlier := h.reply(1, "first answer")
	h.later(h.admin, draftID, "stopped", h.now.Add(time.Hour), false)
	h.later(h.admin, otherID, "regardless", h.now.Add(time.Hour), true)
	h.post(earlier.ReplyAddress, "From: tamura@customer.example", "Test-DMARC: pass", "Subject: Re: Invoice 2291", "", "Never mind.")
	v := h.ticket(1)
	if v.Row.Ticket.Scheduled != 1 || !strings.Contains(kinds(v.Events), "reply.stopped") {
		t.Fatalf("%d still scheduled, events %s", v.Row.Ticket.Scheduled, kinds(v.Events))
	}
	for _, d := range v.Drafts {
		if d.ID == draftID && (d.State != helpdesk.DraftWriting || d.Returned == nil || d.Returned.Why != helpdesk.ReturnedByCustomer) {
			t.Errorf("stopped: %+v", d)
		}
	}
	h.pass(time.Hour)
	if n := h.sendDue(); n != 1 {
		t.Errorf("%d were due", n)
	}
	if v := h.ticket(1); len(v.Messages) != 4 || v.Messages[3].Body.Text != "regardless" {
		t.Errorf("%d messages, the newest %q", len(v.Messages), v.Messages[len(v.Messages)-1].Body.Text)
	}
}

// What is spam is answered by nobody, also not by what waits for its time.
func TestSpamStopsWhatWasScheduled(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.later(h.admin, draftID, "stopped", h.now.Add(time.Hour), true)
	if _, err := h.MarkSpam(t.Context(), h.admin, 1, helpdesk.BlockNobody); err != nil {
		t.Fatal(err)
	}
	h.pass(2 * time.Hour)
	h.sendDue()
	v := h.ticket(1)
	if len(v.Messages) != 1 || v.Row.Ticket.Spam == nil || v.Row.Ticket.Scheduled != 0 || !strings.Contains(kinds(v.Events), "reply.stopped") {
		t.Errorf("%d messages, spam %+v, %d scheduled, events %s", len(v.Messages), v.Row.Ticket.Spam, v.Row.Ticket.Scheduled, kinds(v.Events))
	}
	if len(v.Drafts) != 1 || v.Drafts[0].State != helpdesk.DraftWriting || v.Drafts[0].Returned == nil || v.Drafts[0].Returned.Why != helpdesk.ReturnedSpam {
		t.Errorf("its author has not got it back: %+v", v.Drafts)
	}
	h.verify()
}

func TestScheduledReplyIsRecalledOrSentNow(t *testing.T) {
	h := newHouse(t)
	h.first()
	ito := h.colleague("Ito", helpdesk.RoleAgent)
	h.later(h.admin, draftID, "recalled", h.now.Add(time.Hour), false)
	_, err := h.RecallDraft(t.Context(), ito, draftID)
	h.must(err)
	if d := h.ticket(1).Drafts[0]; d.State != helpdesk.DraftWriting || d.UserID != h.admin.UserID {
		t.Errorf("recalled: %+v", d)
	}
	h.later(h.admin, draftID, "now", h.now.Add(time.Hour), false)
	m, err := h.SendNow(t.Context(), ito, draftID)
	if err != nil || m.AuthorID != h.admin.UserID {
		t.Errorf("sent now: %+v, %v", m, err)
	}
	h.pass(2 * time.Hour)
	if n := h.sendDue(); n != 0 || len(h.ticket(1).Messages) != 2 {
		t.Errorf("%d due, %d messages", n, len(h.ticket(1).Messages))
	}
}

func TestWhatCannotLeaveGoesBackToItsAuthor(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.later(h.admin, draftID, "to a dead alias", h.now.Add(time.Hour), false)
	h.alias.Disabled = true
	_, err := h.SaveAlias(t.Context(), h.admin, h.alias)
	h.must(err)
	h.pass(time.Hour)
	h.sendDue()
	d := h.ticket(1).Drafts[0]
	if d.State != helpdesk.DraftWriting || d.Returned == nil || d.Returned.Why != helpdesk.ReturnedFailed || d.Returned.Text == "" {
		t.Errorf("went back as %+v", d.Draft)
	}
	if e := helpdesk.KeptError(d.Returned.Failure, d.Returned.Text); e.Key == "" || e.Message != d.Returned.Text {
		t.Errorf("its reason has no sentence: %+v", e)
	}
}

// approving makes the house's alias ask for a second person.
func (h *house) approving() {
	h.t.Helper()
	h.alias.Approval = true
	saved, err := h.SaveAlias(h.t.Context(), h.admin, h.alias)
	h.must(err)
	h.alias = *saved
}

func TestSecondPersonApprovesAndNeverTheAuthor(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.approving()
	ito, mori := h.colleague("Ito", helpdesk.RoleAgent), h.colleague("Mori", helpdesk.RoleSupervisor)
	_, err := h.Reply(t.Context(), ito, helpdesk.Reply{Ticket: 1, Text: "direct"})
	if keyOf(err) != "approval_needed" {
		t.Fatalf("a direct reply: %v", err)
	}
	reply := helpdesk.Reply{Ticket: 1, Text: "Here is your invoice.", IdempotencyKey: "api-1", Close: true,
		Attachments: []helpdesk.Upload{{Filename: "invoice.pdf", ContentType: "application/pdf", Data: []byte("%PDF")}}}
	sent, err := h.Send(t.Context(), ito, reply, helpdesk.Sending{})
	if err != nil || sent.Draft == nil || sent.Draft.State != helpdesk.DraftReview {
		t.Fatalf("requested: %+v, %v", sent, err)
	}
	id := sent.Draft.ID
	again, err := h.Send(t.Context(), ito, reply, helpdesk.Sending{})
	if err != nil || again.Draft == nil || again.Draft.ID != id {
		t.Errorf("requested again: %+v, %v", again, err)
	}
	rows, _, err := h.Tickets(t.Context(), mori, helpdesk.TicketQuery{View: helpdesk.ViewApproval})
	if err != nil || len(rows) != 1 {
		t.Errorf("waiting for approval: %d, %v", len(rows), err)
	}
	_, err = h.Approve(t.Context(), ito, id, 0, nil)
	wantCode(t, err, helpdesk.CodeForbidden, "approve")
	if _, err := h.TakeDraft(t.Context(), mori, id); keyOf(err) != "draft_review" {
		t.Errorf("a reply in review was taken over: %v", err)
	}

	if _, err := h.SendBack(t.Context(), mori, id, " "); keyOf(err) != "comment_empty" {
		t.Errorf("sent back without a word: %v", err)
	}
	back, err := h.SendBack(t.Context(), mori, id, "The amount is missing.")
	if err != nil || back.State != helpdesk.DraftWriting || back.Returned.Text != "The amount is missing." || back.UserID != ito.UserID || len(back.Files) != 1 {
		t.Fatalf("sent back: %+v, %v", back, err)
	}
	sent, err = h.Send(t.Context(), ito, helpdesk.Reply{Ticket: 1, Text: "Here is your invoice of 4,000 yen.", Draft: id, IdempotencyKey: id, Close: true}, helpdesk.Sending{})
	h.must(err)
	seen := h.ticket(1).LastSeq
	posted, err := h.Approve(t.Context(), mori, id, seen, &helpdesk.Reply{Text: "Here is your invoice of 4,400 yen."})
	if err != nil || posted.Message == nil {
		t.Fatalf("approved: %+v, %v", posted, err)
	}
	v := h.ticket(1)
	newest := v.Messages[len(v.Messages)-1]
	if newest.Message.AuthorID != ito.UserID || newest.Body.Text != "Here is your invoice of 4,400 yen." || len(newest.Message.Attachments) != 1 || v.Row.Ticket.Open {
		t.Errorf("went out as %+v, open %v", newest.Message, v.Row.Ticket.Open)
	}
	var approved *helpdesk.Event
	for _, e := range v.Events {
		if e.Kind == helpdesk.EventReplyApproved {
			approved = &e
		}
	}
	if approved == nil || approved.Actor.UserID != mori.UserID || approved.Data["edited"] != "yes" || v.Row.Ticket.Reviews != 0 {
		t.Errorf("the log says %+v, %d still wait", approved, v.Row.Ticket.Reviews)
	}

	// A supervisor's own reply too needs somebody else.
	sent, err = h.Send(t.Context(), mori, helpdesk.Reply{Ticket: 1, Text: "mine"}, helpdesk.Sending{})
	h.must(err)
	if _, err := h.Approve(t.Context(), mori, sent.Draft.ID, 0, nil); keyOf(err) != "approval_own" {
		t.Errorf("approved by its author: %v", err)
	}
}

func TestApprovalLooksAtWhatTheCustomerWroteAndAtTheTime(t *testing.T) {
	h := newHouse(t)
	h.first()
	earlier := h.reply(1, "first answer")
	h.approving()
	ito := h.colleague("Ito", helpdesk.RoleAgent)
	h.draft(ito, 1, draftID, "tomorrow")
	sent, err := h.Send(t.Context(), ito, helpdesk.Reply{Ticket: 1, Text: "tomorrow", Draft: draftID, IdempotencyKey: draftID}, helpdesk.Sending{At: h.now.Add(24 * time.Hour), Regardless: true})
	if err != nil || sent.Draft.State != helpdesk.DraftReview {
		t.Fatalf("requested %+v, %v", sent, err)
	}
	seen := h.ticket(1).LastSeq
	h.post(earlier.ReplyAddress, "From: tamura@customer.example", "Test-DMARC: pass", "Subject: Re: Invoice 2291", "", "One more thing.")
	if _, err := h.Approve(t.Context(), h.admin, draftID, seen, nil); keyOf(err) != "thread_changed" {
		t.Errorf("approved over the customer's head: %v", err)
	}
	approved, err := h.Approve(t.Context(), h.admin, draftID, h.ticket(1).LastSeq, nil)
	if err != nil || approved.Draft == nil || approved.Draft.State != helpdesk.DraftScheduled {
		t.Fatalf("approved: %+v, %v", approved, err)
	}
	h.pass(24 * time.Hour)
	if n := h.sendDue(); n != 1 || len(h.ticket(1).Messages) != 4 {
		t.Errorf("%d due, %d messages, drafts %+v", n, len(h.ticket(1).Messages), h.ticket(1).Drafts)
	}
}

func TestNothingLeavesForWhoWasShutOut(t *testing.T) {
	h := newHouse(t)
	h.first()
	ito := h.colleague("ito", helpdesk.RoleAgent)
	h.change(1, helpdesk.Change{Assignee: &h.user.ID})
	draft := h.later(ito, draftID, "Ito's words", h.now.Add(time.Hour), true)
	off := true
	if _, err := h.ChangeUser(t.Context(), h.admin, ito.UserID, helpdesk.UserChange{Disabled: &off}); err != nil {
		t.Fatal(err)
	}
	_, err := h.SendNow(t.Context(), h.admin, draft.ID)
	wantCode(t, err, helpdesk.CodeConflict, "can no longer log in")
	h.pass(time.Hour)
	h.sendDue()
	h.pass(time.Minute)
	if left := h.deliver(taken); len(left) != 0 {
		t.Errorf("it left: %v", left)
	}
	if got := kinds(h.ticket(1).Events); !strings.HasSuffix(got, string(helpdesk.EventReplyStopped)) {
		t.Errorf("nothing says that draft %s was stopped: %s", draft.ID, got)
	}
}

// Nor does a second person let it leave; it goes back, from where a colleague takes
// it over.
func TestNothingIsApprovedForWhoWasShutOut(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.approving()
	ito, mori := h.colleague("Ito", helpdesk.RoleAgent), h.colleague("Mori", helpdesk.RoleSupervisor)
	sent, err := h.Send(t.Context(), ito, helpdesk.Reply{Ticket: 1, Text: "Ito's words"}, helpdesk.Sending{})
	h.must(err)
	_, err = h.ChangeUser(t.Context(), h.admin, ito.UserID, helpdesk.UserChange{Disabled: new(true)})
	h.must(err)
	_, err = h.Approve(t.Context(), mori, sent.Draft.ID, h.ticket(1).LastSeq, nil)
	wantCode(t, err, helpdesk.CodeConflict, "can no longer log in")
	_, err = h.SendBack(t.Context(), mori, sent.Draft.ID, "Ito has left")
	h.must(err)
	if _, err := h.TakeDraft(t.Context(), mori, sent.Draft.ID); err != nil {
		t.Error(err)
	}
	h.verify()
}
