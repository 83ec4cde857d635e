package ui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// A bounce is the newest mail of its ticket, and nobody to answer to.
func TestReplyAfterABounceIsForTheCustomer(t *testing.T) {
	h := newReadyHouse(t)
	n := h.receive(letter{subject: "見積り", text: "お見積りをお願いします。"}).Ticket
	m, err := h.Reply(t.Context(), h.admin.Actor(), helpdesk.Reply{Ticket: n, Text: "お送りします。"})
	if err != nil {
		t.Fatal(err)
	}
	view, err := h.Message(t.Context(), h.admin.Actor(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	to := view.Deliveries[0].EnvelopeFrom
	raw := []byte(strings.ReplaceAll(fmt.Sprintf(`From: Mail Delivery System <mailer-daemon@mx.kyaku.example>
To: %s
Subject: Undelivered
Message-ID: <bounce@mx.kyaku.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=edge

--edge
Content-Type: text/plain

It could not be delivered.
--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.kyaku.example

Final-Recipient: rfc822; tamura@kyaku.example
Action: failed
Status: 5.1.1
--edge--
`, to), "\n", "\r\n"))
	receipt, err := h.Receive(t.Context(), helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Envelope: helpdesk.Envelope{Recipients: []string{to}}})
	if err != nil || receipt.Ticket != n {
		t.Fatalf("the bounce is on ticket %d, want %d: %v", receipt.Ticket, n, err)
	}
	page := h.as(h.admin).get(fmt.Sprintf("/inbox/open/%d", n)).body
	if !strings.Contains(page, `name="to" value="田村 美咲 &lt;tamura@kyaku.example&gt;"`) || strings.Contains(page, `value="mailer-daemon`) {
		t.Error("the reply is not addressed to the customer")
	}
}
