package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// AlarmKind says what of the server is not in order.
type AlarmKind string

// The alarm kinds. What each is about stands in its Subject.
const (
	AlarmCertificate AlarmKind = "certificate" // a host name: no certificate could be had, or it ends soon
	AlarmBackup      AlarmKind = "backup"      // a directory: the last scheduled backup failed
	AlarmSelfMail    AlarmKind = "self_mail"   // a listener: the server's own mail did not come through in time
	AlarmWebhook     AlarmKind = "webhook"     // a webhook's name: it was given up
	AlarmStore       AlarmKind = "store"       // what is damaged
	AlarmDisk        AlarmKind = "disk"        // a directory: there is next to no room for what is stored
	// AlarmQuarantine and AlarmHeld are of mail that was accepted and that nobody has
	// seen: far more than usual is set aside, or some waits for days to be confirmed.
	AlarmQuarantine AlarmKind = "quarantine"
	AlarmHeld       AlarmKind = "held"
	AlarmParked     AlarmKind = "parked" // a kind of timer: work failed until it was no longer tried
)

// AlarmKinds are all kinds, the most pressing first.
var AlarmKinds = []AlarmKind{AlarmStore, AlarmDisk, AlarmSelfMail, AlarmBackup, AlarmCertificate, AlarmQuarantine, AlarmHeld, AlarmParked, AlarmWebhook}

// Alarm is something of the server that needs an admin. It stands until whoever
// raised it finds that it is over.
type Alarm struct {
	Kind    AlarmKind
	Subject string
	Detail  string // what was found, in English; its Key says it to a reader
	At      time.Time
	SeenAt  time.Time // when it was last found to stand
	// Key and Args are those of its AlarmDetail; alarms of earlier versions have none.
	Key  string   `cbor:",omitempty"`
	Args []string `cbor:",omitempty"`
}

var alarms = store.NewTable(store.Spec[Alarm]{Name: "alarm", Version: 1,
	Key: func(a *Alarm) []byte { return key(string(a.Kind), a.Subject) }})

// RaiseAlarm says that something is not in order. Who may change the house's
// settings is told once, however often the same is raised.
func (d *Desk) RaiseAlarm(ctx context.Context, a Actor, kind AlarmKind, subject string, detail AlarmDetail) error {
	if err := a.mayAdminister("raise an alarm"); err != nil {
		return err
	}
	if !slices.Contains(AlarmKinds, kind) {
		return invalid("kind", "alarm_unknown", "there is no alarm %q", kind)
	}
	return d.update(ctx, a, func(c *command) error { return c.raiseAlarm(kind, subject, detail) })
}

func (c *command) raiseAlarm(kind AlarmKind, subject string, detail AlarmDetail) error {
	alarm, err := optional(alarms.Get(c, key(string(kind), subject)))
	if err != nil {
		return err
	}
	stands := alarm != nil
	if !stands {
		alarm = &Alarm{Kind: kind, Subject: subject, At: c.now}
	}
	detail = detail.clipped()
	alarm.Detail, alarm.Key, alarm.Args, alarm.SeenAt = detail.Text, detail.Key, detail.Args, c.now
	if err := alarms.Put(c, alarm); err != nil || stands {
		return err
	}
	_, err = c.record(alarm.event(EventAlarmRaised))
	return err
}

// EndAlarm says that something is in order again. Without such an alarm nothing
// happens.
func (d *Desk) EndAlarm(ctx context.Context, a Actor, kind AlarmKind, subject string) error {
	if err := a.mayAdminister("end an alarm"); err != nil {
		return err
	}
	stands := false
	if err := d.view(ctx, func(r store.Reader) (err error) {
		stands, err = alarms.Has(r, key(string(kind), subject))
		return err
	}); err != nil || !stands {
		return err
	}
	return d.update(ctx, a, func(c *command) error { return c.endAlarm(kind, subject) })
}

func (c *command) endAlarm(kind AlarmKind, subject string) error {
	alarm, err := optional(alarms.Get(c, key(string(kind), subject)))
	if err != nil || alarm == nil {
		return err
	}
	if err := alarms.Delete(c, key(string(kind), subject)); err != nil {
		return err
	}
	if _, err := c.record(alarm.event(EventAlarmEnded)); err != nil {
		return err
	}
	return c.readAlarms()
}

// Found is what the alarm found when it was last raised.
func (a *Alarm) Found() AlarmDetail { return AlarmDetail{a.Key, a.Args, a.Detail} }

func (a *Alarm) event(kind EventKind) Event {
	data := map[string]string{"kind": string(a.Kind), "subject": a.Subject}
	a.Found().write(data)
	return Event{Kind: kind, Data: data}
}

// readAlarms marks the notices of alarms as read where none stands any more.
func (c *command) readAlarms() error {
	for _, err := range alarms.Scan(c, store.Range{}) {
		return err // one stands
	}
	ids, err := usersWho(c, PermitSystem)
	if err != nil {
		return err
	}
	for _, id := range ids {
		n, err := optional(notices.First(c, "unread", key(id, uint64(0), string(NoticeAlarm))))
		if err != nil {
			return err
		}
		if n == nil {
			continue
		}
		n.ReadAt = c.now
		if err := errors.Join(c.clearTimer(TimerNotice, n.ID), notices.Put(c, n)); err != nil {
			return err
		}
	}
	return nil
}

// Alarms returns what is not in order, what has stood longest last.
func (d *Desk) Alarms(ctx context.Context, a Actor) ([]Alarm, error) {
	if err := a.mayAdminister("read alarms"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, alarms, func(a, b Alarm) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
}
