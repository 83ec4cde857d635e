package analysis

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Reanalyse does one step of a reanalysis: it reads as many mails again as may be
// read at once. A new mail goes before them; what is being read then is broken
// off and read again later.
func (a *Analyst) Reanalyse(ctx context.Context, id string) error {
	by := helpdesk.Reading{Model: a.options.Model, Digest: a.knownDigest(), PromptVersion: PromptVersion}
	step, err := a.desk.ReanalysisStep(ctx, id, a.options.Concurrency, by)
	if err != nil {
		return fmt.Errorf("look for mails to be read again: %w", err)
	}
	if step == nil {
		return a.desk.SkipReanalysis(ctx, id)
	}
	if step.Busy {
		return &Unavailable{Problem: ProblemBusy, Detail: "new mail goes first", After: giveWay}
	}
	errs := make([]error, len(step.Messages))
	var reading sync.WaitGroup
	for i, message := range step.Messages {
		reading.Go(func() { errs[i] = a.readAgain(ctx, message) })
	}
	reading.Wait()
	for _, err := range errs {
		if err != nil {
			return err // those that were read are not read again in this run
		}
	}
	return a.desk.FinishReanalysisStep(context.WithoutCancel(ctx), id, step)
}

// readAgain is read, beside others: a panic is the error of this mail, and does not end the
// process, which would meet the same mail at its next start.
func (a *Analyst) readAgain(ctx context.Context, messageID string) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("read message %s again: panic: %v\n%s", messageID, reason, debug.Stack())
		}
	}()
	return a.read(ctx, messageID, true)
}
