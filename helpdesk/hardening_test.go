package helpdesk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

func (h *house) change(number uint64, c helpdesk.Change) {
	h.t.Helper()
	if _, err := h.Change(h.t.Context(), h.admin, number, c); err != nil {
		h.t.Fatal(err)
	}
}

// An undo gives back what the reply changed, and only that: not what the
// customer or a colleague did meanwhile.
func TestUndoKeepsWhatOthersDidMeanwhile(t *testing.T) {
	h := newHouse(t)
	h.first()
	since := h.ticket(1).Row.Ticket.WaitingSince
	m, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Too early", Close: true,
		To: []helpdesk.Address{{Email: "tamura@customer.example"}, {Email: "typo@elsewhere.example"}}})
	if err != nil {
		t.Fatal(err)
	}
	h.pass(time.Second)
	h.post("support@example.jp", "From: tamura@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice", "", "Never mind")
	colleague := h.newUser(helpdesk.RoleAgent)
	h.change(1, helpdesk.Change{Assignee: &colleague.ID})
	if _, err := h.Undo(t.Context(), h.admin, m.ID); err != nil {
		t.Fatal(err)
	}
	v := h.ticket(1)
	got := v.Row.Ticket
	if !got.WaitingSince.Equal(since) || got.Snippet != "Never mind" || got.AssigneeID != colleague.ID || v.Row.StageName != "対応中" {
		t.Errorf("waiting since %v (want %v), %q, assignee %s, stage %s", got.WaitingSince, since, got.Snippet, v.Row.AssigneeName, v.Row.StageName)
	}
	if strings.Contains(strings.Join(got.Participants, " "), "typo") {
		t.Errorf("an address that nothing was sent to takes part: %v", got.Participants)
	}
}

// A program that repeats its request after somebody took the reply back does not send
// it after all. Who sends a draft under the key of before does.
func TestAKeyAfterUndo(t *testing.T) {
	h := newHouse(t)
	h.first()
	asked := helpdesk.Reply{Ticket: 1, Text: "Whith a typo", IdempotencyKey: "01KAJ2Z7M8Q4R9T3V5W7X9Y1Z3"}
	one, err := h.Reply(t.Context(), h.admin, asked)
	h.must(err)
	_, err = h.Undo(t.Context(), h.admin, one.ID)
	h.must(err)
	again, err := h.Reply(t.Context(), h.admin, asked)
	if err != nil || again.ID != one.ID || again.State != helpdesk.MessageUndone {
		t.Errorf("the same request again: %+v, %v", again, err)
	}
	h.pass(time.Minute)
	if sent := h.deliver(func(string) (helpdesk.Attempt, bool) { return helpdesk.Attempt{OK: true, Code: 250}, false }); len(sent) != 0 {
		t.Errorf("%d mails left", len(sent))
	}
	two, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Without one", IdempotencyKey: asked.IdempotencyKey, Draft: asked.IdempotencyKey})
	if err != nil || two.ID == one.ID {
		t.Errorf("the edited draft: %+v, %v", two, err)
	}
}

func TestAReplyToNobodyAsksForAnAddress(t *testing.T) {
	h := newHouse(t)
	in := incoming("support@example.jp", "Subject: no sender\r\n\r\ntext\r\n", h.now)
	in.Envelope.MailFrom = ""
	if _, err := h.Receive(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got := h.ticket(1).Row.Ticket.Participants; len(got) != 0 {
		t.Errorf("participants %q", got)
	}
	_, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "To whom?"})
	wantCode(t, err, helpdesk.CodeInvalid, "left no address; enter one under To")
	if _, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "To you", To: []helpdesk.Address{{Email: "found@customer.example"}}}); err != nil {
		t.Error(err)
	}
}

func TestNobodyGetsAReplyTwice(t *testing.T) {
	h := newHouse(t)
	h.first()
	address := func(email string) helpdesk.Address { return helpdesk.Address{Email: email} }
	m, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Hello",
		To: []helpdesk.Address{address("tamura@customer.example"), address("Tamura@Customer.example")}, Cc: []helpdesk.Address{address("TAMURA@customer.example"), address("kojima@customer.example")}})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := h.Message(t.Context(), h.admin, m.ID); err != nil || len(v.Deliveries) != 2 || len(m.To)+len(m.Cc) != 2 {
		t.Errorf("%d deliveries, to %v, cc %v, %v", len(v.Deliveries), m.To, m.Cc, err)
	}
}

