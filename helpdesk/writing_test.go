package helpdesk_test

import (
	"strings"
	"testing"

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
