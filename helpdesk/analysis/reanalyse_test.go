package analysis_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
)

func TestReanalysisStep(t *testing.T) {
	m := &model{answers: []string{good}, capabilities: []string{"completion"}}
	a, d := newAnalyst(t, m)
	d.step = &helpdesk.ReanalysisStep{Messages: []string{"M1", "M2"}}
	if err := a.Reanalyse(t.Context(), "R1"); err != nil || len(d.stored) != 2 || d.finished != 1 {
		t.Errorf("%v, stored %d, finished %d", err, len(d.stored), d.finished)
	}
	d.step = &helpdesk.ReanalysisStep{Busy: true}
	var later interface{ RetryAfter() time.Duration }
	if err := a.Reanalyse(t.Context(), "R1"); !errors.As(err, &later) || later.RetryAfter() <= 0 || d.finished != 1 {
		t.Errorf("while new mail waits: %v, finished %d", err, d.finished)
	}
	// While the model cannot be asked, the step is not done.
	m.status = 503
	d.step = &helpdesk.ReanalysisStep{Messages: []string{"M1"}}
	var unavailable *analysis.Unavailable
	if err := a.Reanalyse(t.Context(), "R1"); !errors.As(err, &unavailable) || unavailable.Problem != analysis.ProblemBusy || d.finished != 1 {
		t.Errorf("when it is busy: %v, finished %d", err, d.finished)
	}
	d.step = nil
	if err := a.Reanalyse(t.Context(), "R1"); err != nil || d.passed != 1 {
		t.Errorf("when it is over: %v, passed %d", err, d.passed)
	}
}

// faulty is a desk one of whose mails meets a fault of the program.
type faulty struct{ *desk }

func (d faulty) AnalysisInput(ctx context.Context, messageID string) (*helpdesk.AnalysisInput, error) {
	if messageID == "M2" {
		panic("at " + messageID)
	}
	return d.desk.AnalysisInput(ctx, messageID)
}

// Mails are read again side by side: a fault over one of them is that step's error, not the
// end of the server.
func TestAFaultInAMailReadAgainIsAnError(t *testing.T) {
	server := httptest.NewServer(&model{answers: []string{good}, capabilities: []string{"completion"}})
	defer server.Close()
	d := &desk{input: &helpdesk.AnalysisInput{MessageID: "M1", Text: "30台お願いします。"}, step: &helpdesk.ReanalysisStep{Messages: []string{"M1", "M2"}}}
	a, err := analysis.New(faulty{d}, analysis.Options{Address: server.URL, Model: "test", Timeout: 5 * time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Reanalyse(t.Context(), "R1"); err == nil || !strings.Contains(err.Error(), "at M2") || d.finished != 0 {
		t.Errorf("%v, finished %d; want the fault, and the step not done", err, d.finished)
	}
}
