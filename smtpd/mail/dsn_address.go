package mail

import (
	"strings"
)

// span is an address and where it stands in a line, angle brackets excluded.
type span struct {
	address    string
	start, end int
}

// addressesIn finds the addresses in a line of free text, in order, at most 50.
func addressesIn(l string) []span {
	var found []span
	for from := 0; len(found) < 50; {
		at := strings.IndexByte(l[from:], '@')
		if at < 0 {
			break
		}
		at += from
		start, end := localStart(l, at, from), domainEnd(l, at)
		from = at + 1
		if start == at || end <= at+1 || l[start] == '/' || l[start] == '|' { // a path or a command is no mailbox
			continue
		}
		found = append(found, span{l[start:end], start, end})
		from = end
	}
	return found
}

// localStart returns where the local part before l[at] begins, not before from.
func localStart(l string, at, from int) int {
	start := at
	if start > from && l[start-1] == '"' { // quoted local part
		if open := strings.LastIndexByte(l[from:start-1], '"'); open >= 0 && start-from-open <= 66 {
			return from + open
		}
	}
	for start > from && !strings.ContainsRune(" \t<>()[]\"':;,|\\", rune(l[start-1])) && l[start-1] < 0x80 {
		start--
	}
	// "to=" and the like stand before an address in some logs, "SMTP=" in an X.400 address.
	if eq := strings.LastIndexByte(l[start:at], '='); eq >= 0 && eq < at-start-1 && !strings.HasPrefix(l[start:], "=?") {
		switch strings.ToLower(l[start : start+eq]) {
		case "to", "rcpt", "recipient", "addr", "smtp":
			start += eq + 1
		}
	}
	return start
}

// domainEnd returns where the domain after l[at] ends; a domain has a dot
// inside, or is "localhost".
func domainEnd(l string, at int) int {
	end := at + 1
	for end < len(l) && (isDecimal(l[end]) || isLatin(l[end]) || l[end] == '.' || l[end] == '-' || l[end] == '_') {
		end++
	}
	for end > at+1 && (l[end-1] == '.' || l[end-1] == '-') {
		end--
	}
	if domain := l[at+1 : end]; !strings.Contains(domain, ".") && !strings.EqualFold(domain, "localhost") {
		return at
	}
	return end
}
