package run

import (
	"context"
	"log/slog"
	"time"
)

// BundleDesk is what Bundle needs of the helpdesk.
type BundleDesk interface {
	BundleSources(ctx context.Context) (int, error)
}

const (
	// bundleEvery is how often it looks for sources that have rested by now.
	bundleEvery = 10 * time.Minute
	// bundleShare is what part of the time it works at most, so that mails hardly notice.
	bundleShare = 5
)

// Bundle compresses mails that have rested together until ctx ends.
func Bundle(ctx context.Context, desk BundleDesk, log *slog.Logger) {
	wait := time.NewTimer(bundleEvery)
	defer wait.Stop()
	for {
		select {
		case <-wait.C:
		case <-ctx.Done():
			return
		}
		began := time.Now()
		moved := 0
		err := protect(func() (err error) {
			moved, err = desk.BundleSources(ctx)
			return err
		})
		switch {
		case err == nil && moved > 0:
			wait.Reset((bundleShare - 1) * time.Since(began))
			continue
		case err != nil && ctx.Err() == nil:
			log.ErrorContext(ctx, "compress mails that have rested together; all stay as they are", "error", err)
		}
		wait.Reset(bundleEvery)
	}
}
