package helpdesk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestWhatAModelIsGivenForADraft(t *testing.T) {
	h := newHouse(t)
	h.post("support@example.jp", "From: =?utf-8?B?5bCP5bO2IOWBpQ==?= <kojima@other.example>", "Subject: Invoice", "", "I am 小島, call 090-1234-5678. Send invoice 12.")
	h.reply(1, "小島様\nWe sent it to kojima@other.example, see https://a.example/x?k=1.")
	mine := h.first()
	h.template(h.admin, helpdesk.Template{Name: "Invoice", Versions: versions("en", "Dear {{customer.name}}, here it is.")})
	if _, err := h.AddNote(t.Context(), h.admin, mine.Ticket, "secret note"); err != nil {
		t.Fatal(err)
	}
	in, err := h.Writing(t.Context(), h.admin, helpdesk.WritingRequest{Ticket: mine.Ticket, Task: helpdesk.WriteDraft, Similar: []uint64{mine.Ticket, 99, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if in.Language != "en" || in.Subject != "Invoice 2291" || len(in.Messages) != 1 || !in.Messages[0].Customer || in.Messages[0].Text != "Please send the invoice again." ||
		len(in.Templates) != 1 || !strings.Contains(in.Templates[0].Text, "田村 美咲") {
		t.Errorf("given %+v", in)
	}
	if len(in.Answers) != 1 || in.Answers[0].Ticket != 1 {
		t.Fatalf("earlier answers: %+v", in.Answers)
	}
	for _, personal := range []string{"小島", "kojima@", "090-1234", "https://"} {
		if strings.Contains(in.Answers[0].Question+in.Answers[0].Answer, personal) {
			t.Errorf("another customer's %s is in %+v", personal, in.Answers[0])
		}
	}
}

func TestWhatAModelIsNotAskedFor(t *testing.T) {
	h := newHouse(t)
	mine := h.first()
	for name, q := range map[string]helpdesk.WritingRequest{
		"writing_task":  {Ticket: mine.Ticket, Task: "delete"},
		"writing_empty": {Ticket: mine.Ticket, Task: helpdesk.WriteFormal, Text: " \n"},
		"writing_long":  {Ticket: mine.Ticket, Task: helpdesk.WriteFormal, Text: strings.Repeat("あ", helpdesk.MaxWritingText+1)},
	} {
		_, err := h.Writing(t.Context(), h.admin, q)
		if key := keyOf(err); key != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, q := range []helpdesk.WritingRequest{{Ticket: 99, Task: helpdesk.WriteDraft}, {Ticket: mine.Ticket, Task: helpdesk.WriteMailTranslation, Message: "of another ticket"}} {
		if _, err := h.Writing(t.Context(), h.admin, q); helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// A model is told who is a customer and who a third party, and no letter to a third party is an
// example of how customers are answered.
func TestWhatAModelIsGivenOfThirdParties(t *testing.T) {
	h := newHouse(t)
	first := h.forwarding()
	h.pass(time.Minute)
	m := h.forward(first.MessageID, "accountant@tax.example")
	h.pass(time.Minute)
	h.answerTo(m, "From: accountant@tax.example")
	in, err := h.Writing(t.Context(), h.admin, helpdesk.WritingRequest{Ticket: first.Ticket, Task: helpdesk.WriteDraft})
	if err != nil {
		t.Fatal(err)
	}
	var who []string
	for _, m := range in.Messages {
		who = append(who, fmt.Sprintf("customer %t third party %t ours %t", m.Customer, m.ThirdParty, m.Ours))
	}
	want := []string{"customer true third party false ours false", "customer false third party true ours true", "customer false third party true ours false"}
	if !slices.Equal(who, want) {
		t.Errorf("given %q, want %q", who, want)
	}

	// What goes to the third party answers them, and tells them nothing of the customer's.
	theirs := helpdesk.WritingRequest{Ticket: first.Ticket, Task: helpdesk.WriteDraft, To: []helpdesk.Address{{Email: "Accountant@tax.example"}}}
	if _, err := h.Writing(t.Context(), h.admin, theirs); keyOf(err) != "writing_outside" {
		t.Errorf("a draft to the third party: %v", err)
	}
	if _, err := h.Writing(t.Context(), h.admin, helpdesk.WritingRequest{Ticket: first.Ticket, Task: helpdesk.WriteDraft, Forward: true}); keyOf(err) != "writing_outside" {
		t.Errorf("a draft of what passes a mail on: %v", err)
	}
	theirs.Task, theirs.Text = helpdesk.WriteKeywords, "thanks"
	in, err = h.Writing(t.Context(), h.admin, theirs)
	if err != nil || !in.Outside || len(in.Messages) != 2 || in.Language != "en" || slices.ContainsFunc(in.Messages, func(m helpdesk.WritingMessage) bool { return !m.ThirdParty }) {
		t.Errorf("given for a letter to the third party: %+v, %v", in, err)
	}
	theirs.Task, theirs.To = helpdesk.WriteDraft, []helpdesk.Address{{Email: "tamura@customer.example"}}
	if _, err := h.Writing(t.Context(), h.admin, theirs); err != nil {
		t.Errorf("a draft to the customer: %v", err)
	}

	// Nobody has to be known as a third party before they are one.
	for to, outside := range map[string]bool{"carrier@parcels.example": true, "Kojima@customer.example": false, "sales@customer.example": false, "Sato@example.jp": false,
		"carrier@parcels.example, tamura@customer.example": false, "carrier@parcels.example, accountant@tax.example": true} {
		theirs.To = nil
		for address := range strings.SplitSeq(to, ", ") {
			theirs.To = append(theirs.To, helpdesk.Address{Email: address})
		}
		theirs.Task = helpdesk.WriteDraft
		if _, err := h.Writing(t.Context(), h.admin, theirs); (keyOf(err) == "writing_outside") != outside {
			t.Errorf("a draft to %s: %v", to, err)
		}
		theirs.Task = helpdesk.WriteKeywords
		if in, err := h.Writing(t.Context(), h.admin, theirs); err != nil || in.Outside != outside || outside && len(in.Messages) != 2 {
			t.Errorf("keywords to %s: %+v, %v", to, in, err)
		}
	}
	other := h.mailFrom("Mori <mori@away.example>", "Is it right?", "", "Is my invoice right?")
	in, err = h.Writing(t.Context(), h.admin, helpdesk.WritingRequest{Ticket: other.Ticket, Task: helpdesk.WriteDraft, Similar: []uint64{first.Ticket}})
	if err != nil || len(in.Answers) > 0 {
		t.Errorf("examples of an answer to a customer: %+v, %v", in.Answers, err)
	}
}
