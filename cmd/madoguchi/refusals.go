package main

import (
	"context"
	"net/netip"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
)

// writeRefusals writes the counts of refused mail now and then, and at the end.
func (s *server) writeRefusals(ctx context.Context) {
	keeper := turnedKeeper{server: s}
	if err := keeper.restore(ctx); err != nil {
		s.log.ErrorContext(ctx, "whom the listener turned away before the start is not known", "error", err)
	}
	write := func(ctx context.Context) {
		if err := s.desk.WriteRefusals(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "counts of refused mail are not written; they are kept and tried again", "error", err)
		}
		if err := keeper.write(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "whom the listener turned away is not written; it is tried again", "error", err)
		}
	}
	every := time.NewTicker(refusalsEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			write(ctx)
		case <-ctx.Done():
			write(context.WithoutCancel(ctx))
			return
		}
	}
}

// turnedKeeper keeps whom the listener turned away over a restart. What the limits
// count is not kept: it is of the last minute.
type turnedKeeper struct {
	server *server
	upTo   time.Time // what was refused up to then is written
}

func (k *turnedKeeper) restore(ctx context.Context) error {
	kept, err := k.server.desk.TurnedAway(ctx, helpdesk.System("listener"))
	if err != nil {
		return err
	}
	var list []smtpd.TurnedAway
	for _, t := range kept {
		host, err := netip.ParsePrefix(t.Host)
		if err != nil {
			continue // of a program that wrote it otherwise; it is forgotten within a day
		}
		one := smtpd.TurnedAway{Host: host, Counts: map[smtpd.Reason]int{}, First: t.First, Last: t.Last}
		for reason, n := range t.Counts {
			one.Counts[smtpd.Reason(reason)] = n
		}
		list = append(list, one)
		k.upTo = t.Last
	}
	k.server.smtp.RememberTurnedAway(list)
	return nil
}

// write writes the hosts that were refused something since the last time.
func (k *turnedKeeper) write(ctx context.Context) error {
	var changed []helpdesk.TurnedAwayHost
	newest := k.upTo
	for _, t := range k.server.smtp.TurnedAway() {
		if !t.Last.After(k.upTo) {
			continue
		}
		one := helpdesk.TurnedAwayHost{Host: t.Host.String(), Counts: map[helpdesk.RefusalReason]int{}, First: t.First, Last: t.Last}
		for reason, n := range t.Counts {
			one.Counts[helpdesk.RefusalReason(reason)] = n
		}
		changed = append(changed, one)
		if t.Last.After(newest) {
			newest = t.Last
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := k.server.desk.KeepTurnedAway(ctx, changed); err != nil {
		return err
	}
	k.upTo = newest
	return nil
}
