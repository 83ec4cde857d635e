package main

import (
	"context"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/ui"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// Followers that let events gather: what nobody has searched for yet is indexed when the
// mails rest, or at the latest after a while; and the model's queue waits far less than an
// analysis takes. One's events are a few transactions, the other's a single one.
const (
	indexRest      = 250 * time.Millisecond
	indexMost      = 2 * time.Second
	indexEvents    = 1000
	analysisRest   = 20 * time.Millisecond
	analysisMost   = 500 * time.Millisecond
	analysisEvents = 300
)

// stopGrace is how long work that is under way may go on when the program stops.
const stopGrace = 20 * time.Second

// openBackground connects the work that timers start: deliveries, copies to
// agents' mailboxes, their answers, and the model's reading; and the search
// index's following of the event log.
func (s *server) openBackground(ctx context.Context) error {
	sender, err := s.newSender()
	if err != nil {
		return err
	}
	if s.domains, err = newDomains(ctx, s.running.Load, s.desk, s.log); err != nil {
		return err
	}
	if err := s.desk.TendDomains(ctx); err != nil {
		return err
	}
	reporter := s.tlsReporter(sender)
	if err := s.desk.ScheduleTLSReports(ctx, s.config.Outbound.TLSReports); err != nil {
		return err
	}
	deliverer := &run.Deliverer{Desk: s.desk, Sender: sender, Signing: s.domains.signing, Via: s.config.Outbound.via, Log: s.log,
		Gate: run.NewGate(run.Limits{Concurrency: s.config.Outbound.Concurrency, PerMinute: s.config.Outbound.PerMinute, Total: s.config.Outbound.TotalPerMinute}, time.Now)}
	reading, err := s.openModel()
	if err != nil {
		return err
	}
	if err := s.desk.ScheduleTopics(ctx); err != nil {
		return err
	}
	if err := s.desk.ScheduleIntakeWatch(ctx); err != nil {
		return err
	}
	catalogues, err := locale.Load()
	if err != nil {
		return err
	}
	words := ui.NoticeWords(catalogues, strings.TrimSuffix(s.config.Web.URL, "/"))
	teller, err := s.openWebhooks(ctx, run.Teller{URL: strings.TrimSuffix(s.config.Web.URL, "/"), Now: time.Now})
	if err != nil {
		return err
	}
	pusher := run.NewPusher(run.Pusher{Desk: s.desk, Words: words, Subscriber: "https://" + s.config.hostname(), Now: time.Now})
	timers := &run.Timers{Desk: s.desk, Now: time.Now, Log: s.log,
		Workers: s.metrics.workers(append(s.workers(deliverer, pusher, reporter, teller, words), reading...))}
	indexer := run.Follower{Name: "search", Cursor: s.index.Cursor, Handle: s.index.Handle,
		Gather: &run.Gather{Rest: indexRest, Most: indexMost, Events: indexEvents, Hurry: s.index.Wanted()}}
	if err := s.desk.ScheduleSelfTest(ctx, s.config.SelfTest.Every.Duration); err != nil {
		return err
	}
	story, err := logEvents(ctx, s.desk, s.log)
	if err != nil {
		return err
	}
	s.lookAtClock(ctx)
	s.background = append(s.background,
		func(ctx context.Context) { run.Follow(ctx, s.desk, story, s.log) },
		func(ctx context.Context) {
			timers.Run(ctx, stopGrace)
			sender.Close()
		},
		func(ctx context.Context) { run.Follow(ctx, s.desk, indexer, s.log) },
		func(ctx context.Context) { run.Bundle(ctx, s.desk, s.log) },
		s.countAnalyses,
		s.writeRefusals,
		s.tellOfDamage,
		s.tendClock,
		s.tendDisk,
	)
	return nil
}

// erase carries an erasure out. The indexes hold words of what was erased until they have
// forgotten them.
func (s *server) erase(ctx context.Context, id string) error {
	if err := s.desk.EraseRecords(ctx, id); err != nil {
		return err
	}
	if err := s.similar.Forget(ctx); err != nil {
		return err
	}
	if err := s.index.Forget(ctx); err != nil {
		return err
	}
	return s.desk.FinishErasure(ctx, id)
}

// countAnalyses counts, once, what a version without insights stored.
func (s *server) countAnalyses(ctx context.Context) {
	if err := s.desk.CountAnalyses(ctx); err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "count analyses for the insights; the next start goes on", "error", err)
	}
}

// refusalsEvery is how often the counts of refused mail are written: what a crash loses of
// them. clockEvery is how often the clock is looked at.
const (
	refusalsEvery = 5 * time.Second
	clockEvery    = 5 * time.Second
)

// tendClock looks now and then whether the clock jumped.
func (s *server) tendClock(ctx context.Context) {
	every := time.NewTicker(clockEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			s.lookAtClock(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *server) lookAtClock(ctx context.Context) {
	back, ahead, err := s.desk.TendClock(ctx)
	if back > 0 {
		s.log.WarnContext(ctx, "the clock was set back; what was to be done some time later is done that time after now", "by", back.Round(time.Second), "error", err)
	}
	if ahead > 0 {
		s.log.WarnContext(ctx, "the clock is far ahead of when this server last worked; if it is wrong, set it right: scheduled replies, holds, due times and deletions that were set before wait meanwhile",
			"by", ahead.Round(time.Second), "until", s.desk.ClockDoubted())
	}
}
