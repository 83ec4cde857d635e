package mail

import (
	"strconv"
	"strings"
	"time"
)

// calendarLine is one content line of RFC 5545 section 3.1, unfolded: its name
// and the names of its parameters in upper case.
type calendarLine struct {
	name       string
	parameters map[string]string
	value      string
}

// splitCalendar splits a text, whose folds are undone already, into its content
// lines. A line that cannot begin one is the continuation of the line before,
// from a program that folds without the blank.
func splitCalendar(text string) []calendarLine {
	var lines []calendarLine
	var pending strings.Builder
	flush := func() {
		if l, ok := cutCalendarLine(pending.String()); ok {
			lines = append(lines, l)
		}
		pending.Reset()
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if pending.Len() == 0 || beginsCalendarLine(line) {
			flush()
			if len(lines) >= maxCalendarLines {
				return lines
			}
		}
		pending.WriteString(line)
	}
	flush()
	return lines
}

// beginsCalendarLine says that a line begins with the name of a property.
func beginsCalendarLine(line string) bool {
	end := strings.IndexAny(line, ":;")
	if end <= 0 || end > 64 {
		return false
	}
	for _, c := range []byte(line[:end]) {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// cutCalendarLine splits NAME;PARAM=value;PARAM="value":value.
func cutCalendarLine(s string) (calendarLine, bool) {
	end := strings.IndexAny(s, ":;")
	if end <= 0 {
		return calendarLine{}, false
	}
	l := calendarLine{name: strings.ToUpper(strings.TrimSpace(s[:end]))}
	for s = s[end:]; strings.HasPrefix(s, ";"); {
		name, rest, ok := strings.Cut(s[1:], "=")
		if !ok {
			return calendarLine{}, false
		}
		var value string
		if strings.HasPrefix(rest, `"`) {
			if value, rest, ok = strings.Cut(rest[1:], `"`); !ok {
				return calendarLine{}, false
			}
			stop := strings.IndexAny(rest, ":;")
			if stop < 0 {
				return calendarLine{}, false
			}
			rest = rest[stop:]
		} else {
			stop := strings.IndexAny(rest, ":;")
			if stop < 0 {
				return calendarLine{}, false
			}
			value, rest = rest[:stop], rest[stop:]
		}
		if l.parameters == nil {
			l.parameters = map[string]string{}
		}
		if len(l.parameters) < 50 {
			l.parameters[strings.ToUpper(strings.TrimSpace(name))] = unescapeCaret(value)
		}
		s = rest
	}
	l.value = strings.TrimPrefix(s, ":")
	return l, true
}

// unescapeCaret undoes RFC 6868.
func unescapeCaret(s string) string {
	if !strings.Contains(s, "^") {
		return s
	}
	return strings.NewReplacer("^n", "\n", "^^", "^", "^'", `"`).Replace(s)
}

// unescapeCalendar undoes the escapes of a text value (RFC 5545 section 3.3.11).
func unescapeCalendar(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\:`, ":", `\"`, `"`, `\\`, `\`).Replace(s)
}

func calendarNumber(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return 0
	}
	return n
}

// parseCalendarDuration reads RFC 5545 section 3.3.6; zero where it cannot.
func parseCalendarDuration(s string) time.Duration {
	s, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(s)), "P")
	if !ok {
		return 0
	}
	units := map[byte]time.Duration{'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour, 'H': time.Hour, 'M': time.Minute, 'S': time.Second}
	const longest = 10 * 365 * 24 * time.Hour
	total, number := time.Duration(0), 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			number = min(number*10+int(c-'0'), 1_000_000)
		case c == 'T':
		case units[c] > 0:
			total += time.Duration(number) * units[c]
			number = 0
		default:
			return 0
		}
		if total > longest {
			return longest
		}
	}
	return total
}
