package analysis

import (
	"context"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Usage is what answers of a model cost, as Ollama measured it.
type Usage struct {
	Answers      int // that were asked for: two where the first did not fit
	PromptTokens int
	CachedTokens int // of these, that the model still had from the prompt before
	AnswerTokens int
	Load         time.Duration // bringing the model into memory
	Prompt       time.Duration // reading the prompt
	Answer       time.Duration // writing the answer
}

// usageKey is the context's key of a *Usage.
type usageKey struct{}

// WithUsage returns a context whose requests to a model add what they cost to
// u, as net/http/httptrace does. Requests of one context may not overlap.
func WithUsage(ctx context.Context, u *Usage) context.Context {
	return context.WithValue(ctx, usageKey{}, u)
}

// measure adds what an answer cost to the context's Usage, where it has one.
func measure(ctx context.Context, m api.Metrics) {
	u, ok := ctx.Value(usageKey{}).(*Usage)
	if !ok {
		return
	}
	u.Answers++
	u.PromptTokens += m.PromptEvalCount
	if m.PromptEvalCachedCount != nil {
		u.CachedTokens += *m.PromptEvalCachedCount
	}
	u.AnswerTokens += m.EvalCount
	u.Load += m.LoadDuration
	u.Prompt += m.PromptEvalDuration
	u.Answer += m.EvalDuration
}

// Read asks the model about a mail and stores nothing. The error is an
// *Unavailable where the model cannot be asked now.
func (a *Analyst) Read(ctx context.Context, in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
	return a.ask(ctx, in)
}
