package ui_test

import (
	"net/http"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Whatever a program can change of what others change too says which state it has read.
func TestAPIChangesWhatItHasRead(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	webhook := h.call("POST", "/webhooks", object{"name": "基幹", "url": "https://hook.example/", "kinds": []string{"ticket.created"}})
	hook := "/webhooks/" + webhook.ok(http.StatusCreated).at("webhook")["id"].(string)
	week := object{"mon": []string{"09:00-18:00"}}
	for _, record := range []struct {
		method, path  string
		first, second object
	}{
		{"PATCH", "/contacts/tamura@customer.example", object{"notes": "先"}, object{"notes": "後"}},
		{"PATCH", hook, object{"name": "先"}, object{"name": "後"}},
		{"PUT", "/hours/" + helpdesk.StandardCalendar, object{"name": "先", "time_zone": "Asia/Tokyo", "week": week}, object{"name": "後", "time_zone": "Asia/Tokyo", "week": week}},
	} {
		read := h.call("GET", record.path, nil).Header.Get("ETag")
		mine := h.call(record.method, record.path, record.first, "If-Match", read)
		mine.ok(http.StatusOK)
		late := h.call(record.method, record.path, record.second, "If-Match", read)
		late.refused(http.StatusPreconditionFailed, "precondition_failed", "", "changed meanwhile")
		now := mine.Header.Get("ETag")
		if len(read) < 10 || now == read || late.Header.Get("ETag") != now || h.call("GET", record.path, nil).Header.Get("ETag") != now {
			t.Errorf("%s is %s, was %s, and the refused is told %s", record.path, now, read, late.Header.Get("ETag"))
		}
		h.call(record.method, record.path, record.second, "If-Match", now).ok(http.StatusOK)
		h.call(record.method, record.path, record.first).ok(http.StatusOK)
	}
	// To pause a webhook that is another by now is a change of it too.
	h.call("PATCH", hook, object{"paused": true}, "If-Match", webhook.Header.Get("ETag")).refused(http.StatusPreconditionFailed, "precondition_failed", "", "changed meanwhile")
	h.call("PATCH", hook, object{"name": "両方", "paused": true}, "If-Match", h.call("GET", hook, nil).Header.Get("ETag")).ok(http.StatusOK).at("webhook").want(t, object{"state": "paused"})
	h.call("GET", "/hours/none", nil).refused(http.StatusNotFound, helpdesk.CodeNotFound, "", "calendar")
}
