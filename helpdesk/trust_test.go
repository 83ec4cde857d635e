package helpdesk_test

import (
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestAStrangerLetInVouchesForNobody: what a list says of a ticket's sender is
// said of the customer, whoever else was let into the conversation.
func TestAStrangerLetInVouchesForNobody(t *testing.T) {
	h := newHouse(t)
	h.post("support@example.jp", "From: tamura@customer.example", "Test-DMARC: pass", "Subject: Invoice", "", "Where is it?")
	m := h.reply(1, "It is attached.")
	held := h.post(m.ReplyAddress, "From: mallory@elsewhere.example", "Subject: Re: Invoice", "", "I am the deputy")
	if held.State != helpdesk.MessageHeld {
		t.Fatalf("a stranger's mail is %s", held.State)
	}
	if _, err := h.ResolveHeld(t.Context(), h.admin, held.MessageID, helpdesk.ResolveJoin); err != nil {
		t.Fatal(err)
	}
	if got := h.ticket(1).Row.Ticket.Trust; got != helpdesk.TrustVerified {
		t.Errorf("with a stranger's mail in it the ticket is %q, want what its customer proved", got)
	}
	h.verify()
	h.post(m.ReplyAddress, "From: mallory@elsewhere.example", "Subject: Re: Invoice", "", "Me again")
	if got := h.ticket(1).Row.Ticket.Trust; got != helpdesk.TrustUnknown {
		t.Errorf("once the stranger takes part their mail counts like anybody's; the ticket is %q", got)
	}
}
