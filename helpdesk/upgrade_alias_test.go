package helpdesk_test

import (
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// storedAliases is the table of aliases, to write one as an older program did.
var storedAliases = store.NewTable(store.Spec[helpdesk.Alias]{Name: "alias", Version: 1,
	Key: func(a *helpdesk.Alias) []byte { return store.Key(nil).BoundedText(a.ID) },
	Indexes: []store.Index[helpdesk.Alias]{
		{Name: "address", Unique: true, Keys: func(a *helpdesk.Alias) [][]byte { return [][]byte{store.Key(nil).BoundedText(a.Address)} }},
		{Name: "domain", Keys: func(a *helpdesk.Alias) [][]byte {
			return [][]byte{store.Key(nil).BoundedText(a.Address[len("support@"):])}
		}},
	}})

func (h *house) storeAlias(a helpdesk.Alias) {
	h.t.Helper()
	h.must(h.db.Update(h.t.Context(), func(tx store.Tx) error { return storedAliases.Put(tx, &a) }))
}

// An alias that an older program kept with its domain in letters takes mail after the
// start of this one, and is answered from.
func TestAliasesKeptInLettersTakeMailAfterTheStart(t *testing.T) {
	h := newHouse(t)
	const typed, mailbox = "support@日本語.jp", "support@xn--wgv71a119e.jp"
	old := helpdesk.Alias{ID: "01OLDALIAS", Address: typed, Name: "窓口", PipelineID: h.alias.PipelineID, CreatedAt: h.now}
	h.storeAlias(old)
	if err := h.Recipient(t.Context(), mailbox); err == nil {
		t.Fatal("the alias takes mail already")
	}

	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"})
	for _, address := range []string{mailbox, typed, "postmaster@xn--wgv71a119e.jp"} {
		if err := h.Recipient(t.Context(), address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	got := h.post(mailbox, "From: tamura@customer.example", "Subject: 質問", "", "質問です。")
	answer := h.reply(got.Ticket, "回答です。")
	if got := h.post(answer.ReplyAddress, "From: tamura@customer.example", "Subject: Re: 質問", "", "はい。"); got.State != helpdesk.MessagePosted || h.ticket(got.Ticket).Alias.ID != old.ID {
		t.Errorf("the answer: %+v", got)
	}
	last, err := h.LastSeq(t.Context())
	h.must(err)
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"})
	if again, err := h.LastSeq(t.Context()); err != nil || again != last {
		t.Errorf("another start writes events up to %d, had %d: %v", again, last, err)
	}
}

// Where somebody made the alias once more by then, both stay, and the start is none
// the worse.
func TestAnAliasKeptInLettersBesideItsOtherForm(t *testing.T) {
	h := newHouse(t)
	h.storeAlias(helpdesk.Alias{ID: "01OLDALIAS", Address: "support@日本語.jp", PipelineID: h.alias.PipelineID, CreatedAt: h.now})
	made, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "support@日本語.jp", Name: "窓口"})
	h.must(err)
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp"})
	if got := h.post("support@日本語.jp", "From: tamura@customer.example", "Subject: x", "", "x"); h.ticket(got.Ticket).Alias.ID != made.ID {
		t.Errorf("the mail came by alias %q", h.ticket(got.Ticket).Alias.ID)
	}
	h.must(h.DeleteAlias(t.Context(), h.admin, "01OLDALIAS"))
}

// Servers name the address of reports by its domain's ASCII form.
func TestReportsComeToAnInternationalisedDomain(t *testing.T) {
	h := newHouse(t)
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp", Policy: helpdesk.Policy{ReportAddresses: []string{"Reports@日本語.jp"}}})
	for _, address := range []string{"reports@xn--wgv71a119e.jp", "reports@日本語.jp"} {
		h.must(h.Recipient(t.Context(), address))
		in := aggregate("of-"+address, "example.jp", address, "192.0.2.1 90 pass pass")
		in.Envelope.Recipients = []string{address}
		if got := h.receive(in); got.State != helpdesk.MessageReport {
			t.Errorf("a report to %s: %+v", address, got)
		}
	}
}
