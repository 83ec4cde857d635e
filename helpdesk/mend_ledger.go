package helpdesk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/madoguchi/madoguchi/store"
)

// mendLedger counts the hours anew whose count was lost: by the mails that are there, and by what the
// log says came and is nowhere, came again or was deleted from quarantine. What was refused then
// nothing tells any more. Hours that are there keep what they say, so that a mail that
// was lost is still missing from them. It returns how many hours were counted.
func (d *Desk) mendLedger(ctx context.Context, a Actor) (int, error) {
	var hours map[time.Time]*ledgerHour
	if err := d.view(ctx, func(r store.Reader) (err error) {
		hours, err = lostHours(ctx, r)
		return err
	}); err != nil {
		return 0, fmt.Errorf("look for lost hours of the ledger: %w", err)
	}
	for part := range slices.Chunk(slices.SortedFunc(maps.Keys(hours), time.Time.Compare), mendAtOnce) {
		if err := d.update(ctx, a, func(c *command) error {
			for _, hour := range part {
				if err := ledgerHours.Put(c, hours[hour]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return 0, fmt.Errorf("count hours of the ledger anew: %w", err)
		}
	}
	return len(hours), nil
}

// lostHours are the hours in which mails came and of which the ledger says nothing, or less
// than is there, as an older state of a page does.
func lostHours(ctx context.Context, r store.Reader) (map[time.Time]*ledgerHour, error) {
	l, err := readLedger(r)
	if err != nil {
		return nil, err
	}
	kept := map[time.Time]*ledgerHour{}
	for h, err := range readable(r, ledgerHours.Scan(r, store.Range{})) {
		if err != nil {
			return nil, err
		}
		kept[h.Hour] = h
	}
	there, err := recountHours(r, l.Through, always[1])
	if err != nil {
		return nil, err
	}
	lost := map[time.Time]*ledgerHour{}
	for hour, h := range there {
		if hour.Before(l.Through) {
			continue
		}
		if was := kept[hour]; was == nil {
			lost[hour] = h
		} else if was.Accepted.sum() < h.Accepted.sum() {
			was.Accepted = h.Accepted
			lost[hour] = was
		}
	}
	hourOf := func(at time.Time) *ledgerHour {
		hour := at.UTC().Truncate(time.Hour)
		if hour.Before(l.Through) || kept[hour] != nil {
			return nil
		}
		if lost[hour] == nil {
			lost[hour] = &ledgerHour{Hour: hour}
		}
		return lost[hour]
	}
	for e, err := range readable(r, events.Scan(r, store.Range{})) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = countArrival(r, e, hourOf)
		}
		if err != nil {
			return nil, err
		}
	}
	return lost, nil
}

// countArrival counts what an event says of a mail that is not there, in an hour that was lost;
// hourOf returns nil for any other.
func countArrival(r store.Reader, e *Event, hourOf func(time.Time) *ledgerHour) error {
	switch {
	case e.Kind == EventMessageDuplicate, e.Kind == EventMailQuarantined && e.Data["paths"] != "":
		if h := hourOf(e.At); h != nil {
			h.Duplicates = h.Duplicates.add(e.At, 1)
		}
	case e.Kind == EventMailPurged:
		if at, ok := cameAt(e.Data["mail"]); ok {
			if h := hourOf(at); h != nil {
				h.Accepted, h.Purged = h.Accepted.add(at, 1), h.Purged.add(at, 1)
			}
		}
	case e.Data[erasedBy] != "" && slices.Contains([]EventKind{EventMessageReceived, EventMessageHeld, EventMessageRelayed, EventMessageRefused}, e.Kind):
		at, ok := cameAt(e.Message)
		if !ok || hourOf(at) == nil {
			return nil
		}
		has, err := messages.Has(r, key(e.Message))
		if err == nil && !has {
			h := hourOf(at)
			h.Accepted, h.Erased = h.Accepted.add(at, 1), h.Erased.add(at, 1)
		}
		return err
	case e.arrived():
		at, ok := cameAt(e.Message)
		if !ok || hourOf(at) == nil {
			return nil
		}
		missing, err := missingMail(r, e)
		if err == nil && missing != nil {
			h := hourOf(at)
			h.Accepted = h.Accepted.add(at, 1)
		}
		return err
	}
	return nil
}

// cameAt is when a mail came, by its id.
func cameAt(id string) (time.Time, bool) {
	parsed, err := ulid.ParseStrict(id)
	return ulid.Time(parsed.Time()).UTC(), err == nil
}
