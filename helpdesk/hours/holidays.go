package hours

import "time"

// Holiday returns the key of the Japanese national holiday on a day, "" where
// it is none. It follows the Act on National Holidays (国民の祝日に関する法律,
// Act No. 178 of 1948) as in force since 2022: article 2 names the days,
// article 3 those that follow from them. From 2100 on the equinoxes may be off
// by a day; the true ones are announced in the February before.
func Holiday(year int, month time.Month, day int) string {
	date := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
	if key := national(date); key != "" {
		return key
	}
	if inLieu(date) {
		return "substitute_holiday"
	}
	if national(date.AddDate(0, 0, -1)) != "" && national(date.AddDate(0, 0, 1)) != "" {
		return "citizens_holiday" // article 3, paragraph 3
	}
	return ""
}

// inLieu reports whether date takes the place of a national holiday that fell
// on a Sunday: it is the first day after it that is none itself (article 3,
// paragraph 2).
func inLieu(date time.Time) bool {
	for {
		date = date.AddDate(0, 0, -1)
		if national(date) == "" {
			return false
		}
		if date.Weekday() == time.Sunday {
			return true
		}
	}
}

// fixed are the holidays of article 2 that keep their date.
var fixed = map[[2]int]string{
	{1, 1}:   "new_years_day",
	{2, 11}:  "foundation_day",
	{2, 23}:  "emperors_birthday",
	{4, 29}:  "showa_day",
	{5, 3}:   "constitution_day",
	{5, 4}:   "greenery_day",
	{5, 5}:   "childrens_day",
	{8, 11}:  "mountain_day",
	{11, 3}:  "culture_day",
	{11, 23}: "labour_day",
}

// onMonday are those that fall on the nth Monday of a month.
var onMonday = map[[2]int]string{
	{1, 2}:  "coming_of_age_day",
	{7, 3}:  "marine_day",
	{9, 3}:  "respect_day",
	{10, 2}: "sports_day",
}

// national returns the key of a holiday of article 2.
func national(date time.Time) string {
	year, month, day := date.Date()
	if key := fixed[[2]int{int(month), day}]; key != "" {
		return key
	}
	if date.Weekday() == time.Monday {
		if key := onMonday[[2]int{int(month), (day-1)/7 + 1}]; key != "" {
			return key
		}
	}
	switch {
	case month == time.March && day == equinox(year, 20.8431):
		return "vernal_equinox"
	case month == time.September && day == equinox(year, 23.2488):
		return "autumnal_equinox"
	}
	return ""
}

// equinox is the day of the month on which an equinox falls in Japan, by the
// usual approximation for 1980 to 2099: the sun gains 0.242194 of a day a year,
// which leap years take back.
func equinox(year int, in1980 float64) int {
	since := year - 1980
	return int(in1980+0.242194*float64(since)) - since/4
}

// HolidayKeys lists the key of every holiday, for those who have a name for
// each.
func HolidayKeys() []string {
	return []string{"new_years_day", "coming_of_age_day", "foundation_day", "emperors_birthday", "vernal_equinox", "showa_day",
		"constitution_day", "greenery_day", "childrens_day", "marine_day", "mountain_day", "respect_day", "autumnal_equinox",
		"sports_day", "culture_day", "labour_day", "substitute_holiday", "citizens_holiday"}
}
