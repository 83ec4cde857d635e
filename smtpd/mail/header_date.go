package mail

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// zoneOffsets gives the obsolete zone names of RFC 5322 section 4.3 and those
// clients write, in minutes east of Greenwich. Military letters mean nothing.
var zoneOffsets = map[string]int{
	"ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "met": 60, "mez": 60,
	"cest": 120, "mest": 120, "mesz": 120, "eet": 120, "sast": 120, "eest": 180, "msk": 180, "msd": 240,
	"ist": 330, "ict": 420, "wib": 420, "hkt": 480, "sgt": 480, "pht": 480, "awst": 480, "jst": 540, "kst": 540,
	"aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
	"ast": -240, "adt": -180, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
	"pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600,
}

// colonBlanks are the blanks that old clients and comments leave in a time.
var colonBlanks = regexp.MustCompile(`[ \t]*:[ \t]+|[ \t]+:`)

// leadingWeekday is the day's name, which in some languages begins like a month's.
var leadingWeekday = regexp.MustCompile(`^[^\d,]*,`)

// dottedTime is "15.04.05", as clients set up in some countries write it, and
// compactDate is ISO 8601 without separators.
var (
	dottedTime  = regexp.MustCompile(`^([01]?\d|2[0-3])\.([0-5]\d)\.([0-5]\d)$`)
	compactDate = regexp.MustCompile(`^((?:19|20)\d\d)(\d\d)(\d\d)(?:[Tt](\d\d)(\d\d)(\d\d)([Zz]|[+-]\d{4})?)?$`)
)

// foreignMonths are the beginnings of month names that clients wrote in the
// language of their user, where they are not those of the English names.
var foreignMonths = map[string]int{
	"jän": 1, "janv": 1, "jane": 1, "ene": 1, "gen": 1, "fév": 2, "fev": 2, "feb": 2, "mär": 3, "mrz": 3, "mrt": 3, "maar": 3, "marz": 3, "març": 3,
	"avr": 4, "abr": 4, "apri": 4, "mai": 5, "maj": 5, "mei": 5, "mag": 5, "may": 5, "juin": 6, "giu": 6, "jun": 6, "juil": 7, "lug": 7, "jul": 7,
	"aoû": 8, "aou": 8, "ago": 8, "aug": 8, "set": 9, "sept": 9, "oct": 10, "okt": 10, "out": 10, "ott": 10, "nov": 11, "dez": 12, "déc": 12, "dic": 12,
}

var monthNames = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// dateReading gathers the parts of a date as they turn up, in whatever order.
type dateReading struct {
	year, month, day     int
	hour, minute, second int
	hasTime              bool
	afternoon, morning   bool
	offset               int // minutes
	hasOffset            bool
	numbers              []string // day and year, in order, while undecided
}

// parseDate reads a Date field (RFC 5322 section 3.3) leniently: weekday missing
// or wrong, obsolete zones, two-digit years, ISO 8601, asctime, Japanese dates.
// The zero time means that it cannot be read.
func parseDate(s string) time.Time {
	if len(s) > 200 {
		return time.Time{}
	}
	if t, ok := parseUsualDate(s); ok {
		return t
	}
	var r dateReading
	plain := leadingWeekday.ReplaceAllString(stripComments(s), "")
	for _, token := range dateTokens(plain) {
		r.take(token)
	}
	if i := strings.IndexByte(s, '('); i >= 0 && !r.hasOffset {
		for _, token := range dateTokens(strings.Trim(s[i:], "()")) {
			r.takeZone(token)
		}
	}
	return r.time()
}

// parseUsualDate reads what almost every program writes, "Fri, 20 Nov 2026 09:00:03
// +0900"; all else is for parseDate.
func parseUsualDate(s string) (t time.Time, ok bool) {
	const farthest = 14 * 60 * 60 // of a zone that there is, in seconds
	t, err := time.ParseInLocation("Mon, 2 Jan 2006 15:04:05 -0700", s, time.UTC)
	if err != nil || t.Year() < 1 || t.Nanosecond() != 0 {
		return time.Time{}, false
	}
	_, offset := t.Zone()
	return t, -farthest <= offset && offset <= farthest
}

