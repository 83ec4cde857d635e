// Package hours reckons with working time: when a house works, when it works
// next, how much working time lies between two moments, and when clocks show a
// time. It is pure: the same calendar and moments give the same answer.
package hours

import (
	"fmt"
	"slices"
	"time"
)

// Date is a day of the calendar, whatever the zone: "2026-05-06".
type Date string

// dateLayout is how a Date is written (ISO 8601).
const dateLayout = "2006-01-02"

// ParseDate reads a day as "2026-05-06".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(dateLayout, s)
	if err != nil {
		return "", problem("date", s, "%q is not a day; write it like 2026-05-06")
	}
	return dateOf(t), nil
}

// dateOf is the day of t in t's own zone.
func dateOf(t time.Time) Date { return Date(t.Format(dateLayout)) }

// Minutes in an hour and a day, as spans count them.
const (
	minutesOfHour = 60
	minutesOfDay  = 24 * minutesOfHour
)

// Span is a stretch of a day, in minutes of the clock after midnight. It ends
// before End; an End of 1440 is midnight. A night shift is two spans, one on
// each day.
type Span struct{ Start, End int }

// SpecialDay is a day off, or one that is worked against the week's rule.
type SpecialDay struct {
	Date  Date
	Name  string
	Spans []Span // empty for a day off
}

// Calendar says when a house works.
type Calendar struct {
	Zone string // of the IANA database: "Asia/Tokyo"
	// Week holds the spans of each day, from Sunday on.
	Week [7][]Span
	// Holidays are the national holidays that are off: "jp" for Japan's, or "".
	Holidays string
	// Days go before the week and the holidays.
	Days []SpecialDay
}

// Japan is the name of the only country whose holidays are known.
const Japan = "jp"

// Office is the calendar that most houses begin with: Monday to Friday from
// nine to six, national holidays off.
func Office(zone string) Calendar {
	c := Calendar{Zone: zone, Holidays: Japan}
	for day := time.Monday; day <= time.Friday; day++ {
		c.Week[day] = []Span{{9 * minutesOfHour, 18 * minutesOfHour}}
	}
	return c
}

// Schedule is a calendar that was checked and can be asked. It is never
// changed and safe for use by many goroutines.
type Schedule struct {
	calendar Calendar
	zone     *time.Location
	days     map[Date]SpecialDay
}

// Error says why there can be no such calendar.
type Error struct {
	// Problem names what is wrong: "zone", "holidays", "week_empty", "span",
	// "overlap", "date" or "date_twice".
	Problem string
	Value   string // what was wrong, as it is written
	Message string // a sentence in English
}

func (e *Error) Error() string { return e.Message }

func problem(name, value, format string) error {
	return &Error{Problem: name, Value: value, Message: fmt.Sprintf(format, value)}
}

// New checks c and returns its schedule, or an *Error. zone loads a zone by its
// name, as time.LoadLocation does.
func New(c Calendar, zone func(name string) (*time.Location, error)) (*Schedule, error) {
	location, err := zone(c.Zone)
	if err != nil || c.Zone == "" || c.Zone == "Local" {
		return nil, problem("zone", c.Zone, "%q is no time zone; write one of the IANA database, such as Asia/Tokyo")
	}
	if c.Holidays != "" && c.Holidays != Japan {
		return nil, problem("holidays", c.Holidays, "the holidays of %q are not known; leave them out or choose \"jp\"")
	}
	s := &Schedule{calendar: c, zone: location, days: map[Date]SpecialDay{}}
	works := false
	for _, spans := range c.Week {
		if err := checkSpans(spans); err != nil {
			return nil, err
		}
		works = works || len(spans) > 0
	}
	if !works {
		return nil, problem("week_empty", "", "the week has no working hours at all; give at least one day some%s")
	}
	for _, d := range c.Days {
		if _, err := ParseDate(string(d.Date)); err != nil {
			return nil, err
		}
		if err := checkSpans(d.Spans); err != nil {
			return nil, err
		}
		if _, twice := s.days[d.Date]; twice {
			return nil, problem("date_twice", string(d.Date), "%s is there twice")
		}
		s.days[d.Date] = d
	}
	return s, nil
}

// checkSpans wants spans in order, apart, and within the day.
func checkSpans(spans []Span) error {
	before := 0
	for _, s := range spans {
		switch {
		case s.Start < 0 || s.End > minutesOfDay || s.Start >= s.End:
			return problem("span", s.String(), "%s is no stretch of a day; it begins before it ends, by 24:00 at the latest")
		case s.Start < before:
			return problem("overlap", s.String(), "%s begins before the one ahead of it ends")
		}
		before = s.End
	}
	return nil
}

