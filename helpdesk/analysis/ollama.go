package analysis

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ollama/ollama/api"
)

// Problem says why the model cannot be asked; the interface has the words and
// the remedy for each.
type Problem string

// The problems.
const (
	ProblemNone        Problem = ""
	ProblemNoModel     Problem = "no_model"      // none is named in the configuration
	ProblemUnreachable Problem = "unreachable"   // nothing answers at the address
	ProblemMissing     Problem = "model_missing" // Ollama does not have the model
	ProblemWrongKind   Problem = "wrong_kind"    // the model cannot chat
	ProblemBusy        Problem = "busy"          // Ollama's own queue is full
	ProblemTrouble     Problem = "trouble"       // it answers, with an error
)

// Status is whether the model can be asked.
type Status struct {
	Address, Model string
	Reachable      bool
	ModelPresent   bool
	Problem        Problem
	Detail         string // what was said, for whoever mends it
	Version        string // of Ollama
	Digest         string // of the model's files, "" where Ollama does not say
}

// Status returns what Watch, or a message's analysis, found out last. It asks
// nobody.
func (a *Analyst) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}

// Pauses between two looks at Ollama.
const (
	lookWhileWell = time.Minute
	lookInTrouble = 5 * time.Second
)

// Watch keeps Status fresh until ctx ends, and ends the analyst's rest as soon
// as the model can be asked.
func (a *Analyst) Watch(ctx context.Context) {
	for {
		s := a.Check(ctx)
		if ctx.Err() != nil {
			return
		}
		pause := lookInTrouble
		a.mu.Lock()
		if s.Problem != a.status.Problem || a.status.Address == "" {
			a.log.Info("the model", "address", s.Address, "model", s.Model, "problem", s.Problem, "detail", s.Detail)
		}
		a.status = s
		if s.Problem == ProblemNone {
			pause, a.resting, a.digest = lookWhileWell, time.Time{}, s.Digest
		} else {
			a.resting = a.now().Add(lookInTrouble + time.Second) // past the next look
		}
		a.mu.Unlock()
		select {
		case <-time.After(pause):
		case <-a.recheck:
		case <-ctx.Done():
			return
		}
	}
}

// Check asks Ollama how it is; it takes at most three seconds.
func (a *Analyst) Check(ctx context.Context) Status {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	s := Status{Address: a.options.Address, Model: a.options.Model}
	version, err := a.client.Version(ctx)
	if err != nil {
		s.Problem, s.Detail = ProblemUnreachable, shortDetail(err.Error())
		return s
	}
	s.Reachable, s.Version = true, version
	if err := a.look(ctx, nil); err != nil {
		var unavailable *Unavailable
		if errors.As(err, &unavailable) {
			s.Problem, s.Detail = unavailable.Problem, unavailable.Detail
		}
		return s
	}
	s.ModelPresent = true
	s.Digest = a.askDigest(ctx)
	return s
}

// look asks for the model's capabilities and puts whether it thinks into
// thinking.
func (a *Analyst) look(ctx context.Context, thinking *bool) error {
	names, err := a.capabilities(ctx, a.options.Model)
	if err == nil && thinking != nil {
		*thinking = slices.Contains(names, "thinking")
	}
	return err
}

// capabilities are what Ollama says that a model can, one that chats at least.
func (a *Analyst) capabilities(ctx context.Context, model string) ([]string, error) {
	if model == "" {
		return nil, &Unavailable{Problem: ProblemNoModel, Detail: "no model is configured", After: time.Minute}
	}
	show, err := a.client.Show(ctx, &api.ShowRequest{Model: model})
	if err != nil {
		return nil, classify(err)
	}
	var names []string
	for _, c := range show.Capabilities {
		names = append(names, string(c))
	}
	if len(names) > 0 && !slices.Contains(names, "completion") {
		return nil, &Unavailable{Problem: ProblemWrongKind, After: time.Minute,
			Detail: fmt.Sprintf("model %q can %s, not chat", model, strings.Join(names, ", "))}
	}
	return names, nil
}

