package hours_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

func TestTimesThatClocksSkipOrShowTwice(t *testing.T) {
	for _, c := range []struct {
		zone        string
		year        int
		month       time.Month
		day, clock  int
		first, last string // in UTC
	}{
		{"Asia/Tokyo", 2026, 11, 23, 9 * 60, "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"Asia/Tokyo", 2028, 2, 28, 33 * 60, "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"UTC", 2026, 12, 31, 24 * 60, "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		// From 2:00 to 3:00, east and west of Greenwich; by half an hour on Lord Howe.
		{"Europe/Berlin", 2026, 3, 29, 2*60 + 30, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
		{"America/New_York", 2026, 3, 8, 2*60 + 30, "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"},
		{"America/New_York", 2026, 3, 8, 3 * 60, "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"},
		{"Australia/Lord_Howe", 2026, 10, 4, 2*60 + 15, "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z"},
		{"Australia/Lord_Howe", 2026, 10, 4, 2*60 + 30, "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z"},
		// And back.
		{"Europe/Berlin", 2026, 10, 25, 2*60 + 30, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"America/New_York", 2026, 11, 1, 60 + 30, "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
		{"Australia/Lord_Howe", 2026, 4, 5, 60 + 45, "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"},
		// Midnights that are not there: Chile goes forward at 24:00, Egypt at 0:00.
		{"America/Santiago", 2026, 9, 6, 0, "2026-09-06T04:00:00Z", "2026-09-06T04:00:00Z"},
		{"Africa/Cairo", 2026, 4, 24, 0, "2026-04-23T22:00:00Z", "2026-04-23T22:00:00Z"},
		{"America/Havana", 2026, 11, 1, 0, "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		first := hours.Clock(zone, c.year, c.month, c.day, c.clock)
		last := hours.Upcoming(first, zone, c.year, c.month, c.day, c.clock)
		soon := hours.Upcoming(first.Add(-time.Second), zone, c.year, c.month, c.day, c.clock)
		if first.UTC().Format(time.RFC3339) != c.first || last.UTC().Format(time.RFC3339) != c.last || !soon.Equal(first) {
			t.Errorf("%s, %d-%d-%d, minute %d: first %s (%s from before), last %s; want %s and %s", c.zone, c.year, c.month, c.day, c.clock,
				first.UTC().Format(time.RFC3339), soon.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339), c.first, c.last)
		}
	}
}

// A stretch that ends in the time that is skipped ends when the clocks are set, on both
// sides of Greenwich, and takes nothing of the next one.
func TestStretchesInASkippedHour(t *testing.T) {
	for zone, day := range map[string]string{"Europe/Berlin": "2026-03-29", "America/New_York": "2026-03-08", "Australia/Lord_Howe": "2026-10-04"} {
		c := hours.Calendar{Zone: zone}
		c.Week[time.Sunday] = []hours.Span{{60, 2*60 + 15}, {3 * 60, 5 * 60}}
		s := schedule(t, c)
		from := at(t, zone, day+" 00:00")
		if got := s.Between(from, from.Add(12*time.Hour)); got != 3*time.Hour {
			t.Errorf("%s: one to a quarter past two, which is skipped, and three to five are %s of work", zone, got)
		}
	}
}
