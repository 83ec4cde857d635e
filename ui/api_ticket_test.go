package ui_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestAPITicketList(t *testing.T) {
	h := newAPIHouse(t)
	h.get("/tickets").want(t, object{"tickets": []any{}, "next": nil})
	h.first()
	list := h.get("/tickets?view=unassigned&q=INVOICE+tamura&limit=200")
	ticket := list.at("tickets", 0)
	ticket.want(t, object{"number": 1, "subject": "Invoice 2291", "stage": "受付", "open": true, "assignee": nil, "tags": []any{},
		"snippet": "Please send the invoice again.", "message_count": 1, "held_count": 0, "unread": true, "trust": "unknown", "previous": nil,
		"updated_at": "2026-11-21T10:00:00Z", "waiting_since": "2026-11-21T10:00:00Z", "aliases": []any{"support@example.jp"}})
	ticket.at("contact").want(t, object{"name": "田村 美咲", "email": "tamura@customer.example"})
	for _, query := range []string{"view=mine", "view=closed", "view=held", "view=failed", "q=receipt"} {
		if found := h.get("/tickets?" + query).list("tickets"); len(found) != 0 {
			t.Errorf("%s finds %v", query, found)
		}
	}
}

func TestAPITicketPages(t *testing.T) {
	h := newAPIHouse(t)
	for i := range 5 {
		h.pass(time.Minute)
		h.post("support@example.jp", helpdesk.Authentication{}, fmt.Sprintf("From: customer%d@example.org", i), fmt.Sprintf("Subject: %d", i), "", "Hello")
	}
	var numbers []string
	after, pages := "", 0
	for {
		page := h.get("/tickets?limit=2&after=" + after)
		pages++
		for i := range page.list("tickets") {
			numbers = append(numbers, fmt.Sprint(page.at("tickets", i)["number"]))
		}
		next, more := page["next"].(string)
		if !more {
			break
		}
		after = next
	}
	if pages != 3 || !slices.Equal(numbers, []string{"5", "4", "3", "2", "1"}) {
		t.Errorf("%d pages with the tickets %v", pages, numbers)
	}
	contacts := h.get("/contacts?limit=4&q=example.org")
	last := h.get("/contacts?limit=4&q=example.org&after=" + contacts["next"].(string))
	if len(contacts.list("contacts")) != 4 || len(last.list("contacts")) != 1 || last["next"] != nil {
		t.Errorf("contacts %v, then %v", contacts, last)
	}
	h.call("GET", "/tickets?view=closed&after="+after, nil).refused(400, helpdesk.CodeInvalid, "after", "not from this list")
}

