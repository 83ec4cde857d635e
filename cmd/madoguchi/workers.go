package main

import (
	"context"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
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
	eraseLease       = 6 * time.Hour // all tickets and the whole search index are gone through
	tellersAtOnce    = 8
	tellingLease     = 5 * time.Minute
)

// workers says who does the work of each kind of timer, but for what the model does
// (openModel).
func (s *server) workers(deliverer *run.Deliverer, pusher *run.Pusher, reporter *run.TLSReporter, teller *run.Teller, words helpdesk.NoticeWords) []run.Worker {
	return []run.Worker{
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
	}
}
