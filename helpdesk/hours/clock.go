package hours

import "time"

// Clock is the moment at which the clocks of a zone show a time of a day, given in
// minutes after midnight, which may be those of days before and after it. A time that
// clocks skip when they are set forward is the moment at which that happens; of one
// that they show twice it is the first. So a later time is never an earlier moment.
func Clock(zone *time.Location, year int, month time.Month, day, minutes int) time.Time {
	first, _ := shown(zone, year, month, day, minutes)
	return first
}

// Upcoming is Clock where a time to come is meant: of a time that clocks show twice
// it is the second once the first has passed at now.
func Upcoming(now time.Time, zone *time.Location, year int, month time.Month, day, minutes int) time.Time {
	first, last := shown(zone, year, month, day, minutes)
	if first.After(now) {
		return first
	}
	return last
}

// Midnight is the moment at which a day begins. Some zones set their clocks at
// midnight, so that there is none, or two.
func Midnight(zone *time.Location, year int, month time.Month, day int) time.Time {
	return Clock(zone, year, month, day, 0)
}

// shown are the first and the last moment at which clocks show a time. time.Date
// returns any moment near it where there is not exactly one.
func shown(zone *time.Location, year int, month time.Month, day, minutes int) (first, last time.Time) {
	at := time.Date(year, month, day, 0, minutes, 0, 0, zone)
	wanted := time.Date(year, month, day, 0, minutes, 0, 0, time.UTC)
	start, end := at.ZoneBounds()
	switch clock := onClock(at); {
	case clock.After(wanted): // skipped as this offset began
		return start.In(zone), start.In(zone)
	case clock.Before(wanted): // skipped as it ended
		return end.In(zone), end.In(zone)
	}
	first, last = at, at
	if !start.IsZero() {
		before := at.Add(offset(at) - offset(start.Add(-1)))
		if before.Before(start) {
			first = before
		}
	}
	if !end.IsZero() {
		after := at.Add(offset(at) - offset(end))
		if !after.Before(end) {
			last = after
		}
	}
	return first, last
}

// onClock is what clocks show at t, as a moment of UTC.
func onClock(t time.Time) time.Time { return t.Add(offset(t)).UTC() }

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}
