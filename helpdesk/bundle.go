package helpdesk

import (
	"context"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
)

// restBeforeBundle is how old a mail's source is when it is compressed together with
// its neighbours: by then its copies, deliveries and analyses were mostly made.
const restBeforeBundle = time.Hour

// BundleSources compresses some of the sources that have rested together, and returns
// how many; 0 when none are left. Every source is read as before.
func (d *Desk) BundleSources(ctx context.Context) (int, error) {
	var oldest ulid.ULID
	if err := oldest.SetTime(ulid.Timestamp(d.now().Add(-restBeforeBundle))); err != nil {
		return 0, fmt.Errorf("bundle sources: %w", err)
	}
	return raws.Bundle(ctx, d.db, key(oldest.String()))
}
