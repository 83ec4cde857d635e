package ui_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestContactFormKeepsWhatWasTyped shows the form again, with and without a script, where it is refused: somebody else
// has changed the person, or something of it is wrong.
func TestContactFormKeepsWhatWasTyped(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "見積", text: "本文"})
	contact := h.seen(1).Row.Contact
	path := "/contacts/" + contact.ID
	one, two := h.as(h.admin), h.as(h.user("mori@example.jp", "森", helpdesk.RoleAgent))
	first, second := one.get(path+"?edit=1"), two.get(path+"?edit=1")
	one.fill(first, path, "notes", "notes", "先の覚え書き").want(http.StatusSeeOther)
	told := two.fill(second, path, "notes", "notes", "後の覚え書き", "phone", "03-1234-5678", "new_company", "株式会社キャク", "tags", "得意先")
	told.want(http.StatusConflict).shows("後の覚え書き", "ほかの人か別のタブがこの内容を変更しました", `href="`+path+`"`, "03-1234-5678", "得意先", `value="株式会社キャク"`)
	if companies, _, err := h.Companies(h.ctx(), h.admin.Actor(), "", 10, ""); err != nil || len(companies) != 0 {
		t.Errorf("what was refused has made %v, %v", companies, err)
	}
	two.get(path).shows("先の覚え書き").hides("後の覚え書き")
	two.fill(told, path, "notes").want(http.StatusSeeOther)
	two.get(path).shows("後の覚え書き", "株式会社キャク").hides("先の覚え書き")

	wrong := one.fill(one.get(path+"?edit=1"), path, "notes", "notes", "長い話", "time_zone", "Tokio").want(http.StatusUnprocessableEntity).shows("長い話", `value="Tokio"`, "Asia/Tokyo")
	one.fill(wrong, path, "notes", "time_zone", "Asia/Tokyo").want(http.StatusSeeOther)
	one.fill(one.get(path+"?edit=1"), path, "notes", "reading", strings.Repeat("あ", 201)).want(http.StatusUnprocessableEntity).shows("「ふりがな」が長すぎます")

	// Another mail of theirs is no change by a person, even where it says another name.
	open := one.get(path + "?edit=1")
	h.receive(letter{name: "Misaki Tamura", subject: "もう一通", text: "本文"})
	one.fill(open, path, "notes", "notes", "三つ目").want(http.StatusSeeOther)
	// A sender who was blocked meanwhile is not let through by a page that does not know of it.
	open = one.get(path + "?edit=1")
	blocked := true
	if _, err := h.ChangeContact(h.ctx(), h.admin.Actor(), contact.ID, helpdesk.ContactChange{Blocked: &blocked}); err != nil {
		t.Fatal(err)
	}
	one.fill(open, path, "notes", "notes", "四つ目").want(http.StatusConflict)
}

// TestContactIsNotOverwrittenBesideATicket saves second what a colleague has changed, in the panel of a ticket.
func TestContactIsNotOverwrittenBesideATicket(t *testing.T) {
	h := newReadyHouse(t)
	h.receive(letter{subject: "見積", text: "本文"})
	contact := h.seen(1).Row.Contact
	server := &restartable{t: t, handler: h.web.Handler()}
	server.start()
	t.Cleanup(func() { server.stop() })
	b := openTab(t, "http://"+server.address)
	b.openAs("sato@example.jp", "/inbox/open/1")
	b.click(`.person-actions a[href*="/edit"]`)
	b.until(`document.activeElement?.name === "name"`)
	b.do(chromedp.SendKeys(chromedp.CSS(`.person-form [name=notes]`), "午後に電話"))
	notes := "先の覚え書き"
	if _, err := h.ChangeContact(h.ctx(), h.admin.Actor(), contact.ID, helpdesk.ContactChange{Notes: &notes}); err != nil {
		t.Fatal(err)
	}
	b.click(".person-buttons button")
	// The form takes its own place, says what is so, and has the focus there; nothing else of the page is replaced.
	b.until(`document.activeElement?.matches("#person .alert.bad") && document.activeElement.textContent.includes("ほかの人か別のタブ")`)
	b.until(`document.querySelectorAll("#person").length === 1 && document.querySelector("#ticket #person .person-form [name=notes]").value === "午後に電話"`)
	b.until(`document.querySelector("#alerts").textContent.trim() === ""`)
	if row := h.seen(1).Row; !strings.Contains(row.Contact.Notes, "先の") {
		t.Errorf("the notes are %q", row.Contact.Notes)
	}
	b.click(".person-buttons button")
	b.until(`document.querySelector("#person .person-notes")?.textContent.includes("午後に電話")`)
}
