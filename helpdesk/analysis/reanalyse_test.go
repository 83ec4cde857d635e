package analysis_test

import (
	"errors"
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
