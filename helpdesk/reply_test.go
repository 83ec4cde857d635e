package helpdesk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

func TestReplyLeavesAfterTheUndoWindow(t *testing.T) {
	h := newHouse(t)
	first := h.first()
	m := h.reply(1, "お送りします。")
	if sent := h.deliver(taken); len(sent) != 0 {
		t.Fatalf("sent within the undo window: %v", sent)
	}
	h.pass(10 * time.Second)
	sent := h.deliver(taken)
	raw, ok := sent["tamura@customer.example"]
	if !ok || len(sent) != 1 {
		t.Fatalf("sent to %v", sent)
	}
	got := mail.Parse([]byte(raw))
	original := h.ticket(1).Messages[0].Message
	if got.From.Address != "support@example.jp" || got.From.Name != "サポート窓口" || got.Subject != "Re: Invoice 2291" {
		t.Errorf("from %+v, subject %q", got.From, got.Subject)
	}
	if len(got.ReplyTo) != 1 || got.ReplyTo[0].Address != m.ReplyAddress || !strings.HasPrefix(m.ReplyAddress, "reply+") {
		t.Errorf("reply to %+v, want %s", got.ReplyTo, m.ReplyAddress)
	}
	if !slices.Equal(got.InReplyTo, []string{original.MessageID}) || !slices.Contains(got.References, original.MessageID) || got.MessageID != m.MessageID {
		t.Errorf("in reply to %q, references %q, id %q", got.InReplyTo, got.References, got.MessageID)
	}
	if !strings.Contains(got.Text, "お送りします。") || !strings.Contains(got.HTML, "お送りします。") {
		t.Errorf("text %q, html %q", got.Text, got.HTML)
	}
	v := h.ticket(1)
	if v.Messages[1].Deliveries[0].State != helpdesk.DeliverySent || !v.Row.Ticket.WaitingSince.IsZero() || v.Row.AssigneeName != "佐藤 遥" {
		t.Errorf("delivery %+v, ticket %+v", v.Messages[1].Deliveries, v.Row)
	}
	if again := h.deliver(taken); len(again) != 0 {
		t.Errorf("sent again: %v", again)
	}
	_, err := h.Undo(t.Context(), h.admin, m.ID)
	wantCode(t, err, helpdesk.CodeConflict, "already left")
	_ = first
}

