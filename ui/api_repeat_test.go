package ui_test

import (
	"bytes"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// What a program says again because it did not hear the answer is written once.
func TestAPINotesAndLoggedRepliesAreIdempotent(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	h.post("support@example.jp", helpdesk.Authentication{}, "From: other@customer.example", "Subject: Other", "", "Hello")
	post := func(path, key string, body object) answer { return h.call("POST", path, body, "Idempotency-Key", key) }
	for name, c := range map[string]struct {
		path, other, used string
		body, another     object
	}{
		"note": {"/tickets/1/notes", "/tickets/2/notes", "used for a note on ticket 1", object{"text": "@sato called"}, object{"text": "called again"}},
		"logged reply": {"/tickets/1/logged-replies", "/tickets/2/logged-replies", "used for a logged reply on ticket 1",
			object{"text": "It came.", "channel": "phone"}, object{"text": "It came.", "channel": "chat"}},
	} {
		first := post(c.path, name, c.body)
		first.ok(201)
		if again := post(c.path, name, c.body); again.Status != 201 || !bytes.Equal(first.Body, again.Body) {
			t.Errorf("%s: first %s\nagain %d %s", name, first.Body, again.Status, again.Body)
		}
		for _, other := range []answer{post(c.path, name, c.another), post(c.other, name, c.body), post("/tickets/1/replies", name, object{"text": "It came."})} {
			other.refused(409, helpdesk.CodeConflict, "Idempotency-Key", c.used)
		}
	}
	if history := h.ticket(1); len(history.list("notes")) != 1 || len(history.list("messages")) != 2 {
		t.Errorf("%d notes and %d messages", len(history.list("notes")), len(history.list("messages")))
	}
	if history := h.ticket(2); len(history.list("notes")) != 0 || len(history.list("messages")) != 1 {
		t.Errorf("ticket 2 has %d notes and %d messages", len(history.list("notes")), len(history.list("messages")))
	}
	post("/tickets/1/notes", "another", object{"text": "@sato called"}).ok(201)
	post("/tickets/1/notes", "", object{"text": "@sato called"}).ok(201)
	post("/tickets/1/logged-replies", "another", object{"text": "It came.", "channel": "phone"}).refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a note on ticket 1")
	if notes := h.ticket(1).list("notes"); len(notes) != 3 {
		t.Errorf("%d notes after other keys", len(notes))
	}
	// Another user's keys are their own.
	mori, err := h.CreateUser(h.ctx(), h.actor(), helpdesk.NewUser{Email: "mori@example.jp", Name: "Mori", Role: helpdesk.RoleAgent, Password: "correct horse battery"})
	if err != nil {
		t.Fatal(err)
	}
	h.as(h.tokenOf(mori, helpdesk.ScopeWrite))
	post("/tickets/1/notes", "note", object{"text": "mine"}).ok(201).at("note").want(t, object{"author": "mori@example.jp"})
}

// A key that comes with another text is a program's mistake: the first answer
// would tell it that the second text was sent.
func TestAPIKeyOfAnotherText(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	post := func(path, key string, body any) answer { return h.call("POST", path, body, "Idempotency-Key", key) }
	file := []object{{"filename": "a.txt", "data": "aGVsbG8="}}
	seen := h.ticket(1).at("ticket")["last_event"]
	post("/tickets/1/replies", "r", object{"text": "4,400 yen", "attachments": file, "seen": seen}).ok(201)
	for _, other := range []object{
		{"text": "5,500 yen", "attachments": file, "seen": seen}, {"text": "4,400 yen"}, {"text": "4,400 yen", "attachments": file, "close": true},
		{"text": "4,400 yen", "attachments": []object{{"filename": "a.txt", "data": "aGVsbG8h"}}}, {"text": "4,400 yen", "attachments": file, "to": []string{"ono@other.example"}},
	} {
		post("/tickets/1/replies", "r", other).refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a reply on ticket 1")
	}
	// The order of fields, blanks, and what the program has seen meanwhile make no other reply.
	post("/tickets/1/replies", "r", `{ "attachments": [{"data": "aGVsbG8=", "filename": "a.txt"}], "text": "4,400 yen" }`).ok(201)
	if list := h.ticket(1).list("messages"); len(list) != 2 {
		t.Errorf("%d messages", len(list))
	}

	begin := object{"alias": "support@example.jp", "to": []string{"ono@other.example"}, "subject": "Notice", "text": "once"}
	post("/tickets", "m", begin).ok(201)
	begin["subject"] = "Another notice"
	post("/tickets", "m", begin).refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a mail that began ticket 2")
	post("/tickets/2/replies", "m", object{"text": "once"}).refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a mail that began ticket 2")

	// Where no digest was kept, as by earlier versions, only another kind or ticket tells.
	old, err := h.Reply(h.ctx(), h.actor(), helpdesk.Reply{Ticket: 1, Text: "before", IdempotencyKey: "old"})
	if err != nil {
		t.Fatal(err)
	}
	post("/tickets/1/replies", "old", object{"text": "x"}).ok(201).at("message").want(t, object{"id": old.ID, "text": "before"})
	post("/tickets/2/replies", "old", object{"text": "x"}).refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a reply on ticket 1")
	post("/tickets", "old", begin).refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a reply on ticket 1")
	post("/tickets/1/notes", "old", object{"text": "x"}).refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a reply on ticket 1")
	post("/tickets/1/logged-replies", "old", object{"text": "x", "channel": "phone"}).refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a reply on ticket 1")
}

// A reply that waits for a second person is known by its key too, before and after.
func TestAPIKeyOfAnotherTextThatWaits(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	mori := h.needApproval()
	post := func(text string) answer {
		return h.call("POST", "/tickets/1/replies", object{"text": text}, "Idempotency-Key", "k")
	}
	waiting := post("4,400 yen").ok(202).at("approval")
	post("4,400 yen").ok(202).at("approval").want(t, object{"id": waiting["id"]})
	post("5,500 yen").refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a reply on ticket 1")
	h.call("POST", "/tickets/1/notes", object{"text": "x"}, "Idempotency-Key", "k").refused(409, helpdesk.CodeConflict, "Idempotency-Key", "that has not left yet")
	if _, err := h.Approve(h.ctx(), mori.Actor(), waiting["id"].(string), 0, nil); err != nil {
		t.Fatal(err)
	}
	post("4,400 yen").ok(201).at("message").want(t, object{"text": "4,400 yen"})
	post("5,500 yen").refused(409, helpdesk.CodeConflict, "Idempotency-Key", "used for a reply on ticket 1")
}
