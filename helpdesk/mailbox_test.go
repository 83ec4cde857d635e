package helpdesk_test

import (
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Servers name an internationalised domain by its ASCII form, people by its letters.
func TestAnAliasOnAnInternationalisedDomain(t *testing.T) {
	h := newHouse(t)
	alias, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "Support@日本語.jp", Name: "窓口"})
	h.must(err)
	const ascii = "support@xn--wgv71a119e.jp"
	if alias.Address != ascii {
		t.Errorf("it is kept as %q", alias.Address)
	}
	_, err = h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: ascii, Name: "once more"})
	wantCode(t, err, helpdesk.CodeConflict, "exists")
	for _, address := range []string{ascii, "support@日本語.jp", "SUPPORT@XN--WGV71A119E.JP", "postmaster@日本語.jp", "postmaster@xn--wgv71a119e.jp"} {
		if err := h.Recipient(t.Context(), address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	r := h.post("support@日本語.jp", "From: tamura@例え.jp", "To: support@日本語.jp, kojima@例え.jp", "Subject: 質問", "", "質問です。")
	if got := h.ticket(r.Ticket).Row.Ticket.Participants; !slices.Equal(got, []string{"tamura@例え.jp", "kojima@例え.jp"}) {
		t.Errorf("those who take part: %q", got)
	}
	m := h.reply(r.Ticket, "回答です。")
	h.pass(10 * time.Second)
	if sent := h.deliver(taken); sent["tamura@例え.jp"] == "" {
		t.Errorf("what left: %v", sent)
	}
	if more := h.post(m.ReplyAddress, "From: tamura@xn--r8jz45g.jp", "Subject: Re: 質問", "", "ありがとうございます。"); more.State != helpdesk.MessagePosted {
		t.Errorf("the customer, by the other form of the domain: %+v", more)
	}
}