func TestUndoGivesEverythingBack(t *testing.T) {
	h := newHouse(t)
	h.first()
	before := h.ticket(1).Row.Ticket
	m, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Too early", Close: true})
	if err != nil {
		t.Fatal(err)
	}
	if v := h.ticket(1); v.Row.Ticket.Open || !v.Messages[1].Undoable {
		t.Fatalf("after reply and close: %+v", v.Row.Ticket)
	}
	undone, err := h.Undo(t.Context(), h.admin, m.ID)
	if err != nil || undone.Body.Text != "Too early" {
		t.Fatalf("undone %+v, %v", undone, err)
	}
	h.pass(time.Hour)
	if sent := h.deliver(taken); len(sent) != 0 {
		t.Errorf("an undone reply was sent: %v", sent)
	}
	after := h.ticket(1).Row.Ticket
	if after.StageID != before.StageID || after.AssigneeID != "" || after.WaitingSince != before.WaitingSince || after.Messages != 1 || after.Snippet != before.Snippet {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

func TestReplyStopsWhenTheThreadChanged(t *testing.T) {
	h := newHouse(t)
	h.first()
	seen := h.ticket(1).LastSeq
	h.post("support@example.jp", "From: tamura@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice", "", "Wait, I found it")
	_, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Here it is", Seen: seen})
	wantCode(t, err, helpdesk.CodeConflict, "wrote again")
	if _, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Good", Seen: h.ticket(1).LastSeq}); err != nil {
		t.Error(err)
	}
}

func TestRepeatedPostIsOneReply(t *testing.T) {
	h := newHouse(t)
	h.first()
	r := helpdesk.Reply{Ticket: 1, Text: "Once", IdempotencyKey: "k1"}
	one, err := h.Reply(t.Context(), h.admin, r)
	if err != nil {
		t.Fatal(err)
	}
	two, err := h.Reply(t.Context(), h.admin, r)
	if err != nil || two.ID != one.ID {
		t.Errorf("second post: %v, %v", two, err)
	}
	h.pass(time.Minute)
	if v := h.ticket(1); len(v.Messages) != 2 || len(h.deliver(taken)) != 1 {
		t.Errorf("%d messages", len(v.Messages))
	}
}

func TestDeliveryIsDeferredThenGivenUp(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.reply(1, "Hello")
	h.pass(10 * time.Second)
	busy := func(string) (helpdesk.Attempt, bool) {
		return helpdesk.Attempt{Host: "mx.customer.example", Code: 451, Enhanced: "4.3.0", Text: "try later"}, false
	}
	attempts := 0
	for h.ticket(1).Messages[1].Deliveries[0].State != helpdesk.DeliveryFailed {
		if attempts += len(h.deliver(busy)); attempts > 200 {
			t.Fatal("it never gives up")
		}
		h.pass(30 * time.Minute)
	}
	if attempts < 20 || h.now.Sub(h.ticket(1).Row.Ticket.CreatedAt) < 5*24*time.Hour {
		t.Errorf("given up after %d attempts, at %v", attempts, h.now)
	}
	v := h.ticket(1)
	if !v.Row.Ticket.DeliveryFailed || !strings.Contains(kinds(v.Events), "delivery.deferred") || !strings.HasSuffix(kinds(v.Events), "delivery.failed") {
		t.Errorf("failed %v, events %s", v.Row.Ticket.DeliveryFailed, kinds(v.Events))
	}
	if err := h.RetryDelivery(t.Context(), h.admin, v.Messages[1].Deliveries[0].ID); err != nil {
		t.Fatal(err)
	}
	if sent := h.deliver(taken); len(sent) != 1 || h.ticket(1).Row.Ticket.DeliveryFailed {
		t.Errorf("after a retry by hand: %v", sent)
	}
}

func TestBounceFindsItsDelivery(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.reply(1, "Hello")
	h.pass(10 * time.Second)
	h.deliver(taken)
	delivery := h.ticket(1).Messages[1].Deliveries[0]
	if !strings.HasPrefix(delivery.EnvelopeFrom, "bounce+") || h.Recipient(t.Context(), delivery.EnvelopeFrom) != nil {
		t.Fatalf("envelope sender %q", delivery.EnvelopeFrom)
	}
	receipt := h.post(delivery.EnvelopeFrom, "From: Mail Delivery System <MAILER-DAEMON@mx.customer.example>", "Subject: Undelivered Mail Returned to Sender",
		"MIME-Version: 1.0", `Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "",
		"--b", "Content-Type: text/plain", "", "I could not deliver it.", "--b", "Content-Type: message/delivery-status", "",
		"Reporting-MTA: dns; mx.customer.example", "", "Final-Recipient: rfc822; tamura@customer.example", "Action: failed",
		"Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 no such user", "", "--b--")
	if receipt.Ticket != 1 || receipt.State != helpdesk.MessagePosted {
		t.Errorf("the bounce: %+v", receipt)
	}
	v := h.ticket(1)
	got := v.Messages[1].Deliveries[0]
	if got.State != helpdesk.DeliveryFailed || got.Attempts[len(got.Attempts)-1].Enhanced != "5.1.1" || !v.Row.Ticket.DeliveryFailed {
		t.Errorf("delivery %+v, ticket failed %v", got, v.Row.Ticket.DeliveryFailed)
	}
	if !v.Row.Ticket.WaitingSince.IsZero() {
		t.Error("a bounce made the customer wait")
	}
}

func TestAgentAnswersTheCopy(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.reply(1, "How can I help?")
	on, own := true, "haruka@home.example"
	if _, err := h.ChangeUser(t.Context(), h.admin, h.user.ID, helpdesk.UserChange{ForwardReplies: &on, ForwardTo: &own}); err != nil {
		t.Fatal(err)
	}
	h.post("support@example.jp", "From: tamura@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice", "", "With two pages please")
	h.pass(10 * time.Second)
	claimed, _, err := h.ClaimDue(t.Context(), helpdesk.TimerCopy, 10, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v, %v", claimed, err)
	}
	if err := h.CopyToAssignee(t.Context(), claimed[0].ID); err != nil {
		t.Fatal(err)
	}
	copied := mail.Parse([]byte(h.deliver(taken)[own]))
	if !strings.Contains(copied.Text, "With two pages please") || len(copied.ReplyTo) != 1 || copied.From.Address != "support@example.jp" {
		t.Fatalf("the copy: %+v", copied)
	}
	token := copied.ReplyTo[0].Address
	for name, lines := range map[string][]string{
		"unproven":        {"From: " + own, "Subject: Re: Invoice", "", "Unproven words"},
		"somebody else's": {"From: mallory@elsewhere.example", "Test-DMARC: pass", "Subject: Re: Invoice", "", "Strange words"},
	} {
		if r := h.post(token, lines...); r.State != helpdesk.MessageHeld || r.Reason != helpdesk.ReasonAgentUnproven {
			t.Errorf("an answer that is %s: %+v", name, r)
		}
	}
	if r := h.post(token, "From: "+own, "Test-DMARC: pass", "Auto-Submitted: auto-replied", "Subject: Away", "", "I am on holiday"); r.State != helpdesk.MessageRefused {
		t.Errorf("the agent's absence notice: %+v", r)
	}
	r := h.post(token, "From: "+own, "Test-DMARC: pass", "Subject: Re: [#1] Invoice", "", "Here they are.", "", "> With two pages please")
	if r.State != helpdesk.MessageRelayed {
		t.Fatalf("the agent's answer: %+v", r)
	}
	relays, _, err := h.ClaimDue(t.Context(), helpdesk.TimerRelay, 10, time.Minute)
	if err != nil || len(relays) != 1 {
		t.Fatalf("relays %v, %v", relays, err)
	}
	for range 2 { // a crash between doing and forgetting must not send it twice
		if err := h.RelayAgentMail(t.Context(), relays[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	h.pass(10 * time.Second)
	sent := h.deliver(taken)
	got := mail.Parse([]byte(sent["tamura@customer.example"]))
	if len(sent) != 1 || strings.TrimSpace(got.Text) != "Here they are." || got.From.Address != "support@example.jp" {
		t.Errorf("to the customer: %d mails, from %v, %q", len(sent), got.From, got.Text)
	}
	if v := h.ticket(1); v.Messages[len(v.Messages)-1].AuthorName != "佐藤 遥" {
		t.Errorf("the reply's author is %q", v.Messages[len(v.Messages)-1].AuthorName)
	}
}

func TestReplyRefusesBadInput(t *testing.T) {
	h := newHouse(t)
	h.first()
	for text, r := range map[string]helpdesk.Reply{
		"empty":             {Ticket: 1},
		"no ticket 99":      {Ticket: 99, Text: "x"},
		"not a mail addres": {Ticket: 1, Text: "x", To: []helpdesk.Address{{Email: "a@b\r\nBcc: c@d"}}},
		"the limit is 100":  {Ticket: 1, Text: "x", To: make([]helpdesk.Address, 101)},
		"bytes":             {Ticket: 1, Text: strings.Repeat("x", 2<<20)},
	} {
		_, err := h.Reply(t.Context(), h.admin, r)
		if err == nil || (!strings.Contains(err.Error(), text) && text != "no ticket 99") || helpdesk.CodeOf(err) == helpdesk.CodeInternal {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// RFC 5322, section 3.6.4: what programs without References answer stays in its thread.
func TestAnAnswerTakesTheThreadOfAMailThatHasOnlyInReplyTo(t *testing.T) {
	for given, want := range map[string][]string{
		"<older@elsewhere.example>":                             {"older@elsewhere.example", "mail-2@customer.example"},
		"<older@elsewhere.example> <another@elsewhere.example>": {"mail-2@customer.example"},
	} {
		h := newHouse(t)
		r := h.post("support@example.jp", "From: tamura@customer.example", "Test-DMARC: pass", "Message-ID: <mail-2@customer.example>", "In-Reply-To: "+given, "Subject: Re: Pump", "", "Still broken")
		h.reply(r.Ticket, "We are coming")
		for _, sent := range h.ticket(r.Ticket).Messages[1:] {
			if got := sent.Message.References; !slices.Equal(got, want) {
				t.Errorf("of a mail in reply to %s the answer has the references %q, want %q", given, got, want)
			}
		}
	}
}