// The list of undelivered replies loses a ticket only when each of them is
// being tried again.
func TestRetryOfOneLeavesTheOtherFailed(t *testing.T) {
	h := newHouse(t)
	h.first()
	m, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: 1, Text: "Hello", To: []helpdesk.Address{{Email: "a@customer.example"}, {Email: "b@customer.example"}}})
	if err != nil {
		t.Fatal(err)
	}
	h.pass(10 * time.Second)
	h.deliver(func(string) (helpdesk.Attempt, bool) {
		return helpdesk.Attempt{Code: 554, Enhanced: "5.7.1", Text: "no"}, true
	})
	v, err := h.Message(t.Context(), h.admin, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i, failed := range []bool{true, false} {
		if err := h.RetryDelivery(t.Context(), h.admin, v.Deliveries[i].ID); err != nil {
			t.Fatal(err)
		}
		if got := h.ticket(1).Row.Ticket.DeliveryFailed; got != failed {
			t.Errorf("after retry %d the ticket says failed %t", i+1, got)
		}
	}
}

func TestListMailDoesNotReopenWhatStaysClosed(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "Done.")
	list, err := h.Pipelines(t.Context(), h.admin)
	if err != nil {
		t.Fatal(err)
	}
	list[0].Reopen = false
	if _, err := h.SavePipeline(t.Context(), h.admin, list[0]); err != nil {
		t.Fatal(err)
	}
	closed := "完了"
	h.change(1, helpdesk.Change{Stage: &closed})
	receipt := h.post(m.ReplyAddress, "From: tamura@customer.example", "List-Id: <all.customer.example>", "Subject: Re: Invoice", "", "More")
	if receipt.Ticket == 1 || h.ticket(1).Row.Ticket.Open {
		t.Errorf("receipt %+v, ticket 1 open: %t", receipt, h.ticket(1).Row.Ticket.Open)
	}
}

