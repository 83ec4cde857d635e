package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// RefusalReason says why the listener did not take a mail, or one recipient of it.
type RefusalReason string

// The reasons for refusing, in the order in which they are shown.
const (
	RefusedUnknown    RefusalReason = "unknown_recipient"
	RefusedExpired    RefusalReason = "expired_address" // of a reply address
	RefusedDisabled   RefusalReason = "disabled_recipient"
	RefusedAddress    RefusalReason = "malformed_address"
	RefusedSize       RefusalReason = "too_large"
	RefusedForm       RefusalReason = "malformed_mail"
	RefusedLoop       RefusalReason = "loop"
	RefusedPolicy     RefusalReason = "policy"   // for good, by who sent it or what it is
	RefusedPutOff     RefusalReason = "put_off"  // for now, by policy
	RefusedRecipients RefusalReason = "too_many" // more recipients than one transaction may have
	RefusedSessions   RefusalReason = "sessions" // more sessions than there may be
	RefusedBrokenOff  RefusalReason = "broken_off"
	RefusedNoSpace    RefusalReason = "no_space"
	RefusedTemporary  RefusalReason = "temporary" // our own failure: the sender tries again
	RefusedOther      RefusalReason = "other"
)

var refusalReasons = []RefusalReason{RefusedUnknown, RefusedExpired, RefusedDisabled, RefusedAddress, RefusedSize, RefusedForm, RefusedLoop, RefusedPolicy, RefusedPutOff,
	RefusedRecipients, RefusedSessions, RefusedBrokenOff, RefusedNoSpace, RefusedTemporary, RefusedOther}

// RefusalReasons lists the reasons in the order in which they are shown.
func RefusalReasons() []RefusalReason { return slices.Clone(refusalReasons) }

// refusals are those that are counted and not written yet.
type refusals struct {
	mu     sync.Mutex
	counts map[time.Time]map[RefusalReason]int // by the quarter of an hour
}

func newRefusals() *refusals { return &refusals{counts: map[time.Time]map[RefusalReason]int{}} }

func (r *refusals) add(at time.Time, reason RefusalReason, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at = at.Truncate(quarter)
	if r.counts[at] == nil {
		r.counts[at] = map[RefusalReason]int{}
	}
	r.counts[at][reason] += n
}

func (r *refusals) take() map[time.Time]map[RefusalReason]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.counts
	r.counts = map[time.Time]map[RefusalReason]int{}
	return counts
}

// CountRefusal counts a refusal of the listener. It takes no time: the count is in memory
// until WriteRefusals. A reason that is none of RefusalReasons counts as RefusedOther.
func (d *Desk) CountRefusal(reason RefusalReason) {
	if !slices.Contains(refusalReasons, reason) {
		reason = RefusedOther
	}
	d.refusals.add(d.now(), reason, 1)
}

// WriteRefusals writes what CountRefusal counted since, in one transaction. Where that
// fails nothing is forgotten; a crash loses what was counted since the last call.
func (d *Desk) WriteRefusals(ctx context.Context) error {
	counts := d.refusals.take()
	if len(counts) == 0 {
		return nil
	}
	err := d.db.Update(ctx, func(tx store.Tx) error {
		for at, reasons := range counts {
			h, err := hourOf(tx, at)
			if err != nil {
				return err
			}
			if h.Refused == nil {
				h.Refused = map[RefusalReason]quarters{}
			}
			for reason, n := range reasons {
				h.Refused[reason] = h.Refused[reason].add(at, n)
			}
			if err := ledgerHours.Put(tx, h); err != nil {
				return err
			}
		}
		return foldLedger(tx, d.now())
	})
	if err != nil {
		for at, reasons := range counts {
			for reason, n := range reasons {
				d.refusals.add(at, reason, n)
			}
		}
		return fmt.Errorf("write the counts of refused mail: %w", err)
	}
	return nil
}
