package hours_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

// The holidays of each year, month/day, with those of article 3 marked: s for a
// day in lieu, c for a citizens' holiday. 2026 and 2027 as announced by the
// Cabinet Office; the others by the law and the equinoxes of the almanac.
var holidaysOf = map[int]string{
	2026: "1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6s 7/20 8/11 9/21 9/22c 9/23 10/12 11/3 11/23",
	2027: "1/1 1/11 2/11 2/23 3/21 3/22s 4/29 5/3 5/4 5/5 7/19 8/11 9/20 9/23 10/11 11/3 11/23",
	2028: "1/1 1/10 2/11 2/23 3/20 4/29 5/3 5/4 5/5 7/17 8/11 9/18 9/22 10/9 11/3 11/23",
	2029: "1/1 1/8 2/11 2/12s 2/23 3/20 4/29 4/30s 5/3 5/4 5/5 7/16 8/11 9/17 9/23 9/24s 10/8 11/3 11/23",
	2030: "1/1 1/14 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6s 7/15 8/11 8/12s 9/16 9/23 10/14 11/3 11/4s 11/23",
	2032: "1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 7/19 8/11 9/20 9/21c 9/22 10/11 11/3 11/23",
}

func TestHolidaysFollowTheLaw(t *testing.T) {
	for year, want := range holidaysOf {
		var found []string
		for day := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == year; day = day.AddDate(0, 0, 1) {
			key := hours.Holiday(day.Date())
			if key == "" {
				continue
			}
			mark := map[string]string{"substitute_holiday": "s", "citizens_holiday": "c"}[key]
			found = append(found, day.Format("1/2")+mark)
			if !slices.Contains(hours.HolidayKeys(), key) {
				t.Errorf("%s has the key %q, which HolidayKeys does not list", day.Format(time.DateOnly), key)
			}
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("holidays of %d:\n got %s\nwant %s", year, got, want)
		}
	}
}

// Whatever the year, the rules of article 3 hold among the days that come out.
func TestHolidaysOfArticleThreeFollowFromTheOthers(t *testing.T) {
	derived := func(key string) bool { return key == "substitute_holiday" || key == "citizens_holiday" }
	for day := time.Date(2022, 1, 2, 0, 0, 0, 0, time.UTC); day.Year() < 2100; day = day.AddDate(0, 0, 1) {
		key := hours.Holiday(day.Date())
		yesterday, tomorrow := hours.Holiday(day.AddDate(0, 0, -1).Date()), hours.Holiday(day.AddDate(0, 0, 1).Date())
		switch {
		case key == "" && day.Weekday() == time.Monday && yesterday != "":
			t.Errorf("%s is no holiday, though the Sunday before it is %s", day.Format(time.DateOnly), yesterday)
		case key == "" && yesterday != "" && tomorrow != "" && !derived(yesterday) && !derived(tomorrow):
			t.Errorf("%s lies between %s and %s and is no holiday", day.Format(time.DateOnly), yesterday, tomorrow)
		case key == "substitute_holiday" && (yesterday == "" || day.Weekday() == time.Sunday):
			t.Errorf("%s is in lieu of nothing", day.Format(time.DateOnly))
		}
	}
}
