package helpdesk

import (
	"context"
	"strconv"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Reanalysis is another reading of the mails of some days, done while no new mail
// waits to be read.
type Reanalysis struct {
	ID       string // ULID
	By       string // user id, or "" for the command line
	From, To string // days where the house works, both included
	// All reads also what the model of today has read with the prompt of today.
	All       bool
	State     ReanalysisState
	Total     int // mails of these days
	Done      int // of these, looked at
	Read      int // of those, read again
	StartedAt time.Time
	EndedAt   time.Time // zero while it works
	// Since and After are where it goes on: behind this mail.
	Since time.Time
	After string
	// Until is the end of the last day.
	Until time.Time
}

// ReanalysisState says how far another reading is.
type ReanalysisState string

// The states.
const (
	ReanalysisWorking ReanalysisState = "working"
	ReanalysisDone    ReanalysisState = "done"
	ReanalysisStopped ReanalysisState = "stopped"
)

var reanalyses = store.NewTable(store.Spec[Reanalysis]{Name: "reanalysis", Version: 1,
	Key: func(a *Reanalysis) []byte { return key(a.ID) }})

// Reading says by what a mail is read: the same three give the same answer.
type Reading struct{ Model, Digest, PromptVersion string }

// readBy reports whether an analysis is what r would find again.
func (a *Analysis) readBy(r Reading) bool {
	sameFiles := a.Digest == "" || r.Digest == "" || a.Digest == r.Digest
	return a.Error == "" && a.Model == r.Model && a.PromptVersion == r.PromptVersion && sameFiles
}

// reanalysisLooks is how many mails one step looks at for some to read.
const reanalysisLooks = 500

// StartReanalysis begins to read the mails of some days again, both days included.
// Corrections stay. Only one is under way at a time.
func (d *Desk) StartReanalysis(ctx context.Context, a Actor, from, to string, all bool) (*Reanalysis, error) {
	if err := a.mayAdminister("have mails read again"); err != nil {
		return nil, err
	}
	var run *Reanalysis
	err := d.update(ctx, a, func(c *command) error {
		last, err := lastReanalysis(c)
		if err != nil {
			return err
		}
		if last != nil && last.State == ReanalysisWorking {
			return conflict("reanalysis_working", "the mails of %s to %s are being read again; stop that first", last.From, last.To)
		}
		schedule, err := c.clock().schedule("")
		if err != nil {
			return err
		}
		now := c.now.In(schedule.Zone())
		if from == "" {
			return invalid("from", "insight_day", "%q is no day; write it like 2026-11-21", from)
		}
		q, err := InsightQuery{From: from, To: to}.days(now)
		if err != nil {
			return err
		}
		begin, _ := time.Parse(dayLayout, q.From) // checked by days
		end, _ := time.Parse(dayLayout, q.To)
		run = &Reanalysis{ID: d.newID(), By: a.UserID, From: q.From, To: q.To, All: all, State: ReanalysisWorking, StartedAt: c.now,
			Since: midnight(schedule.Zone(), begin, 0).UTC(), Until: midnight(schedule.Zone(), end, 1).UTC()}
		for _, err := range messages.ScanIndexKeys(c, "mail", run.rest()) {
			if err != nil {
				return err
			}
			run.Total++
		}
		if err := c.setTimer(TimerReanalyse, run.ID, c.now); err != nil {
			return err
		}
		if err := reanalyses.Put(c, run); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventReanalysisStarted, Data: map[string]string{"from": run.From, "to": run.To, "mails": strconv.Itoa(run.Total)}})
		return err
	})
	return run, err
}

// rest is what is left of the index of mails.
func (a *Reanalysis) rest() store.Range {
	start := key(string(MessagePosted), a.Since)
	if a.After != "" {
		start = store.Prefix(key(string(MessagePosted), a.Since, a.After)).End
	}
	return store.Range{Start: start, End: key(string(MessagePosted), a.Until)}
}

func lastReanalysis(r store.Reader) (*Reanalysis, error) {
	for run, err := range reanalyses.Scan(r, store.Range{Reverse: true}) {
		return run, err
	}
	return nil, nil
}

// LastReanalysis returns the newest reanalysis, nil where there was none.
func (d *Desk) LastReanalysis(ctx context.Context, a Actor) (run *Reanalysis, err error) {
	if err := a.mayRead("how far a reanalysis is"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		run, err = lastReanalysis(r)
		return err
	})
	return run, err
}

// StopReanalysis ends the one that is under way. What was read stays read.
func (d *Desk) StopReanalysis(ctx context.Context, a Actor) (run *Reanalysis, err error) {
	if err := a.mayAdminister("stop a reanalysis"); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		if run, err = lastReanalysis(c); err != nil {
			return err
		}
		if run == nil || run.State != ReanalysisWorking {
			return conflict("reanalysis_none", "no mails are being read again")
		}
		return c.endReanalysis(run, ReanalysisStopped)
	})
	return run, err
}

func (c *command) endReanalysis(run *Reanalysis, state ReanalysisState) error {
	run.State, run.EndedAt = state, c.now
	if err := c.clearTimer(TimerReanalyse, run.ID); err != nil {
		return err
	}
	if err := reanalyses.Put(c, run); err != nil {
		return err
	}
	_, err := c.record(Event{Kind: EventReanalysisEnded, Data: map[string]string{"from": run.From, "to": run.To, "state": string(state),
		"mails": strconv.Itoa(run.Done), "read": strconv.Itoa(run.Read)}})
	return err
}

