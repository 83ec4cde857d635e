package ui_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// curl and others call what they are given to send a form.
func TestAPIReadsJSONOfAnyContentType(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	for _, kind := range []string{"application/json", "Application/JSON; charset=UTF-8", "application/x-www-form-urlencoded", "text/plain", ""} {
		h.call("POST", "/tickets/1/notes", object{"text": "x"}, "Content-Type", kind).ok(201)
	}
}

// A program whose place in the log is of another store, or of this one before a
// backup was restored, would wait for events that it then never gets.
func TestAPIEventsBeyondTheEnd(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	all := h.get("/events?limit=1000")
	last := uint64(all["next"].(float64))
	h.get("/events?after="+fmt.Sprint(last)).want(t, object{"events": []any{}, "next": float64(last)})
	h.call("GET", "/events?after="+fmt.Sprint(last+1), nil).refused(400, helpdesk.CodeInvalid, "after", "the newest event is "+fmt.Sprint(last))
	h.create("/tickets/1/notes", object{"text": "x"})
	if list := h.get("/events?after=" + fmt.Sprint(last)).list("events"); len(list) == 0 {
		t.Error("no event behind the last")
	}
}

// A filter with a slip of the pen would answer with all tickets.
func TestAPIRefusesUnknownParameters(t *testing.T) {
	h := newAPIHouse(t)
	for operation, o := range h.description.operations {
		method, path, _ := strings.Cut(operation, " ")
		if path == "/openapi.yaml" {
			continue // it asks for no token, and nothing of the query
		}
		var takes []string
		for _, p := range orNone(o["parameters"]) {
			if p := h.description.resolve(p); p["in"] == "query" {
				takes = append(takes, p["name"].(string))
			}
		}
		if takes == nil {
			takes = []string{"none"}
		}
		path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "1")
		h.call(method, path+"?stat=open", nil).refused(400, helpdesk.CodeInvalid, "stat", "it takes "+strings.Join(takes, ", "))
	}
	h.call("GET", "/ledger?days=many", nil).refused(400, helpdesk.CodeInvalid, "days", `days is "many"`)
}

func orNone(list any) []any {
	all, _ := list.([]any)
	return all
}

// Of a field that is there twice the last one would count, and what checked the request on its way may have read the
// first.
func TestAPIRefusesFieldsThatAreThereTwice(t *testing.T) {
	h := newAPIHouse(t)
	h.first()
	send := func(method, path, body string) answer { return h.call(method, path, body) }
	send("POST", "/tickets/1/notes", `{"text": "a", "text": "b"}`).refused(400, helpdesk.CodeInvalid, "text", "is there twice")
	send("POST", "/tickets/1/notes", `{"text": "a", "Text": "b"}`).refused(400, helpdesk.CodeInvalid, "Text", "is there twice")
	send("POST", "/tickets/1/notes", `{"text": "a", "te\u0078t": "b"}`).refused(400, helpdesk.CodeInvalid, "text", "is there twice")
	send("PATCH", "/tickets/1", `{"stage": "完了", "tags": ["a"], "stage": "新着"}`).refused(400, helpdesk.CodeInvalid, "stage", "is there twice")
	send("POST", "/tickets/1/replies", `{"text": "a", "attachments": [{"filename": "a", "filename": "b", "data": ""}]}`).refused(400, helpdesk.CodeInvalid, "filename", "is there twice")
	// The same name in another object, and as a value, is another matter.
	send("POST", "/tickets/1/replies", `{"text": "text", "attachments": [{"filename": "a \\\"text\": {", "data": "YQ=="}, {"filename": "text", "data": "YQ=="}]}`).ok(201)
}
