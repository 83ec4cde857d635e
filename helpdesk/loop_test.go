package helpdesk_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// mailNotices works on the timers of notices, and returns what is sent.
func (h *house) mailNotices() map[string]string {
	h.t.Helper()
	h.pass(5 * time.Minute)
	h.work(helpdesk.TimerNotice, func(ctx context.Context, id string) error {
		return h.MailNotice(ctx, id, func(string, helpdesk.NoticeView) (string, string) { return "A ticket for you", h.now.String() })
	})
	return h.deliver(taken)
}

func TestANoticeMakesNoNotice(t *testing.T) {
	for name, own := range map[string]string{"an own address": "second@example.jp", "a mailbox that forwards to us": "mori@home.example"} {
		h := newHouse(t)
		mori := h.hire(own, "森 健太")
		if _, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "second@example.jp", Name: "Second", OwnerID: mori.ID}); err != nil {
			t.Fatal(err)
		}
		by := []helpdesk.NoticeChannel{helpdesk.ChannelMail}
		h.must(h.ChooseNotices(t.Context(), mori.Actor(), helpdesk.NoticeChoice{Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{
			helpdesk.NoticeAssigned: by, helpdesk.NoticeCustomer: by}}))
		h.post("second@example.jp", "From: a@customer.example", "Subject: Help", "", "Help")
		mailed := 0
		for range 4 {
			for _, raw := range h.mailNotices() {
				mailed++
				if _, err := h.Receive(t.Context(), incoming("second@example.jp", raw, h.now)); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := 1
		if own == "second@example.jp" {
			want = 0
		}
		if mailed != want {
			t.Errorf("%s: %d notices were mailed of one mail, want %d", name, mailed, want)
		}
	}
}

func TestAFormThatTakesNoRepliesGetsNone(t *testing.T) {
	h := newHouse(t).withAcknowledgement()
	h.from("Contact form <no-reply@shop.example>", "Reply-To: customer@elsewhere.example")
	if sent := h.acknowledge(); len(sent) != 0 {
		t.Errorf("acknowledged: %v", sent)
	}
}

// byMail has a user told of all that a customer's mail causes by mail.
func (h *house) byMail(u *helpdesk.User) {
	h.t.Helper()
	by := []helpdesk.NoticeChannel{helpdesk.ChannelMail}
	h.must(h.ChooseNotices(h.t.Context(), u.Actor(), helpdesk.NoticeChoice{UserID: u.ID, Channels: map[helpdesk.NoticeKind][]helpdesk.NoticeChannel{
		helpdesk.NoticeAssigned: by, helpdesk.NoticeCustomer: by}}))
}

