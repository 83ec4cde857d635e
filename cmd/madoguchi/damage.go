package main

import (
	"context"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// damageEvery is how often damage that was met is told of.
const damageEvery = 5 * time.Second

// tellOfDamage raises an alarm for each place of the store that could not be read. It stands
// until the store is restored; verify says what else is damaged.
func (s *server) tellOfDamage(ctx context.Context) {
	every := time.NewTicker(damageEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		for _, what := range s.desk.Damages() {
			subject := what
			if len(subject) > maxDamageSubject {
				subject = subject[:maxDamageSubject]
			}
			if err := s.desk.RaiseAlarm(ctx, helpdesk.System("store"), helpdesk.AlarmStore, subject, helpdesk.Found("store_damaged", "%s", what)); err != nil {
				s.log.ErrorContext(ctx, "cannot raise the alarm of damage", "damage", what, "error", err)
			}
		}
	}
}

// maxDamageSubject bounds what of an error names an alarm, in bytes.
const maxDamageSubject = 200
