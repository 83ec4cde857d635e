package locale

import (
	"fmt"
	"time"
	_ "time/tzdata" // the reader's zone must be known on hosts without a zone database
	"unicode"
	"unicode/utf8"
)

// Printer speaks one language to one reader: words, and times in the reader's
// zone as seen from the moment Now.
type Printer struct {
	Language   Language
	Zone       *time.Location
	Now        time.Time
	catalogues *Catalogues
}

// Printer returns a printer. A nil zone is the server's own.
func (c *Catalogues) Printer(l Language, zone *time.Location, now time.Time) Printer {
	if zone == nil {
		zone = time.Local
	}
	return Printer{Language: l, Zone: zone, Now: now, catalogues: c}
}

// T returns the sentence of key with its arguments in place, or the key itself
// where there is none.
func (p Printer) T(key string, args ...any) string {
	return p.catalogues.sentence(p.Language, key, args)
}

// Has reports whether there is a sentence for key.
func (p Printer) Has(key string) bool {
	_, ok := p.catalogues.Lookup(p.Language, key)
	return ok
}

// N returns the sentence for a count, which is its first argument: key.one in
// English for one, key.other for everything else.
func (p Printer) N(key string, n int, args ...any) string {
	form := ".other"
	if p.Language == English && n == 1 {
		form = ".one"
	}
	return p.T(key+form, append([]any{n}, args...)...)
}

// Clock says the time of day: "8:54".
func (p Printer) Clock(t time.Time) string {
	return t.In(p.Zone).Format("15:04")[trimHour(t.In(p.Zone)):]
}

// trimHour is 1 where the hour has one digit, so that its leading zero goes.
func trimHour(t time.Time) int {
	if t.Hour() < 10 {
		return 1
	}
	return 0
}

// Short says when t was in as few characters as a list has room for: the time
// of day for today, then yesterday, the weekday, the date, the date with its
// year. It is empty for the zero time.
func (p Printer) Short(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	switch days := p.daysAgo(t); {
	case days == 0:
		return p.Clock(t)
	case days == 1:
		return Capital(p.T("time.yesterday"))
	case days > 1 && days < 7:
		return p.T("time.weekday." + weekdays[t.In(p.Zone).Weekday()])
	default:
		return p.Date(t)
	}
}

// Long says the day and the time of day, as within a sentence: "今日 8:54", "today 8:54",
// "18 Nov 9:12". It is empty for the zero time.
func (p Printer) Long(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	switch p.daysAgo(t) {
	case 0:
		return p.T("time.today") + " " + p.Clock(t)
	case 1:
		return p.T("time.yesterday") + " " + p.Clock(t)
	case -1:
		return p.T("time.tomorrow") + " " + p.Clock(t)
	}
	return p.Date(t) + " " + p.Clock(t)
}

// Capital begins a text with a capital letter, where it has one: for a moment that
// stands alone.
func Capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// Date says the day, with its year where that is not this one.
func (p Printer) Date(t time.Time) string {
	t = t.In(p.Zone)
	month := p.T("time.month." + months[t.Month()-1])
	if t.Year() == p.Now.In(p.Zone).Year() {
		return p.T("time.date", month, t.Day())
	}
	return p.T("time.date_year", month, t.Day(), t.Year())
}

// Weekday says the day of the week: "火曜", "Tue".
func (p Printer) Weekday(t time.Time) string {
	return p.T("time.weekday." + weekdays[t.In(p.Zone).Weekday()])
}

// Full says the moment without leaving anything out, for titles.
func (p Printer) Full(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(p.Zone)
	month := p.T("time.month." + months[t.Month()-1])
	return p.T("time.full", month, t.Day(), t.Year(), p.T("time.weekday."+weekdays[t.Weekday()]), t.Format("15:04:05"), t.Format("MST"))
}

// Duration says d in its largest unit: "12分", "4 hours".
func (p Printer) Duration(d time.Duration) string {
	d = max(d, 0) // a clock that was set back makes times come
	switch {
	case d < time.Minute:
		return p.N("time.seconds", int(d/time.Second))
	case d < time.Hour:
		return p.N("time.minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return p.N("time.hours", int(d/time.Hour))
	}
	return p.N("time.days", int(d/(24*time.Hour)))
}

// Size says a number of bytes in decimal units: "48 KB", "1.2 MB".
func (p Printer) Size(bytes int64) string {
	switch { // by what is said, rounded: there are no 1000 KB
	case bytes < 1000:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 999_500:
		return fmt.Sprintf("%d KB", (bytes+500)/1000)
	case bytes < 999_950_000:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
}

// Number says n with separators between its thousands.
func (p Printer) Number(n int) string {
	if n < 0 {
		return "-" + p.Number(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return p.Number(n/1000) + fmt.Sprintf(",%03d", n%1000)
}

// daysAgo is how many midnights of the reader's zone lie between t and now.
func (p Printer) daysAgo(t time.Time) int {
	day := func(t time.Time) time.Time {
		y, m, d := t.In(p.Zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(day(p.Now).Sub(day(t)) / (24 * time.Hour))
}

var (
	weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	months   = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
)
