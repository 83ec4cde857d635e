package search_test

import (
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestContactsAreFoundByWhatTheHouseKnowsOfThem writes names, readings, addresses and
// companies that no mail says.
func TestContactsAreFoundByWhatTheHouseKnowsOfThem(t *testing.T) {
	h := newHouse(t)
	h.post(letter{from: "t1988 <t1988@phone.example>", subject: "温度計の件"})                       // 1
	h.post(letter{from: "Front desk <front@maruyama.example>", subject: "Meeting room"})        // 2
	h.post(letter{from: "Taro at home <taro@home.example>", subject: "From home", text: "one"}) // 3
	h.post(letter{from: "Kato <kato@work.example>", subject: "From work", text: "two"})         // 4
	h.post(letter{from: "Somebody <else@other.example>", subject: "丸山 asked for 高橋"})           // 5
	h.follow()
	for _, text := range []string{"高橋里奈", "たかはし", "丸山商事"} {
		h.expect(text)
	}
	contact := func(ticket uint64) string {
		t.Helper()
		v, err := h.Ticket(t.Context(), h.admin, ticket)
		if err != nil {
			t.Fatal(err)
		}
		return v.Row.Contact.ID
	}
	change := func(ticket uint64, c helpdesk.ContactChange) {
		t.Helper()
		if _, err := h.ChangeContact(t.Context(), h.admin, contact(ticket), c); err != nil {
			t.Fatal(err)
		}
	}
	name, reading := "高橋 里奈", "タカハシ リナ"
	change(1, helpdesk.ContactChange{Name: &name, Reading: &reading})
	company, err := h.SaveCompany(t.Context(), h.admin, helpdesk.Company{Name: "丸山商事 株式会社", Domains: []string{"maruyama.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.MergeContacts(t.Context(), h.admin, contact(3), contact(4)); err != nil {
		t.Fatal(err)
	}
	h.follow()
	for text, want := range map[string][]uint64{
		"高橋里奈":              {1},
		"高橋":                {1, 5},
		"里奈":                {1},
		"たかはし":              {1},
		`"高橋 里奈"`:           {1},
		`"里奈 高橋"`:           {},
		"高橋 温度計":            {1}, // one word by the contact, one by the mail
		"from:高橋":           {1},
		"高橋 -里奈":            {5},
		"丸山商事":              {2},
		"丸山":                {2, 5},
		"株式会社":              {2},
		"kato@work.example": {3, 4}, // each address finds all that the person wrote
		"taro@home.example": {3, 4},
		"kato":              {3, 4},
		`"kat"`:             {},
	} {
		h.expect(text, want...)
	}
	// The contact goes to another company: nothing has to be indexed anew.
	company.Domains = nil
	if _, err := h.SaveCompany(t.Context(), h.admin, *company); err != nil {
		t.Fatal(err)
	}
	change(4, helpdesk.ContactChange{Company: &company.ID})
	h.follow()
	h.expect("丸山商事", 3, 4)
	h.verify()
}
