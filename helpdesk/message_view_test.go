package helpdesk_test

import (
	"reflect"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// An outline has all but the texts, and becomes the ticket as they are read.
func TestOutlineIsReadInParts(t *testing.T) {
	h := newHouse(t)
	number := h.first().Ticket
	h.reply(number, "We sent it again.")
	h.post("support@example.jp", "From: tamura@customer.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice 2291", "", "Thank you.")
	h.post("support@example.jp", "From: stranger@elsewhere.example", "In-Reply-To: <mail-1@customer.example>", "Subject: Re: Invoice 2291", "", "Held.")
	whole := h.ticket(number)
	if len(whole.Messages) != 3 || len(whole.Held) != 1 {
		t.Fatalf("the ticket has %d messages and %d held ones", len(whole.Messages), len(whole.Held))
	}

	v, err := h.TicketOutline(t.Context(), h.admin, number)
	if err != nil {
		t.Fatal(err)
	}
	texts := func() (list []string) {
		for _, m := range append(v.Messages[:len(v.Messages):len(v.Messages)], v.Held...) {
			list = append(list, m.Body.ReplyText)
		}
		return list
	}
	if got := texts(); !reflect.DeepEqual(got, []string{"", "", "", ""}) {
		t.Errorf("an outline has the texts %q", got)
	}
	inbound := func(m *helpdesk.MessageView) bool {
		return m.Message.Direction == helpdesk.Inbound && m.Message.State == helpdesk.MessagePosted
	}
	if err := h.ReadBodies(t.Context(), h.admin, v, inbound); err != nil {
		t.Fatal(err)
	}
	if got, want := texts(), []string{whole.Messages[0].Body.ReplyText, "", whole.Messages[2].Body.ReplyText, ""}; want[0] == "" || !reflect.DeepEqual(got, want) {
		t.Errorf("read in part it has the texts %q, want %q", got, want)
	}
	if err := h.ReadBodies(t.Context(), h.admin, v, nil); err != nil || !reflect.DeepEqual(v, whole) {
		t.Errorf("read whole it is %v\n%+v, want\n%+v", err, v, whole)
	}
}
