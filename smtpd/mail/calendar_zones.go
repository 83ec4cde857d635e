package mail

import (
	"strings"
	"time"
	_ "time/tzdata" // a server image need not have the zones of the world
)

// calendarZones resolves the zones of one calendar: known names first, then
// what its own VTIMEZONE says.
type calendarZones map[string]*time.Location

// readCalendarZones collects the offsets of standard time of the zones that a
// calendar defines. They are used only for names that mean nothing here.
func readCalendarZones(lines []calendarLine) calendarZones {
	zones := calendarZones{}
	name, component := "", ""
	for _, l := range lines {
		value := strings.ToUpper(strings.TrimSpace(l.value))
		switch {
		case l.name == "BEGIN":
			component = value
			if value == "VTIMEZONE" {
				name = ""
			}
		case l.name == "TZID" && component == "VTIMEZONE":
			name = trimZone(l.value)
		case l.name == "TZOFFSETTO" && name != "" && component == "STANDARD":
			if seconds, ok := calendarOffset(value); ok && len(zones) < 100 {
				zones[name] = time.FixedZone(name, seconds)
			}
		}
	}
	return zones
}

// calendarOffset reads "+0900" or "+093000" into seconds.
func calendarOffset(s string) (int, bool) {
	if len(s) < 5 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hours, minutes := calendarNumber(s[1:3]), calendarNumber(s[3:5])
	if hours > 15 || minutes > 59 || hours < 0 || minutes < 0 {
		return 0, false
	}
	seconds := hours*3600 + minutes*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func trimZone(s string) string { return oneLine(strings.Trim(s, " \t\"")) }

// calendarTime is a moment with what the line said of its zone.
type calendarTime struct {
	time             time.Time
	zone             string
	allDay, floating bool
}

// time reads a DATE or DATE-TIME (RFC 5545 sections 3.3.4 and 3.3.5); zero
// where it cannot be read.
func (z calendarZones) time(l calendarLine) calendarTime {
	value := strings.ToUpper(strings.TrimSpace(l.value))
	if len(value) == len("20060102") || strings.EqualFold(l.parameters["VALUE"], "DATE") {
		t, err := time.Parse("20060102", value[:min(len(value), 8)])
		if err != nil {
			return calendarTime{}
		}
		return calendarTime{time: t, allDay: true}
	}
	utc, isUTC := strings.CutSuffix(value, "Z")
	const form = "20060102T150405"
	if isUTC {
		t, err := time.Parse(form, utc)
		if err != nil {
			return calendarTime{}
		}
		return calendarTime{time: t}
	}
	name := trimZone(l.parameters["TZID"])
	location := z.location(name)
	if location == nil {
		t, err := time.Parse(form, value)
		if err != nil {
			return calendarTime{}
		}
		return calendarTime{time: t, zone: name, floating: true}
	}
	t, err := time.ParseInLocation(form, value, location)
	if err != nil {
		return calendarTime{}
	}
	return calendarTime{time: t, zone: name}
}

// location finds a zone by name; nil where neither the world nor the calendar
// knows it.
func (z calendarZones) location(name string) *time.Location {
	if name == "" {
		return nil
	}
	candidate := name
	// "/mozilla.org/20070129_1/Asia/Tokyo": a registry before the name.
	if parts := strings.Split(strings.Trim(name, "/"), "/"); strings.HasPrefix(name, "/") && len(parts) > 2 {
		candidate = strings.Join(parts[len(parts)-2:], "/")
	}
	if iana, ok := windowsZones[strings.ToLower(candidate)]; ok {
		candidate = iana
	}
	if strings.ContainsAny(candidate, "/") || candidate == "UTC" || candidate == "Japan" {
		if location, err := time.LoadLocation(candidate); err == nil {
			return location
		}
	}
	if location := z[name]; location != nil {
		return location
	}
	// "(UTC+09:00) Osaka, Sapporo, Tokyo", as Outlook shows it.
	if rest, ok := strings.CutPrefix(strings.NewReplacer("GMT", "UTC", " ", "").Replace(name), "(UTC"); ok {
		offset, _, _ := strings.Cut(rest, ")")
		if seconds, ok := calendarOffset(strings.ReplaceAll(offset, ":", "")); ok {
			return time.FixedZone(name, seconds)
		}
		if offset == "" {
			return time.UTC
		}
	}
	return nil
}

// windowsZones gives the zone of the IANA database for the names that Windows
// and Exchange write (Unicode CLDR, windowsZones, territory 001), lower case.
var windowsZones = map[string]string{
	"tokyo standard time": "Asia/Tokyo", "東京 (標準時)": "Asia/Tokyo", "jst": "Asia/Tokyo", "japan standard time": "Asia/Tokyo",
	"korea standard time": "Asia/Seoul", "china standard time": "Asia/Shanghai", "taipei standard time": "Asia/Taipei",
	"singapore standard time": "Asia/Singapore", "se asia standard time": "Asia/Bangkok", "india standard time": "Asia/Kolkata",
	"arabian standard time": "Asia/Dubai", "arab standard time": "Asia/Riyadh", "israel standard time": "Asia/Jerusalem",
	"turkey standard time": "Europe/Istanbul", "russian standard time": "Europe/Moscow", "fle standard time": "Europe/Kiev",
	"gtb standard time": "Europe/Bucharest", "e. europe standard time": "Europe/Chisinau", "w. europe standard time": "Europe/Berlin",
	"central europe standard time": "Europe/Budapest", "central european standard time": "Europe/Warsaw",
	"romance standard time": "Europe/Paris", "gmt standard time": "Europe/London", "greenwich standard time": "Atlantic/Reykjavik",
	"utc": "UTC", "gmt": "UTC", "coordinated universal time": "UTC", "etc/utc": "UTC", "tzone://microsoft/utc": "UTC",
	"south africa standard time": "Africa/Johannesburg", "egypt standard time": "Africa/Cairo", "e. africa standard time": "Africa/Nairobi",
	"eastern standard time": "America/New_York", "us eastern standard time": "America/Indiana/Indianapolis",
	"central standard time": "America/Chicago", "mountain standard time": "America/Denver", "us mountain standard time": "America/Phoenix",
	"pacific standard time": "America/Los_Angeles", "alaskan standard time": "America/Anchorage", "hawaiian standard time": "Pacific/Honolulu",
	"atlantic standard time": "America/Halifax", "newfoundland standard time": "America/St_Johns",
	"e. south america standard time": "America/Sao_Paulo", "argentina standard time": "America/Buenos_Aires",
	"sa pacific standard time": "America/Bogota", "pacific sa standard time": "America/Santiago", "central standard time (mexico)": "America/Mexico_City",
	"aus eastern standard time": "Australia/Sydney", "e. australia standard time": "Australia/Brisbane",
	"cen. australia standard time": "Australia/Adelaide", "w. australia standard time": "Australia/Perth",
	"new zealand standard time": "Pacific/Auckland", "pakistan standard time": "Asia/Karachi", "bangladesh standard time": "Asia/Dhaka",
	"sri lanka standard time": "Asia/Colombo", "nepal standard time": "Asia/Kathmandu", "west asia standard time": "Asia/Tashkent",
	"myanmar standard time": "Asia/Yangon", "iran standard time": "Asia/Tehran", "arabic standard time": "Asia/Baghdad",
	"vladivostok standard time": "Asia/Vladivostok", "ulaanbaatar standard time": "Asia/Ulaanbaatar",
}