// dateTokens splits at blanks and commas, and between an ISO date and its time.
func dateTokens(s string) []string {
	s = colonBlanks.ReplaceAllString(s, ":")
	s = japaneseDateMarks.Replace(s)
	if len(s) > 10 && s[4:5] == "-" && (s[10] == 'T' || s[10] == 't') {
		s = s[:10] + " " + s[11:]
	}
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t,\u3000", r) })
}

var japaneseDateMarks = strings.NewReplacer("年", "/", "月", "/", "日", " ", "時", ":", "分", ":", "秒", " ", "午前", " am ", "午後", " pm ")

func (r *dateReading) take(token string) {
	lower := strings.ToLower(token)
	if m := dottedTime.FindStringSubmatch(token); m != nil && (r.month != 0 || r.year != 0) && !r.hasTime {
		lower = m[1] + ":" + m[2] + ":" + m[3]
		token = lower
	}
	switch {
	case r.takeCompact(token):
	case lower == "am" || lower == "a.m.":
		r.morning = true
	case lower == "pm" || lower == "p.m.":
		r.afternoon = true
	case strings.Count(token, ":") >= 1 && token[0] >= '0' && token[0] <= '9' && !r.hasTime:
		r.takeTime(lower)
	case r.takeMonthName(lower):
	case r.takeNumericDate(token):
	case r.hasTime && r.takeZone(token):
	case isDigits(strings.Trim(token, ".thsndr")) && token[0] >= '0' && token[0] <= '9':
		r.numbers = append(r.numbers, strings.Trim(token, ".thsndr"))
	}
}

// takeTime reads "15:04:05", with fraction, "pm" or zone stuck to it.
func (r *dateReading) takeTime(token string) {
	for _, suffix := range []string{"am", "pm"} {
		if rest, ok := strings.CutSuffix(token, suffix); ok {
			token = rest
			r.morning, r.afternoon = suffix == "am", suffix == "pm"
		}
	}
	end := strings.IndexFunc(token, func(c rune) bool { return (c < '0' || c > '9') && c != ':' && c != '.' })
	if end > 0 {
		r.takeZone(token[end:])
		token = token[:end]
	}
	token, _, _ = strings.Cut(token, ".")
	fields := strings.Split(strings.TrimSuffix(token, ":"), ":")
	values := [3]int{}
	for i := range min(len(fields), 3) {
		v, err := strconv.Atoi(fields[i])
		if err != nil {
			return
		}
		values[i] = v
	}
	r.hour, r.minute, r.second = values[0], values[1], values[2]
	r.hasTime = true
}

// takeMonthName reads "Nov", "November", "21-Nov-2026".
func (r *dateReading) takeMonthName(token string) bool {
	if parts := strings.FieldsFunc(token, func(c rune) bool { return c == '-' || c == '/' || c == '.' }); len(parts) == 3 && r.month == 0 {
		if r.takeMonthName(parts[1]) {
			r.numbers = append(r.numbers, parts[0], parts[2])
			return true
		}
	}
	token = strings.TrimSuffix(token, ".")
	if len(token) < 3 || r.month != 0 {
		return false
	}
	for i, name := range monthNames {
		if strings.HasPrefix(token, name) && (len(token) <= 4 || strings.HasPrefix(strings.ToLower(time.Month(i+1).String()), token)) {
			r.month = i + 1
			return true
		}
	}
	for name, month := range foreignMonths {
		if strings.HasPrefix(token, name) {
			r.month = month
			return true
		}
	}
	return false
}

