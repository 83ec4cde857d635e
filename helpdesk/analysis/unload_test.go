package analysis_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
)

// takenModel is an Ollama whose model is taken by somebody who is long gone: it
// answers nobody until it is unloaded.
type takenModel struct {
	unloaded atomic.Bool
	answer   string // a line of a chat
}

func (m *takenModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/show" {
		fmt.Fprint(w, `{"capabilities":["completion"]}`)
		return
	}
	var request struct {
		Messages  []any
		KeepAlive any `json:"keep_alive"`
	}
	json.NewDecoder(r.Body).Decode(&request)
	io.Copy(io.Discard, r.Body) // or nobody notices that the other side hangs up
	switch {
	case len(request.Messages) == 0 && request.KeepAlive == "0s":
		m.unloaded.Store(true)
		fmt.Fprintln(w, `{"done":true,"done_reason":"unload","message":{"role":"assistant"}}`)
	case m.unloaded.Load():
		fmt.Fprintln(w, m.answer)
	default:
		<-r.Context().Done()
	}
}

func TestAModelThatSaysNothingIsLoadedAnew(t *testing.T) {
	m := &takenModel{answer: piece("ありがとうございます。") + "\n" + finished}
	impatient, analyst, _ := newWriter(t, m, analysis.WriterOptions{Timeout: 100 * time.Millisecond})
	var refused *helpdesk.Error
	if _, _, _, err := write(t.Context(), impatient, conversation("一通目")); !errors.As(err, &refused) || refused.Key != "error.model_slow" {
		t.Errorf("a model that says nothing: %v", err)
	}
	patient, err := analysis.NewWriter(analyst, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if text, _, _, err := write(t.Context(), patient, conversation("一通目")); err != nil || text != "ありがとうございます。" {
		t.Errorf("the next text is %q, %v", text, err)
	}
}

func TestAModelThatReadsNoMailIsLoadedAnew(t *testing.T) {
	m := &takenModel{}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	d := &desk{input: &helpdesk.AnalysisInput{MessageID: "M1", Text: "30台お願いします。"}}
	a, err := analysis.New(d, analysis.Options{Address: server.URL, Model: "reader", Timeout: 100 * time.Millisecond}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	// On a slow machine the time may be over before the chat.
	for !m.unloaded.Load() {
		if err := a.Analyse(t.Context(), "M1"); err != nil {
			t.Fatal(err)
		}
		if last := d.stored[len(d.stored)-1]; last.Error == "" {
			t.Fatalf("stored %+v", last)
		}
	}
}
