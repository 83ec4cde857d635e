package helpdesk_test

import (
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Records of companies are gone. Those that the log tells of are as they were, under the id
// that contacts name; of another its contacts give the name.
func TestLostCompaniesAreMadeAnew(t *testing.T) {
	h := newHouse(t)
	for _, sender := range []string{"mita@shop.example", "kudo@gmail.com", "sano@factory.example", "ueda@acme.example"} {
		h.mailFrom(sender, "Hello", "", "Hello")
	}
	made := func(c helpdesk.Company) *helpdesk.Company {
		h.pass(time.Minute)
		return h.company(c)
	}
	byDomain := made(helpdesk.Company{Name: "Old name", Domains: []string{"acme.example"}, Notes: "Pays late"})
	byDomain.Name = "Acme"
	h.company(*byDomain)
	chosen := made(helpdesk.Company{Name: "Shop"})
	free := made(helpdesk.Company{Name: "Kudo"})
	gone := made(helpdesk.Company{Name: "Given up"})
	h.must(h.DeleteCompany(t.Context(), h.admin, gone.ID))
	give := func(contact, company string) {
		h.changeContact(h.contact(contact).Contact.ID, helpdesk.ContactChange{Company: &company})
	}
	give("mita@shop.example", chosen.ID)
	give("kudo@gmail.com", free.ID)
	kept := made(helpdesk.Company{Name: "Factory"})
	give("sano@factory.example", kept.ID)

	if done, err := h.Mend(t.Context(), h.admin); err != nil || done.Companies != 0 {
		t.Errorf("nothing is lost, and mended: %+v, %v", done, err)
	}
	was, _, err := h.Companies(t.Context(), h.admin, "", 50, "")
	h.must(err)
	h.storeContact(helpdesk.Contact{ID: "01UNKNOWN", Email: "abe@nowhere.example", CompanyID: "01KAJ2Z7M8Q4R9T3V5W7X9Y1Z3", CompanyKept: true})
	h.forget("t/company/", "i/company/", "t/layout/")
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"})
	if problems, _ := h.Verify(t.Context()); len(problems) == 0 {
		t.Fatal("nothing is lost")
	}
	if done, err := h.Mend(t.Context(), h.admin); err != nil || done.Companies != 5 {
		t.Errorf("mended: %+v, %v", done, err)
	}
	h.verify()
	is, _, err := h.Companies(t.Context(), h.admin, "", 50, "")
	h.must(err)
	for _, company := range was {
		i := slices.IndexFunc(is, func(c helpdesk.Company) bool { return c.Name == company.Name })
		if i < 0 || company.ID != byDomain.ID && is[i].ID != company.ID || !slices.Equal(is[i].Domains, company.Domains) || is[i].Notes != company.Notes {
			t.Errorf("was %+v, is among %+v", company, is)
		}
	}
	for address, want := range map[string]string{"ueda@acme.example": "Acme", "mita@shop.example": "Shop", "kudo@gmail.com": "Kudo", "sano@factory.example": "Factory", "abe@nowhere.example": "nowhere.example"} {
		if got := h.contact(address).Contact.Company; got != want {
			t.Errorf("%s is of %q, want %q", address, got, want)
		}
	}
}