// takeCompact reads "20261121T150405Z" and "20261121".
func (r *dateReading) takeCompact(token string) bool {
	m := compactDate.FindStringSubmatch(token)
	if m == nil || r.month != 0 || r.year != 0 || len(r.numbers) > 0 {
		return false
	}
	r.takeNumericDate(m[1] + "-" + m[2] + "-" + m[3])
	if m[4] != "" {
		r.takeTime(m[4] + ":" + m[5] + ":" + m[6])
		r.takeZone(m[7])
	}
	return true
}

// takeNumericDate reads "2026-11-21", "2026/11/21", "21.11.2026", "11/21/2026".
func (r *dateReading) takeNumericDate(token string) bool {
	if r.month != 0 || r.year != 0 {
		return false
	}
	parts := strings.FieldsFunc(token, func(c rune) bool { return c == '-' || c == '/' || c == '.' })
	if len(parts) != 3 || !isDigits(parts[0]) || !isDigits(parts[1]) || !isDigits(parts[2]) {
		return false
	}
	a, _ := strconv.Atoi(parts[0])
	b, _ := strconv.Atoi(parts[1])
	c, _ := strconv.Atoi(parts[2])
	switch {
	case len(parts[0]) == 4:
		r.year, r.month, r.day = a, b, c
	case strings.Contains(token, "/") && a <= 12: // American order
		r.month, r.day, r.year = a, b, fullYear(parts[2])
	default:
		r.day, r.month, r.year = a, b, fullYear(parts[2])
	}
	return true
}

// takeZone reads "+0900", "+09:00", "GMT+9", "JST".
func (r *dateReading) takeZone(token string) bool {
	if r.hasOffset {
		return false
	}
	lower := strings.ToLower(strings.Trim(token, "\"'()[]"))
	name := strings.TrimRight(lower, "+-0123456789:")
	offset, known := zoneOffsets[name]
	digits := strings.ReplaceAll(lower[len(name):], ":", "")
	if name != "" && !known {
		return false
	}
	if digits != "" {
		if len(digits) < 2 || digits[0] != '+' && digits[0] != '-' || !isDigits(digits[1:]) || len(digits) > 5 {
			return false
		}
		v, _ := strconv.Atoi(digits[1:])
		minutes := v * 60
		if len(digits) > 3 {
			minutes = v/100*60 + v%100
		}
		if digits[0] == '-' {
			minutes = -minutes
		}
		if minutes > 24*60 || minutes < -24*60 {
			return false
		}
		offset += minutes
	}
	r.offset, r.hasOffset = offset, name != "" || digits != ""
	return r.hasOffset
}

// time puts the parts together; the numbers left over are day and year.
func (r *dateReading) time() time.Time {
	for _, n := range r.numbers {
		if len(n) == 3 {
			n = strings.TrimPrefix(n, "0") // "029", a day from a careless format
		}
		v, err := strconv.Atoi(n)
		switch {
		case err != nil:
		case r.day == 0 && len(n) <= 2 && v >= 1 && v <= 31:
			r.day = v
		case r.year == 0:
			r.year = fullYear(n)
		}
	}
	if r.afternoon && r.hour < 12 {
		r.hour += 12
	}
	if r.morning && r.hour == 12 {
		r.hour = 0
	}
	if r.year < 1 || r.year > 9999 || r.month < 1 || r.month > 12 || r.day < 1 || r.day > 31 || r.hour > 24 || r.minute > 59 || r.second > 60 {
		return time.Time{}
	}
	zone := time.UTC
	if r.offset != 0 {
		zone = time.FixedZone("", r.offset*60)
	}
	t := time.Date(r.year, time.Month(r.month), r.day, r.hour, r.minute, r.second, 0, zone)
	if t.Day() != r.day && r.hour < 24 && r.second < 60 {
		return time.Time{} // 31 November
	}
	return t
}

// fullYear completes two and three digits as RFC 5322 section 4.3 says.
func fullYear(digits string) int {
	v, err := strconv.Atoi(digits)
	switch {
	case err != nil:
		return 0
	case len(digits) == 3, len(digits) <= 2 && v >= 50:
		return 1900 + v
	case len(digits) <= 2:
		return 2000 + v
	}
	return v
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
