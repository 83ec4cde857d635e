package analysis_test

import "testing"

// BenchmarkOverhead measures what a mail's analysis takes beside the model's own
// time: the prompt, HTTP, and the check of an answer that comes at once.
func BenchmarkOverhead(b *testing.B) {
	m := &model{answers: []string{good}, capabilities: []string{"completion"}}
	a, d := newAnalyst(b, m)
	for b.Loop() {
		if err := a.Analyse(b.Context(), "M1"); err != nil {
			b.Fatal(err)
		}
	}
	if d.stored[0].Error != "" {
		b.Fatal(d.stored[0].Error)
	}
}