func TestListMailToABounceAddressWaitsForNobody(t *testing.T) {
	h := newHouse(t)
	h.first()
	m := h.reply(1, "Hello")
	v, err := h.Message(t.Context(), h.admin, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	h.post(v.Deliveries[0].EnvelopeFrom, "From: robot@customer.example", "List-Id: <all.customer.example>", "Subject: Notice", "", "Your mail waits for a moderator")
	if got := h.ticket(1).Row.Ticket; !got.WaitingSince.IsZero() {
		t.Errorf("waiting since %v for an answer to a robot", got.WaitingSince)
	}
}

// toAgent makes a mail that is copied to the assignee's own mailbox, and
// returns the timer of the copy.
func (h *house) toAgent(own string) helpdesk.Timer {
	h.t.Helper()
	h.first()
	h.reply(1, "How can I help?")
	on := true
	if _, err := h.ChangeUser(h.t.Context(), h.admin, h.user.ID, helpdesk.UserChange{ForwardReplies: &on, ForwardTo: &own}); err != nil {
		h.t.Fatal(err)
	}
	h.post("support@example.jp", "From: tamura@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice", "", "With two pages please")
	h.pass(10 * time.Second)
	return h.claim(helpdesk.TimerCopy)
}

func (h *house) claim(kind helpdesk.TimerKind) helpdesk.Timer {
	h.t.Helper()
	claimed, _, err := h.ClaimDue(h.t.Context(), kind, 10, time.Minute)
	if err != nil || len(claimed) != 1 {
		h.t.Fatalf("claimed %s: %v, %v", kind, claimed, err)
	}
	return claimed[0]
}

func TestACopyIsMadeOnce(t *testing.T) {
	h := newHouse(t)
	timer := h.toAgent("haruka@home.example")
	for range 2 { // as when a lease ends while the work goes on
		if err := h.CopyToAssignee(t.Context(), timer.ID); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := h.Message(t.Context(), h.admin, timer.ID); err != nil || len(v.Deliveries) != 1 {
		t.Errorf("%d copies, %v", len(v.Deliveries), err)
	}
}

// TestACopyHasPicturesAndTheHousesDate copies a mail with pictures that have no name, one of them with a Content-ID that
// no mail of ours may have.
func TestACopyHasPicturesAndTheHousesDate(t *testing.T) {
	h := newHouse(t)
	h.toAgent("haruka@home.example")
	h.post("support@example.jp", "From: tamura@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice", "MIME-Version: 1.0",
		`Content-Type: multipart/related; boundary="b"`, "", "--b", "Content-Type: text/html", "", `<p>Look: <img src="cid:one@customer.example"> <img src="cid:image%202"></p>`,
		"--b", "Content-Type: image/png", "Content-ID: <one@customer.example>", "Content-Disposition: inline", "Content-Transfer-Encoding: base64", "", "iVBORw0KGgo=",
		"--b", "Content-Type: image/jpeg", "Content-ID: <image 2>", "Content-Transfer-Encoding: base64", "", "/9j/", "--b--")
	h.pass(10 * time.Second)
	if err := h.CopyToAssignee(t.Context(), h.claim(helpdesk.TimerCopy).ID); err != nil {
		t.Fatal(err)
	}
	raw := h.deliver(taken)["haruka@home.example"]
	if !strings.Contains(raw, " +0900\r\n") {
		t.Errorf("the copy is dated otherwise than in the house's zone: %.600s", raw)
	}
	copied := mail.Parse([]byte(raw))
	var names []string
	for _, a := range copied.Attachments {
		names = append(names, a.Filename)
		if !a.Inline || !strings.Contains(copied.HTML, `src="cid:`+a.ContentID+`"`) {
			t.Errorf("%s with the id %q is none of the pictures of %s", a.Filename, a.ContentID, copied.HTML)
		}
	}
	if !slices.Equal(names, []string{"image1.png", "image2.jpg"}) {
		t.Errorf("the pictures are called %q", names)
	}
}

func TestACopyThatCannotBeIsSaid(t *testing.T) {
	h := newHouse(t)
	timer := h.toAgent("haruka@home.example")
	h.alias.Disabled = true
	if _, err := h.SaveAlias(t.Context(), h.admin, h.alias); err != nil {
		t.Fatal(err)
	}
	if err := h.CopyToAssignee(t.Context(), timer.ID); err != nil {
		t.Fatal(err)
	}
	if got := kinds(h.ticket(1).Events); !strings.HasSuffix(got, "copy.failed") {
		t.Errorf("events %s", got)
	}
	if timers, err := h.Timers(t.Context(), h.admin, 10); err != nil || strings.Contains(timerKinds(timers), "copy") {
		t.Errorf("timers %s, %v", timerKinds(timers), err)
	}
}

func timerKinds(list []helpdesk.Timer) string {
	var all []string
	for _, timer := range list {
		all = append(all, string(timer.Kind))
	}
	return strings.Join(all, " ")
}

// An agent's own mail that cannot become a reply waits where agents see it.
func TestAgentMailThatCannotBeSentIsHeld(t *testing.T) {
	for name, spoil := range map[string]func(h *house) (text string){
		"without words": func(*house) string { return "" },
		"from a user who is disabled now": func(h *house) string {
			disabled := true
			other, err := h.CreateUser(t.Context(), h.admin, helpdesk.NewUser{Email: "boss@example.jp", Name: "Boss", Password: "another long secret", Role: helpdesk.RoleAdmin})
			if err != nil {
				t.Fatal(err)
			}
			h.admin = other.Actor()
			defer func() {
				if _, err := h.ChangeUser(t.Context(), other.Actor(), h.user.ID, helpdesk.UserChange{Disabled: &disabled}); err != nil {
					t.Fatal(err)
				}
			}()
			return "Here they are."
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			own := "haruka@home.example"
			timer := h.toAgent(own)
			if err := h.CopyToAssignee(t.Context(), timer.ID); err != nil {
				t.Fatal(err)
			}
			token := parse(h.deliver(taken)[own]).ReplyTo[0].Address
			posted := h.post(token, "From: "+own, "Test-DMARC: pass", "Subject: Re: Invoice", "", "Here they are.")
			text := spoil(h)
			if text == "" {
				h.claim(helpdesk.TimerRelay)
				posted = h.post(token, "From: "+own, "Test-DMARC: pass", "Subject: Re: Invoice", "", text)
			}
			relay := h.claim(helpdesk.TimerRelay)
			if relay.ID != posted.MessageID {
				t.Fatalf("timer of %s, want %s", relay.ID, posted.MessageID)
			}
			for range 2 {
				if err := h.RelayAgentMail(t.Context(), relay.ID); err != nil {
					t.Fatal(err)
				}
			}
			v := h.ticket(1)
			if len(v.Held) != 1 || v.Row.Ticket.Held != 1 || len(v.Held[0].Message.Defects) == 0 || !strings.Contains(v.Held[0].Message.Unsent, "error.") {
				t.Errorf("held %d, counted %d", len(v.Held), v.Row.Ticket.Held)
			}
		})
	}
}