func TestAPITicketHistory(t *testing.T) {
	h := newAPIHouse(t)
	receipt := h.post("support@example.jp", helpdesk.Authentication{SPF: helpdesk.AuthResult{Result: "softfail", Domain: "customer.example"},
		DKIM:  []helpdesk.AuthResult{{Result: "pass", Domain: "customer.example"}, {Result: "fail", Domain: "list.example", Reason: "body changed"}},
		DMARC: helpdesk.AuthResult{Result: "pass", Domain: "customer.example"}, Policy: "reject", AlignedBy: "dkim", Results: "mx.example.jp; dkim=pass"},
		"From: tamura@customer.example", "To: support@example.jp", "Subject: Invoice", "Date: Sat, 21 Nov 2026 10:00:00 +9959", "",
		"Please send it.", "", "> We sent it yesterday.")
	err := h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "gemma3", PromptVersion: "1", ReplyType: "high_value",
		KeyInsights: []string{"wants it again"}, Opportunity: 4, FollowUp: true, ProductInterest: "none", Sentiment: "neutral", Urgency: "high", Language: "en", Summary: "Asks for an invoice"})
	if err != nil {
		t.Fatal(err)
	}
	h.create("/tickets/1/notes", object{"text": "@sato look at this"})
	history := h.ticket(1)
	history.at("ticket").want(t, object{"number": 1, "alias": "support@example.jp", "reply_type": "high_value", "trust": "verified",
		"participants": []any{"tamura@customer.example"}, "last_event": h.get("/events?after=0")["next"]})
	message := history.at("messages", 0)
	message.want(t, object{"id": receipt.MessageID, "direction": "in", "channel": "mail", "kind": "person", "reason": "new", "from": "tamura@customer.example",
		"to": []any{"support@example.jp"}, "reply_text": "Please send it.", "message_id": "mail-1@customer.example", "delivery": nil,
		"date": "2026-11-21T10:00:00Z", "at": "2026-11-21T10:00:00Z", "author": nil, "reply_address": "", "paths": []any{"support@example.jp"}})
	verdict := message.at("authentication")
	verdict.want(t, object{"spf": "softfail", "dmarc": "pass", "policy": "reject", "trust": "verified", "results": "mx.example.jp; dkim=pass"})
	(object)(verdict.list("dkim")[1].(map[string]any)).want(t, object{"domain": "list.example", "result": "fail", "reason": "body changed"})
	message.at("analysis").want(t, object{"model": "gemma3", "key_insights": []any{"wants it again"}, "opportunity": 4, "follow_up": true, "action_items": []any{}, "error": ""})
	history.at("notes", 0).want(t, object{"author": "sato@example.jp", "author_name": "佐藤 遥", "text": "@sato look at this", "mentions": []any{"sato@example.jp"}})
	var kinds []string
	for i := range history.list("events") {
		kinds = append(kinds, history.at("events", i)["kind"].(string))
	}
	if !slices.Equal(kinds, []string{"ticket.created", "message.received", "analysis.stored", "note.added"}) {
		t.Errorf("events %v", kinds)
	}
	history.at("events", 3, "actor").want(t, object{"kind": "user", "name": "佐藤 遥", "user": "sato@example.jp"})
	history.at("events", 2, "actor").want(t, object{"kind": "model", "name": "gemma3", "user": nil})
}

func TestAPIChange(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	changed := h.change("/tickets/1", object{"stage": "対応中", "assignee": "SATO@example.jp", "tags": []string{"請求", "請求", "急ぎ"}}).at("ticket")
	changed.want(t, object{"stage": "対応中", "open": true, "assignee": "sato@example.jp", "tags": []any{"請求", "急ぎ"}})
	h.change("/tickets/1", object{"stage": "完了"}).at("ticket").want(t, object{"stage": "完了", "open": false, "assignee": "sato@example.jp", "tags": []any{"請求", "急ぎ"}})
	h.change("/tickets/1", object{"assignee": nil, "tags": []string{}}).at("ticket").want(t, object{"stage": "完了", "assignee": nil, "tags": []any{}})
	before := h.get("/events?limit=1000")["next"]
	h.change("/tickets/1", object{})
	h.get("/events?limit=1000").want(t, object{"next": before})
	for _, c := range []struct {
		body        any
		field, text string
	}{
		{object{"stage": "Nowhere"}, "stage", "it has 受付, 対応中"},
		{object{"stage": nil}, "stage", "stage is null"},
		{object{"stage": 3}, "stage", "stage is a JSON number; it must be a string"},
		{object{"tags": nil}, "tags", "send []"},
		{object{"tags": "urgent"}, "tags", "tags is a JSON string; it must be an array"},
		{object{"assignee": "nobody@example.jp"}, "assignee", "there is no user"},
		{object{"assigne": nil}, "assigne", `there is no field "assigne" here`},
	} {
		h.call("PATCH", "/tickets/1", c.body).refused(400, helpdesk.CodeInvalid, c.field, c.text)
	}
	h.call("PATCH", "/tickets/9", object{"stage": "完了"}).refused(404, helpdesk.CodeNotFound, "", "no ticket 9")
	h.ticket(1).at("ticket").want(t, object{"stage": "完了", "assignee": nil})
}

