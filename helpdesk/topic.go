package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// TopicReport says what the customers' mails of a week were about. It is made
// once a day.
type TopicReport struct {
	Day      string    // the day it was made for, 2026-11-21: its key
	From, To time.Time // the week; From is in it, To is not
	MadeAt   time.Time
	Zone     string // of the days
	// By says what was compared, "meaning" or "words"; Model by which.
	By    string
	Model string
	// Tickets are those with mails in the week; Left those of them that belong to
	// no topic. Read is how many mails were compared of Mails.
	Tickets, Left, Read, Mails int
	// Weeks is how many weeks before were compared with, 0 where there is no
	// history yet.
	Weeks  int
	Topics []Topic
}

// Topic is something that several customers wrote about.
type Topic struct {
	ID string // the same from report to report
	// Name was given by a model, NamedBy, or is the Terms.
	Name    string
	NamedBy string   `cbor:",omitempty"`
	Terms   []string // that set it apart
	Days    []int    // tickets by day of the week
	Before  []int    // tickets by week before, the oldest first
	// Rising says that there are more than chance explains; Chance is how often
	// chance alone would give as many, 0 to 1.
	Rising  bool
	Chance  float64
	Tickets []uint64 // of the week, the newest first
}

// Count is how many tickets of the week are about the topic.
func (t Topic) Count() int { return len(t.Tickets) }

// Usual is how many tickets a week were about the topic before.
func (t Topic) Usual() float64 {
	if len(t.Before) == 0 {
		return 0
	}
	sum := 0
	for _, n := range t.Before {
		sum += n
	}
	return float64(sum) / float64(len(t.Before))
}

var topicReports = store.NewTable(store.Spec[TopicReport]{Name: "topicreport", Version: 1,
	Key: func(r *TopicReport) []byte { return key(r.Day) }})

// topicsTimer is the id of the one timer of its kind.
const topicsTimer = "week"

// topicReportsKept is how many reports are kept: a quarter of a year.
const topicReportsKept = 92

// Topics returns the newest report, nil where none was made yet, and whether one
// is being made.
func (d *Desk) Topics(ctx context.Context, a Actor) (report *TopicReport, soon bool, err error) {
	if err := a.may("see the topics of a week", PermitSupervise); err != nil {
		return nil, false, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		if report, err = newestTopics(r); err != nil {
			return err
		}
		t, err := timers.Get(r, key(string(TimerTopics), topicsTimer))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		soon = err == nil && (!t.Claimed.IsZero() || !t.Due.After(d.now()))
		return err
	})
	return report, soon, err
}

func newestTopics(r store.Reader) (*TopicReport, error) {
	for report, err := range topicReports.Scan(r, store.Range{Reverse: true}) {
		return report, err
	}
	return nil, nil
}

// LastTopics returns the newest report for whoever makes the next, nil where
// there is none.
func (d *Desk) LastTopics(ctx context.Context) (report *TopicReport, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		report, err = newestTopics(r)
		return err
	})
	return report, err
}

// RequestTopics has the report made now.
func (d *Desk) RequestTopics(ctx context.Context, a Actor) error {
	if err := a.may("have the topics of a week worked out", PermitSupervise); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		t, err := timers.Get(c, key(string(TimerTopics), topicsTimer))
		if err == nil && (!t.Claimed.IsZero() || !t.Due.After(c.now)) {
			return nil // it is under way
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return c.setTimer(TimerTopics, topicsTimer, c.now)
	})
}

// ScheduleTopics sets the timer by which the report is made, where there is none.
func (d *Desk) ScheduleTopics(ctx context.Context) error {
	return d.update(ctx, System("topics"), func(c *command) error {
		if has, err := timers.Has(c, key(string(TimerTopics), topicsTimer)); err != nil || has {
			return err
		}
		due, err := c.nextTopics()
		if err != nil {
			return err
		}
		return c.setTimer(TimerTopics, topicsTimer, due)
	})
}

// topicsHour is when the report is made: before anybody works.
const topicsHour = 4

// nextTopics is the next time at which the report is made, by the house's clock.
func (c *command) nextTopics() (time.Time, error) {
	s, err := c.clock().schedule("")
	if err != nil {
		return time.Time{}, err
	}
	now := c.now.In(s.Zone())
	due := time.Date(now.Year(), now.Month(), now.Day(), topicsHour, 0, 0, 0, s.Zone())
	if !due.After(now) {
		due = due.AddDate(0, 0, 1)
	}
	return due.UTC(), nil
}

