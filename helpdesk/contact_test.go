package helpdesk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// mailFrom takes in a mail to the alias from an address, and returns its ticket.
func (h *house) mailFrom(sender, subject string, more ...string) helpdesk.Receipt {
	h.t.Helper()
	return h.post("support@example.jp", append([]string{"From: " + sender, "Subject: " + subject}, more...)...)
}

func (h *house) contact(id string) *helpdesk.ContactView {
	h.t.Helper()
	v, err := h.Contact(h.t.Context(), h.admin, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func (h *house) changeContact(id string, change helpdesk.ContactChange) *helpdesk.Contact {
	h.t.Helper()
	c, err := h.ChangeContact(h.t.Context(), h.admin, id, change)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (h *house) company(c helpdesk.Company) *helpdesk.Company {
	h.t.Helper()
	saved, err := h.SaveCompany(h.t.Context(), h.admin, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved
}

func names(page helpdesk.ContactPage) string {
	var list []string
	for _, row := range page.Contacts {
		list = append(list, row.Contact.Name)
	}
	return strings.Join(list, ", ")
}

func (h *house) contacts(q helpdesk.ContactQuery) helpdesk.ContactPage {
	h.t.Helper()
	page, err := h.Contacts(h.t.Context(), h.admin, q)
	if err != nil {
		h.t.Fatal(err)
	}
	return page
}

func numbers(rows []helpdesk.TicketRow) (list []uint64) {
	for _, row := range rows {
		list = append(list, row.Ticket.Number)
	}
	slices.Sort(list)
	return list
}

func TestMergedContactsAreOnePersonUntilUndone(t *testing.T) {
	h := newHouse(t)
	h.mailFrom("花子 <hanako@work.example>", "見積", "Message-ID: <one@work.example>")
	second := h.mailFrom("Hanako <hanako@home.example>", "領収書", "Message-ID: <two@home.example>")
	work, home := h.contact("hanako@work.example").Contact, h.contact("hanako@home.example").Contact
	reading, phone, notes := "はなこ", "03-1234-5678", "午後に電話"
	h.changeContact(home.ID, helpdesk.ContactChange{Reading: &reading, Phone: &phone, Notes: &notes, Tags: &[]string{"VIP"}})
	m, err := h.MergeContacts(t.Context(), h.admin, home.ID, work.ID)
	if err != nil {
		t.Fatal(err)
	}
	one := h.contact(work.ID)
	if c := one.Contact; one.Tickets != 2 || c.Reading != reading || c.Phone != phone || c.Notes != notes || c.Name != "花子" ||
		fmt.Sprint(c.Addresses()) != "[hanako@work.example hanako@home.example]" || len(one.Mergings) != 1 {
		t.Fatalf("the merged contact: %+v", one)
	}
	if got := h.contact(home.ID).Contact.ID; got != work.ID {
		t.Errorf("the merged contact's id leads to %s", got)
	}
	if got := h.ticket(second.Ticket).Row.Contact.ID; got != work.ID {
		t.Errorf("ticket %d is of %s", second.Ticket, got)
	}
	// Either address takes part where the other one does.
	answer := h.mailFrom("hanako@home.example", "Re: 見積", "In-Reply-To: <one@work.example>")
	if answer.State != helpdesk.MessagePosted || answer.Ticket != 1 {
		t.Errorf("an answer from the other address: %+v", answer)
	}
	third := h.mailFrom("hanako@home.example", "新しい件")
	h.verify()

	if _, err := h.UndoMergeContacts(t.Context(), h.admin, m.ID); err != nil {
		t.Fatal(err)
	}
	apart, back := h.contact(work.ID), h.contact(home.ID)
	if c := apart.Contact; apart.Tickets != 1 || c.Reading != "" || c.Phone != "" || c.Notes != "" || len(c.Tags) != 0 || len(c.Others) != 0 {
		t.Errorf("after the undo: %+v", apart)
	}
	rows, _, err := h.ContactTickets(t.Context(), h.admin, back.Contact.ID, 0, "")
	if err != nil || back.Contact.Phone != phone || fmt.Sprint(numbers(rows)) != fmt.Sprint([]uint64{second.Ticket, third.Ticket}) {
		t.Errorf("the other one after the undo: %+v, tickets %v, %v", back.Contact, numbers(rows), err)
	}
	if _, err := h.UndoMergeContacts(t.Context(), h.admin, m.ID); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("a second undo: %v", err)
	}
	if held := h.mailFrom("hanako@home.example", "Re: 見積", "In-Reply-To: <one@work.example>", "X: 2"); held.State != helpdesk.MessagePosted {
		// They wrote there while they were one person, so they take part.
		t.Errorf("after the undo: %+v", held)
	}
}

func TestStrangersStayStrangersAfterAMerge(t *testing.T) {
	h := newHouse(t)
	h.mailFrom("a@one.example", "件名", "Message-ID: <one@one.example>")
	h.mailFrom("b@two.example", "別件")
	if held := h.mailFrom("c@three.example", "Re: 件名", "In-Reply-To: <one@one.example>"); held.State != helpdesk.MessageHeld {
		t.Errorf("a stranger's mail: %+v", held)
	}
	a, b := h.contact("a@one.example").Contact, h.contact("b@two.example").Contact
	if _, err := h.ChangeContact(t.Context(), h.admin, a.ID, helpdesk.ContactChange{Add: []string{"B@two.example"}}); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("taking an address of somebody else: %v", err)
	}
	if _, err := h.ChangeContact(t.Context(), h.admin, a.ID, helpdesk.ContactChange{Add: []string{"support@example.jp"}}); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("taking an address of ours: %v", err)
	}
	if _, err := h.MergeContacts(t.Context(), h.admin, b.ID, b.ID); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("merging with itself: %v", err)
	}
	main := "new@one.example"
	if c := h.changeContact(a.ID, helpdesk.ContactChange{Email: &main}); c.Email != main || fmt.Sprint(c.Others) != "[a@one.example]" {
		t.Errorf("another main address: %+v", c)
	}
	if _, err := h.ChangeContact(t.Context(), h.admin, a.ID, helpdesk.ContactChange{Remove: []string{main}}); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("removing the main address: %v", err)
	}
}