func TestAPILoggedReply(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	h.change("/tickets/1", object{"stage": "完了"})
	m := h.create("/tickets/1/logged-replies", object{"text": "届きました、とのこと。", "channel": "phone", "received_at": "2026-11-21T18:30:00+09:00"}).at("message")
	m.want(t, object{"direction": "in", "channel": "phone", "reason": "logged", "from": "tamura@customer.example", "text": "届きました、とのこと。",
		"at": "2026-11-21T09:30:00Z", "author": "sato@example.jp", "authentication": nil, "delivery": nil})
	h.ticket(1).at("ticket").want(t, object{"open": true, "message_count": 2})
	h.call("GET", "/messages/"+m["id"].(string)+"/source", nil).refused(404, helpdesk.CodeNotFound, "", "no source of message")
	for _, c := range []struct {
		body        object
		field, text string
	}{
		{object{"text": "x", "channel": "smoke"}, "channel", "not one of phone, chat"},
		{object{"text": " ", "channel": "phone"}, "text", "empty"},
		{object{"text": "x", "channel": "phone", "received_at": "yesterday"}, "received_at", "write it like"},
		{object{"text": "x", "channel": "phone", "received_at": "9999-12-31T23:59:59-23:00"}, "received_at", "lies in the future"},
	} {
		h.call("POST", "/tickets/1/logged-replies", c.body).refused(400, helpdesk.CodeInvalid, c.field, c.text)
	}
}

func TestAPIHeldMessages(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	m := h.reply(1, object{"text": "It is attached."})
	address := m["reply_address"].(string)
	var held []string
	for i := range 3 {
		receipt := h.post(address, helpdesk.Authentication{}, fmt.Sprintf("From: mallory%d@elsewhere.example", i), "Subject: Re: Invoice", "", "Change the account")
		held = append(held, receipt.MessageID)
	}
	h.get("/tickets?view=held").at("tickets", 0).want(t, object{"number": 1, "held_count": 3})
	history := h.ticket(1)
	if len(history.list("messages")) != 2 || len(history.list("held")) != 3 {
		t.Fatalf("%d messages, %d held", len(history.list("messages")), len(history.list("held")))
	}
	history.at("held", 0).want(t, object{"id": held[0], "state": "held", "reason": "stranger_token"})
	for i, c := range []struct {
		resolution string
		ticket     int
	}{{"join", 1}, {"split", 2}, {"refuse", 1}} {
		h.call("POST", "/messages/"+held[i]+"/resolution", object{"resolution": c.resolution}).ok(200).at("ticket").want(t, object{"number": c.ticket})
	}
	h.ticket(1).at("ticket").want(t, object{"held_count": 0, "message_count": 3, "contact_tickets": []any{}})
	h.call("POST", "/messages/"+held[2]+"/resolution", object{"resolution": "join"}).refused(409, helpdesk.CodeConflict, "", "somebody has decided already")
	h.call("POST", "/messages/"+held[2]+"x/resolution", object{"resolution": "join"}).refused(404, helpdesk.CodeNotFound, "", "no message")
	again := h.post(address, helpdesk.Authentication{}, "From: eve@elsewhere.example", "Subject: Re: Invoice", "", "Me")
	h.call("POST", "/messages/"+again.MessageID+"/resolution", object{"resolution": "burn"}).refused(400, helpdesk.CodeInvalid, "resolution", "join, split, refuse")
}

