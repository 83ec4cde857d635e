package ui_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// receiveRaw takes a mail in as it is written.
func (h *house) receiveRaw(raw string, to ...string) helpdesk.Receipt {
	h.t.Helper()
	receipt, err := h.Receive(h.ctx(), helpdesk.Incoming{Raw: []byte(raw), Message: mail.Parse([]byte(raw)),
		Envelope: helpdesk.Envelope{MailFrom: "hana@kaede.example", Recipients: to}})
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt
}

// fixture is a mail of the parser's collection.
func fixture(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "smtpd", "mail", "testdata", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// inEnglish has the admin read English.
func (h *house) inEnglish() {
	h.t.Helper()
	tag := "en"
	if _, err := h.ChangeUser(h.ctx(), h.admin.Actor(), h.admin.ID, helpdesk.UserChange{Locale: &tag}); err != nil {
		h.t.Fatal(err)
	}
}

func TestProtectionIsMarked(t *testing.T) {
	h := newReadyHouse(t)
	h.receiveRaw(fixture(t, "ja-smime-detached"), "support@example.jp")
	h.receiveRaw(fixture(t, "pgp-encrypted-mime"), "support@example.jp")
	h.receive(letter{subject: "plain", text: "words"})
	b := h.as(h.admin)
	b.get("/inbox/open/1").shows("署名付き（S/MIME、検証はしていません）").hides("暗号化されています")
	b.get("/inbox/open/2").shows("暗号化されています（OpenPGP）。この画面では読めません").hides("署名付き")
	b.get("/inbox/open/3").hides("署名付き（", "暗号化されています（", `class="marks"`)
	h.inEnglish()
	h.as(h.admin).get("/inbox/open/1").shows("Signed (S/MIME, not verified)")
	h.as(h.admin).get("/inbox/open/2").shows("Encrypted (OpenPGP). It cannot be read here")
}

const plainHeader = "From: hana@kaede.example\r\nTo: support@example.jp\r\nMIME-Version: 1.0\r\n"

func calendar(method string, lines ...string) string {
	return plainHeader + "Content-Type: text/calendar; charset=utf-8; method=" + method + "\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" +
		strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

func TestInvitationIsACard(t *testing.T) {
	h := newReadyHouse(t)
	people := []string{"SUMMARY:<b>定例会</b>", "LOCATION:第2会議室", "DTSTART:20301201T010000Z", "DTEND:20301201T013000Z", "RRULE:FREQ=WEEKLY;BYDAY=SU",
		"ORGANIZER;CN=青木 花:mailto:hana@kaede.example", "ATTENDEE;CN=一番;PARTSTAT=DECLINED:mailto:p1@kaede.example"}
	for _, n := range []string{"2", "3", "4", "5", "6", "7", "8"} {
		people = append(people, "ATTENDEE:mailto:p"+n+"@kaede.example")
	}
	h.receiveRaw(calendar("REQUEST", people...), "support@example.jp")
	h.receiveRaw(calendar("CANCEL", "SUMMARY:点検", "DTSTART;VALUE=DATE:20301231", "DTEND;VALUE=DATE:20310103"), "support@example.jp")
	h.receiveRaw(calendar("PUBLISH", "DTSTART:20301231T090000"), "support@example.jp")
	b := h.as(h.admin)
	b.header.Set("Cookie", "zone=Asia/Tokyo")
	b.get("/inbox/open/1").shows("2030年12月1日（日曜） 10:00–10:30", `<span class="dim">JST</span>`)
	b.header.Set("Cookie", "zone=America/New_York")
	b.get("/inbox/open/1").shows("2030年11月30日（土曜） 20:00–20:30", `<span class="dim">EST</span>`)
	b.get("/inbox/open/1").shows("予定への招待", "&lt;b&gt;定例会&lt;/b&gt;", "第2会議室", "青木 花 &lt;hana@kaede.example&gt;", `datetime="2030-12-01T01:00:00Z"`,
		"毎週", `title="FREQ=WEEKLY;BYDAY=SU"`, `<span class="badge bad">欠席</span>`, "ほか 3 名", "p8@kaede.example", "返信でお伝えください").hides("中止")
	b.get("/inbox/open/2").shows("予定の取り消し", "中止", "点検", "2030年12月31日（火曜）–2031年1月2日（木曜） 終日").hides("返信でお伝えください")
	b.get("/inbox/open/3").shows("予定の案内", "件名のない予定", "2030年12月31日（火曜） 9:00", "タイムゾーンの指定なし")
	h.inEnglish()
	b = h.as(h.admin)
	b.get("/inbox/open/1").shows("Invitation", "Declined", "Every week", "3 more")
	b.get("/inbox/open/2").shows("Event cancelled", "Tue 31 Dec 2030", "all day")
}

func TestRiskyFilesAskBeforeTheyAreSaved(t *testing.T) {
	h := newReadyHouse(t)
	receipt := h.receive(letter{subject: "見積書", text: "添付します", files: []file{
		{name: "見積書.pdf.exe", contentType: "application/pdf", data: "MZ"},
		{name: "表.xlsm", contentType: "application/octet-stream", data: "PK"},
		{name: "表.xlsx", contentType: "application/octet-stream", data: "PK"}}})
	base := "/messages/" + receipt.MessageID + "/attachments/"
	page := h.as(h.admin).get("/inbox/open/1").shows("実行ファイル", "マクロ付き", "開くと、パソコンでプログラムが動きます", "それでも保存",
		`<a class="file" href="`+base+`2" download`)
	page.hides(`<a class="file" href="`+base+`0"`, `<a class="file" href="`+base+`1"`)
	if n := strings.Count(page.body, `<details class="risky">`); n != 2 {
		t.Errorf("%d files ask first, want 2", n)
	}
	h.inEnglish()
	h.as(h.admin).get("/inbox/open/1").shows("Program", "Macros", "Save it all the same")
	h.as(h.admin).get(base + "0").want(http.StatusOK)
}

func TestWaysOfAMailAreShown(t *testing.T) {
	h := newReadyHouse(t)
	pipelines, err := h.Pipelines(h.ctx(), h.admin.Actor())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.SaveAlias(h.ctx(), h.admin.Actor(), helpdesk.Alias{Address: "sales@example.jp", Name: "営業", PipelineID: pipelines[0].ID}); err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	mailTo := func(id, header string) string {
		return "From: hana@kaede.example\r\nMessage-ID: <" + id + "@kaede.example>\r\n" + header + "Subject: x\r\n\r\nwords\r\n"
	}
	h.receiveRaw(mailTo("both", "To: support@example.jp, Sales@example.jp\r\n"), "support@example.jp", "sales@example.jp")
	b.get("/inbox/open/1").shows("support@example.jp と sales@example.jp に届きました").hides("宛先欄に")
	h.receiveRaw(mailTo("hidden", "To: support@example.jp\r\n"), "support@example.jp", "sales@example.jp")
	b.get("/inbox/open/2").shows("sales@example.jp は宛先欄にありません")
	h.receiveRaw(mailTo("list", "To: members@list.example\r\nList-Id: <members.list.example>\r\n"), "support@example.jp")
	b.get("/inbox/open/3").shows("support@example.jp に届きました（宛先欄にはありません")
	h.receiveRaw(mailTo("plain", "To: Support@Example.jp\r\n"), "support@example.jp")
	b.get("/inbox/open/4").hides("に届きました（", `class="marks"`)
	// The same mail, arriving by another way later, shows that on its ticket.
	h.receiveRaw(mailTo("plain", "To: Support@Example.jp\r\n"), "sales@example.jp")
	b.get("/inbox/open/4").shows("support@example.jp と sales@example.jp に届きました（sales@example.jp は宛先欄に")
}
