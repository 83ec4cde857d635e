package analysis

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// WriterOptions say which model writes, and how patiently.
type WriterOptions struct {
	Model     string        // that of the analysis where empty
	Context   int           // tokens; that of the analysis where zero
	Timeout   time.Duration // for one text, from its turn on; 5 minutes when zero
	KeepAlive time.Duration // how long Ollama keeps the model loaded; that of the analysis when zero
}

// Writer has the model write texts for agents, piece by piece. It goes before
// the analysis of mails, which it shares Ollama with. It is safe for use by many
// goroutines.
type Writer struct {
	analyst *Analyst
	options map[helpdesk.WritingTask]WriterOptions
	turns   chan struct{}

	mu       sync.Mutex
	thinking map[string]bool // by model, where known
}

// NewWriter returns a writer beside the analyst. A task without options has the
// analyst's; atOnce texts are written at the same time.
func NewWriter(a *Analyst, options map[helpdesk.WritingTask]WriterOptions, atOnce int) (*Writer, error) {
	w := &Writer{analyst: a, options: map[helpdesk.WritingTask]WriterOptions{}, turns: make(chan struct{}, max(atOnce, 1)), thinking: map[string]bool{}}
	for _, task := range helpdesk.WritingTasks() {
		o := options[task]
		if o.Model == "" {
			o.Model = a.options.Model
		}
		if o.Context == 0 {
			o.Context = a.options.Context
		}
		if o.Timeout == 0 {
			o.Timeout = 5 * time.Minute
		}
		if o.KeepAlive == 0 {
			o.KeepAlive = a.options.KeepAlive
		}
		if o.Context < minWritingContext {
			return nil, fmt.Errorf("a context of %d tokens is too short to write in; give at least %d", o.Context, minWritingContext)
		}
		w.options[task] = o
	}
	return w, nil
}

// Write has the text written. plan hears once what the model is given, before
// the first piece; say hears each piece, which is plain text of a model and
// nothing to be trusted. The end of ctx ends the model's work too. Whatever is
// wrong with the model is a helpdesk.Error with a sentence of its own.
func (w *Writer) Write(ctx context.Context, in *helpdesk.Writing, plan func(helpdesk.WritingPlan) error, say func(string) error) (helpdesk.Written, error) {
	o := w.options[in.Task]
	written := helpdesk.Written{Model: o.Model, PromptVersion: writingVersion}
	defer w.analyst.precedence.begin()()
	select {
	case w.turns <- struct{}{}:
		defer func() { <-w.turns }()
	case <-ctx.Done():
		return written, ctx.Err()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.Timeout, errTooSlow)
	defer cancel()
	conversation, given := writingPrompt(in, o.Context)
	given.Model = o.Model
	think, err := w.thinks(ctx, o.Model)
	if err == nil {
		err = plan(given)
	}
	heard := false
	if err == nil {
		written.Cut, err = w.stream(ctx, o, conversation, think, func(piece string) error {
			heard = true
			return say(piece)
		})
	}
	if !heard && errors.Is(context.Cause(ctx), errTooSlow) {
		w.analyst.unload(o.Model)
	}
	return written, w.explain(ctx, o, err)
}

var errTooSlow = errors.New("the model took too long")

// stream passes the pieces on. It reports whether the model had to stop at the
// most it may write.
func (w *Writer) stream(ctx context.Context, o WriterOptions, conversation []api.Message, think bool, say func(string) error) (cut bool, err error) {
	yes, no := true, false
	request := &api.ChatRequest{
		Model: o.Model, Messages: conversation, Stream: &yes,
		KeepAlive: &api.Duration{Duration: o.KeepAlive},
		Truncate:  &no, Shift: &no,
		Options: map[string]any{"temperature": 0, "seed": 1, "num_ctx": o.Context, "num_predict": writingTokens(o.Context)},
	}
	if think {
		request.Think = &api.ThinkValue{Value: false}
	}
	var last api.ChatResponse
	began := false
	err = w.analyst.client.Chat(ctx, request, func(part api.ChatResponse) error {
		last = part
		piece := visible(strings.ToValidUTF8(part.Message.Content, ""))
		if !began { // models like to begin with an empty line
			piece = strings.TrimLeft(piece, " \r\n\t")
			began = piece != ""
		}
		if piece == "" {
			return nil
		}
		if err := say(piece); err != nil {
			return &refusedPiece{err}
		}
		return nil
	})
	switch {
	case err != nil:
		return false, err
	case !last.Done || !began:
		return false, errEndedEarly
	}
	return last.DoneReason == "length", nil
}

var errEndedEarly = errors.New("the model's answer ended early")

// refusedPiece is an error of whoever listens, not of the model.
type refusedPiece struct{ error }

func (r *refusedPiece) Unwrap() error { return r.error }

// thinks is Analyst.thinks for the writer's own models.
func (w *Writer) thinks(ctx context.Context, model string) (bool, error) {
	w.mu.Lock()
	known, ok := w.thinking[model]
	w.mu.Unlock()
	if ok {
		return known, nil
	}
	capabilities, err := w.analyst.capabilities(ctx, model)
	if err != nil {
		return false, err
	}
	thinks := slices.Contains(capabilities, "thinking")
	w.mu.Lock()
	w.thinking[model] = thinks
	w.mu.Unlock()
	return thinks, nil
}

// explain makes what went wrong an error for the reader. Only the log has what
// Ollama said.
func (w *Writer) explain(ctx context.Context, o WriterOptions, err error) error {
	if err == nil {
		return nil
	}
	var refused *refusedPiece
	if errors.As(err, &refused) {
		return refused.error
	}
	problem := ""
	var unavailable *Unavailable
	var inURL *url.Error
	var status api.StatusError
	switch {
	case errors.Is(context.Cause(ctx), errTooSlow):
		problem = "slow"
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &unavailable):
		problem = string(unavailable.Problem)
	case errors.Is(err, errEndedEarly):
		problem = "ended"
	case errors.As(err, &status) || errors.As(err, &inURL):
		if errors.As(classify(err), &unavailable) {
			problem = string(unavailable.Problem)
		} else {
			problem = "refused" // too long, most likely: a 400
		}
	default:
		problem = "trouble" // an error within the stream
	}
	w.mu.Lock()
	delete(w.thinking, o.Model) // it may be another one when it comes back
	w.mu.Unlock()
	w.analyst.log.Warn("the model wrote nothing", "model", o.Model, "problem", problem, "error", err)
	return &helpdesk.Error{Code: helpdesk.CodeTemporary, Key: "error.model_" + problem, Args: []any{w.analyst.options.Address, o.Model, o.Timeout.String()},
		Message: "the model wrote nothing: " + err.Error()}
}