// String writes a span like "9:00-12:30".
func (s Span) String() string { return clock(s.Start) + "-" + clock(s.End) }

func clock(minutes int) string {
	return fmt.Sprintf("%d:%02d", minutes/minutesOfHour, minutes%minutesOfHour)
}

// Zone is where the schedule's clocks are.
func (s *Schedule) Zone() *time.Location { return s.zone }

// DayOff says whether nobody works on the day of t, and by which name: that of
// a special day, or the key of a national holiday ("showa_day").
func (s *Schedule) DayOff(t time.Time) (name string, off bool) {
	t = t.In(s.zone)
	if special, ok := s.days[dateOf(t)]; ok {
		return special.Name, len(special.Spans) == 0
	}
	if holiday := s.holiday(t); holiday != "" {
		return holiday, true
	}
	return "", len(s.calendar.Week[t.Weekday()]) == 0
}

func (s *Schedule) holiday(t time.Time) string {
	if s.calendar.Holidays != Japan {
		return ""
	}
	return Holiday(t.Year(), t.Month(), t.Day())
}

// stretch is a span on a certain day: two moments.
type stretch struct{ from, to time.Time }

// on returns the stretches of the day of a noon, in order. Where
// clocks are set, a stretch is as long as people work, not as the clock says.
func (s *Schedule) on(noon time.Time) []stretch {
	spans := s.calendar.Week[noon.Weekday()]
	if special, ok := s.days[dateOf(noon)]; ok {
		spans = special.Spans
	} else if s.holiday(noon) != "" {
		spans = nil
	}
	list := make([]stretch, 0, len(spans))
	y, m, d := noon.Date()
	for _, span := range spans {
		if from, to := Clock(s.zone, y, m, d, span.Start), Clock(s.zone, y, m, d, span.End); from.Before(to) {
			list = append(list, stretch{from, to})
		}
	}
	return list
}

// dayOf names the day of t by its noon: some zones set their clocks at midnight,
// which then is not there, or is that of the day before.
func (s *Schedule) dayOf(t time.Time) time.Time {
	y, m, d := t.In(s.zone).Date()
	return time.Date(y, m, d, 12, 0, 0, 0, s.zone)
}

func (s *Schedule) dayAfter(noon time.Time) time.Time {
	y, m, d := noon.Date()
	return time.Date(y, m, d+1, 12, 0, 0, 0, s.zone)
}

// horizon bounds how far ahead is looked: a calendar that closes for years is a
// mistake, and must not stop the program.
const horizon = 3 * 366 // days

// stretches yields the working stretches from t on, the first perhaps cut.
func (s *Schedule) stretches(t time.Time, yield func(stretch) bool) {
	day := s.dayOf(t)
	for range horizon {
		for _, piece := range s.on(day) {
			if !piece.to.After(t) {
				continue
			}
			if piece.from.Before(t) {
				piece.from = t
			}
			if !yield(piece) {
				return
			}
		}
		day = s.dayAfter(day)
	}
}

// Open reports whether t is working time.
func (s *Schedule) Open(t time.Time) bool {
	return slices.ContainsFunc(s.on(s.dayOf(t)), func(p stretch) bool {
		return !t.Before(p.from) && t.Before(p.to)
	})
}

// Next is the first working moment at or after t. It is zero where nobody works
// for years.
func (s *Schedule) Next(t time.Time) (next time.Time) {
	s.stretches(t, func(p stretch) bool {
		next = p.from
		return false
	})
	return next
}

// Add is the moment at which d of working time has passed after t. It is zero
// where that is years away.
func (s *Schedule) Add(t time.Time, d time.Duration) (end time.Time) {
	s.stretches(t, func(p stretch) bool {
		length := p.to.Sub(p.from)
		if d <= length {
			end = p.from.Add(d)
			return false
		}
		d -= length
		return true
	})
	return end
}

// Between is the working time from a to b, zero where b is not after a. Time
// that lies years apart counts up to the horizon.
func (s *Schedule) Between(a, b time.Time) (total time.Duration) {
	s.stretches(a, func(p stretch) bool {
		if !p.from.Before(b) {
			return false
		}
		if p.to.After(b) {
			p.to = b
		}
		total += p.to.Sub(p.from)
		return p.to.Before(b)
	})
	return total
}
