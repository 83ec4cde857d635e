package analysis

import (
	"context"
	"time"

	"github.com/ollama/ollama/api"
)

// unloadTimeout bounds the wish to unload a model, which Ollama only notes.
const unloadTimeout = 10 * time.Second

// unload has Ollama let go of a model that said nothing in all its time, so that
// the next request loads it anew. Whoever hangs up while a piece of a text is on
// its way can leave the model taken for ever, and each request after it waits
// (issue 17131 of Ollama, open in 0.34). Others' requests that are being
// answered end before Ollama unloads.
func (a *Analyst) unload(model string) {
	ctx, cancel := context.WithTimeout(context.Background(), unloadTimeout) // that of the request is over
	defer cancel()
	no := false
	request := &api.ChatRequest{Model: model, Stream: &no, KeepAlive: &api.Duration{Duration: 0}}
	err := a.client.Chat(ctx, request, func(api.ChatResponse) error { return nil })
	a.log.Warn("the model said nothing; Ollama is to load it anew", "model", model, "error", err)
}
