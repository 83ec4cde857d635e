package analysis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ollama/ollama/api"
)

// EmbedderOptions say which model makes vectors, and how patiently.
type EmbedderOptions struct {
	Model     string        // its name in Ollama, "bge-m3" say
	Context   int           // tokens; 2048 when zero. A longer text is cut.
	Timeout   time.Duration // for one text; 1 minute when zero
	KeepAlive time.Duration // how long Ollama keeps the model loaded; that of the analysis when zero
}

// Embedder has a model make vectors of texts, one text a request: a fault that
// one text causes would otherwise fail them all. It waits for those who wait for
// a text. It is safe for use by many goroutines.
type Embedder struct {
	analyst *Analyst
	options EmbedderOptions

	mu     sync.Mutex
	digest string
	looked time.Time // when the digest was asked for
}

// NewEmbedder returns an embedder beside the analyst, whose Ollama it asks.
func NewEmbedder(a *Analyst, o EmbedderOptions) *Embedder {
	if o.Context == 0 {
		o.Context = 2048
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = a.options.KeepAlive
	}
	return &Embedder{analyst: a, options: o}
}

// digestFor is how long the digest of a model's files is believed: another model
// may be pulled under the same name.
const digestFor = time.Minute

// Model returns the model's name, and the digest of its files. The error is an
// *Unavailable.
func (e *Embedder) Model(ctx context.Context) (name, digest string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.digest != "" && e.analyst.now().Sub(e.looked) < digestFor {
		return e.options.Model, e.digest, nil
	}
	e.digest = ""
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	list, err := e.analyst.client.List(ctx)
	if err != nil {
		return "", "", patient(classify(err))
	}
	i := slices.IndexFunc(list.Models, func(m api.ListModelResponse) bool {
		return sameModel(m.Model, e.options.Model) || sameModel(m.Name, e.options.Model)
	})
	if i < 0 {
		return "", "", &Unavailable{Problem: ProblemMissing, After: restAfterTrouble, Detail: fmt.Sprintf("model %q is not there; type: ollama pull %s", e.options.Model, e.options.Model)}
	}
	e.digest, e.looked = list.Models[i].Digest, e.analyst.now()
	if e.digest == "" {
		e.digest = "unknown"
	}
	return e.options.Model, e.digest, nil
}

// sameModel compares names as Ollama does: without a tag it is the latest.
func sameModel(a, b string) bool {
	full := func(name string) string {
		if !strings.Contains(name[strings.LastIndexByte(name, '/')+1:], ":") {
			name += ":latest"
		}
		return strings.ToLower(name)
	}
	return a != "" && full(a) == full(b)
}

// cuttings is how often a text that is too long is cut to half.
const cuttings = 3

// Embed returns the vector of a text. The error is an *Unavailable where the
// model cannot be asked now; any other says that it makes no vector of this text.
func (e *Embedder) Embed(ctx context.Context, text string) ([]float32, error) {
	const specialTokens = 16 // that the model adds
	text, _ = fit(text, e.options.Context-specialTokens)
	for cut := 0; ; cut++ {
		vector, err := e.embed(ctx, text)
		var status api.StatusError
		if errors.As(err, &status) && status.StatusCode == http.StatusBadRequest && cut < cuttings {
			text = clip(text, len(text)/2)
			continue
		}
		if err == nil || ctx.Err() != nil {
			return vector, err
		}
		return nil, e.explain(ctx, err)
	}
}

var errNoDirection = errors.New("the model's vector has no direction")

// embed asks once.
func (e *Embedder) embed(ctx context.Context, text string) ([]float32, error) {
	if e.analyst.precedence.taken() {
		return nil, &Unavailable{Problem: ProblemBusy, Detail: errGaveWay.Error(), After: giveWay}
	}
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	whole := false
	answer, err := e.analyst.client.Embed(ctx, &api.EmbedRequest{Model: e.options.Model, Input: text, Truncate: &whole,
		KeepAlive: &api.Duration{Duration: e.options.KeepAlive}, Options: map[string]any{"num_ctx": e.options.Context}})
	if err != nil {
		return nil, err
	}
	if len(answer.Embeddings) != 1 {
		return nil, fmt.Errorf("one text gave %d vectors", len(answer.Embeddings))
	}
	vector := answer.Embeddings[0]
	var square float64
	for _, x := range vector {
		square += float64(x) * float64(x)
	}
	if square == 0 || math.IsNaN(square) || math.IsInf(square, 0) {
		return nil, errNoDirection
	}
	return vector, nil
}

// probe is a text that every model makes a vector of.
const probe = "hello"

// explain tells a fault of the model's from one that the text causes: then a
// plain text works.
func (e *Embedder) explain(ctx context.Context, err error) error {
	var status api.StatusError
	isStatus := errors.As(err, &status)
	var unavailable *Unavailable
	switch {
	case errors.As(err, &unavailable):
		return unavailable
	case isStatus && status.StatusCode == http.StatusNotImplemented:
		return e.wrongKind(status.ErrorMessage)
	case isStatus && status.StatusCode != http.StatusInternalServerError && status.StatusCode != http.StatusBadRequest:
		return e.forget(patient(classify(err)))
	case !isStatus && !errors.Is(err, errNoDirection):
		return e.forget(patient(classify(err)))
	}
	_, other := e.embed(ctx, probe)
	switch {
	case other == nil:
		return fmt.Errorf("the model makes no vector of this text: %w", err)
	case errors.Is(other, errNoDirection):
		return e.wrongKind(other.Error())
	}
	return e.forget(patient(classify(other)))
}

func (e *Embedder) wrongKind(detail string) error {
	return e.forget(&Unavailable{Problem: ProblemWrongKind, After: time.Minute,
		Detail: fmt.Sprintf("model %q makes no vectors (%s); name one that does, such as bge-m3", e.options.Model, detail)})
}

// forget lets the model be looked up anew: it may be another one when it is
// back.
func (e *Embedder) forget(err error) error {
	e.mu.Lock()
	e.digest = ""
	e.mu.Unlock()
	return err
}

// patient makes any error one that passes.
func patient(err error) error {
	var unavailable *Unavailable
	if errors.As(err, &unavailable) {
		return unavailable
	}
	return &Unavailable{Problem: ProblemTrouble, Detail: err.Error(), After: restAfterTrouble}
}
