package hours_test

import (
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

func schedule(t *testing.T, c hours.Calendar) *hours.Schedule {
	t.Helper()
	s, err := hours.New(c, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// office works in Tokyo on weekdays 9:00-12:00 and 13:00-18:00, has a day off
// of its own on 2026-12-30, and works on Saturday 2026-12-26 in the morning.
func office(t *testing.T) *hours.Schedule {
	c := hours.Office("Asia/Tokyo")
	for day := time.Monday; day <= time.Friday; day++ {
		c.Week[day] = []hours.Span{{9 * 60, 12 * 60}, {13 * 60, 18 * 60}}
	}
	c.Days = []hours.SpecialDay{{Date: "2026-12-30", Name: "年末休業"}, {Date: "2026-12-26", Spans: []hours.Span{{10 * 60, 12 * 60}}}}
	return schedule(t, c)
}

func at(t *testing.T, zone, moment string) time.Time {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := time.ParseInLocation("2006-01-02 15:04", moment, location)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestNextWorkingMoment(t *testing.T) {
	s := office(t)
	for _, c := range []struct{ from, want, why string }{
		{"2026-11-24 10:00", "2026-11-24 10:00", "within hours"},
		{"2026-11-24 12:00", "2026-11-24 13:00", "a span ends before its end"},
		{"2026-11-24 18:00", "2026-11-25 09:00", "evening"},
		{"2026-11-20 18:30", "2026-11-24 09:00", "weekend and Labour Thanksgiving Day"},
		{"2026-05-02 10:00", "2026-05-07 09:00", "Golden Week with a day in lieu"},
		{"2026-09-18 20:00", "2026-09-24 09:00", "Silver Week with a citizens' holiday"},
		{"2026-12-25 19:00", "2026-12-26 10:00", "a Saturday that is worked"},
		{"2026-12-29 18:00", "2026-12-31 09:00", "a day off of its own"},
	} {
		if got := s.Next(at(t, "Asia/Tokyo", c.from)); !got.Equal(at(t, "Asia/Tokyo", c.want)) {
			t.Errorf("%s: next after %s is %s; want %s", c.why, c.from, got.In(s.Zone()).Format("2006-01-02 15:04"), c.want)
		}
	}
}

func TestAddAndBetweenAgree(t *testing.T) {
	s := office(t)
	for _, c := range []struct {
		from string
		add  time.Duration
		want string
	}{
		{"2026-11-24 10:00", time.Hour, "2026-11-24 11:00"},
		{"2026-11-24 11:30", time.Hour, "2026-11-24 13:30"},
		{"2026-11-24 10:00", 2 * time.Hour, "2026-11-24 12:00"},
		{"2026-11-20 17:00", 5 * time.Hour, "2026-11-24 14:00"},
		{"2026-11-21 03:00", 8 * time.Hour, "2026-11-24 18:00"},
		{"2026-12-25 17:00", 3 * time.Hour, "2026-12-26 12:00"},
		{"2026-11-24 10:00", 80 * time.Hour, "2026-12-08 10:00"},
	} {
		from := at(t, "Asia/Tokyo", c.from)
		got := s.Add(from, c.add)
		if !got.Equal(at(t, "Asia/Tokyo", c.want)) {
			t.Errorf("%s and %s of work is %s; want %s", c.from, c.add, got.In(s.Zone()).Format("2006-01-02 15:04"), c.want)
		}
		if between := s.Between(from, got); between != c.add {
			t.Errorf("between %s and %s lie %s of work; want %s", c.from, c.want, between, c.add)
		}
	}
	if d := s.Between(at(t, "Asia/Tokyo", "2026-11-24 12:10"), at(t, "Asia/Tokyo", "2026-11-24 12:50")); d != 0 {
		t.Errorf("the lunch break counts as %s of work", d)
	}
	if d := s.Between(at(t, "Asia/Tokyo", "2026-11-25 10:00"), at(t, "Asia/Tokyo", "2026-11-24 10:00")); d != 0 {
		t.Errorf("backwards there lies %s of work", d)
	}
}

// For any moment and length, what is added lies between, and ends in working
// time or at the end of it.
func TestAddIsTheInverseOfBetween(t *testing.T) {
	berlin := hours.Calendar{Zone: "Europe/Berlin"}
	for day := range berlin.Week {
		berlin.Week[day] = []hours.Span{{0, 4 * 60}, {6*60 + 20, 24 * 60}}
	}
	for name, s := range map[string]*hours.Schedule{"tokyo": office(t), "berlin around the clock": schedule(t, berlin)} {
		start := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
		for i := range 400 {
			from, add := start.Add(time.Duration(i)*37*time.Minute), time.Duration(i%97)*11*time.Minute
			if got := s.Between(from, s.Add(from, add)); got != add {
				t.Fatalf("%s: from %s, %s was added and %s found", name, from, add, got)
			}
		}
	}
}

func TestClocksThatAreSetMakeDaysShorterAndLonger(t *testing.T) {
	nights := hours.Calendar{Zone: "Europe/Berlin"}
	for day := range nights.Week {
		nights.Week[day] = []hours.Span{{0, 8 * 60}}
	}
	s := schedule(t, nights)
	for day, want := range map[string]time.Duration{"2026-03-28": 8 * time.Hour, "2026-03-29": 7 * time.Hour, "2026-10-25": 9 * time.Hour} {
		midnight := at(t, "Europe/Berlin", day+" 00:00")
		if got := s.Between(midnight, midnight.Add(10*time.Hour)); got != want {
			t.Errorf("the night of %s has %s of work; want %s", day, got, want)
		}
	}
	// 2:30 does not exist on the day in March; the house still opens.
	gap := hours.Calendar{Zone: "Europe/Berlin"}
	gap.Week[time.Sunday] = []hours.Span{{2*60 + 30, 5 * 60}}
	if next := schedule(t, gap).Next(at(t, "Europe/Berlin", "2026-03-29 00:00")); next.IsZero() || next.Day() != 29 {
		t.Errorf("on the day of the gap the house opens at %s", next)
	}
	// Clocks in Santiago are set at midnight: that day begins at one.
	chile := hours.Calendar{Zone: "America/Santiago"}
	for day := range chile.Week {
		chile.Week[day] = []hours.Span{{9 * 60, 10 * 60}}
	}
	from := at(t, "America/Santiago", "2026-09-01 00:00")
	if got := schedule(t, chile).Between(from, from.AddDate(0, 0, 14)); got != 14*time.Hour {
		t.Errorf("fourteen days of one hour make %s", got)
	}
	if !schedule(t, chile).Open(at(t, "America/Santiago", "2026-09-06 09:30")) {
		t.Error("on the day without a midnight nobody works")
	}
}

func TestOpenAndDaysOff(t *testing.T) {
	s := office(t)
	for moment, want := range map[string]bool{"2026-11-24 09:00": true, "2026-11-24 08:59": false, "2026-11-24 12:00": false,
		"2026-11-24 17:59": true, "2026-11-24 18:00": false, "2026-11-23 10:00": false, "2026-11-22 10:00": false} {
		if got := s.Open(at(t, "Asia/Tokyo", moment)); got != want {
			t.Errorf("open at %s: %t; want %t", moment, got, want)
		}
	}
	for moment, want := range map[string]string{"2026-11-23 10:00": "labour_day", "2026-12-30 10:00": "年末休業", "2026-11-22 10:00": ""} {
		if name, off := s.DayOff(at(t, "Asia/Tokyo", moment)); name != want || !off {
			t.Errorf("the day off of %s is %q, %t; want %q", moment, name, off, want)
		}
	}
}

func TestCalendarsThatCannotBeAreRefused(t *testing.T) {
	good := hours.Office("Asia/Tokyo")
	for want, spoil := range map[string]func(*hours.Calendar){
		"no time zone":         func(c *hours.Calendar) { c.Zone = "Asia/Atlantis" },
		"Asia/Tokyo":           func(c *hours.Calendar) { c.Zone = "" },
		"no working hours":     func(c *hours.Calendar) { c.Week = [7][]hours.Span{} },
		"no stretch":           func(c *hours.Calendar) { c.Week[1] = []hours.Span{{600, 600}} },
		"24:00":                func(c *hours.Calendar) { c.Week[1] = []hours.Span{{600, 1500}} },
		"begins before":        func(c *hours.Calendar) { c.Week[1] = []hours.Span{{600, 700}, {690, 800}} },
		"is not a day":         func(c *hours.Calendar) { c.Days = []hours.SpecialDay{{Date: "2026-02-30"}} },
		"twice":                func(c *hours.Calendar) { c.Days = []hours.SpecialDay{{Date: "2026-02-03"}, {Date: "2026-02-03"}} },
		"holidays of \"mars\"": func(c *hours.Calendar) { c.Holidays = "mars" },
	} {
		c := good
		spoil(&c)
		if _, err := hours.New(c, time.LoadLocation); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want one with %q in it", err, want)
		}
	}
}

// A calendar that closes for ever answers, with nothing.
func TestClosedForYears(t *testing.T) {
	c := hours.Calendar{Zone: "UTC"}
	c.Week[time.Monday] = []hours.Span{{0, 60}}
	for day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2031; day = day.AddDate(0, 0, 1) {
		c.Days = append(c.Days, hours.SpecialDay{Date: hours.Date(day.Format(time.DateOnly))})
	}
	s := schedule(t, c)
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	if next, due := s.Next(from), s.Add(from, time.Minute); !next.IsZero() || !due.IsZero() {
		t.Errorf("nobody works for years, but the next moment is %s and a minute ends at %s", next, due)
	}
}
