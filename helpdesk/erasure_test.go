package helpdesk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// erase carries an erasure out to its end.
func (h *house) erase(id string) helpdesk.Erasure {
	h.t.Helper()
	if err := h.EraseRecords(h.t.Context(), id); err != nil {
		h.t.Fatal(err)
	}
	h.verify()
	if err := h.FinishErasure(h.t.Context(), id); err != nil {
		h.t.Fatal(err)
	}
	list, err := h.Erasures(h.t.Context(), h.admin)
	if err != nil || len(list) == 0 {
		h.t.Fatalf("erasures: %v, %v", list, err)
	}
	return list[0]
}

// mail is one of Tamura, whose every word is marked.
func (h *house) ofTamura(to, subject string, more ...string) helpdesk.Receipt {
	h.t.Helper()
	return h.post(to, slices.Concat([]string{"From: Tamura Misaki <tamura@private.example>", "To: " + to, "Subject: Tamura " + subject, "Test-DMARC: pass"}, more,
		[]string{"", "Tamura asks about " + subject})...)
}

// tamura is a house in which a person left traces wherever there can be some, and what of
// it is another customer's.
func tamura(t *testing.T) (h *house, contact string, shared, others uint64) {
	h = newHouse(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	unknown := incoming("support@example.jp", "From: Tamura <tamura@private.example>\r\n\r\nTamura\r\n", h.now)
	unknown.Envelope.RemoteIP, unknown.Envelope.MailFrom = "192.0.2.7", "Tamura@private.example"
	if wait, err := h.Greylist(ctx, unknown); err != nil || wait == 0 {
		t.Fatalf("not put off: %v, %v", wait, err)
	}
	hook, _, err := h.SaveWebhook(ctx, h.admin, helpdesk.Webhook{Name: "倉庫", URL: "https://warehouse.example/hook", Kinds: []helpdesk.EventKind{helpdesk.EventTicketCreated, helpdesk.EventContactSaved}})
	must(err)
	others = h.post("support@example.jp", "From: Kojima <kojima@other.example>", "Subject: mine", "", "of Kojima").Ticket
	first := h.ofTamura("support@example.jp", "the invoice")
	contact = h.ticket(first.Ticket).Row.Ticket.ContactID
	must(h.StoreAnalysis(ctx, helpdesk.Analysis{MessageID: first.MessageID, Model: "m", ReplyType: "standard", Opportunity: 3, Summary: "Tamura asks", Language: "en"}))
	_, err = h.Change(ctx, h.admin, first.Ticket, helpdesk.Change{Assignee: &h.user.ID, Tags: &[]string{"tamura-tag"}})
	must(err)
	_, err = h.AddNote(ctx, h.admin, first.Ticket, "Tamura called")
	must(err)
	h.reply(first.Ticket, "Dear Tamura, here it is")
	h.pass(time.Minute)
	h.deliver(taken)
	reply := h.ticket(first.Ticket).Messages[1].Message
	h.ofTamura(reply.ReplyAddress, "the invoice again", "In-Reply-To: <"+reply.MessageID+">")
	h.reply(first.Ticket, "this one is still waiting, Tamura")
	_, err = h.SaveDraft(ctx, h.admin, helpdesk.Draft{ID: "draft-to-tamura", Kind: helpdesk.DraftReply, Ticket: first.Ticket, Text: "Dear Tamura"})
	must(err)
	_, err = h.SaveDraft(ctx, h.admin, helpdesk.Draft{ID: "mail-to-tamura", Kind: helpdesk.DraftMail, AliasID: h.alias.ID, To: "tamura@private.example", Text: "Dear Tamura"})
	must(err)

	merged := h.ofTamura("support@example.jp", "something that is merged").Ticket
	_, err = h.Merge(ctx, h.admin, merged, first.Ticket)
	must(err)
	held := h.ofTamura("support@example.jp", "something on hold").Ticket
	_, err = h.Snooze(ctx, h.admin, held, h.now.Add(time.Hour), "Tamura is away")
	must(err)
	_, err = h.MarkSpam(ctx, h.admin, h.ofTamura("support@example.jp", "spam").Ticket, helpdesk.BlockNobody)
	must(err)
	many := h.writeToMany(h.admin, "To all", held, others)
	_, err = h.SendBulkReply(ctx, h.admin, many.ID)
	must(err)
	h.settleMany(many.ID)

	second := h.post("support@example.jp", "From: Tamura <misaki@tamura.example>", "Subject: Tamura from elsewhere", "", "Tamura").Ticket
	_, err = h.MergeContacts(ctx, h.admin, h.ticket(second).Row.Ticket.ContactID, contact)
	must(err)
	phone, notes := "03-1234-5678 tamura", "Tamura is kind"
	_, err = h.ChangeContact(ctx, h.admin, contact, helpdesk.ContactChange{Phone: &phone, Notes: &notes})
	must(err)
	aside := forged("support@example.jp", "quarantine", "From: Tamura <tamura@private.example>", "Subject: Tamura aside", "Date: Sat, 21 Nov 2026 10:00:00 +0900", "", "Tamura")
	if got := h.receive(aside); got.State != helpdesk.MessageQuarantined {
		t.Fatalf("not set aside: %+v", got)
	}

	shared = h.post("support@example.jp", "From: Tamura <tamura@private.example>", "To: support@example.jp", "Cc: kojima@other.example", "Subject: shared", "", "of both").Ticket
	h.reply(shared, "to both")
	var told *helpdesk.WebhookCall
	for {
		told, err = h.NextWebhook(ctx, hook.ID, told, false)
		must(err)
		if told == nil {
			break
		}
		told.Attempt = helpdesk.WebhookAttempt{At: h.now, Status: 200, Head: "ok"}
		if told.Delivery.Ticket != others {
			told.Attempt.Head = "we have Tamura now"
		}
		if told.Delivery.Ticket == 0 {
			told.Attempt.Head = "tamura@private.example"
		}
	}
	last := h.ticket(shared)
	if got := h.post(last.Messages[len(last.Messages)-1].Message.ReplyAddress, "From: Kojima <kojima@other.example>", "Subject: Re: shared", "", "Kojima too"); got.Ticket != shared {
		t.Fatalf("the answer of the other customer is on %+v", got)
	}
	h.unsentTo("tamura@private.example")
	return h, contact, shared, others
}

// unsentTo asks for approval of new mails to somebody, which are sent back: one stays a
// draft, one is discarded. What is said of them is mailed to whom it concerns.
func (h *house) unsentTo(address string) {
	h.t.Helper()
	ctx := h.t.Context()
	h.approving()
	author, approver := h.newUser(helpdesk.RoleAgent), h.newUser(helpdesk.RoleSupervisor)
	for _, u := range []*helpdesk.User{author, approver} {
		h.must(h.ChooseNotices(ctx, u.Actor(), helpdesk.NoticeChoice{Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{
			helpdesk.NoticeApproval: {helpdesk.ChannelWeb, helpdesk.ChannelMail}, helpdesk.NoticeReturned: {helpdesk.ChannelWeb, helpdesk.ChannelMail}}}))
	}
	for _, discarded := range []bool{true, false} {
		sent, err := h.Send(ctx, author.Actor(), helpdesk.Reply{Text: "Dear Tamura", To: []helpdesk.Address{{Email: address}}, Opening: &helpdesk.Opening{AliasID: h.alias.ID, Subject: "Tamura, your order"}}, helpdesk.Sending{})
		h.must(err)
		h.mailSubjects()
		_, err = h.SendBack(ctx, approver.Actor(), sent.Draft.ID, "Tamura has paid")
		h.must(err)
		if discarded {
			h.must(h.DiscardDraft(ctx, author.Actor(), sent.Draft.ID))
		}
		if mailed := h.mailSubjects(); !strings.Contains(mailed[author.Email], "Tamura") {
			h.t.Fatalf("mailed to the author: %v", mailed)
		}
		h.must(h.ReadNotices(ctx, author.Actor(), 0))
	}
	h.alias.Approval = false
	saved, err := h.SaveAlias(ctx, h.admin, h.alias)
	h.must(err)
	h.alias = *saved
}

// mailSubjects mails notices with what they are about, and returns them by recipient.
func (h *house) mailSubjects() map[string]string {
	h.t.Helper()
	h.pass(5 * time.Minute)
	h.work(helpdesk.TimerNotice, func(ctx context.Context, id string) error {
		return h.MailNotice(ctx, id, func(_ string, n helpdesk.NoticeView) (string, string) { return n.Notice.Subject, n.Notice.Subject })
	})
	return h.deliver(taken)
}

// Nothing in the store names somebody who was erased, but the ticket that is another
// customer's too; whatever is another's is as it was.
func TestErasingAPersonLeavesNothingOfThem(t *testing.T) {
	h, contact, shared, others := tamura(t)
	plan, err := h.PlanErasure(t.Context(), h.admin, contact)
	if err != nil || plan.Tickets != 4 || len(plan.Left) != 1 || plan.Left[0].Number != shared {
		t.Fatalf("the plan: %+v, %v", plan, err)
	}
	before := h.ticket(others)
	e, err := h.EraseContact(t.Context(), h.admin, contact, " Tamura@Private.example ")
	if err != nil {
		t.Fatal(err)
	}
	h.verify()
	done := h.erase(e.ID)
	if done.State != helpdesk.ErasureDone || done.Tickets != 5 || done.Mails != 6 || !slices.Equal(done.Left, []uint64{shared}) {
		t.Errorf("the erasure: %+v", done)
	}
	hooks, err := h.Webhooks(t.Context(), h.admin)
	if err != nil || len(hooks) != 1 {
		t.Fatalf("webhooks: %v, %v", hooks, err)
	}
	if list, err := h.WebhookDeliveries(t.Context(), h.admin, hooks[0].ID, 100); err != nil || !slices.ContainsFunc(list, func(w helpdesk.WebhookDelivery) bool { return w.Ticket == others && w.Attempts[0].Head == "ok" }) {
		t.Errorf("what was answered about others: %+v, %v", list, err)
	}
	traces := h.Traces(t.Context(), "tamura")
	kept := []string{fmt.Sprintf("Ticket:%d ", shared), fmt.Sprintf("Number:%d ", shared)}
	for _, m := range h.ticket(shared).Messages {
		kept = append(kept, m.Message.ID)
	}
	for _, trace := range traces {
		if !slices.ContainsFunc(kept, func(id string) bool { return strings.Contains(trace, id) }) {
			t.Errorf("left behind: %.300s", trace)
		}
	}
	if len(traces) == 0 {
		t.Error("the ticket that stays is not found: the search for traces finds nothing")
	}
	if after := h.ticket(others); len(after.Messages) != len(before.Messages) || after.Row.Ticket.Subject != "mine" {
		t.Errorf("another customer's ticket: %+v", after.Row.Ticket)
	}
	if row := h.ticket(shared).Row; row.Contact.Email != "kojima@other.example" || row.Ticket.Messages != 3 {
		t.Errorf("the ticket that stays: %+v", row)
	}
	l := h.ledger(helpdesk.LedgerQuery{})
	if !l.Balanced() || l.Total.Places[helpdesk.PlaceErased] != 6 || l.Total.Places[helpdesk.PlacePurged] != 1 {
		t.Errorf("the ledger: %+v", l.Total)
	}
	again := h.ofTamura("support@example.jp", "something new")
	if id := h.ticket(again.Ticket).Row.Ticket.ContactID; id == contact || h.ticket(again.Ticket).Row.Ticket.Messages != 1 {
		t.Errorf("who writes again is %s, on %+v", id, again)
	}
}

// An erasure that breaks off goes on where it was, and the store is whole in between.
func TestAnErasureGoesOnAfterAFailure(t *testing.T) {
	h, contact, _, _ := tamura(t)
	e, err := h.EraseContact(t.Context(), h.admin, contact, "tamura@private.example")
	if err != nil {
		t.Fatal(err)
	}
	failure := errors.New("no power")
	for broken := 1; ; broken++ {
		h.fault.FailCommit(2, failure)
		err := h.EraseRecords(t.Context(), e.ID)
		h.verify()
		if err == nil {
			h.fault.FailCommit(1, nil)
			h.fault.FailCommit(2, nil)
			break
		}
		if !errors.Is(err, failure) || broken > 50 {
			t.Fatalf("after %d failures: %v", broken, err)
		}
	}
	if done := h.erase(e.ID); done.Tickets != 5 || done.Mails != 6 {
		t.Errorf("the erasure: %+v", done)
	}
}

// Erasing needs its permission and the address typed, and what was erased can be worked on,
// undone and brought back no more.
func TestErasingIsForGood(t *testing.T) {
	h, contact, _, _ := tamura(t)
	ctx := t.Context()
	first := uint64(2)
	copied, err := h.CopyTicket(ctx, h.admin, first)
	if err != nil {
		t.Fatal(err)
	}
	movings, err := h.Movings(ctx, h.admin, first)
	if err != nil || len(movings) != 1 {
		t.Fatalf("movings: %v, %v", movings, err)
	}
	agent := h.admin
	agent.Role = helpdesk.RoleAgent
	_, err = h.EraseContact(ctx, agent, contact, "tamura@private.example")
	wantCode(t, err, helpdesk.CodeForbidden, "erase")
	_, err = h.EraseContact(ctx, h.admin, contact, "misaki@tamura.example")
	wantCode(t, err, helpdesk.CodeInvalid, "type tamura@private.example")
	e, err := h.EraseContact(ctx, h.admin, contact, "tamura@private.example")
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.EraseContact(ctx, h.admin, contact, "tamura@private.example")
	wantCode(t, err, helpdesk.CodeNotFound, "contact")
	h.erase(e.ID)
	_, err = h.AddNote(ctx, h.admin, first, "x")
	wantCode(t, err, helpdesk.CodeConflict, "erased")
	_, err = h.UndoMerge(ctx, h.admin, movings[0].ID)
	wantCode(t, err, helpdesk.CodeConflict, "")
	_, err = h.RestoreTicket(ctx, h.admin, copied)
	wantCode(t, err, helpdesk.CodeConflict, "erased")
	if v := h.ticket(first); v.Row.Ticket.ErasedAt.IsZero() || len(v.Messages)+len(v.Notes) > 0 {
		t.Errorf("the ticket: %+v", v.Row.Ticket)
	}
}

// Mail that comes while the person is erased is a new customer's, whom nothing takes it from.
func TestMailThatComesDuringAnErasureStays(t *testing.T) {
	h, contact, _, _ := tamura(t)
	e, err := h.EraseContact(t.Context(), h.admin, contact, "tamura@private.example")
	if err != nil {
		t.Fatal(err)
	}
	now, err := h.Erasure(t.Context(), h.admin, e.ID)
	if err != nil || now.State != helpdesk.ErasingTickets || now.Addresses != nil {
		t.Errorf("the erasure under way: %+v, %v", now, err)
	}
	number := h.ofTamura("support@example.jp", "something meanwhile").Ticket
	again := h.ticket(number).Row.Ticket.ContactID
	h.erase(e.ID)
	if v := h.ticket(number); again == contact || v.Row.Contact.Email != "tamura@private.example" || len(v.Messages) != 1 || v.Row.Ticket.Subject != "Tamura something meanwhile" {
		t.Errorf("the mail that came meanwhile: %+v", v.Row)
	}
	second, err := h.EraseContact(t.Context(), h.admin, again, "tamura@private.example")
	if err != nil {
		t.Fatal(err)
	}
	if done := h.erase(second.ID); done.Tickets != 1 || done.Mails != 1 {
		t.Errorf("erasing who wrote again: %+v", done)
	}
	_, err = h.Erasure(t.Context(), h.admin, "nothing")
	wantCode(t, err, helpdesk.CodeNotFound, "erasure")
	agent := h.admin
	agent.Role = helpdesk.RoleAgent
	_, err = h.Erasure(t.Context(), agent, e.ID)
	wantCode(t, err, helpdesk.CodeForbidden, "erasures")
}

// Who is a customer and works here too stays a user, and the audit log says what was done
// to the account.
func TestErasingACustomerWhoIsAUser(t *testing.T) {
	h, contact, _, _ := tamura(t)
	u, err := h.CreateUser(t.Context(), h.admin, helpdesk.NewUser{Email: "tamura@private.example", Name: "Tamura", Password: "correct horse battery", Role: helpdesk.RoleAgent})
	if err != nil {
		t.Fatal(err)
	}
	mergings := h.contact(contact).Mergings
	if len(mergings) != 1 {
		t.Fatalf("mergings: %+v", mergings)
	}
	e, err := h.EraseContact(t.Context(), h.admin, contact, "tamura@private.example")
	if err != nil {
		t.Fatal(err)
	}
	h.erase(e.ID)
	if all, err := h.Users(t.Context(), h.admin); err != nil || !slices.ContainsFunc(all, func(other helpdesk.User) bool { return other.ID == u.ID && other.Email == u.Email }) {
		t.Errorf("the users: %+v, %v", all, err)
	}
	list, _, err := h.Audit(t.Context(), h.admin, helpdesk.AuditQuery{Kind: "user"})
	if err != nil || !slices.ContainsFunc(list, func(e helpdesk.Event) bool { return e.Data["user"] == "tamura@private.example" }) {
		t.Errorf("the audit log: %+v, %v", list, err)
	}
	list, err = h.Events(t.Context(), h.admin, 0, 10_000)
	if err != nil || slices.ContainsFunc(list, func(e helpdesk.Event) bool { return strings.HasPrefix(string(e.Kind), "contact.") && len(e.Data) > 1 }) {
		t.Errorf("what the log says of contacts: %+v, %v", list, err)
	}
	_, err = h.UndoMergeContacts(t.Context(), h.admin, mergings[0].ID)
	wantCode(t, err, helpdesk.CodeNotFound, "")
}
