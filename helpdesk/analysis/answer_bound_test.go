package analysis_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
)

// Something else at the address of Ollama, or a broken one, may never stop.
func TestAnAnswerWithoutAnEndIsBrokenOff(t *testing.T) {
	const enough = 256 << 20 // bytes, far more than is read and than connections hold
	piece := fmt.Sprintf(`{"message":{"role":"assistant","content":%q},"done":false}`+"\n", strings.Repeat("x", 32<<10))
	for _, path := range []string{"/api/chat", "/api/show"} {
		m := &model{answers: []string{good}, capabilities: []string{"completion"}}
		broken := make(chan bool, 2)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				m.ServeHTTP(w, r)
				return
			}
			for sent := 0; sent < enough; sent += len(piece) {
				if _, err := w.Write([]byte(piece)); err != nil {
					broken <- true
					return
				}
			}
			broken <- false
		}))
		d := &desk{input: &helpdesk.AnalysisInput{MessageID: "M1", Subject: "Hello", Text: "30, please."}}
		a, err := analysis.New(d, analysis.Options{Address: server.URL, Model: "test", Timeout: time.Hour}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		err = a.Analyse(t.Context(), "M1")
		if err == nil || len(err.Error()) > 2000 || len(d.stored) > 0 {
			t.Errorf("%s: %.200v, stored %d", path, err, len(d.stored))
		}
		if !<-broken {
			t.Errorf("%s: the answer was read to its end", path)
		}
		server.Close()
	}
}
