package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// TurnedAwayHost is what the listener refused a host within a day, kept so that a
// restart does not hide who has been trying.
type TurnedAwayHost struct {
	Host        string // an IPv4 address or an IPv6 /64, as a prefix
	Counts      map[RefusalReason]int
	First, Last time.Time
}

// Bounds of what is kept: hosts, and since when they were last refused something.
const (
	maxTurnedAway  = 2000
	turnedAwayKept = 24 * time.Hour
)

var turnedAway = store.NewTable(store.Spec[TurnedAwayHost]{Name: "turnedaway", Version: 1,
	Key: func(t *TurnedAwayHost) []byte { return key(t.Host) },
	Indexes: []store.Index[TurnedAwayHost]{
		{Name: "last", Keys: func(t *TurnedAwayHost) [][]byte { return one(key(t.Last)) }},
	}})

// KeepTurnedAway writes what is known now of hosts, in one transaction, and forgets
// those that were refused nothing for a day, or the oldest where there are too many.
func (d *Desk) KeepTurnedAway(ctx context.Context, changed []TurnedAwayHost) error {
	err := d.db.Update(ctx, func(tx store.Tx) error {
		for i := range changed {
			if err := turnedAway.Put(tx, &changed[i]); err != nil {
				return err
			}
		}
		var oldestFirst []*TurnedAwayHost
		for t, err := range turnedAway.ScanIndex(tx, "last", store.Range{}) {
			if err != nil {
				return err
			}
			oldestFirst = append(oldestFirst, t)
		}
		for i, t := range oldestFirst {
			if len(oldestFirst)-i <= maxTurnedAway && d.now().Sub(t.Last) <= turnedAwayKept {
				return nil
			}
			if err := turnedAway.Delete(tx, key(t.Host)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write whom the listener turned away: %w", err)
	}
	return nil
}

// TurnedAway returns the hosts that are kept, the one that was refused something last
// at the end.
func (d *Desk) TurnedAway(ctx context.Context, a Actor) ([]TurnedAwayHost, error) {
	if err := a.mayAdminister("see whom the listener keeps out"); err != nil {
		return nil, err
	}
	list, err := scanAll(ctx, d, turnedAway, func(a, b TurnedAwayHost) int { return a.Last.Compare(b.Last) })
	return slices.DeleteFunc(list, func(t TurnedAwayHost) bool { return d.now().Sub(t.Last) > turnedAwayKept }), err
}
