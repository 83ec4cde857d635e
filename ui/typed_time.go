package ui

import (
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

// dateTimeField is how browsers write a field of type datetime-local
// (HTML, section 2.3.5.5), in the reader's zone.
const dateTimeField = "2006-01-02T15:04"

// typedComing reads a time to come from a field of type datetime-local. Where clocks skip it,
// it is when they are set; where they show it twice, the first time unless that has passed.
func typedComing(v *visit, typed string) (time.Time, error) {
	shown, err := time.Parse(dateTimeField, typed)
	if err != nil {
		return time.Time{}, err
	}
	year, month, day := shown.Date()
	return hours.Upcoming(v.Now, v.Zone, year, month, day, shown.Hour()*60+shown.Minute()), nil
}

// typedPast is typedComing for a time that has passed.
func typedPast(v *visit, typed string) (time.Time, error) {
	shown, err := time.Parse(dateTimeField, typed)
	if err != nil {
		return time.Time{}, err
	}
	year, month, day := shown.Date()
	return hours.Clock(v.Zone, year, month, day, shown.Hour()*60+shown.Minute()), nil
}

// dayIn is the moment at which a day, 2006-01-02, begins in a zone.
func dayIn(zone *time.Location, text string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, err
	}
	return hours.Midnight(zone, day.Year(), day.Month(), day.Day()), nil
}
