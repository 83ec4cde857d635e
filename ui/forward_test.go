package ui_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// A mail is forwarded from its menu, without a script too: the composer holds it,
// and what comes back is shown as somebody else's.
func TestForwardingFromTheMenu(t *testing.T) {
	h := newReadyHouse(t)
	first := h.receive(letter{subject: "請求書の件", text: "この請求書は正しいでしょうか。", html: "<p>この<b>請求書</b>は正しいでしょうか。</p>",
		files: []file{{name: "請求書.pdf", contentType: "application/pdf", data: "%PDF"}}})
	b := h.as(h.admin)
	at := "/messages/" + first.MessageID + "/forward"
	b.get("/inbox/open/1").shows(at)
	p := b.post(at, "back", "/inbox/open/1").leadsTo(b)
	p.shows(`name="forward" value="`+first.MessageID+`"`, "転送メッセージ", "差出人: 田村 美咲", "請求書&lt;/b", "請求書.pdf", "社内メモは含まれません").hides(`name="quote"`)
	draft, file := partOf(p.body, `name="key" value="`, `"`), partOf(p.body, `name="upload" value="`, `"`)
	if again := b.post(at, "back", "/inbox/open/1").Header.Get("Location"); !strings.HasSuffix(again, draft) {
		t.Errorf("forwarded twice, it leads to %s, not to %s", again, draft)
	}
	send := func(pairs ...string) *page {
		return b.post("/tickets/1/compose", append([]string{"mode", "reply", "key", draft, "seen", "100", "forward", first.MessageID, "html", "<p>ご確認をお願いします。</p><p>---------- 転送メッセージ ----------</p><p>添付のとおり</p>",
			"upload", file, "back", "/inbox/open/1"}, pairs...)...)
	}
	send("to", "").want(http.StatusUnprocessableEntity).shows("転送先を宛先に入力してください。", "請求書.pdf")
	// Nor is anybody asked first whether a mail to nobody is meant so.
	send("to", "", "html", "").want(http.StatusUnprocessableEntity).shows("転送先を宛先に入力してください。").hides("本文が空のままです")
	send("to", "tamura@kyaku.example").want(http.StatusUnprocessableEntity).shows("お客様側の宛先です")
	send("to", "経理 <zeirishi@keiri.example>").want(http.StatusUnprocessableEntity).shows("まだメールのやり取りがありません").hides("添付されていません")
	send("to", "経理 <zeirishi@keiri.example>", "warned", "first_time zeirishi@keiri.example").want(http.StatusSeeOther)
	v, err := h.Ticket(h.ctx(), h.admin.Actor(), 1)
	if err != nil {
		t.Fatal(err)
	}
	sent := v.Messages[1].Message
	if sent.Subject != "Fwd: 請求書の件" || len(sent.Attachments) != 1 || sent.To[0].Email != "zeirishi@keiri.example" {
		t.Fatalf("forwarded as %+v", sent)
	}
	raw := []byte("From: =?utf-8?B?56iO55CG5aOr?= <zeirishi@keiri.example>\r\nTo: " + sent.ReplyAddress + "\r\nSubject: Re: Fwd\r\nMessage-ID: <a@keiri.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n問題ございません。\r\n")
	if _, err := h.Receive(h.ctx(), helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Envelope: helpdesk.Envelope{MailFrom: "zeirishi@keiri.example", Recipients: []string{sent.ReplyAddress}}}); err != nil {
		t.Fatal(err)
	}
	b.get("/tickets/1/recipients?q=&forward=" + first.MessageID).shows("zeirishi@keiri.example").hides("tamura@kyaku.example")
	b.get("/tickets/1/recipients?q=").shows("tamura@kyaku.example")
	p = b.get("/inbox/open/1").shows("問題ございません。", `badge third-party`, "税理士さんに返信", `name="to" value="田村 美咲 &lt;tamura@kyaku.example&gt;"`)
	answer := partOf(p.body, `href="/tickets/1?answer=`, `"`)
	b.get("/tickets/1?answer=" + answer).leadsTo(b).shows(`name="to" value="税理士 &lt;zeirishi@keiri.example&gt;"`)
	// No draft of an answer to the customer is offered for what goes to somebody else.
	b.post("/tickets/1/write", "task", "draft", "to", "税理士 <zeirishi@keiri.example>").want(http.StatusConflict).shows("宛先がお客様ではないため")
	b.post("/tickets/1/write", "task", "draft", "to", "tamura@kyaku.example").hides("宛先がお客様ではないため")
}

// partOf is what stands between two marks.
func partOf(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

func TestAPIForwards(t *testing.T) {
	h := newAPIHouse(t)
	first := h.post("support@example.jp", helpdesk.Authentication{}, "From: Tamura <tamura@customer.example>", "Subject: Invoice", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", "",
		"--b", "Content-Type: text/plain", "", "Is it right?", "--b", "Content-Type: text/plain", `Content-Disposition: attachment; filename="a.txt"`, "", "A",
		"--b", "Content-Type: text/plain", `Content-Disposition: attachment; filename="b.txt"`, "", "B", "--b--")
	forward := object{"text": "Please look.", "to": []string{"accountant@tax.example"}, "forward": object{"message": first.MessageID, "attachments": []int{1}}}
	message := h.call("POST", "/tickets/1/replies", forward).ok(201).at("message")
	message.want(t, object{"subject": "Fwd: Invoice", "third_party": true, "forwarded": first.MessageID, "to": []any{"accountant@tax.example"}})
	message.at("attachments", 0).want(t, object{"filename": "b.txt"})
	if text := message["text"].(string); len(message.list("attachments")) != 1 || !strings.HasPrefix(text, "Please look.") || !strings.Contains(text, "Is it right?") {
		t.Errorf("forwarded %v", message)
	}
	h.get("/tickets/1").at("messages", 0).want(t, object{"third_party": false, "forwarded": nil})
	for what, in := range map[string]object{
		"forward.message":     {"text": "x", "to": []string{"a@b.example"}, "forward": object{"message": ""}},
		"forward.attachments": {"text": "x", "to": []string{"a@b.example"}, "forward": object{"message": first.MessageID, "attachments": []int{2}}},
		"to":                  {"text": "x", "forward": object{"message": first.MessageID}},
	} {
		h.call("POST", "/tickets/1/replies", in).refused(400, helpdesk.CodeInvalid, what, "")
	}
}
