package helpdesk_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// twoTickets are two matters of one customer, each answered once; the second is
// somebody's, and rests.
func twoTickets(t *testing.T) (h *house, first, second *helpdesk.Message, mori *helpdesk.User) {
	h = newHouse(t)
	h.first()
	h.post("support@example.jp", "From: tamura@customer.example", "Subject: The other matter", "", "And another thing.")
	first, second = h.reply(1, "About the invoice."), h.reply(2, "About the other thing.")
	mori = h.newUser(helpdesk.RoleAgent)
	h.change(2, helpdesk.Change{Assignee: &mori.ID})
	if err := h.ReadNotices(t.Context(), mori.Actor(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Snooze(t.Context(), h.admin, 2, h.now.Add(48*time.Hour), ""); err != nil {
		t.Fatal(err)
	}
	return h, first, second, mori
}

// wantToldOther checks that ticket 2 and whoever has it know of a mail on ticket 1.
func wantToldOther(t *testing.T, h *house, mori *helpdesk.User) {
	t.Helper()
	other := h.ticket(2)
	if len(other.Messages) != 2 || other.Row.Ticket.Snooze != nil {
		t.Errorf("the other ticket has %d messages and rests: %v; want 2, and awake", len(other.Messages), other.Row.Ticket.Snooze != nil)
	}
	told := func(number uint64, name, value string) (n int) {
		for _, e := range h.ticket(number).Events {
			if e.Kind == helpdesk.EventMessageElsewhere && e.Data[name] == value && e.Data["from"] == "tamura@customer.example" {
				n++
			}
		}
		return n
	}
	if told(2, "to_ticket", "1") != 1 || told(1, "also_ticket", "2") != 1 {
		t.Errorf("told: on ticket 2 %d times, on ticket 1 %d times; want once each", told(2, "to_ticket", "1"), told(1, "also_ticket", "2"))
	}
	h.wantTold(mori, "customer 2×1")
}

func TestOneMailToTwoConversations(t *testing.T) {
	h, first, second, mori := twoTickets(t)
	got := h.post(first.ReplyAddress+","+second.ReplyAddress, "From: tamura@customer.example", "Subject: Both", "", "Yes to both.")
	if got.Ticket != 1 || len(h.ticket(1).Messages) != 3 {
		t.Fatalf("%+v", got)
	}
	wantToldOther(t, h, mori)
}

// Some servers send a mail to each recipient by itself.
func TestOneMailToTwoConversationsInTwoSessions(t *testing.T) {
	h, first, second, mori := twoTickets(t)
	mail := []string{"From: tamura@customer.example", "Message-ID: <both@customer.example>", "Subject: Both", "", "Yes to both."}
	h.post(first.ReplyAddress, mail...)
	for range 2 {
		if got := h.post(second.ReplyAddress, mail...); !got.Duplicate || got.Ticket != 1 {
			t.Fatalf("%+v", got)
		}
	}
	wantToldOther(t, h, mori)
}

// A mail is not held at the ticket of somebody else while its author takes part
// in another that it is addressed to.
func TestOneMailToTwoConversationsJoinsItsAuthors(t *testing.T) {
	h := newHouse(t)
	h.first()
	h.post("support@example.jp", "From: other@elsewhere.example", "Subject: Mine", "", "My own matter.")
	first, second := h.reply(1, "About the invoice."), h.reply(2, "About yours.")
	got := h.post(first.ReplyAddress+","+second.ReplyAddress, "From: other@elsewhere.example", "Subject: Re: Mine", "", "Thanks.")
	if got.Ticket != 2 || got.State != helpdesk.MessagePosted {
		t.Fatalf("%+v", got)
	}
	if len(h.ticket(1).Held) != 0 {
		t.Error("it waits at the stranger's ticket too")
	}
	if both := h.post(first.ReplyAddress+","+second.ReplyAddress, "From: nobody@elsewhere.example", "Subject: Hello", "", "Hello."); both.Ticket != 1 || both.State != helpdesk.MessageHeld {
		t.Errorf("a stranger to both: %+v", both)
	}
}
