package main_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const testModel = "counter-clerk:1b"

// ollama answers as Ollama does, for one model. It can be absent at first, and
// be without its model.
type ollama struct {
	address string // http://host:port, fixed before it starts

	mu      sync.Mutex
	pulled  bool
	answer  func(prompt string) map[string]any
	prompts []string
}

// reserveOllama chooses an address at which nothing answers yet.
func reserveOllama(t testing.TB) *ollama {
	t.Helper()
	return &ollama{address: "http://127.0.0.1:" + freePort(t), answer: func(string) map[string]any { return standardAnswer() }}
}

// start begins to answer, still without the model.
func (o *ollama) start(t testing.TB) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/version", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, map[string]any{"version": "0.34.0"}) })
	mux.HandleFunc("GET /api/tags", o.tags)
	mux.HandleFunc("POST /api/show", o.show)
	mux.HandleFunc("POST /api/chat", o.chat)
	listener, err := net.Listen("tcp", strings.TrimPrefix(o.address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux}}
	server.Start()
	t.Cleanup(server.Close)
}

// pull makes the model present.
func (o *ollama) pull() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pulled = true
}

// asked returns the prompts of the chats so far.
func (o *ollama) asked() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.prompts...)
}

func (o *ollama) has(model string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pulled && model == testModel
}

func (o *ollama) tags(w http.ResponseWriter, _ *http.Request) {
	models := []map[string]any{}
	if o.has(testModel) {
		models = append(models, map[string]any{"name": testModel, "model": testModel})
	}
	reply(w, 200, map[string]any{"models": models})
}

func (o *ollama) show(w http.ResponseWriter, r *http.Request) {
	var request struct{ Model, Name string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		reply(w, 400, map[string]any{"error": err.Error()})
		return
	}
	if !o.has(request.Model) {
		reply(w, 404, map[string]any{"error": "model '" + request.Model + "' not found"})
		return
	}
	reply(w, 200, map[string]any{"capabilities": []string{"completion"}, "details": map[string]any{"family": "stand-in"}})
}

func (o *ollama) chat(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Model    string
		Stream   *bool
		Format   map[string]any
		Messages []struct{ Role, Content string }
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		reply(w, 400, map[string]any{"error": err.Error()})
		return
	}
	if !o.has(request.Model) {
		reply(w, 404, map[string]any{"error": "model '" + request.Model + "' not found"})
		return
	}
	if request.Stream == nil || *request.Stream || request.Format["type"] != "object" || len(request.Messages) == 0 {
		reply(w, 400, map[string]any{"error": "this stand-in answers whole, by a schema"})
		return
	}
	prompt := request.Messages[len(request.Messages)-1].Content
	o.mu.Lock()
	o.prompts = append(o.prompts, prompt)
	answer := o.answer(prompt)
	o.mu.Unlock()
	content, err := json.Marshal(answer)
	if err != nil {
		reply(w, 500, map[string]any{"error": err.Error()})
		return
	}
	reply(w, 200, map[string]any{"model": request.Model, "created_at": time.Now().UTC().Format(time.RFC3339Nano), "done": true, "done_reason": "stop",
		"message": map[string]any{"role": "assistant", "content": string(content)}})
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// standardAnswer has every field of the schema.
func standardAnswer() map[string]any {
	return map[string]any{
		"reply_type": "high_value", "key_insights": []string{"来月から二つ目の拠点を開く"}, "opportunity_score": 4, "follow_up_needed": true,
		"product_interest": "very_interested", "action_items": []string{"五十席分の見積書を送る"}, "product_usage": "問い合わせ対応に毎日使っている",
		"monthly_volume": "月に約三千通", "challenges": []string{"担当者ごとに返信の質が揃わない"}, "sentiment": "positive", "urgency": "normal",
		"language": "ja", "summary": "席を五十に増やしたいので見積もりが欲しいとのご相談",
	}
}
