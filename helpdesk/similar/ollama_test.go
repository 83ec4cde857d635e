package similar_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// ollama answers as Ollama does for a model that makes vectors: of pairs of
// characters, so that texts with the same words are near each other.
type ollama struct {
	mu         sync.Mutex
	digest     string
	dimensions int
	status     int    // of every embedding, where not 0
	poison     string // a text with this word fails, as a NaN does: 500
	zeros      bool   // vectors without a direction, as old versions answer for a chat model
	limit      int    // characters, above which a text is too long; 0: none
	asked      []string
	names      func(prompt string) string // answers chats with a name
}

func (o *ollama) serve(t testing.TB) string {
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	return server.URL
}

func (o *ollama) set(change func(*ollama)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(o)
}

func (o *ollama) texts() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.asked...)
}

func (o *ollama) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch r.URL.Path {
	case "/api/tags":
		models := []map[string]any{}
		if o.digest != "" {
			models = append(models, map[string]any{"name": "vectors:latest", "model": "vectors:latest", "digest": o.digest})
		}
		json.NewEncoder(w).Encode(map[string]any{"models": models})
	case "/api/embed":
		o.embed(w, r)
	case "/api/show":
		fmt.Fprint(w, `{"capabilities":["completion"]}`)
	case "/api/chat":
		var request struct{ Messages []struct{ Content string } }
		json.NewDecoder(r.Body).Decode(&request)
		answer := o.names(request.Messages[len(request.Messages)-1].Content)
		json.NewEncoder(w).Encode(map[string]any{"done": true, "done_reason": "stop", "message": map[string]any{"role": "assistant", "content": answer}})
	}
}

func (o *ollama) embed(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Model, Input string
		Truncate     *bool
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || request.Truncate == nil || *request.Truncate {
		http.Error(w, `{"error":"this stand-in takes one text, whole"}`, http.StatusBadRequest)
		return
	}
	o.asked = append(o.asked, request.Input)
	fail := func(status int, text string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{"error": text})
	}
	switch {
	case o.status != 0:
		fail(o.status, "not now")
	case o.limit > 0 && len([]rune(request.Input)) > o.limit:
		fail(http.StatusBadRequest, "the input length exceeds the context length")
	case o.poison != "" && strings.Contains(request.Input, o.poison):
		fail(http.StatusInternalServerError, "failed to encode response: json: unsupported value: NaN")
	default:
		json.NewEncoder(w).Encode(map[string]any{"model": request.Model, "embeddings": [][]float32{o.vector(request.Input)}})
	}
}

func (o *ollama) vector(text string) []float32 {
	v := make([]float32, o.dimensions)
	if o.zeros {
		return v
	}
	characters := []rune(strings.ToLower(strings.Join(strings.Fields(text), " ")))
	for i := range len(characters) - 1 {
		h := fnv.New64a()
		h.Write([]byte(string(characters[i : i+2])))
		sum := h.Sum64()
		v[sum%uint64(o.dimensions)] += float32(sum>>32&1)*2 - 1
	}
	v[0]++
	return v
}