// ReanalysisStep is what one step of a reanalysis has to read.
type ReanalysisStep struct {
	Messages []string // ids
	// Busy: a new mail waits to be read, which goes first.
	Busy bool

	looked int
	since  time.Time
	after  string
	end    bool
}

// ReanalysisStep returns up to limit mails that are to be read again, nil where
// the reanalysis is over.
func (d *Desk) ReanalysisStep(ctx context.Context, id string, limit int, by Reading) (step *ReanalysisStep, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		step = nil
		run, err := optional(reanalyses.Get(r, key(id)))
		if err != nil || run == nil || run.State != ReanalysisWorking {
			return err
		}
		step = &ReanalysisStep{since: run.Since, after: run.After}
		next, err := nextDue(r, TimerAnalyse, time.Time{})
		if err != nil {
			return err
		}
		if step.Busy = !next.IsZero() && !next.After(d.now()); step.Busy {
			return nil
		}
		for m, err := range messages.ScanIndex(r, "mail", run.rest()) {
			if err != nil {
				return err
			}
			if len(step.Messages) == limit || step.looked == reanalysisLooks {
				return nil
			}
			wanted, err := run.wants(r, m, by)
			if err != nil {
				return err
			}
			if wanted {
				step.Messages = append(step.Messages, m.ID)
			}
			step.looked, step.since, step.after = step.looked+1, m.At, m.ID
		}
		step.end = true
		return nil
	})
	return step, err
}

// wants says whether a mail is to be read again: not what this run has read
// already, before the program was ended.
func (a *Reanalysis) wants(r store.Reader, m *Message, by Reading) (bool, error) {
	if m.Direction != Inbound || m.Kind != KindPerson {
		return false, nil
	}
	t, err := tickets.Get(r, key(m.Ticket))
	if err != nil || t.Spam != nil {
		return false, err
	}
	before, err := optional(analyses.Get(r, key(m.ID)))
	if err != nil || before == nil {
		return err == nil, err
	}
	same := before.readBy(by)
	return !same || a.All && before.At.Before(a.StartedAt), nil
}

// FinishReanalysisStep moves a reanalysis on behind a step that was worked on.
func (d *Desk) FinishReanalysisStep(ctx context.Context, id string, step *ReanalysisStep) error {
	return d.update(ctx, System("reanalysis"), func(c *command) error {
		run, err := optional(reanalyses.Get(c, key(id)))
		if err != nil || run == nil || run.State != ReanalysisWorking {
			return err
		}
		run.Done, run.Read = run.Done+step.looked, run.Read+len(step.Messages)
		run.Since, run.After = step.since, step.after
		if step.end {
			return c.endReanalysis(run, ReanalysisDone)
		}
		if err := c.setTimer(TimerReanalyse, id, c.now); err != nil {
			return err
		}
		return reanalyses.Put(c, run)
	})
}

// SkipReanalysis ends the timer of a reanalysis that is over.
func (d *Desk) SkipReanalysis(ctx context.Context, id string) error {
	return d.update(ctx, System("reanalysis"), func(c *command) error { return c.clearTimer(TimerReanalyse, id) })
}

// HurryAnalysis lets the mails of a ticket that somebody has opened be read before
// all others.
func (d *Desk) HurryAnalysis(ctx context.Context, a Actor, number uint64) error {
	if err := a.mayRead("a ticket"); err != nil {
		return err
	}
	var late []string
	err := d.view(ctx, func(r store.Reader) (err error) {
		late, err = waitingAnalyses(r, number, d.now())
		return err
	})
	if err != nil || len(late) == 0 {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		first, err := nextDue(c, TimerAnalyse, time.Time{})
		if err != nil {
			return err
		}
		for _, id := range late {
			timer, err := optional(timers.Get(c, key(string(TimerAnalyse), id)))
			if err != nil || timer == nil || !timer.Claimed.IsZero() {
				return err
			}
			first = first.Add(-time.Millisecond)
			timer.Due, c.timers = first, true
			if err := timers.Put(c, timer); err != nil {
				return err
			}
		}
		return nil
	})
}

// waitingAnalyses are the mails of a ticket that could be read now and would have
// to wait for others.
func waitingAnalyses(r store.Reader, number uint64, now time.Time) (ids []string, err error) {
	var first *Timer
	for first, err = range timers.ScanIndex(r, "due", store.Prefix(key(string(TimerAnalyse)))) {
		break
	}
	if err != nil || first == nil {
		return nil, err
	}
	list, err := messagesOf(r, number)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		timer, err := optional(timers.Get(r, key(string(TimerAnalyse), m.ID)))
		if err != nil {
			return nil, err
		}
		if timer != nil && timer.Claimed.IsZero() && !timer.Parked && !timer.Due.After(now) && timer.ID != first.ID {
			ids = append(ids, m.ID)
		}
	}
	return ids, nil
}

// verifyReanalyses checks that what is under way has a timer.
func verifyReanalyses(_ context.Context, r store.Reader) (problems []string, err error) {
	for run, err := range readable(r, reanalyses.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		has, err := timers.Has(r, key(string(TimerReanalyse), run.ID))
		if err != nil {
			return problems, err
		}
		if has != (run.State == ReanalysisWorking) {
			problems = append(problems, "reanalysis "+run.ID+" is "+string(run.State)+"; has a timer: "+strconv.FormatBool(has))
		}
	}
	return problems, nil
}
