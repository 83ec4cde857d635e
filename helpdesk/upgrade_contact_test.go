package helpdesk_test

import (
	"slices"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// storedContacts is the table of contacts, to write one as an older program did.
var storedContacts = store.NewTable(store.Spec[helpdesk.Contact]{Name: "contact", Version: 1,
	Key: func(c *helpdesk.Contact) []byte { return store.Key(nil).BoundedText(c.ID) }})

// storeContact writes a contact without its indexes, which the next start makes.
func (h *house) storeContact(c helpdesk.Contact) {
	h.t.Helper()
	c.CreatedAt, c.LastSeenAt = h.now, h.now
	h.must(h.db.Update(h.t.Context(), func(tx store.Tx) error { return storedContacts.Put(tx, &c) }))
}

// forget deletes what has keys under a prefix.
func (h *house) forget(prefixes ...string) {
	h.t.Helper()
	h.must(h.db.Update(h.t.Context(), func(tx store.Tx) error {
		for _, prefix := range prefixes {
			var keys [][]byte
			for entry, err := range tx.Scan(store.Prefix([]byte(prefix))) {
				if err != nil {
					return err
				}
				keys = append(keys, slices.Clone(entry.Key))
			}
			if len(keys) == 0 {
				h.t.Errorf("nothing under %s", prefix)
			}
			for _, k := range keys {
				if err := tx.Delete(k); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// Contacts that an older program kept with needless quotes are one with whoever writes
// without them, after the start of this one.
func TestContactsKeptInQuotesAreOnePerson(t *testing.T) {
	h := newHouse(t)
	h.mailFrom("Taro <taro@example.com>", "Plain", "", "Hello")
	h.storeContact(helpdesk.Contact{ID: "01OLDTARO", Email: `"taro"@example.com`, Name: "太郎", Phone: "03-1234-5678", Others: []string{"taro@home.example"}})
	h.storeContact(helpdesk.Contact{ID: "01OLDHANA", Email: `"hana"@example.com`, Name: "花"})
	h.storeContact(helpdesk.Contact{ID: "01SPACE", Email: `"a b"@example.com`})
	start := func() {
		h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"})
		h.verify()
	}
	h.forget("t/layout/")
	start()
	taro := h.contact("taro@example.com")
	if !slices.Equal(taro.Contact.Addresses(), []string{"taro@example.com", `"taro"@example.com`, "taro@home.example"}) || taro.Contact.Phone == "" || len(taro.Mergings) != 1 {
		t.Errorf("merged: %+v, %+v", taro.Contact, taro.Mergings)
	}
	if got := h.mailFrom("hana@example.com", "Again", "", "Hello"); h.ticket(got.Ticket).Row.Contact.ID != "01OLDHANA" {
		t.Errorf("the mail is of %+v", h.ticket(got.Ticket).Row.Contact)
	}
	if hana := h.contact("01OLDHANA").Contact; hana.Email != "hana@example.com" || !slices.Equal(hana.Others, []string{`"hana"@example.com`}) {
		t.Errorf("made plain: %+v", hana)
	}
	if c := h.contact("01SPACE").Contact; len(c.Others) != 0 {
		t.Errorf("quotes that are needed: %+v", c)
	}
	last, err := h.LastSeq(t.Context())
	h.must(err)
	start()
	if again, err := h.LastSeq(t.Context()); err != nil || again != last {
		t.Errorf("another start writes events up to %d, had %d: %v", again, last, err)
	}
}
