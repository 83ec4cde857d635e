package ui_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// deliver lets every due delivery end as the function says.
func (h *apiHouse) deliver(outcome func(recipient string) (a helpdesk.Attempt, permanent bool)) (tried int) {
	h.t.Helper()
	claimed, _, err := h.ClaimDue(h.ctx(), helpdesk.TimerDeliver, 100, time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, timer := range claimed {
		delivery, _, err := h.StartDelivery(h.ctx(), timer.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		attempt, permanent := outcome(delivery.Recipient)
		if err := h.RecordAttempt(h.ctx(), timer.ID, attempt, permanent); err != nil {
			h.t.Fatal(err)
		}
		tried++
	}
	return tried
}

func TestAPIReply(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	m := h.reply(1, object{"text": "お送りします。", "close": true, "quote": true})
	m.want(t, object{"direction": "out", "channel": "mail", "state": "posted", "reason": "posted", "from": "support@example.jp", "from_name": "サポート窓口",
		"to": []any{"tamura@customer.example"}, "cc": []any{}, "subject": "Re: Invoice 2291", "text": "お送りします。", "author": "sato@example.jp",
		"in_reply_to": []any{"mail-1@customer.example"}, "authentication": nil, "analysis": nil, "undo_until": "2026-11-21T10:00:10Z"})
	if address := m["reply_address"].(string); !strings.HasPrefix(address, "reply+") || !strings.HasSuffix(address, "@example.jp") {
		t.Errorf("reply address %q", address)
	}
	m.at("delivery").want(t, object{"state": "waiting"})
	m.at("delivery", "recipients", 0).want(t, object{"recipient": "tamura@customer.example", "state": "waiting", "attempts": 0, "next_at": "2026-11-21T10:00:10Z"})
	h.ticket(1).at("ticket").want(t, object{"open": false, "assignee": "sato@example.jp", "waiting_since": nil})

	source := h.call("GET", "/messages/"+m["id"].(string)+"/source", nil)
	sent := mail.Parse(source.Body)
	if source.Header.Get("Content-Type") != "message/rfc822" || sent.MessageID != m["message_id"] || !strings.Contains(sent.Text, "> Please send the invoice again.") {
		t.Errorf("source %s, id %q, text %q", source.Header.Get("Content-Type"), sent.MessageID, sent.Text)
	}
}

func TestAPIReplyToOthers(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	m := h.reply(1, object{"html": "<p>Hello <b>both</b></p><script>x</script>", "to": []string{`"Tamura, Saki" <Saki@customer.example>`, "kojima@customer.example"}, "cc": []string{"boss@customer.example"}, "bcc": []string{"audit@customer.example"}})
	m.want(t, object{"to": []any{"saki@customer.example", "kojima@customer.example"}, "cc": []any{"boss@customer.example"}, "bcc": []any{"audit@customer.example"}, "text": "Hello both"})
	h.pass(time.Minute)
	h.deliver(func(recipient string) (helpdesk.Attempt, bool) {
		switch recipient {
		case "saki@customer.example":
			return helpdesk.Attempt{OK: true, Code: 250, Host: "mx.customer.example"}, false
		case "kojima@customer.example":
			return helpdesk.Attempt{Code: 550, Enhanced: "5.1.1", Text: "no such user", Host: "mx.customer.example"}, true
		}
		return helpdesk.Attempt{Code: 451, Enhanced: "4.7.1", Text: "greylisted"}, false
	})
	delivery := h.ticket(1).at("messages", 1, "delivery")
	delivery.want(t, object{"state": "deferred"})
	delivery.at("recipients", 0).want(t, object{"state": "sent", "attempts": 1, "next_at": nil, "code": 250, "done_at": "2026-11-21T10:01:00Z"})
	delivery.at("recipients", 1).want(t, object{"state": "failed", "status": "5.1.1", "text": "no such user", "code": 550, "next_at": nil})
	delivery.at("recipients", 2).want(t, object{"state": "deferred", "status": "4.7.1", "text": "greylisted", "done_at": nil})
	if delivery.at("recipients", 2)["next_at"] == nil {
		t.Error("a deferred delivery has no next time")
	}
	h.pass(24 * time.Hour)
	h.deliver(func(string) (helpdesk.Attempt, bool) { return helpdesk.Attempt{OK: true, Code: 250}, false })
	delivery = h.ticket(1).at("messages", 1, "delivery")
	delivery.want(t, object{"state": "failed"})
	delivery.at("recipients", 2).want(t, object{"state": "sent", "attempts": 2})
	h.get("/tickets?view=failed").at("tickets", 0).want(t, object{"number": 1, "delivery_failed": true})
}

func TestAPIReplyIsIdempotent(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	h.post("support@example.jp", helpdesk.Authentication{}, "From: other@customer.example", "Subject: Other", "", "Hello")
	post := func(number int, key string) answer {
		return h.call("POST", fmt.Sprintf("/tickets/%d/replies", number), object{"text": "once"}, "Idempotency-Key", key)
	}
	first, again := post(1, "key-1"), post(1, "key-1")
	if again.Status != 201 || !bytes.Equal(first.Body, again.Body) {
		t.Errorf("first %d %s\nagain %d %s", first.Status, first.Body, again.Status, again.Body)
	}
	if list := h.ticket(1).list("messages"); len(list) != 2 {
		t.Errorf("%d messages after the same key twice", len(list))
	}
	post(2, "key-1").refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a reply on ticket 1")
	post(1, strings.Repeat("k", 256)).refused(400, helpdesk.CodeInvalid, "Idempotency-Key", "256 bytes")
	h.pass(time.Minute)
	taken := func(string) (helpdesk.Attempt, bool) { return helpdesk.Attempt{OK: true, Code: 250}, false }
	if tried := h.deliver(taken); tried != 1 {
		t.Errorf("%d deliveries after the same key twice", tried)
	}
	post(1, "key-1").ok(201).at("message", "delivery").want(t, object{"state": "sent"})
	post(1, "key-2").ok(201)
	if list := h.ticket(1).list("messages"); len(list) != 3 {
		t.Errorf("%d messages after another key", len(list))
	}
}

// What a person took back is not sent by a client that did not hear the answer.
func TestAPIReplyTakenBackIsNotSentAgain(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	mail := object{"alias": "support@example.jp", "to": []string{"ono@other.example"}, "subject": "Notice", "text": "once"}
	for key, post := range map[string]func(key string) object{
		"reply": func(key string) object {
			return h.call("POST", "/tickets/1/replies", object{"text": "once"}, "Idempotency-Key", key).ok(201)
		},
		"mail": func(key string) object { return h.call("POST", "/tickets", mail, "Idempotency-Key", key).ok(201) },
	} {
		id := post(key).at("message")["id"].(string)
		if _, err := h.Undo(h.ctx(), h.admin.Actor(), id); err != nil {
			t.Fatal(err)
		}
		post(key).at("message").want(t, object{"id": id, "state": "undone"})
	}
	h.pass(time.Minute)
	if tried := h.deliver(func(string) (helpdesk.Attempt, bool) { return helpdesk.Attempt{OK: true, Code: 250}, false }); tried != 0 {
		t.Errorf("%d mails left that were taken back", tried)
	}
}

func TestAPIReplyOnAnOlderState(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	seen := h.ticket(1).at("ticket")["last_event"]
	h.create("/tickets/1/notes", object{"text": "a note is no news from the customer"})
	m := h.reply(1, object{"text": "on the newest", "seen": seen})
	h.post(m["reply_address"].(string), helpdesk.Authentication{}, "From: tamura@customer.example", "Subject: Re: Invoice 2291", "", "Never mind, found it.")
	h.call("POST", "/tickets/1/replies", object{"text": "too late", "seen": seen}).refused(409, helpdesk.CodeConflict, "", "the customer wrote again")
	if list := h.ticket(1).list("messages"); len(list) != 3 {
		t.Errorf("%d messages; the refused reply was written", len(list))
	}
	h.reply(1, object{"text": "good", "seen": h.ticket(1).at("ticket")["last_event"]})
}

func TestAPIAttachments(t *testing.T) {
	h := newAPIHouse(t)
	pdf := []byte("%PDF-1.7\x00\xff\r\n.\r\nend")
	receipt := h.post("support@example.jp", helpdesk.Authentication{}, "From: tamura@customer.example", "Subject: File", "MIME-Version: 1.0",
		`Content-Type: multipart/mixed; boundary="b"`, "", "--b", "Content-Type: text/plain", "", "See the file.", "--b",
		"Content-Type: image/svg+xml", `Content-Disposition: attachment; filename="x.svg"`, "", "<svg/>", "--b--")
	in := h.ticket(1).at("messages", 0, "attachments", 0)
	in.want(t, object{"index": 0, "filename": "x.svg", "content_type": "image/svg+xml", "size": 6, "inline": false,
		"url": "/api/v1/messages/" + receipt.MessageID + "/attachments/0"})
	if hash := in["sha256"].(string); len(hash) != 64 {
		t.Errorf("sha256 %q", hash)
	}
	got := h.call("GET", "/messages/"+receipt.MessageID+"/attachments/0", nil)
	if string(got.Body) != "<svg/>" || got.Header.Get("Content-Type") != "application/octet-stream" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %q", got.Header, got.Body)
	}
	h.call("GET", "/messages/"+receipt.MessageID+"/attachments/1", nil).refused(404, helpdesk.CodeNotFound, "", "no attachment")
	h.call("GET", "/messages/"+receipt.MessageID+"/attachments/-1", nil).refused(400, helpdesk.CodeInvalid, "index", "the first one is 0")
	h.call("GET", "/messages/nothing/attachments/0", nil).refused(404, helpdesk.CodeNotFound, "", "")

	m := h.reply(1, object{"text": "はい", "attachments": []object{
		{"filename": "請求書.pdf", "content_type": "application/pdf", "data": base64.StdEncoding.EncodeToString(pdf)},
		{"filename": "empty", "data": ""},
	}})
	m.at("attachments", 0).want(t, object{"index": 0, "filename": "請求書.pdf", "content_type": "application/pdf", "size": len(pdf)})
	m.at("attachments", 1).want(t, object{"index": 1, "filename": "empty", "content_type": "application/octet-stream", "size": 0})
	got = h.call("GET", "/messages/"+m["id"].(string)+"/attachments/0", nil)
	if !bytes.Equal(got.Body, pdf) || got.Header.Get("Content-Type") != "application/pdf" ||
		!strings.Contains(got.Header.Get("Content-Disposition"), "attachment; ") || !strings.Contains(got.Header.Get("Content-Disposition"), "UTF-8''%E8%AB%8B") {
		t.Errorf("%s, %d bytes", got.Header, len(got.Body))
	}
}

func TestAPIReplyRefusals(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	for _, c := range []struct {
		body        any
		field, text string
	}{
		{object{"text": ""}, "text", "empty"},
		{object{"text": []string{"x"}}, "text", "text is a JSON array; it must be a string"},
		{object{"text": "x", "subject": "y"}, "subject", `no field "subject"`},
		{object{"text": "x", "close": "yes"}, "close", "must be true or false"},
		{object{"text": "x", "seen": -1}, "seen", "must be a whole number, not negative"},
		{object{"text": "x", "to": []string{"a@b.example, c@d.example"}}, "to[0]", "is not one mail address"},
		{object{"text": "x", "to": []string{}}, "to", "enter one under To"},
		{object{"text": "x", "cc": []string{"nobody"}}, "cc", `"nobody" is not a mail address`},
		{object{"text": "x", "attachments": []object{{"filename": "a", "data": "aGVsbG8="}, {"filename": "b", "data": "%%%"}}}, "attachments[1].data", "not base64"},
		{object{"text": "x", "attachments": []object{{"data": "aGVsbG8="}}}, "attachments[0].filename", "no filename"},
		{object{"text": "x", "attachments": []object{{"filename": "a", "name": "b"}}}, "name", `no field "name"`},
	} {
		h.call("POST", "/tickets/1/replies", c.body).refused(400, helpdesk.CodeInvalid, c.field, c.text)
	}
	h.call("POST", "/tickets/9/replies", object{"text": "x"}).refused(404, helpdesk.CodeNotFound, "", "no ticket 9")
	if list := h.ticket(1).list("messages"); len(list) != 1 {
		t.Errorf("%d messages; a refused reply was written", len(list))
	}
}

func TestAPIMailBeginsATicket(t *testing.T) {
	h := newAPIHouse(t)
	mail := object{"alias": "support@example.jp", "to": []string{"田村 美咲 <tamura@customer.example>"}, "cc": []string{"kojima@customer.example"}, "subject": "発送のお知らせ",
		"text": "本日発送しました。", "attachments": []object{{"filename": "a.txt", "data": "aGVsbG8="}}}
	post := func(body any, key string) answer { return h.call("POST", "/tickets", body, "Idempotency-Key", key) }
	begun := post(mail, "mail-1").ok(201)
	begun.at("ticket").want(t, object{"number": 1, "subject": "発送のお知らせ", "open": true, "assignee": "sato@example.jp", "waiting_since": nil})
	begun.at("ticket", "contact").want(t, object{"name": "田村 美咲", "email": "tamura@customer.example"})
	m := begun.at("message")
	m.want(t, object{"direction": "out", "reason": "begun", "subject": "発送のお知らせ", "to": []any{"tamura@customer.example"}, "cc": []any{"kojima@customer.example"}, "in_reply_to": []any{}})
	if again := post(mail, "mail-1"); again.Status != 201 || again.ok(201).at("message")["id"] != m["id"] {
		t.Errorf("the same key again: %d %s", again.Status, again.Body)
	}
	receipt := h.post(m["reply_address"].(string), helpdesk.Authentication{}, "From: kojima@customer.example", "Subject: Re: x", "", "Thanks")
	if receipt.Ticket != 1 || receipt.State != helpdesk.MessagePosted {
		t.Errorf("the answer went to %+v", receipt)
	}
	h.call("POST", "/tickets/1/replies", object{"text": "x"}, "Idempotency-Key", "reply-1").ok(201)
	post(mail, "reply-1").refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a reply")
	for _, c := range []struct {
		field, text string
		change      object
	}{
		{"alias", `alias "other@example.jp" is not one`, object{"alias": "other@example.jp"}},
		{"subject", "the subject is empty", object{"subject": " "}},
		{"to", "no recipient", object{"to": []string{}}},
		{"to", "address of this helpdesk", object{"to": []string{"support@example.jp"}}},
		{"text", "empty", object{"text": "", "attachments": []object{}}},
	} {
		body := object{}
		for name, value := range mail {
			body[name] = value
		}
		for name, value := range c.change {
			body[name] = value
		}
		post(body, "").refused(400, helpdesk.CodeInvalid, c.field, c.text)
	}
	read := h.as(h.tokenOf(h.admin, helpdesk.ScopeRead))
	post(mail, "").refused(403, helpdesk.CodeForbidden, "", "")
	read()
	if list := h.get("/tickets").list("tickets"); len(list) != 1 {
		t.Errorf("%d tickets", len(list))
	}
}

// needApproval makes replies of the first alias wait for a second person, who is returned.
func (h *apiHouse) needApproval() *helpdesk.User {
	h.t.Helper()
	requireApproval(h.t, h.Desk, h.actor())
	mori, err := h.CreateUser(h.ctx(), h.actor(), helpdesk.NewUser{Email: "mori@example.jp", Name: "Mori", Role: helpdesk.RoleSupervisor, Password: "correct horse battery"})
	if err != nil {
		h.t.Fatal(err)
	}
	return mori
}

func TestAPIMailWaitsForApproval(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	mori := h.needApproval()
	reply := func(number int, key string) answer {
		return h.call("POST", fmt.Sprintf("/tickets/%d/replies", number), object{"text": "4,400 yen", "to": []string{"tamura@customer.example"}}, "Idempotency-Key", key)
	}
	waiting := reply(1, "k-1").ok(202).at("approval")
	waiting.want(t, object{"ticket": 1, "author": "sato@example.jp", "to": []any{"tamura@customer.example"}, "text": "4,400 yen", "requested_at": "2026-11-21T10:00:00Z"})
	if again := reply(1, "k-1").ok(202).at("approval"); again["id"] != waiting["id"] {
		t.Errorf("the same key again made %v", again)
	}
	begun := h.call("POST", "/tickets", object{"alias": "support@example.jp", "to": []string{"new@customer.example"}, "subject": "Price", "text": "4,400 yen"}).ok(202).at("approval")
	begun.want(t, object{"ticket": nil, "subject": "Price"})
	if _, err := h.Approve(h.ctx(), mori.Actor(), waiting["id"].(string), 0, nil); err != nil {
		t.Fatal(err)
	}
	reply(1, "k-1").ok(201).at("message").want(t, object{"state": "posted", "author": "sato@example.jp"})
}
