package helpdesk_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (h *house) field(f helpdesk.Field) *helpdesk.Field {
	h.t.Helper()
	if f.Owner == "" {
		f.Owner = helpdesk.FieldOfTicket
	}
	saved, err := h.SaveField(h.t.Context(), h.admin, f)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved
}

func TestFieldValuesAreReadAsTheyAreMeant(t *testing.T) {
	h := newHouse(t)
	h.first()
	options := []helpdesk.FieldOption{{Name: "赤"}, {Name: "Blue"}}
	fields := map[helpdesk.FieldKind]*helpdesk.Field{}
	for _, kind := range helpdesk.FieldKinds {
		fields[kind] = h.field(helpdesk.Field{Name: string(kind), Kind: kind, Choices: options})
	}
	for _, test := range []struct {
		kind  helpdesk.FieldKind
		typed []string
		want  string // as it is shown, or the refusal
	}{
		{helpdesk.FieldText, []string{"  注文 12 "}, "注文 12"},
		{helpdesk.FieldText, []string{strings.Repeat("x", 2001)}, "!limit"},
		{helpdesk.FieldNumber, []string{"１２，３００"}, "12300"},
		{helpdesk.FieldNumber, []string{"-3.50"}, "-3.50"},
		{helpdesk.FieldNumber, []string{"1/3"}, "!such as 1200"},
		{helpdesk.FieldNumber, []string{"1e9999999"}, "!such as 1200"},
		{helpdesk.FieldDate, []string{"2026年1月5日"}, "2026-01-05"},
		{helpdesk.FieldDate, []string{"2026/11/22"}, "2026-11-22"},
		{helpdesk.FieldDate, []string{"2026-02-30"}, "!2026-11-22"},
		{helpdesk.FieldChoice, []string{"blue"}, "Blue"},
		{helpdesk.FieldChoice, []string{"green"}, "!it has 赤, Blue"},
		{helpdesk.FieldChoice, []string{"赤", "Blue"}, "!one value"},
		{helpdesk.FieldChoices, []string{"赤", "Blue", "赤"}, "赤,Blue"},
		{helpdesk.FieldCheckbox, []string{"on"}, "yes"},
		{helpdesk.FieldCheckbox, []string{"perhaps"}, "!yes or no"},
		{helpdesk.FieldLink, []string{"https://shop.example/o/1"}, "https://shop.example/o/1"},
		{helpdesk.FieldLink, []string{"javascript:alert(1)"}, "!https://"},
		{helpdesk.FieldText, []string{""}, ""},
	} {
		f := fields[test.kind]
		changed, err := h.Change(t.Context(), h.admin, 1, helpdesk.Change{Fields: helpdesk.FieldValues{f.Name: test.typed}})
		if refusal, ok := strings.CutPrefix(test.want, "!"); ok {
			wantCode(t, err, helpdesk.CodeInvalid, refusal)
			continue
		}
		if err != nil {
			t.Errorf("%s %q: %v", test.kind, test.typed, err)
			continue
		}
		if got := strings.Join(f.Shown(changed.Fields[f.ID]), ","); got != test.want {
			t.Errorf("%s %q is %q, want %q", test.kind, test.typed, got, test.want)
		}
	}
	_, err := h.Change(t.Context(), h.admin, 1, helpdesk.Change{Fields: helpdesk.FieldValues{"nothing": {"x"}}})
	wantCode(t, err, helpdesk.CodeInvalid, "there is no field")
}

func TestARequiredFieldKeepsATicketOpen(t *testing.T) {
	h := newHouse(t)
	h.first()
	ctx := t.Context()
	cause := h.field(helpdesk.Field{Name: "原因", Kind: helpdesk.FieldChoice, Required: true, Choices: []helpdesk.FieldOption{{Name: "不具合"}, {Name: "質問"}}})
	done := "完了"
	_, err := h.Change(ctx, h.admin, 1, helpdesk.Change{Stage: &done})
	wantCode(t, err, helpdesk.CodeInvalid, "原因")
	_, err = h.Reply(ctx, h.admin, helpdesk.Reply{Ticket: 1, Text: "Here it is.", Close: true})
	wantCode(t, err, helpdesk.CodeInvalid, "原因")
	if v := h.ticket(1); len(v.Messages) != 1 || !v.Row.Ticket.Open {
		t.Errorf("a refused reply left %d messages, open %t", len(v.Messages), v.Row.Ticket.Open)
	}
	for _, change := range []helpdesk.BulkChange{{Close: true}, {Stage: &done}} {
		b := h.bulk(change, 1)
		_, refused, err := h.Bulk(ctx, h.admin, b.ID)
		if err != nil || b.Refused != 1 || refused[0].Problem != "error.fields_required" || !h.ticket(1).Row.Ticket.Open {
			t.Errorf("closing many: %+v, %+v, %v", b, refused, err)
		}
	}
	closed, err := h.Change(ctx, h.admin, 1, helpdesk.Change{Stage: &done, Fields: helpdesk.FieldValues{cause.ID: {"質問"}}})
	if err != nil || closed.Open {
		t.Errorf("closing with the value: %+v, %v", closed, err)
	}

	// A choice that was removed stays with those who have it and is offered to nobody.
	id := cause.Choices[1].ID
	cause.Choices = []helpdesk.FieldOption{{Name: "不具合"}}
	saved := h.field(*cause)
	if got := saved.Shown(h.ticket(1).Row.Ticket.Fields[cause.ID]); !slices.Equal(got, []string{"質問"}) {
		t.Errorf("the value of a removed choice: %v", got)
	}
	if i := slices.IndexFunc(saved.Choices, func(o helpdesk.FieldOption) bool { return o.ID == id }); i < 0 || !saved.Choices[i].Retired {
		t.Errorf("the removed choice: %+v", saved.Choices)
	}
	saved.Kind = helpdesk.FieldText
	_, err = h.SaveField(ctx, h.admin, *saved)
	wantCode(t, err, helpdesk.CodeConflict, "stays of kind")
}

func TestFieldsOfContactsAndTheirOrder(t *testing.T) {
	h := newHouse(t)
	h.first()
	ctx := t.Context()
	rank := h.field(helpdesk.Field{Owner: helpdesk.FieldOfContact, Name: "会員番号", Kind: helpdesk.FieldText})
	since := h.field(helpdesk.Field{Owner: helpdesk.FieldOfContact, Name: "入会日", Kind: helpdesk.FieldDate})
	contact := h.ticket(1).Row.Contact
	changed, err := h.SetContactFields(ctx, h.admin, contact.ID, helpdesk.FieldValues{"会員番号": {"A-12"}, since.ID: {"2020-04-01"}})
	if err != nil || changed.Fields[rank.ID][0] != "A-12" {
		t.Fatalf("%+v, %v", changed, err)
	}
	h.first() // another mail of the same person keeps them
	if got := h.ticket(2).Row.Contact.Fields[since.ID]; !slices.Equal(got, []string{"2020-04-01"}) {
		t.Errorf("after another mail: %v", got)
	}
	if err := h.OrderFields(ctx, h.admin, helpdesk.FieldOfContact, []string{since.ID, rank.ID}); err != nil {
		t.Fatal(err)
	}
	list, err := h.Fields(ctx, h.admin)
	if err != nil || len(list) != 2 || list[0].ID != since.ID {
		t.Errorf("the order: %+v, %v", list, err)
	}
}