func TestAPIHouse(t *testing.T) {
	h := newAPIHouse(t)
	if _, err := h.SaveAlias(h.ctx(), h.actor(), helpdesk.Alias{Address: "sales@example.jp", Name: "Sales", Tags: []string{"sales"}, OwnerID: h.admin.ID}); err != nil {
		t.Fatal(err)
	}
	h.first()
	aliases := h.get("/aliases")
	aliases.at("aliases", 0).want(t, object{"address": "sales@example.jp", "owner": "sato@example.jp", "tags": []any{"sales"}, "managed": false, "disabled": false})
	aliases.at("aliases", 1).want(t, object{"address": "support@example.jp", "name": "サポート窓口", "owner": nil, "tags": []any{}})
	pipeline := h.get("/pipelines").at("pipelines", 0)
	pipeline.want(t, object{"name": aliases.at("aliases", 0)["pipeline"], "reopen": true, "reopen_stage": "対応中"})
	pipeline.at("stages", 0).want(t, object{"name": "受付", "kind": "open"})
	h.get("/contacts?q=TAMURA").at("contacts", 0).want(t, object{"email": "tamura@customer.example", "name": "田村 美咲"})
	changed := h.change("/contacts/tamura@customer.example", object{"name": "田村 美咲子", "tags": []string{"VIP"}, "other_addresses": []string{"misaki@home.example"}, "never_answer": true}).at("contact")
	changed.want(t, object{"name": "田村 美咲子", "email": "tamura@customer.example", "tags": []any{"VIP"}, "other_addresses": []any{"misaki@home.example"}, "company_id": nil, "never_answer": true, "blocked": false})
	h.change("/contacts/misaki@home.example", object{"email": "misaki@home.example", "other_addresses": []string{}}).at("contact").want(t, object{"email": "misaki@home.example", "other_addresses": []any{}})
	h.call("PATCH", "/contacts/misaki@home.example", object{"time_zone": "Tokio"}).refused(400, helpdesk.CodeInvalid, "time_zone", "Asia/Tokyo")
	h.call("PATCH", "/contacts/nobody@home.example", object{"name": "x"}).refused(404, helpdesk.CodeNotFound, "", "no contact")
}

func TestAPIEventsAreFollowed(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	var kinds []string
	after := any(0)
	for {
		page := h.get(fmt.Sprintf("/events?limit=2&after=%v", after))
		for i := range page.list("events") {
			event := page.at("events", i)
			event.want(t, object{"seq": len(kinds) + 1})
			kinds = append(kinds, event["kind"].(string))
		}
		if after = page["next"]; len(page.list("events")) == 0 {
			break
		}
	}
	if fmt.Sprint(after) != fmt.Sprint(len(kinds)) || !slices.Contains(kinds, "message.received") || !slices.Contains(kinds, "token.created") {
		t.Errorf("next %v after the events %v", after, kinds)
	}
	h.create("/tickets/1/notes", object{"text": "one more"})
	h.get(fmt.Sprintf("/events?after=%v", after)).at("events", 0).want(t, object{"kind": "note.added", "ticket": 1, "message": nil})
}

