package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestCustomersWithQuotedLocalParts: who writes from an address whose local part
// stands in quotes, because it must or because their provider writes it so, is
// answered at that address, and their answer joins the ticket.
func TestCustomersWithQuotedLocalParts(t *testing.T) {
	t.Parallel()
	box, zone := serveMailbox(t), dnstest.ServeZone(t)
	config := writeConfig(t, "[helpdesk]\nundo_window = \"0s\"\n[ai]\nenabled = false\n")
	s := start(t, newDesk(t), "--config", config, "--resolver", zone.Address, "--smarthost", box.address)
	browser, a := s.login(t), s.apiOf(t)
	for number, customer := range map[int]struct{ address, wire, plain string }{
		1: {`"a b"@customer.test`, "a b@customer.test", `"a b"@customer.test`},
		2: {`"foo..bar."@docomo.test`, "foo..bar.@docomo.test", "foo..bar.@docomo.test"},
		3: {`"a, \"b\" <c>@d"@customer.test`, `a, "b" <c>@d@customer.test`, `"a, \"b\" <c>@d"@customer.test`},
	} {
		t.Run(customer.wire, func(t *testing.T) {
			question := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: Question %d\r\nMessage-ID: <q%d@customer.test>\r\n\r\nHow?\r\n", customer.address, deskAddress, number, number)
			send(t, s.smtp, customer.address, deskAddress, []byte(question))
			var found struct {
				Tickets []struct {
					Number  int
					Contact struct{ Email string }
				}
			}
			a.get(t, "/tickets?q="+url.QueryEscape(fmt.Sprintf("subject:\"Question %d\"", number)), &found)
			if len(found.Tickets) != 1 || found.Tickets[0].Contact.Email != customer.plain {
				t.Fatalf("tickets: %+v, want one of %s", found.Tickets, customer.plain)
			}
			ticket := found.Tickets[0].Number
			form := url.Values{"text": {"Like this."}, "to": {`"Ann, B." <` + customer.address + ">"}, "mode": {"reply"}, "seen": {"99"}}
			response, err := browser.PostForm(fmt.Sprintf("%s/tickets/%d/compose", s.web, ticket), form)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode >= 400 {
				t.Fatalf("the answer from the web: %s", response.Status)
			}
			answer := box.next(t, customer.wire, patience)
			if to := answer.address(t, "To"); to.Address != customer.wire {
				t.Errorf("the answer says it is to %q", to.Address)
			}
			if status := a.do(t, http.MethodPost, fmt.Sprintf("/tickets/%d/replies", ticket), nil, map[string]any{"text": "And so.", "to": []string{customer.address}}, nil); status != http.StatusCreated {
				t.Errorf("the answer through the API: status %d", status)
			}
			box.next(t, customer.wire, patience)

			replyTo := answer.address(t, "Reply-To").Address
			send(t, s.smtp, customer.address, replyTo, []byte(strings.Replace(question, fmt.Sprintf("<q%d@", number), fmt.Sprintf("<r%d@", number), 1)))
			got := a.ticket(t, ticket)
			if len(got.Messages) != 4 || len(got.Held) != 0 || got.Messages[3].Reason != "token" {
				t.Errorf("the customer's answer: %d messages, %d held", len(got.Messages), len(got.Held))
			}
		})
	}
}
