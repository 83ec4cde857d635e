// Package analysis has a local model read customers' messages: it asks Ollama
// with a JSON schema, checks what comes back, and stores it beside the message.
//
// A mail never waits for it. Its text is hostile input: it is data between
// marks that it cannot guess, the model has no tools, and what it says is shown
// or sorts a list; what acts is its choice of one template by key (Matcher).
package analysis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Options say which model to ask, and how patiently.
type Options struct {
	Address string        // of Ollama; http://127.0.0.1:11434 where empty
	Model   string        // its name in Ollama, "qwen3.5:4b" say
	Timeout time.Duration // for one message; 10 minutes when zero: a model on two cores takes minutes
	// Context is the context length in tokens, 8192 when zero. A longer message
	// is cut, and the model is told so.
	Context   int
	KeepAlive time.Duration // how long Ollama keeps the model loaded; 10 minutes when zero
	// Concurrency is how many mails are read at once, 1 when zero.
	Concurrency int
}

func (o Options) withDefaults() Options {
	if o.Address == "" {
		o.Address = "http://127.0.0.1:11434"
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.Context == 0 {
		o.Context = 8192
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 10 * time.Minute
	}
	o.Concurrency = max(o.Concurrency, 1)
	return o
}

// Desk is what an Analyst needs of the helpdesk.
type Desk interface {
	AnalysisInput(ctx context.Context, messageID string) (*helpdesk.AnalysisInput, error)
	StoreAnalysis(ctx context.Context, a helpdesk.Analysis) error
	SkipAnalysis(ctx context.Context, messageID string) error
	ReanalysisStep(ctx context.Context, id string, limit int, by helpdesk.Reading) (*helpdesk.ReanalysisStep, error)
	FinishReanalysisStep(ctx context.Context, id string, step *helpdesk.ReanalysisStep) error
	SkipReanalysis(ctx context.Context, id string) error
}

// Analyst asks one model. It is safe for use by many goroutines.
type Analyst struct {
	desk    Desk
	options Options
	client  *api.Client
	now     func() time.Time
	log     *slog.Logger
	recheck chan struct{} // holds one wish to look again at once

	precedence precedence // of those who wait for a text
	newMail    precedence // of new mail before mails that are read again
	turns      chan struct{}

	mu       sync.Mutex
	status   Status
	resting  time.Time // do not ask before
	digest   string    // of the model's files; "" while unknown
	thinking *bool     // whether the model has to be told not to think; nil while unknown
}

// New returns an analyst. The address must be an http or https URL.
func New(desk Desk, o Options, log *slog.Logger) (*Analyst, error) {
	o = o.withDefaults()
	base, err := url.Parse(o.Address)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the address of an Ollama; write it like http://127.0.0.1:11434", o.Address)
	}
	if o.Context < minContext {
		return nil, fmt.Errorf("a context of %d tokens is too short for a mail; give at least %d", o.Context, minContext)
	}
	client := api.NewClient(base, &http.Client{Transport: boundedAnswers{http.DefaultTransport}})
	return &Analyst{desk: desk, options: o, client: client, now: time.Now, log: log, recheck: make(chan struct{}, 1), turns: make(chan struct{}, o.Concurrency)}, nil
}

// Unavailable says that the model cannot be asked now. The message waits.
type Unavailable struct {
	Problem Problem
	Detail  string
	After   time.Duration
}

func (u *Unavailable) Error() string { return string(u.Problem) + ": " + u.Detail }

// RetryAfter is how long to wait before asking again.
func (u *Unavailable) RetryAfter() time.Duration { return u.After }

// restAfterTrouble is the pause before an unreachable Ollama is asked again.
const restAfterTrouble = 6 * time.Second

// NotBefore returns until when the analyst rests because Ollama did not
// answer, or because somebody waits for the model; the zero time, or a past one,
// is no rest.
func (a *Analyst) NotBefore() time.Time {
	if a.precedence.taken() {
		return a.now().Add(giveWay)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.resting
}

// Analyse reads the message with the given ID and stores the analysis, or the
// reason why there is none. The error is an *Unavailable while the model
// cannot be asked; the message then keeps waiting.
func (a *Analyst) Analyse(ctx context.Context, messageID string) error {
	defer a.newMail.begin()()
	return a.read(ctx, messageID, false)
}

// read reads a message; again says that it may wait for others.
func (a *Analyst) read(ctx context.Context, messageID string, again bool) error {
	in, err := a.desk.AnalysisInput(ctx, messageID)
	if err != nil {
		return fmt.Errorf("read message %s for analysis: %w", messageID, err)
	}
	if in == nil {
		return a.desk.SkipAnalysis(ctx, messageID)
	}
	reading, done := a.precedence.read(ctx)
	defer done()
	if again {
		reading, done = a.newMail.read(reading)
		defer done()
	}
	started := a.now()
	result, err := a.inTurn(reading, in)
	var unavailable *Unavailable
	switch {
	case err != nil && errors.Is(context.Cause(reading), errGaveWay):
		return &Unavailable{Problem: ProblemBusy, Detail: errGaveWay.Error(), After: giveWay}
	case errors.As(err, &unavailable):
		a.mu.Lock()
		a.resting, a.thinking = a.now().Add(min(unavailable.After, restAfterTrouble)), nil
		a.mu.Unlock()
		select {
		case a.recheck <- struct{}{}:
		default:
		}
		a.log.Warn("the model cannot be asked", "id", messageID, "problem", unavailable.Problem, "detail", unavailable.Detail)
		if unavailable.Problem == ProblemTrouble {
			// It may be this mail that breaks the model: its timer counts the failure and
			// backs off, so that it does not keep the others from being read.
			return errors.New(unavailable.Error())
		}
		return unavailable
	case err != nil && ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled):
		return ctx.Err() // the program stops; the message is asked about again
	case err != nil:
		a.log.Warn("no analysis", "id", messageID, "error", err)
		result = &helpdesk.Analysis{Error: err.Error(), Failure: keep(err)}
	default:
		a.log.Info("analysed", "id", messageID, "model", a.options.Model, "duration", a.now().Sub(started))
	}
	result.MessageID, result.Model, result.Digest, result.PromptVersion = messageID, a.options.Model, a.knownDigest(), PromptVersion
	if err := a.desk.StoreAnalysis(context.WithoutCancel(ctx), *result); err != nil {
		return fmt.Errorf("store the analysis of message %s: %w", messageID, err)
	}
	return nil
}

// inTurn asks as soon as no more mails are being read than may be.
func (a *Analyst) inTurn(ctx context.Context, in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
		return a.ask(ctx, in)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// ask asks once, and once more with what was wrong with the first answer.
func (a *Analyst) ask(ctx context.Context, in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error) {
	ctx, cancel := context.WithTimeout(ctx, a.options.Timeout)
	defer cancel()
	think, err := a.thinks(ctx)
	if err != nil {
		return nil, err
	}
	conversation := prompt(in, a.options.Context)
	for attempt := 1; ; attempt++ {
		answer, err := a.chat(ctx, conversation, think)
		if err != nil {
			return nil, err
		}
		result, err := parse(answer, in)
		if err == nil {
			return result, nil
		}
		if attempt == 2 {
			return nil, &unread{"unfit", nil, fmt.Errorf("the model's answer does not fit, twice: %w", err)}
		}
		conversation = append(conversation,
			api.Message{Role: "assistant", Content: clip(answer, maxAnswerEcho)},
			api.Message{Role: "user", Content: "That answer cannot be used: " + err.Error() + ". Answer again with one JSON object of the schema, nothing else."})
	}
}
