package analysis_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
	"github.com/madoguchi/madoguchi/helpdesk/analysis/ollamatest"
)

// realContext holds a prompt of the models made by hand, for which nearly
// every character is a token.
const realContext = 32768

func realAnalyst(t *testing.T, o analysis.Options) (*analysis.Analyst, *desk) {
	t.Helper()
	d := &desk{input: &helpdesk.AnalysisInput{MessageID: "M1"}}
	o.Timeout = time.Minute
	a, err := analysis.New(d, o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a, d
}

// TestRealOllama goes the whole way with a real server and models made by hand.
func TestRealOllama(t *testing.T) {
	address := ollamatest.Start(t)
	t.Run("reads mails by the schema", func(t *testing.T) { realReading(t, address) })
	t.Run("tells a thinking model not to", func(t *testing.T) { realThinking(t, address) })
	t.Run("writes piece by piece, and can be stopped", func(t *testing.T) { realWriting(t, address) })
	t.Run("says what is wrong with a model", func(t *testing.T) { realTrouble(t, address) })
	t.Run("lets go of a model", func(t *testing.T) { realUnloading(t, address) })
	t.Run("reads no token out of a mail", func(t *testing.T) { realTokens(t, address) })
	t.Run("makes vectors", func(t *testing.T) { realVectors(t, address) })
}

func realReading(t *testing.T, address string) {
	a, d := realAnalyst(t, analysis.Options{Address: address, Model: ollamatest.ClerkModel, Context: realContext})
	if s := a.Check(t.Context()); s.Problem != analysis.ProblemNone || s.Version != ollamatest.Version || !s.ModelPresent {
		t.Fatalf("the server is %+v", s)
	}
	for _, c := range []struct{ text, replyType, sentiment string }{
		{"Could you send us a quotation for fifty seats?", "high_value", "positive"},
		{"来月から増席したいので、お見積をお願いいたします。", "high_value", "positive"},
		{"The third unit arrived broken. I want a refund.", "needs_attention", "negative"},
		{"先週届いた品が故障していました。返金してください。", "needs_attention", "negative"},
		{"Where can I change my address?", "standard", "neutral"},
		{"住所はどこで変えられますか。", "standard", "neutral"},
	} {
		d.input.Text = c.text
		var usage analysis.Usage
		if err := a.Analyse(analysis.WithUsage(t.Context(), &usage), "M1"); err != nil {
			t.Fatal(err)
		}
		got := d.stored[len(d.stored)-1]
		if got.Error != "" || got.ReplyType != c.replyType || got.Sentiment != c.sentiment {
			t.Errorf("%q was read as %+v", c.text, got)
		}
		if usage.Answers != 1 || usage.PromptTokens < 100 || usage.AnswerTokens < 50 || usage.Prompt <= 0 || usage.Answer <= 0 {
			t.Errorf("%q cost %+v", c.text, usage)
		}
	}
}

func realThinking(t *testing.T, address string) {
	a, d := realAnalyst(t, analysis.Options{Address: address, Model: ollamatest.ThinkerModel, Context: realContext})
	d.input.Text = "返金してください。"
	if err := a.Analyse(t.Context(), "M1"); err != nil || d.stored[0].ReplyType != "needs_attention" {
		t.Errorf("stored %+v, %v", d.stored, err)
	}
}

func realWriting(t *testing.T, address string) {
	a, _ := realAnalyst(t, analysis.Options{Address: address, Model: ollamatest.ClerkModel, Context: realContext})
	write := func(ctx context.Context, model string, context int, in *helpdesk.Writing, say func(string) error) (helpdesk.Written, error) {
		options := map[helpdesk.WritingTask]analysis.WriterOptions{in.Task: {Model: model, Context: context, Timeout: time.Minute}}
		w, err := analysis.NewWriter(a, options, 1)
		if err != nil {
			t.Fatal(err)
		}
		return w.Write(ctx, in, func(helpdesk.WritingPlan) error { return nil }, say)
	}
	in := conversation("請求書を再発行してください。")
	var pieces []string
	end, err := write(t.Context(), ollamatest.ClerkModel, realContext, in, func(s string) error { pieces = append(pieces, s); return nil })
	if err != nil || end.Cut || strings.Join(pieces, "") != "お問い合わせいただきありがとうございます。" || len(pieces) < 3 {
		t.Errorf("wrote %q, %+v, %v", pieces, end, err)
	}

	// Whoever hangs up frees the model: with one turn, the next text would wait.
	ctx, stop := context.WithCancel(t.Context())
	heard := 0
	_, err = write(ctx, ollamatest.EndlessModel, realContext, in, func(string) error {
		if heard++; heard == 3 {
			stop()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped after %d pieces with %v", heard, err)
	}
	// A model this quick is left taken now and then (see Analyst.unload); then
	// the text after the next comes.
	var slow *helpdesk.Error
	end, err = write(t.Context(), ollamatest.EndlessModel, realContext, in, func(string) error { return nil })
	if errors.As(err, &slow) && slow.Key == "error.model_slow" {
		t.Log("Ollama's model was left taken by who hung up, and is loaded anew")
		end, err = write(t.Context(), ollamatest.EndlessModel, realContext, in, func(string) error { return nil })
	}
	if err != nil || !end.Cut {
		t.Errorf("an endless text ended with %+v, %v", end, err)
	}

	// A prompt too long is refused, not cut in silence: to this model a kanji is three tokens.
	long := conversation(strings.Repeat("薔薇", 4000))
	var refused *helpdesk.Error
	if _, err := write(t.Context(), ollamatest.ClerkModel, 8192, long, func(string) error { return nil }); !errors.As(err, &refused) || refused.Key != "error.model_refused" {
		t.Errorf("a prompt beyond the context: %v", err)
	}
}

func realTrouble(t *testing.T, address string) {
	for model, problem := range map[string]analysis.Problem{"not-pulled:1b": analysis.ProblemMissing, ollamatest.SorterModel: analysis.ProblemWrongKind} {
		a, d := realAnalyst(t, analysis.Options{Address: address, Model: model})
		if s := a.Check(t.Context()); s.Problem != problem || !s.Reachable {
			t.Errorf("%s: the server is %+v", model, s)
		}
		var unavailable *analysis.Unavailable
		if err := a.Analyse(t.Context(), "M1"); !errors.As(err, &unavailable) || unavailable.Problem != problem || len(d.stored) != 0 {
			t.Errorf("%s: %v, stored %+v", model, err, d.stored)
		}
	}
}

func realUnloading(t *testing.T, address string) {
	a, d := realAnalyst(t, analysis.Options{Address: address, Model: ollamatest.ThinkerModel, Context: realContext, KeepAlive: time.Millisecond})
	if err := a.Analyse(t.Context(), "M1"); err != nil || d.stored[0].Error != "" {
		t.Fatalf("stored %+v, %v", d.stored, err)
	}
	deadline := time.Now().Add(time.Minute)
	for loaded := true; loaded; time.Sleep(20 * time.Millisecond) { // another process; nothing tells when it ends
		response, err := http.Get(address + "/api/ps")
		if err != nil {
			t.Fatal(err)
		}
		var running struct{ Models []struct{ Name string } }
		err = json.NewDecoder(response.Body).Decode(&running)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		loaded = false
		for _, m := range running.Models {
			loaded = loaded || strings.HasPrefix(m.Name, ollamatest.ThinkerModel)
		}
		if time.Now().After(deadline) {
			t.Fatal("the model stays in memory")
		}
	}
}

func realVectors(t *testing.T, address string) {
	request, err := json.Marshal(map[string]any{"model": ollamatest.SorterModel,
		"input": []string{"返金をお願いします", "返金して下さい", "please upgrade the plan"}})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(address+"/api/embed", "application/json", bytes.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Embeddings [][]float64 }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Embeddings) != 3 {
		t.Fatalf("%s, %d vectors, %v", response.Status, len(answer.Embeddings), err)
	}
	near := func(a, b []float64) (sum float64) {
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	e := answer.Embeddings
	if len(e[0]) != ollamatest.EmbeddingWidth || near(e[0], e[1]) < near(e[0], e[2])+0.2 {
		t.Errorf("%d numbers; the same matter %.2f, another one %.2f", len(e[0]), near(e[0], e[1]), near(e[0], e[2]))
	}
}

// TestRealWeights asks whatever model the environment names, on whatever
// machine, whether the whole way works with it. How well it reads is the
// matter of madoguchi eval.
func TestRealWeights(t *testing.T) {
	address, model := os.Getenv("MADOGUCHI_OLLAMA"), os.Getenv("MADOGUCHI_MODEL")
	if address == "" || model == "" {
		t.Skip("SKIPPED, not passed: MADOGUCHI_OLLAMA (an address) and MADOGUCHI_MODEL (a name) name no model with real weights")
	}
	d := &desk{}
	a, err := analysis.New(d, analysis.Options{Address: address, Model: model}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"五十席へ増席したく、お見積もりをお願いいたします。", "Your update deleted all of our orders. Call me today or we cancel.", "ありがとうございました。解決しました。"} {
		d.input = &helpdesk.AnalysisInput{MessageID: "M1", Subject: "お問い合わせ", Text: text}
		if err := a.Analyse(t.Context(), "M1"); err != nil {
			t.Fatal(err)
		}
		if got := d.stored[len(d.stored)-1]; got.Error != "" {
			t.Errorf("%q: %s", text, got.Error)
		} else {
			t.Logf("%q: %+v", text, got)
		}
	}
	w, err := analysis.NewWriter(a, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	text, _, end, err := write(t.Context(), w, conversation("請求書を再発行してください。"))
	if err != nil || text == "" {
		t.Errorf("wrote %q, %+v, %v", text, end, err)
	}
	t.Logf("wrote %q", text)
}
