package helpdesk

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// Absence says that a user is away.
type Absence struct {
	Since  time.Time
	Until  time.Time // zero: until they are back
	Reason string
	Mail   AbsenceMail
	Deputy string // user id, for AbsenceDeputy
}

// AbsenceMail is what becomes of an absent user's ticket when its customer
// writes.
type AbsenceMail string

// The ways to deal with it. Where a deputy is not there either, the ticket goes
// back to everybody.
const (
	AbsenceKeep    AbsenceMail = "keep"
	AbsenceRelease AbsenceMail = "release"
	AbsenceDeputy  AbsenceMail = "deputy"
)

// maxAbsenceReason is in characters.
const maxAbsenceReason = 100

// At reports whether the absence lasts at a moment. A nil one never does.
func (a *Absence) At(now time.Time) bool {
	return a != nil && (a.Until.IsZero() || now.Before(a.Until))
}

// AwayAt reports whether u is away at a moment.
func (u *User) AwayAt(now time.Time) bool { return u.Away.At(now) }

// SetAway says that a user is away: oneself, or somebody else with the
// permission to supervise. It ends by itself at Until.
func (d *Desk) SetAway(ctx context.Context, a Actor, userID string, absence Absence) (*User, error) {
	if err := a.mayAwayFor(userID); err != nil {
		return nil, err
	}
	absence.Reason = strings.Join(strings.Fields(absence.Reason), " ")
	if utf8.RuneCountInString(absence.Reason) > maxAbsenceReason {
		return nil, invalid("reason", "absence_reason", "the reason has more than %d characters", maxAbsenceReason)
	}
	return d.changeAway(ctx, a, userID, func(c *command, u *User) error {
		absence := absence
		if absence.Mail == "" {
			absence.Mail = AbsenceKeep
		}
		switch absence.Mail {
		case AbsenceKeep, AbsenceRelease:
			absence.Deputy = ""
		case AbsenceDeputy:
			deputy, err := userIDOf(c, absence.Deputy)
			if err != nil {
				return err
			}
			if deputy == "" || deputy == userID {
				return invalid("deputy", "absence_deputy", "a deputy is somebody else; choose who")
			}
			absence.Deputy = deputy
		default:
			return invalid("mail", "absence_mail", "%q is not one of keep, release, deputy", absence.Mail)
		}
		absence.Since, absence.Until = c.now, absence.Until.UTC().Truncate(time.Second)
		if !absence.Until.IsZero() && !absence.Until.After(c.now) {
			return invalid("until", "absence_past", "%s has passed; give a time to come", stamp(absence.Until))
		}
		u.Away = &absence
		if absence.Until.IsZero() {
			if err := c.clearTimer(TimerReturn, userID); err != nil {
				return err
			}
		} else if err := c.setTimer(TimerReturn, userID, absence.Until); err != nil {
			return err
		}
		_, err := c.record(Event{Kind: EventUserAway, Data: map[string]string{"user": u.Email, "id": u.ID, "until": stamp(absence.Until), "mail": string(absence.Mail)}})
		return err
	})
}

// EndAway says that a user is back.
func (d *Desk) EndAway(ctx context.Context, a Actor, userID string) (*User, error) {
	if err := a.mayAwayFor(userID); err != nil {
		return nil, err
	}
	return d.changeAway(ctx, a, userID, (*command).back)
}

func (c *command) back(u *User) error {
	if err := c.clearTimer(TimerReturn, u.ID); err != nil || u.Away == nil {
		return err
	}
	u.Away = nil
	_, err := c.record(Event{Kind: EventUserBack, Data: map[string]string{"user": u.Email, "id": u.ID}})
	return err
}

func (a Actor) mayAwayFor(userID string) error {
	if a.Kind == ActorUser && a.UserID == userID {
		return a.mayChangeOwn("say that they are away")
	}
	return a.may("say that somebody else is away", PermitSupervise)
}

func (d *Desk) changeAway(ctx context.Context, a Actor, userID string, change func(*command, *User) error) (changed *User, err error) {
	err = d.update(ctx, a, func(c *command) error {
		u, err := users.Get(c, key(userID))
		if u, err = found(u, err, "user", userID); err != nil {
			return err
		}
		if err := change(c, u); err != nil {
			return err
		}
		changed = u
		return users.Put(c, u)
	})
	if changed != nil {
		changed.PasswordHash = ""
	}
	return changed, err
}

// ReturnDue works on a TimerReturn: an absence is over.
func (d *Desk) ReturnDue(ctx context.Context, userID string) error {
	return d.update(ctx, System("absences"), func(c *command) error {
		u, err := optional(users.Get(c, key(userID)))
		if err != nil {
			return err
		}
		if u == nil || u.Away == nil || u.Away.Until.IsZero() {
			return c.clearTimer(TimerReturn, userID)
		}
		if c.now.Before(u.Away.Until) {
			return c.setTimer(TimerReturn, userID, u.Away.Until)
		}
		if err := c.back(u); err != nil {
			return err
		}
		return users.Put(c, u)
	})
}

// Unavailable says why a user is given no work by itself; "" is that they are.
type Unavailable string

// The reasons.
const (
	UnavailableGone     Unavailable = "gone" // no such user
	UnavailableDisabled Unavailable = "disabled"
	UnavailableAway     Unavailable = "away"
	UnavailableHours    Unavailable = "hours" // outside their own working hours
)

// availability looks a user up and says whether they can be given work now.
func (k *clocks) availability(userID string, now time.Time) (*User, Unavailable, error) {
	u, err := optional(users.Get(k.r, key(userID)))
	switch {
	case err != nil:
		return nil, "", err
	case u == nil:
		return &User{ID: userID}, UnavailableGone, nil
	case u.Disabled:
		return u, UnavailableDisabled, nil
	case u.AwayAt(now):
		return u, UnavailableAway, nil
	case u.CalendarID == "":
		return u, "", nil
	}
	schedule, err := k.schedule(u.CalendarID)
	if err == nil && !schedule.Open(now) {
		return u, UnavailableHours, nil
	}
	return u, "", err
}

// releaseFromDisabled gives a ticket back to everybody whose assignee was
// disabled since: they would be told of it, and nobody else.
func (c *command) releaseFromDisabled(t *Ticket) error {
	active, err := c.activeUser(t.AssigneeID)
	if err != nil || active == t.AssigneeID {
		return err
	}
	return c.assignBecause(t, "", "disabled", "")
}

// coverAbsence gives a ticket whose customer has just written, and whose
// assignee is away, to whom the assignee wanted.
func (c *command) coverAbsence(t *Ticket) error {
	if err := c.releaseFromDisabled(t); err != nil || t.AssigneeID == "" {
		return err
	}
	u, err := optional(users.Get(c, key(t.AssigneeID)))
	if err != nil || u == nil || !u.AwayAt(c.now) || u.Away.Mail == AbsenceKeep {
		return err
	}
	to := ""
	if u.Away.Mail == AbsenceDeputy {
		_, reason, err := c.clock().availability(u.Away.Deputy, c.now)
		if err != nil {
			return err
		}
		if reason == "" {
			to = u.Away.Deputy
		}
	}
	return c.assignBecause(t, to, "away", "")
}