// StoreTopics keeps a report in the place of that day's, sets the timer of the
// next one, and forgets what is older than a quarter of a year.
func (d *Desk) StoreTopics(ctx context.Context, report TopicReport) error {
	return d.update(ctx, System("topics"), func(c *command) error {
		report.MadeAt = c.now
		for i := range report.Topics {
			report.Topics[i].ID = cmp.Or(report.Topics[i].ID, d.newID())
		}
		if err := topicReports.Put(c, &report); err != nil {
			return err
		}
		var old []string
		kept := 0
		for r, err := range topicReports.Scan(c, store.Range{Reverse: true}) {
			if err != nil {
				return err
			}
			if kept++; kept > topicReportsKept {
				old = append(old, r.Day)
			}
		}
		for _, day := range old {
			if err := topicReports.Delete(c, key(day)); err != nil {
				return err
			}
		}
		due, err := c.nextTopics()
		if err != nil {
			return err
		}
		return c.setTimer(TimerTopics, topicsTimer, due)
	})
}

// TopicTickets returns the tickets of a topic as they are now, the newest first;
// those that are merged stand for what they were merged into.
func (d *Desk) TopicTickets(ctx context.Context, a Actor, id string) (topic Topic, rows []TicketRow, err error) {
	if err := a.may("see the topics of a week", PermitSupervise); err != nil {
		return Topic{}, nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		rows = nil
		report, err := newestTopics(r)
		if err != nil {
			return err
		}
		i := -1
		if report != nil {
			i = slices.IndexFunc(report.Topics, func(t Topic) bool { return t.ID == id })
		}
		if i < 0 {
			return notFound("topic", id)
		}
		topic = report.Topics[i]
		names := newNames(r, a)
		shown := map[uint64]bool{}
		for _, number := range topic.Tickets {
			t, err := tickets.Get(r, key(number))
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err == nil {
				t, err = leadsTo(r, t)
			}
			if err != nil {
				return err
			}
			if shown[t.Number] || t.Spam != nil {
				continue
			}
			shown[t.Number] = true
			row, err := names.row(t)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return topic, rows, err
}

// House returns where the house is: the zone of its days.
func (d *Desk) House(ctx context.Context) (zone *time.Location, err error) {
	err = d.view(ctx, func(r store.Reader) (err error) {
		zone, err = d.houseZone(r)
		return err
	})
	return zone, err
}

func (d *Desk) houseZone(r store.Reader) (*time.Location, error) {
	s, err := newClocks(r, d.zones).schedule("")
	if err != nil {
		return nil, err
	}
	return s.Zone(), nil
}

// WordsBetween calls take with the words of the mails that customers sent in a
// time, from is in it and to is not, the oldest first. It reads a bounded
// number in one transaction. take returns false to end it.
func (d *Desk) WordsBetween(ctx context.Context, from, to time.Time, take func(CustomerWords) bool) error {
	const atOnce = 256
	seen := map[string]bool{} // of the last moment read
	for {
		var list []CustomerWords
		read, last := 0, from
		err := d.view(ctx, func(r store.Reader) error {
			list, read, last = nil, 0, from
			posted := string(MessagePosted)
			for m, err := range messages.ScanIndex(r, "mail", store.Range{Start: key(posted, from), End: key(posted, to)}) {
				if err != nil {
					return err
				}
				if seen[m.ID] {
					continue
				}
				read, last = read+1, m.At
				seen[m.ID] = true
				t, err := tickets.Get(r, key(m.Ticket))
				if err != nil {
					return err
				}
				words, err := customerWords(r, t, m)
				if err != nil {
					return err
				}
				if words != nil {
					list = append(list, *words)
				}
				if read == atOnce {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, w := range list {
			if !take(w) {
				return nil
			}
		}
		if read < atOnce {
			return nil
		}
		from = last
	}
}

// FirstMail is when the first mail came that is kept, zero where none did.
func (d *Desk) FirstMail(ctx context.Context) (at time.Time, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		for m, err := range messages.ScanIndex(r, "mail", store.Prefix(key(string(MessagePosted)))) {
			if err == nil {
				at = m.At
			}
			return err
		}
		return nil
	})
	return at, err
}
