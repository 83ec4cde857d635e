package main

import (
	"context"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/ui"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// What is worked on at once behind the scenes, and how long one piece may take.
const (
	deliveriesAtOnce = 16
	deliveryLease    = 30 * time.Minute // a slow peer may take 10 for its last answer alone
	deskWorkAtOnce   = 2
	pushesAtOnce     = 8
	deskWorkLease    = time.Minute
	bulkLease        = 10 * time.Minute
	topicsLease      = 30 * time.Minute
	eraseLease       = 6 * time.Hour // the search index is made anew
	tellersAtOnce    = 8
	tellingLease     = 5 * time.Minute
	stopGrace        = 20 * time.Second
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
	timers := &run.Timers{
		Desk: s.desk, Now: time.Now, Log: s.log,
		Workers: s.metrics.workers(append([]run.Worker{
			{Kind: helpdesk.TimerDeliver, Concurrency: deliveriesAtOnce, Lease: deliveryLease, Do: deliverer.Deliver},
			{Kind: helpdesk.TimerCopy, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.CopyToAssignee},
			{Kind: helpdesk.TimerRelay, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.RelayAgentMail},
			{Kind: helpdesk.TimerPush, Concurrency: pushesAtOnce, Lease: deskWorkLease, Do: pusher.Push},
			{Kind: helpdesk.TimerNotice, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: func(ctx context.Context, id string) error {
				return s.desk.MailNotice(ctx, id, words)
			}},
			{Kind: helpdesk.TimerWake, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.WakeDue},
			{Kind: helpdesk.TimerReturn, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.ReturnDue},
			{Kind: helpdesk.TimerOverdue, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.MarkOverdue},
			{Kind: helpdesk.TimerDueTimes, Concurrency: 1, Lease: deskWorkLease, Do: s.desk.RecomputeDue},
			{Kind: helpdesk.TimerBulk, Concurrency: 1, Lease: bulkLease, Do: s.desk.FinishBulk},
			{Kind: helpdesk.TimerTLSReport, Concurrency: 1, Lease: topicsLease, Do: reporter.Work},
			{Kind: helpdesk.TimerBulkReply, Concurrency: 1, Lease: bulkLease, Do: s.desk.FinishBulkReply},
			{Kind: helpdesk.TimerAcknowledge, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.Acknowledge},
			{Kind: helpdesk.TimerAutoReply, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.SendAutoReply},
			{Kind: helpdesk.TimerDraft, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.RestDraft},
			{Kind: helpdesk.TimerDomain, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.domains.signing.Tend},
			{Kind: helpdesk.TimerWebhook, Concurrency: tellersAtOnce, Lease: tellingLease, Do: teller.Tell},
			{Kind: helpdesk.TimerWebhookOnce, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: teller.TellOnce},
			{Kind: helpdesk.TimerSelfTest, Concurrency: 1, Lease: deliveryLease, Do: s.testItself},
			{Kind: helpdesk.TimerToken, Concurrency: 1, Lease: deskWorkLease, Do: s.desk.TokenEnding},
			{Kind: helpdesk.TimerSecondFactor, Concurrency: 1, Lease: deskWorkLease, Do: s.desk.BeginSecondFactor},
			{Kind: helpdesk.TimerTopics, Concurrency: 1, Lease: topicsLease, Do: s.topics.Work},
			{Kind: helpdesk.TimerGreylist, Concurrency: 1, Lease: deskWorkLease, Do: s.desk.SweepGreylist},
			{Kind: helpdesk.TimerIntake, Concurrency: 1, Lease: deskWorkLease, Do: s.desk.WatchIntake},
			{Kind: helpdesk.TimerErase, Concurrency: 1, Lease: eraseLease, Do: s.erase},
			{Kind: helpdesk.TimerPurge, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.PurgeQuarantined},
			{Kind: helpdesk.TimerSend, Concurrency: deskWorkAtOnce, Lease: deskWorkLease, Do: s.desk.SendScheduled},
		}, reading...)),
	}
	indexer := run.Follower{Name: "search", Cursor: s.index.Cursor, Handle: s.index.Handle,
		Gather: &run.Gather{Rest: indexRest, Most: indexMost, Events: indexEvents, Hurry: s.index.Wanted()}}
	if err := s.desk.ScheduleSelfTest(ctx, s.config.SelfTest.Every.Duration); err != nil {
		return err
	}
	story, err := logEvents(ctx, s.desk, s.log)
	if err != nil {
		return err
	}
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
	)
	return nil
}

// erase carries an erasure out. The indexes hold words of what was erased until they are
// written anew.
func (s *server) erase(ctx context.Context, id string) error {
	if err := s.desk.EraseRecords(ctx, id); err != nil {
		return err
	}
	if err := s.similar.Forget(ctx); err != nil {
		return err
	}
	if err := s.index.Rebuild(ctx, nil); err != nil {
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

// tendClock looks now and then whether the clock was set back.
func (s *server) tendClock(ctx context.Context) {
	every := time.NewTicker(clockEvery)
	defer every.Stop()
	for {
		back, err := s.desk.TendClock(ctx)
		if back > 0 {
			s.log.WarnContext(ctx, "the clock was set back; what was to be done some time later is done that time after now", "by", back.Round(time.Second), "error", err)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}