// A company can be deleted while a contact that was given it is part of another.
func TestADeletedCompanyIsNobodysAnyMore(t *testing.T) {
	h := newHouse(t)
	h.mailFrom("hanako@work.example", "見積")
	h.mailFrom("hanako@home.example", "領収書")
	work, home := h.contact("hanako@work.example").Contact, h.contact("hanako@home.example").Contact
	acme := h.company(helpdesk.Company{Name: "Acme"})
	h.changeContact(home.ID, helpdesk.ContactChange{Company: &acme.ID})
	m, err := h.MergeContacts(t.Context(), h.admin, home.ID, work.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.DeleteCompany(t.Context(), h.admin, acme.ID); err != nil {
		t.Fatal(err)
	}
	h.verify()
	if _, err := h.UndoMergeContacts(t.Context(), h.admin, m.ID); err != nil {
		t.Fatal(err)
	}
	if c := h.contact(home.ID); c.Contact.CompanyID != "" || c.Company != nil {
		t.Errorf("it is still of %q: %+v", c.Contact.CompanyID, c.Company)
	}
	h.verify()
}

func TestAContactHasTheCompanyOfItsDomain(t *testing.T) {
	h := newHouse(t)
	h.mailFrom("山田 <yamada@acme.example>", "一")
	h.mailFrom("鈴木 <suzuki@gmail.com>", "二")
	yamada, suzuki := h.contact("yamada@acme.example"), h.contact("suzuki@gmail.com")
	if yamada.Domain != "acme.example" || suzuki.Domain != "" {
		t.Errorf("a company is offered for %q and %q", yamada.Domain, suzuki.Domain)
	}
	for _, wrong := range []helpdesk.Company{{}, {Name: "x", Domains: []string{"gmail.com"}}, {Name: "x", Domains: []string{"yahoo.co.jp"}}, {Name: "x", Domains: []string{"no domain"}}} {
		if _, err := h.SaveCompany(t.Context(), h.admin, wrong); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	acme := h.company(helpdesk.Company{Name: "株式会社アクメ", Domains: []string{"@ACME.example"}})
	if got := h.contact(yamada.Contact.ID); got.Company == nil || got.Company.ID != acme.ID || got.Contact.Company != acme.Name {
		t.Errorf("by domain: %+v", got)
	}
	if _, err := h.SaveCompany(t.Context(), h.admin, helpdesk.Company{Name: "ほか", Domains: []string{"acme.example"}}); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
		t.Errorf("a domain twice: %v", err)
	}
	h.changeContact(suzuki.Contact.ID, helpdesk.ContactChange{Company: &acme.ID})
	view, err := h.Company(t.Context(), h.admin, acme.ID)
	if err != nil || len(view.Contacts) != 2 || len(view.Tickets) != 2 {
		t.Fatalf("the company: %+v, %v", view, err)
	}
	none := helpdesk.NoCompany
	if c := h.changeContact(yamada.Contact.ID, helpdesk.ContactChange{Company: &none}); c.Company != "" {
		t.Errorf("taken out by hand: %+v", c)
	}
	if page := h.contacts(helpdesk.ContactQuery{Company: acme.ID}); names(page) != "鈴木" {
		t.Errorf("members: %s", names(page))
	}
	if err := h.DeleteCompany(t.Context(), h.admin, acme.ID); err != nil {
		t.Fatal(err)
	}
	if got := h.contact(suzuki.Contact.ID).Contact; got.Company != "" || got.CompanyKept {
		t.Errorf("after the company was deleted: %+v", got)
	}
}

func TestABlockedPersonReachesNobody(t *testing.T) {
	h := newHouse(t).withAcknowledgement()
	h.mailFrom("troll@home.example", "一通目", "Message-ID: <one@home.example>", "Test-DMARC: pass")
	if sent := h.acknowledge(); len(sent) != 1 {
		t.Errorf("acknowledged: %v", sent)
	}
	c := h.contact("troll@home.example").Contact
	yes, no := true, false
	h.changeContact(c.ID, helpdesk.ContactChange{Blocked: &yes})
	first := h.mailFrom("troll@home.example", "Re: 一通目", "In-Reply-To: <one@home.example>", "Test-DMARC: pass")
	second := h.mailFrom("troll@home.example", "二通目", "Test-DMARC: pass")
	for _, number := range []uint64{first.Ticket, second.Ticket} {
		if v := h.ticket(number); v.Row.Ticket.Spam == nil || !v.Row.Contact.Blocked {
			t.Errorf("ticket %d of a blocked person: %+v", number, v.Row.Ticket)
		}
	}
	if sent := h.acknowledge(); len(sent) != 0 {
		t.Errorf("a blocked person is answered: %v", sent)
	}
	if list, err := h.BlockedSenders(t.Context(), h.admin); err != nil || len(list) != 1 || list[0].Pattern != "troll@home.example" {
		t.Errorf("blocked: %v, %v", list, err)
	}
	h.pass(48 * time.Hour)
	h.changeContact(c.ID, helpdesk.ContactChange{Blocked: &no, NeverAnswer: &yes})
	third := h.mailFrom("troll@home.example", "三通目", "Test-DMARC: pass")
	if sent := h.acknowledge(); !h.ticket(third.Ticket).Row.Ticket.Open || len(sent) != 0 {
		t.Errorf("one who never gets automatic answers: %+v, sent %v", third, sent)
	}
	h.changeContact(c.ID, helpdesk.ContactChange{NeverAnswer: &no})
	h.mailFrom("troll@home.example", "四通目", "Test-DMARC: pass")
	if sent := h.acknowledge(); len(sent) != 1 {
		t.Errorf("once it is allowed again: %v", sent)
	}
}

func TestContactsAreFoundSortedAndPaged(t *testing.T) {
	h := newHouse(t)
	for i, who := range []string{"山田 太郎 <taro@acme.example>", "鈴木 一郎 <ichiro@beta.example>", "Anna Schmidt <anna@gamma.example>", "タナカ <t.tanaka+shop@delta.example>"} {
		h.pass(time.Minute)
		h.mailFrom(who, fmt.Sprint("件名", i))
	}
	reading, phone := "すずき いちろう", "090-1234-5678"
	h.changeContact(h.contact("ichiro@beta.example").Contact.ID, helpdesk.ContactChange{Reading: &reading, Phone: &phone, Tags: &[]string{"VIP", "法人"}})
	for text, want := range map[string]string{"太郎": "山田 太郎", "山田太": "山田 太郎", "いちろう": "鈴木 一郎", "スズキ": "鈴木 一郎", "schm": "Anna Schmidt", "SCHMIDT anna": "Anna Schmidt",
		"たなか": "タナカ", "tanaka": "タナカ", "gamma.ex": "Anna Schmidt", "0901234": "鈴木 一郎", "5678": "鈴木 一郎", "taro@acme": "山田 太郎", "誰か": "", "anna 太郎": ""} {
		if got := names(h.contacts(helpdesk.ContactQuery{Text: text})); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	for _, q := range []helpdesk.ContactQuery{{}, {Sort: helpdesk.SortByName}, {Text: "example"}, {Text: "example", Sort: helpdesk.SortByName}} {
		var all []string
		whole := names(h.contacts(q))
		for q.Limit = 1; ; {
			page := h.contacts(q)
			all = append(all, names(page))
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if got := strings.Join(all, ", "); got != whole || len(all) != 4 && q.Text == "" {
			t.Errorf("%+v: page by page %q, at once %q", q, got, whole)
		}
	}
	if got := names(h.contacts(helpdesk.ContactQuery{Sort: helpdesk.SortByName})); got != "Anna Schmidt, 鈴木 一郎, タナカ, 山田 太郎" {
		t.Errorf("by name: %s", got)
	}
	if tags, err := h.ContactTags(t.Context(), h.admin, 10); err != nil || fmt.Sprint(tags) != "[VIP 法人]" {
		t.Errorf("tags: %v, %v", tags, err)
	}
	if got := names(h.contacts(helpdesk.ContactQuery{Tag: "VIP"})); got != "鈴木 一郎" {
		t.Errorf("tagged: %s", got)
	}
}

func TestAnswersAndFilesOfAPerson(t *testing.T) {
	h := newHouse(t)
	first := h.post("support@example.jp", "From: a@one.example", "Subject: s", "MIME-Version: 1.0", `Content-Type: multipart/mixed; boundary="b"`, "",
		"--b", "Content-Type: text/plain", "", "hello", "--b", "Content-Type: application/pdf", `Content-Disposition: attachment; filename="Quote.PDF"`, "", "x", "--b--")
	h.pass(72 * time.Hour) // over a weekend
	h.reply(first.Ticket, "お返事です")
	v := h.contact("a@one.example")
	if v.Answers != 1 || v.AnswerTime <= 0 || v.AnswerTime >= 48*time.Hour || v.Open != 1 {
		t.Errorf("answers: %+v", v)
	}
	for text, want := range map[string]int{"": 1, "quote": 1, "ＱＵＯＴＥ": 1, "other": 0} {
		files, err := h.ContactFiles(t.Context(), h.admin, v.Contact.ID, text, 0, "")
		if err != nil || len(files.Files) != want || want == 1 && (files.Files[0].Ticket != first.Ticket || files.Files[0].Message != first.MessageID) {
			t.Errorf("files named %q: %+v, %v", text, files, err)
		}
	}
}

func TestImportSaysWhatItLeftOut(t *testing.T) {
	h := newHouse(t)
	h.field(helpdesk.Field{Owner: helpdesk.FieldOfContact, Name: "ランク", Kind: helpdesk.FieldChoice, Choices: []helpdesk.FieldOption{{Name: "金"}, {Name: "銀"}}})
	h.mailFrom("旧名 <old@one.example>", "s")
	file := "メールアドレス,氏名,会社名,タグ,ランク,謎\r\n" +
		"old@one.example,新名,アクメ,VIP,金,x\r\n" +
		"new@two.example,新人,アクメ,,銅,\r\n" +
		"not an address,だれか,,,,\r\n" +
		",名無し,,,,\r\n" +
		"third@three.example,三人目,アクメ,\"VIP,法人\",銀,\r\n"
	encoded, err := japanese.ShiftJIS.NewEncoder().String(file)
	if err != nil {
		t.Fatal(err)
	}
	report, err := h.ImportContacts(t.Context(), h.admin, strings.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	if report.Rows != 5 || report.Added != 1 || report.Changed != 1 || report.Left != 3 || report.Companies != 1 || fmt.Sprint(report.Ignored) != "[謎]" {
		t.Errorf("report: %+v", report)
	}
	var left []string
	for _, f := range report.Faults {
		left = append(left, fmt.Sprintf("%d %s", f.Line, f.Err.(*helpdesk.Error).Key))
	}
	if got := strings.Join(left, "; "); got != "3 error.field_choice; 4 error.address_invalid; 5 error.import_row_no_email" {
		t.Errorf("left out: %s", got)
	}
	if c := h.contact("old@one.example").Contact; c.Name != "新名" || c.Company != "アクメ" || fmt.Sprint(c.Tags) != "[VIP]" {
		t.Errorf("changed: %+v", c)
	}
	if page := h.contacts(helpdesk.ContactQuery{}); len(page.Contacts) != 2 {
		t.Errorf("contacts: %s", names(page))
	}
	again, err := h.ImportContacts(t.Context(), h.admin, strings.NewReader("\ufeff"+file))
	if err != nil || again.Same != 2 || again.Added+again.Changed != 0 {
		t.Errorf("a second time: %+v, %v", again, err)
	}
	exported := 0
	if err := h.ExportContacts(t.Context(), h.admin, helpdesk.ContactQuery{}, func(helpdesk.Contact) error { exported++; return nil }); err != nil || exported != 2 {
		t.Errorf("exported %d, %v", exported, err)
	}
	for _, bad := range []string{"", "name\nx\n", "email\n\"x\n", "email\n\xff\xfe\xff\n"} {
		if _, err := h.ImportContacts(t.Context(), h.admin, strings.NewReader(bad)); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
