package main

import (
	"context"
	"log/slog"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
)

// logEvents follows the event log and writes a line for each event that is about a
// mail, so that the log tells a mail's whole story by its id: what came of it on its
// ticket, what the model read, which reply answered it. What happened before the
// start is in the log of that time.
func logEvents(ctx context.Context, desk *helpdesk.Desk, log *slog.Logger) (run.Follower, error) {
	last, err := desk.LastSeq(ctx)
	return run.Follower{
		Name:   "log",
		Cursor: func(context.Context) (uint64, error) { return last, nil },
		Handle: func(ctx context.Context, events []helpdesk.Event) error {
			for _, e := range events {
				logEvent(ctx, log, e)
				last = e.Seq
			}
			return nil
		},
	}, err
}

func logEvent(ctx context.Context, log *slog.Logger, e helpdesk.Event) {
	if e.Message == "" {
		return
	}
	attributes := []slog.Attr{slog.String("id", e.Message), slog.String("kind", string(e.Kind)), slog.Uint64("seq", e.Seq), slog.Uint64("ticket", e.Ticket), slog.String("by", string(e.Actor.Kind))}
	for _, name := range []string{"answers", "reason", "delivery"} {
		if value := e.Data[name]; value != "" {
			attributes = append(attributes, slog.String(name, value))
		}
	}
	log.LogAttrs(ctx, slog.LevelInfo, "event", attributes...)
}