// Every operation of the description is answered once with success here, and
// each answer is held against its schema.
func TestAPIAnswersAsDescribed(t *testing.T) {
	h := newAPIHouse(t)
	first := h.first()
	if err := h.StoreAnalysis(h.ctx(), helpdesk.Analysis{MessageID: first.MessageID, Model: "m", ReplyType: "standard",
		Evidence: map[helpdesk.Finding][]string{helpdesk.FindingUrgency: {"invoice"}}}); err != nil {
		t.Fatal(err)
	}
	corrected := h.change("/messages/"+first.MessageID+"/analysis", object{"reply_type": "high_value", "opportunity": 5, "follow_up": true, "topics": []string{"請求書"}, "summary": nil}).at("analysis")
	corrected.want(t, object{"reply_type": "high_value", "opportunity": 5, "follow_up": true, "topics": []any{"請求書"}})
	corrected.at("corrections", 0).want(t, object{"finding": "reply_type", "model": []any{"standard"}, "values": []any{"high_value"}, "by": "sato@example.jp"})
	reply := h.reply(1, object{"text": "はい", "attachments": []object{{"filename": "a.txt", "data": "aGVsbG8="}}})
	held := h.post(reply["reply_address"].(string), helpdesk.Authentication{}, "From: eve@elsewhere.example", "Subject: Re", "", "Me")
	h.create("/tickets", object{"alias": "support@example.jp", "to": []string{"new@customer.example"}, "subject": "Hello", "text": "Hello"})
	h.create("/tickets/1/notes", object{"text": "note"})
	h.create("/tickets/1/logged-replies", object{"text": "called", "channel": "chat"})
	h.change("/tickets/1", object{"tags": []string{"x"}})
	written := object{"name": "thanks", "versions": []object{{"language": "ja", "text": "{{customer.name_sama}}"}}}
	template := "/templates/" + h.create("/templates", written).at("template")["id"].(string)
	h.call("PUT", template, written)
	for _, path := range []string{"/tickets", "/tickets/1", "/tickets/1/messages", "/contacts", "/aliases", "/queue", "/ledger", "/ledger?day=2026-11-21", "/backups", "/incoming", "/reports/dmarc", "/reports/tls", "/services", "/pipelines", "/templates", template, "/events", "/insights", "/views", "/rules", "/hours"} {
		h.get(path)
	}
	h.get("/tickets/1/similar").want(t, object{"by": "words", "tickets": []any{}, "same": []any{}})
	h.call("GET", "/tickets/1/similar?limit=99", nil).refused(400, helpdesk.CodeInvalid, "limit", "20")
	h.get("/contacts/tamura@customer.example")
	h.change("/contacts/tamura@customer.example", object{"reading": "たむら"})
	h.call("GET", "/messages/"+reply["id"].(string)+"/source", nil)
	h.call("GET", "/messages/"+reply["id"].(string)+"/attachments/0", nil)
	h.call("POST", "/messages/"+held.MessageID+"/resolution", object{"resolution": "join"})
	h.call("DELETE", template, nil)
	h.call("DELETE", "/views/"+h.create("/views", object{"name": "mine", "view": "mine"}).at("view")["id"].(string), nil)
	h.get("/hours/standard")
	h.call("PUT", "/hours/standard", object{"time_zone": "Asia/Tokyo", "week": object{"mon": []string{"09:00-18:00"}}})
	many := object{"tickets": []int{1}, "text": "{{customer.name_sama}}\n\nお知らせです。"}
	h.get("/tickets/1/messages")
	dry := h.call("POST", "/bulk-replies", object{"tickets": []int{1}, "text": "お知らせです。", "dry_run": true}).ok(200)
	dry.at("check").want(t, object{"reach": 1, "approval": false, "refused": []any{}})
	if len(h.get("/bulk-replies").list("bulk_replies")) != 0 {
		t.Error("a dry run leaves something behind")
	}
	h.call("POST", "/bulk-replies", object{"tickets": []int{1}}).refused(400, helpdesk.CodeInvalid, "text", "empty")
	h.call("POST", "/bulk-replies", object{"tickets": []int{}, "text": "x"}).refused(400, helpdesk.CodeInvalid, "tickets", "no ticket")
	h.call("POST", "/bulk-replies", object{"tickets": []int{999}, "text": "x"}).refused(404, helpdesk.CodeNotFound, "", "")
	bulk := h.call("POST", "/bulk-replies", many, "Idempotency-Key", "notice-1").ok(202).at("bulk_reply")
	bulk.want(t, object{"state": "posting", "tickets": 1, "author": "sato@example.jp"})
	at := "/bulk-replies/" + bulk["id"].(string)
	if again := h.call("POST", "/bulk-replies", many, "Idempotency-Key", "notice-1").ok(200).at("bulk_reply"); again["id"] != bulk["id"] {
		t.Errorf("the same key sends again: %v", again)
	}
	if err := h.FinishBulkReply(h.ctx(), bulk["id"].(string)); err != nil {
		t.Fatal(err)
	}
	done := h.get(at)
	done.at("bulk_reply").want(t, object{"state": "posted", "done": 1, "posted": 1, "refused": 0})
	h.call("POST", at+"/undo", nil).ok(200)
	for _, browser := range []string{"Firefox, Linux", "Safari, iOS"} {
		if _, err := h.Login(h.ctx(), helpdesk.Visitor{IP: "192.0.2.1", Browser: browser}, "sato@example.jp", "correct horse battery"); err != nil {
			t.Fatal(err)
		}
	}
	sessions := h.get("/me/sessions").list("sessions")
	if len(sessions) != 2 {
		t.Errorf("sessions %v", sessions)
	}
	h.call("DELETE", "/me/sessions/"+sessions[0].(map[string]any)["id"].(string), nil).ok(200)
	h.call("DELETE", "/me/sessions/none", nil).refused(404, helpdesk.CodeNotFound, "", "")
	h.call("DELETE", "/me/sessions", nil).ok(200)
	if left := h.get("/me/sessions").list("sessions"); len(left) != 0 {
		t.Errorf("sessions %v are left", left)
	}
	hook := h.create("/webhooks", object{"name": "倉庫", "url": "https://warehouse.example/hook", "kinds": []string{"ticket.created"}})
	hook.at("webhook").want(t, object{"name": "倉庫", "state": "working"})
	path := "/webhooks/" + hook.at("webhook")["id"].(string)
	if secret := hook["secret"].(string); !strings.HasPrefix(secret, "whsec_") || strings.Contains(string(h.call("GET", path, nil).Body), secret) {
		t.Error("the secret is not told once")
	}
	h.change(path, object{"paused": true}).at("webhook").want(t, object{"state": "paused"})
	h.change(path, object{"paused": false, "name": "倉庫 2"}).at("webhook").want(t, object{"state": "working", "name": "倉庫 2"})
	h.call("POST", path+"/secret", nil).ok(200)
	test := h.create(path+"/test", nil).at("delivery")
	test.want(t, object{"kind": "webhook.test", "seq": nil, "state": "waiting"})
	h.create(path+"/deliveries/"+test["id"].(string)+"/repeat", nil).at("delivery").want(t, object{"message_id": test["message_id"]})
	h.get("/webhooks")
	h.get(path + "/deliveries")
	h.call("POST", "/webhooks", object{"name": "x", "url": "http://example.com", "kinds": []string{"ticket.created"}}).refused(400, helpdesk.CodeInvalid, "url", "https")
	h.call("DELETE", path, nil).ok(200)
	h.call("GET", "/contacts/new@customer.example/export", nil)
	h.call("DELETE", "/contacts/new@customer.example?confirm=other@customer.example", nil).refused(400, helpdesk.CodeInvalid, "confirm", "new@customer.example")
	erasure := h.call("DELETE", "/contacts/new@customer.example?confirm=new@customer.example", nil).ok(202).at("erasure")
	erasure.want(t, object{"state": "tickets", "done_at": nil, "left": []any{}})
	id := erasure["id"].(string)
	if err := h.EraseRecords(h.ctx(), id); err != nil {
		t.Fatal(err)
	}
	h.get("/erasures/"+id).at("erasure").want(t, object{"state": "index", "done_at": nil})
	if err := h.FinishErasure(h.ctx(), id); err != nil {
		t.Fatal(err)
	}
	h.get("/erasures/"+id).at("erasure").want(t, object{"state": "done"})
	h.get("/erasures")
	h.call("GET", "/erasures/nothing", nil).refused(404, helpdesk.CodeNotFound, "", "erasure")
	h.call("GET", "/contacts/new@customer.example", nil).refused(404, helpdesk.CodeNotFound, "", "no contact")
	other := newAPIHouse(t)
	other.judgeQuarantine()
	maps.Copy(h.answered, other.answered)
	h.call("POST", "/backups", nil).refused(409, helpdesk.CodeConflict, "backup.dir", "makes no backups")
	h.answered["POST /backups"] = true // where the program makes some, in its tests
	h.answered["POST /inbound"] = true // it takes the listener's own way, in the program's tests
	defer h.as("")()
	h.call("GET", "/openapi.yaml", nil)
	for operation := range maps.Keys(h.description.operations) {
		if !h.answered[operation] {
			t.Errorf("%s was not answered with success", operation)
		}
	}
}
