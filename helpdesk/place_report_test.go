package helpdesk_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// reportOn is a mail in the shape of a bounce: whom it names, and what it returns.
func reportOn(recipient, returned string) []string {
	lines := []string{"From: Mail Delivery System <mailer-daemon@stranger.example>", "Subject: Undelivered Mail Returned to Sender", "MIME-Version: 1.0",
		`Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "", "--b", "Content-Type: text/plain", "",
		"Your mailbox is full. Log in at https://stranger.example to keep your mail.", "--b", "Content-Type: message/delivery-status", "",
		"Reporting-MTA: dns; mx.stranger.example", "", "Final-Recipient: rfc822; " + recipient, "Action: failed", "Status: 5.1.1", ""}
	if returned != "" {
		lines = append(lines, "--b", "Content-Type: text/rfc822-headers", "", "Message-ID: <"+returned+">", "Subject: Re: Invoice 2291", "")
	}
	return append(lines, "--b--")
}

// What has the shape of a bounce is a stranger's mail all the same, unless it knows
// of a mail that left.
func TestOnlyReportsOnOurMailNeedNoParticipant(t *testing.T) {
	for name, c := range map[string]struct {
		recipient string
		returned  func(reply *helpdesk.Message) string
		joins     bool
	}{
		"about somebody else":       {"nobody@stranger.example", nil, false},
		"returns a stranger's mail": {"nobody@stranger.example", func(*helpdesk.Message) string { return "own@stranger.example" }, false},
		"returns what came":         {"nobody@stranger.example", func(*helpdesk.Message) string { return "mail-1@customer.example" }, false},
		"names whom we wrote to":    {"Tamura@customer.example", nil, true},
		"returns our mail":          {"forwarded@stranger.example", func(reply *helpdesk.Message) string { return reply.MessageID }, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.first()
			reply := h.reply(1, "Here it is.")
			h.pass(10 * time.Second)
			h.deliver(taken)
			returned := ""
			if c.returned != nil {
				returned = c.returned(reply)
			}
			got := h.post(reply.ReplyAddress, reportOn(c.recipient, returned)...)
			want := helpdesk.MessageHeld
			if c.joins {
				want = helpdesk.MessagePosted
			}
			if got.Ticket != 1 || got.State != want {
				t.Fatalf("%+v, want %s", got, want)
			}
			if c.joins {
				return
			}
			if _, err := h.ResolveHeld(t.Context(), h.admin, got.MessageID, helpdesk.ResolveJoin); err != nil {
				t.Fatal(err)
			}
			if d := h.ticket(1).Messages[1].Deliveries[0]; d.State != helpdesk.DeliverySent {
				t.Errorf("it changed the delivery to %s", d.State)
			}
			if again := h.post(reply.ReplyAddress, reportOn("another@stranger.example", "")...); again.State != helpdesk.MessageHeld {
				t.Errorf("the machine takes part since one of its mails was taken in: %+v", again)
			}
		})
	}
}
