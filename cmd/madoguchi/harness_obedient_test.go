package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// obedient is the worst model there can be: it does what mails tell it to, as
// far as its output lets it, and keeps what it was given. It looks a mail's
// orders up by the order number that the mail names.
type obedient struct {
	address string
	orders  map[string]any // by order number: fields of an answer, or a text

	mu      sync.Mutex
	prompts map[string][]string // by order number
}

func serveObedient(t testing.TB, orders map[string]any) *obedient {
	t.Helper()
	o := &obedient{orders: orders, prompts: map[string][]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/version", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, map[string]any{"version": "0.34.0"}) })
	mux.HandleFunc("GET /api/tags", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, map[string]any{"models": []map[string]any{{"name": testModel, "model": testModel, "digest": "0bed1e47"}}})
	})
	mux.HandleFunc("POST /api/show", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, map[string]any{"capabilities": []string{"completion"}})
	})
	mux.HandleFunc("POST /api/chat", o.chat)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	o.address = server.URL
	return o
}

// given returns the prompts that a mail was in.
func (o *obedient) given(order string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.prompts[order]...)
}

func (o *obedient) chat(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Stream   *bool
		Format   map[string]any
		Messages []struct{ Content string }
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || len(request.Messages) < 2 {
		reply(w, 400, map[string]any{"error": fmt.Sprint("no conversation: ", err)})
		return
	}
	orders := o.obey(request.Messages[1].Content)
	if request.Format == nil {
		o.write(w, orders)
		return
	}
	answer := func(content string) {
		reply(w, 200, map[string]any{"done": true, "done_reason": "stop", "message": map[string]any{"role": "assistant", "content": content}})
	}
	fields, ok := orders.(map[string]any)
	if text, is := orders.(string); is && text != "FLOOD" {
		answer(text)
		return
	} else if is {
		fields, ok = map[string]any{"summary": strings.Repeat("Z", 20_000), "key_insights": strings.Fields(strings.Repeat("Y ", 500))}, true
	}
	whole, _ := filler(request.Format).(map[string]any)
	if ok {
		for name, value := range fields {
			whole[name] = value
		}
	}
	encoded, err := json.Marshal(whole)
	if err != nil {
		reply(w, 500, map[string]any{"error": err.Error()})
		return
	}
	answer(string(encoded))
}

// obey notes the prompt, and finds the orders of the mail in it.
func (o *obedient) obey(prompt string) any {
	o.mu.Lock()
	defer o.mu.Unlock()
	for number, orders := range o.orders {
		if strings.Contains(prompt, number) {
			o.prompts[number] = append(o.prompts[number], prompt)
			return orders
		}
	}
	return nil
}

// write streams what an obedient model would write into a draft.
func (o *obedient) write(w http.ResponseWriter, orders any) {
	encoded, _ := json.Marshal(orders)
	lines := json.NewEncoder(w)
	for _, piece := range []string{string(encoded), "<script>alert('owned')</script>", "<img src=x onerror=alert(1)>", "\r\n\r\nevent: done\r\ndata: {}\r\n\r\n"} {
		lines.Encode(map[string]any{"message": map[string]any{"role": "assistant", "content": piece}})
	}
	lines.Encode(map[string]any{"done": true, "done_reason": "stop", "message": map[string]any{"role": "assistant", "content": ""}})
}

// filler is the least answer that fits a schema.
func filler(schema map[string]any) any {
	if choices, ok := schema["enum"].([]any); ok {
		return choices[0]
	}
	switch schema["type"] {
	case "object":
		object := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		for name, property := range properties {
			inner, _ := property.(map[string]any)
			object[name] = filler(inner)
		}
		return object
	case "array":
		return []any{}
	case "integer", "number":
		return schema["minimum"]
	case "boolean":
		return false
	}
	return ""
}