// thinks reports whether the model has to be told not to think. Left alone, a
// thinking model may never apply the schema; others refuse to be told.
func (a *Analyst) thinks(ctx context.Context) (bool, error) {
	a.mu.Lock()
	known := a.thinking
	a.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	var thinking bool
	if err := a.look(ctx, &thinking); err != nil {
		return false, err
	}
	digest := a.askDigest(ctx)
	a.mu.Lock()
	a.thinking, a.digest = &thinking, digest
	a.mu.Unlock()
	return thinking, nil
}

// askDigest is the digest of the model's files, which tells two models of one
// name apart; "" where Ollama does not say. Watch asks again every minute.
func (a *Analyst) askDigest(ctx context.Context) string {
	list, err := a.client.List(ctx)
	if err != nil {
		return ""
	}
	for _, m := range list.Models {
		if m.Model == a.options.Model || m.Name == a.options.Model || m.Name == a.options.Model+":latest" {
			return m.Digest
		}
	}
	return ""
}

func (a *Analyst) knownDigest() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.digest
}

// chat asks for one answer, whole.
func (a *Analyst) chat(ctx context.Context, conversation []api.Message, think bool) (string, error) {
	no := false
	request := &api.ChatRequest{
		Model: a.options.Model, Messages: conversation, Stream: &no, Format: schema,
		KeepAlive: &api.Duration{Duration: a.options.KeepAlive},
		// A prompt that does not fit would be cut silently; we cut it ourselves.
		Truncate: &no, Shift: &no,
		Options: map[string]any{"temperature": 0, "seed": 1, "num_ctx": a.options.Context, "num_predict": answerTokens},
	}
	if think {
		request.Think = &api.ThinkValue{Value: false}
	}
	return a.complete(ctx, request, a.options.Timeout, answerTokens)
}

// complete asks for one answer, whole, of so many tokens at most.
func (a *Analyst) complete(ctx context.Context, request *api.ChatRequest, timeout time.Duration, tokens int) (string, error) {
	var last api.ChatResponse
	var answer strings.Builder
	err := a.client.Chat(ctx, request, func(part api.ChatResponse) error {
		last = part
		answer.WriteString(part.Message.Content)
		return nil
	})
	measure(ctx, last.Metrics)
	switch {
	case err != nil && ctx.Err() != nil:
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			a.unload(request.Model)
		}
		return "", &unread{"slow", []any{int(timeout.Seconds())}, fmt.Errorf("the model gave no answer within %v", timeout)}
	case err != nil:
		return "", classify(err)
	case !last.Done:
		return "", &Unavailable{Problem: ProblemTrouble, Detail: "the model's answer ended early", After: restAfterTrouble}
	case last.DoneReason == "length":
		return "", &unread{"long", []any{tokens}, fmt.Errorf("the model's answer is longer than %d tokens", tokens)}
	}
	return answer.String(), nil
}

// classify tells what will pass (the message waits) from what this message
// itself causes (it gets no analysis). Only status codes are matched: the texts
// differ between versions.
func classify(err error) error {
	var status api.StatusError
	var authorization api.AuthorizationError
	var network *url.Error
	switch {
	case errors.As(err, &authorization):
		return &Unavailable{Problem: ProblemTrouble, Detail: shortDetail(authorization.Error()), After: time.Minute}
	case !errors.As(err, &status) && errors.As(err, &network):
		return &Unavailable{Problem: ProblemUnreachable, Detail: shortDetail(err.Error()), After: restAfterTrouble}
	case !errors.As(err, &status): // an error within an answer that began well
		return &Unavailable{Problem: ProblemTrouble, Detail: shortDetail(err.Error()), After: restAfterTrouble}
	case status.StatusCode == http.StatusNotFound:
		return &Unavailable{Problem: ProblemMissing, Detail: shortDetail(status.ErrorMessage), After: restAfterTrouble}
	case status.StatusCode == http.StatusServiceUnavailable || status.StatusCode == http.StatusTooManyRequests:
		return &Unavailable{Problem: ProblemBusy, Detail: shortDetail(status.ErrorMessage), After: 5 * time.Second}
	case status.StatusCode >= 500:
		return &Unavailable{Problem: ProblemTrouble, Detail: shortDetail(status.ErrorMessage), After: restAfterTrouble}
	}
	said := shortDetail(status.Error())
	return &unread{"refused", []any{said}, fmt.Errorf("Ollama refused the message: %s", said)}
}
