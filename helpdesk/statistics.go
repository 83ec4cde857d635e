package helpdesk

import (
	"context"

	"github.com/madoguchi/madoguchi/store"
)

// Statistics are the ledger and the queues. The ledger balances: Accepted =
// Posted + Relayed + Held + Refused + Quarantined + Purged + Erased; see Ledger for its days.
type Statistics struct {
	Accepted int // mails that were answered 250, duplicates not counted again
	Posted   int // on tickets
	Relayed  int // agents' own mails, sent on as replies
	Held     int // in confirmation strips
	Refused  int // by an agent, or an agent's absence notice
	// Quarantined mails wait for a decision or, rejected, for their deletion;
	// Purged ones were deleted after that.
	Quarantined int
	Purged      int
	Erased      int // with a person's data

	Duplicates         int // further arrivals of a mail that was there
	DeliveriesWaiting  int
	DeliveriesDeferred int
	DeliveriesFailed   int
	AnalysesWaiting    int
	AnalysesFailed     int
	TimersParked       int
	Events             uint64
}

// Statistics counts the ledger and the queues.
func (d *Desk) Statistics(ctx context.Context) (s Statistics, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		s = Statistics{}
		counts := []struct {
			n      *int
			count  func(store.Reader, string, store.Range) (int, error)
			index  string
			prefix []byte
		}{
			{&s.Posted, countKeys(messages), "mail", key(string(MessagePosted))},
			{&s.Relayed, countKeys(messages), "mail", key(string(MessageRelayed))},
			{&s.Held, countKeys(messages), "mail", key(string(MessageHeld))},
			{&s.Refused, countKeys(messages), "mail", key(string(MessageRefused))},
			{&s.Quarantined, countKeys(quarantined), "state", nil},
			{&s.DeliveriesWaiting, countKeys(deliveries), "state", key(string(DeliveryWaiting))},
			{&s.DeliveriesDeferred, countKeys(deliveries), "state", key(string(DeliveryDeferred))},
			{&s.DeliveriesFailed, countKeys(deliveries), "state", key(string(DeliveryFailed))},
			{&s.AnalysesWaiting, countKeys(timers), "due", key(string(TimerAnalyse))},
			{&s.AnalysesFailed, countKeys(analyses), "failed", nil},
			{&s.TimersParked, countKeys(timers), "parked", key(false)},
		}
		for _, c := range counts {
			if *c.n, err = c.count(r, c.index, store.Prefix(c.prefix)); err != nil {
				return err
			}
		}
		if s.Purged, err = countMails(purgedMails(r, always[0], always[1])); err != nil {
			return err
		}
		if s.Erased, err = countMails(erasedMails(r, always[0], always[1])); err != nil {
			return err
		}
		if s.Accepted, s.Duplicates, err = sumLedger(r); err != nil {
			return err
		}
		s.Events, err = lastSeq(r)
		return err
	})
	return s, err
}

func countKeys[T any](table *store.Table[T]) func(store.Reader, string, store.Range) (int, error) {
	return func(r store.Reader, index string, rng store.Range) (n int, err error) {
		for _, err := range table.ScanIndexKeys(r, index, rng) {
			if err != nil {
				return 0, err
			}
			n++
		}
		return n, nil
	}
}
