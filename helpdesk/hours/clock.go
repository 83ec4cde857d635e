package hours

import "time"

// Clock is the moment at which the clocks of a zone show a time of a day, given in
// minutes after midnight, which may be those of days before and after it. A time that
// clocks skip when they are set forward is the moment at which that happens; of one
// that they show twice it is the first. So a later time is never an earlier moment.
// time.Date returns any moment near the time where there is not exactly one.
func Clock(zone *time.Location, year int, month time.Month, day, minutes int) time.Time {
	at := time.Date(year, month, day, 0, minutes, 0, 0, zone)
	wanted := time.Date(year, month, day, 0, minutes, 0, 0, time.UTC)
	start, end := at.ZoneBounds()
	switch clock := onClock(at); {
	case clock.After(wanted): // skipped as this offset began
		return start.In(zone)
	case clock.Before(wanted): // skipped as it ended
		return end.In(zone)
	}
	if !start.IsZero() {
		if before := at.Add(offset(at) - offset(start.Add(-1))); before.Before(start) {
			return before
		}
	}
	return at
}

// onClock is what clocks show at t, as a moment of UTC.
func onClock(t time.Time) time.Time { return t.Add(offset(t)).UTC() }

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}