// Two houses whose people have each other's addresses, at once or behind a mailbox that
// forwards, tell each other nothing of their notices.
func TestNoticesOfTwoHousesDoNotGoRound(t *testing.T) {
	for name, mailboxes := range map[string][2]string{
		"each other's alias":   {"support@second.example", "support@first.example"},
		"a mailbox in between": {"mori@home.example", "sato@home.example"},
	} {
		houses := [2]*house{newHouse(t), newHouse(t)}
		aliases := [2]string{"support@first.example", "support@second.example"}
		for i, h := range houses {
			u := h.hire(mailboxes[i], "森 健太")
			if _, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: aliases[i], Name: "Support", OwnerID: u.ID}); err != nil {
				t.Fatal(err)
			}
			h.byMail(u)
		}
		houses[0].post(aliases[0], "From: a@customer.example", "Subject: Help", "", "Help")
		mailed := 0
		for range 4 {
			for i, h := range houses {
				for _, raw := range h.mailNotices() {
					mailed++
					other := houses[1-i]
					if _, err := other.Receive(t.Context(), incoming(aliases[1-i], raw, other.now)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if mailed != 1 {
			t.Errorf("%s: %d notices were mailed of one customer's mail, want 1", name, mailed)
		}
	}
}

// A program behind an agent's mailbox that answers each notice with a new mail, and
// says nowhere that it is a program, is answered with notices until there were enough
// for a day; the agent sees the rest in the web.
func TestNoticesToAProgramThatHidesItEnd(t *testing.T) {
	h := newHouse(t)
	mori := h.hire("mori@home.example", "森 健太")
	h.alias.OwnerID = mori.ID
	_, err := h.SaveAlias(t.Context(), h.admin, h.alias)
	h.must(err)
	h.byMail(mori)
	answer := func(n int) {
		h.post("support@example.jp", fmt.Sprintf("From: desk+%d@program.example", n), fmt.Sprintf("Subject: Ticket %d", n), "", "We shall answer.")
	}
	answer(0)
	mailed := 0
	for n := 1; n < 70 && len(h.mailNotices()) == 1; n++ {
		mailed++
		answer(n)
	}
	if mailed != 50 {
		t.Errorf("%d notices were mailed, want 50", mailed)
	}
	h.wantTold(mori, "assigned 51×1")
}

// The same of copies of customers' mails.
func TestCopiesToAProgramThatHidesItEnd(t *testing.T) {
	h := newHouse(t)
	on, own := true, "haruka@home.example"
	_, err := h.ChangeUser(t.Context(), h.admin, h.user.ID, helpdesk.UserChange{ForwardReplies: &on, ForwardTo: &own})
	h.must(err)
	h.alias.OwnerID = h.user.ID
	_, err = h.SaveAlias(t.Context(), h.admin, h.alias)
	h.must(err)
	var last helpdesk.Receipt
	copied := 0
	for n := range 70 {
		last = h.post("support@example.jp", fmt.Sprintf("From: desk+%d@program.example", n), fmt.Sprintf("Subject: Ticket %d", n), "", "We shall answer.")
		h.work(helpdesk.TimerCopy, h.CopyToAssignee)
		if len(h.deliver(taken)) == 0 {
			break
		}
		copied++
	}
	if copied != 60 {
		t.Errorf("%d copies left in an hour, want 60", copied)
	}
	if got := kinds(h.ticket(last.Ticket).Events); !strings.HasSuffix(got, "copy.failed") {
		t.Errorf("the ticket of the first that was not copied says %s", got)
	}
}

// An agent's mailbox and a customer's, both of which answer everything: what the first
// repeats is no reply of the agent's.
func TestWhatAnAgentsMailboxRepeatsIsHeld(t *testing.T) {
	for name, words := range map[string]func(n int) string{
		"the same words":                 func(int) string { return "I am out of the office." },
		"words with another number each": func(n int) string { return fmt.Sprintf("Your request %d has arrived.", n) },
	} {
		h := newHouse(t)
		own := "haruka@home.example"
		timer := h.toAgent(own)
		relayed := 0
		for n := range 20 {
			h.must(h.CopyToAssignee(t.Context(), timer.ID))
			token := parse(h.deliver(taken)[own]).ReplyTo[0].Address
			h.post(token, "From: "+own, "Test-DMARC: pass", "Subject: Re: Invoice", "", words(n))
			h.must(h.RelayAgentMail(t.Context(), h.claim(helpdesk.TimerRelay).ID))
			h.pass(10 * time.Second)
			sent := parse(h.deliver(taken)["tamura@customer.example"])
			if len(sent.ReplyTo) == 0 {
				break
			}
			relayed++
			h.post(sent.ReplyTo[0].Address, "From: tamura@customer.example", "Subject: Re: Invoice", "", fmt.Sprintf("Thank you, I read mails once a week (%d).", n))
			timer = h.claim(helpdesk.TimerCopy)
		}
		want := 1
		if name != "the same words" {
			want = 10
		}
		v := h.ticket(1)
		if relayed != want || len(v.Held) != 1 {
			t.Errorf("%s: %d went to the customer, want %d; %d held, want 1", name, relayed, want, len(v.Held))
		}
	}
}

// A helpdesk that writes from another address for each of its tickets is one sender.
func TestAnotherSubaddressIsTheSameSender(t *testing.T) {
	h := newHouse(t).withAcknowledgement()
	sent := 0
	for n := range 3 {
		h.from(fmt.Sprintf("Desk <desk+%d@other.example>", n))
		sent += len(h.acknowledge())
	}
	if sent != 1 {
		t.Errorf("%d acknowledgements, want 1", sent)
	}
}
