package mail

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parameter is one "name=value" after the first token of a field, as written.
type parameter struct {
	name, value string
}

// maxParameters bounds the parameters of one field; real ones have fewer than
// twenty pieces.
const maxParameters = 500

// cutParameters splits "text/plain; name=value; …" (RFC 2045 section 5.1) into
// the leading token and its parameters: unquoted values with blanks, quotes
// never closed, and semicolons left out are read as they were meant.
func cutParameters(s string) (token string, parameters []parameter) {
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	if equals := strings.IndexByte(s[:end], '='); equals >= 0 {
		// "attachment filename=x": no semicolon after the token.
		end = max(0, strings.LastIndexAny(strings.TrimRight(s[:equals], " \t"), " \t"))
	}
	token = strings.ToLower(strings.Trim(stripComments(s[:end]), " \t\"'"))
	rest := s[end:]
	for {
		rest = strings.TrimLeft(rest, "; \t\r\n")
		if rest == "" || len(parameters) >= maxParameters {
			return token, parameters
		}
		stop := strings.IndexAny(rest, "=;")
		if stop < 0 || rest[stop] == ';' {
			rest = rest[max(stop, 0):]
			if stop < 0 {
				return token, parameters
			}
			continue
		}
		name := strings.ToLower(strings.Trim(rest[:stop], " \t\"'"))
		var value string
		value, rest = cutValue(strings.TrimLeft(rest[stop+1:], " \t"), name)
		if name != "" {
			parameters = append(parameters, parameter{name: name, value: value})
		}
	}
}

// cutValue reads one value off the front of s.
func cutValue(s, name string) (value, rest string) {
	if strings.HasPrefix(s, `"`) {
		if end := closingQuote(s); end > 0 {
			return unescapeQuoted(s[1:end]), s[end+1:]
		}
		s = s[1:] // never closed: read as if it had no quote
	}
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	value, rest = s[:end], s[end:]
	if at := nextParameter(value); at >= 0 {
		value, rest = s[:at], s[at:]
	}
	value = strings.Trim(value, " \t\r\n")
	if base, _, _ := strings.Cut(name, "*"); base != "name" && base != "filename" {
		value = strings.TrimSpace(stripComments(value))
	}
	if n := len(value); n >= 2 && value[0] == '\'' && value[n-1] == '\'' {
		value = value[1 : n-1]
	}
	return strings.TrimSuffix(value, `"`), rest
}

// closingQuote finds the quote that ends the value s begins with: the first one
// followed by a semicolon or the end, since names hold raw quotes, or else the
// first of all. 0 means none.
func closingQuote(s string) int {
	const farthest = 2048
	first := 0
	for i := 1; i < len(s) && (i < farthest || first == 0); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			after := strings.TrimLeft(s[i+1:min(len(s), i+65)], " \t")
			if after == "" || after[0] == ';' || after[0] == '(' || nextParameter(" "+after) == 0 {
				return i
			}
			if first == 0 {
				first = i
			}
		}
	}
	return first
}

// unescapeQuoted undoes quoted pairs; a backslash before anything but a quote or
// another is a path separator of a careless client.
func unescapeQuoted(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s)
}

// parameterNames are those that begin a new parameter even without a semicolon.
var parameterNames = []string{"name", "filename", "charset", "boundary", "size", "format", "type", "creation-date", "modification-date"}

// nextParameter finds a blank followed by a known parameter name and "=".
func nextParameter(s string) int {
	for from := 0; ; {
		i := strings.IndexAny(s[from:], " \t")
		if i < 0 {
			return -1
		}
		i += from
		token := s[i+1 : min(len(s), i+24)]
		if equals := strings.IndexByte(token, '='); equals > 0 {
			base, _, _ := strings.Cut(token[:equals], "*")
			if slices.Contains(parameterNames, strings.ToLower(base)) {
				return i
			}
		}
		from = i + 1
	}
}

// segment is a piece of a parameter that RFC 2231 continues or extends.
type segment struct {
	index    int
	extended bool // percent-encoded
	value    string
}

// joinParameters makes the final values of parameters: continuations joined,
// percent and word encodings undone. text decodes bytes under a charset label.
// What was written in RFC 2231's notation also stands under its name with "*".
func joinParameters(parameters []parameter, text func(data []byte, charset string) string, words func(string) string) map[string]string {
	values := make(map[string]string, len(parameters))
	var segments map[string][]segment
	for _, a := range parameters {
		base, suffix, starred := strings.Cut(a.name, "*")
		if !starred {
			if _, seen := values[base]; !seen {
				values[base] = decodePlainParameter(base, a.value, text, words)
			}
			continue
		}
		number, extended := strings.CutSuffix(suffix, "*")
		if suffix == "" {
			number, extended = "0", true
		}
		if index, err := strconv.Atoi(number); err == nil && index >= 0 {
			if segments == nil {
				segments = map[string][]segment{}
			}
			segments[base] = append(segments[base], segment{index: index, extended: extended, value: a.value})
		}
	}
	if segments == nil {
		return values
	}
	// In a fixed order, so that a mail is always read with the same notes.
	for _, base := range slices.Sorted(maps.Keys(segments)) {
		parts := segments[base]
		slices.SortStableFunc(parts, func(a, b segment) int { return a.index - b.index })
		if value := joinSegments(parts, text, words); value != "" {
			values[base], values[base+"*"] = value, value
		}
	}
	return values
}

// joinSegments joins the pieces of one parameter (RFC 2231 sections 3 and 4).
func joinSegments(parts []segment, text func([]byte, string) string, words func(string) string) string {
	charset, first, hasCharset := cutExtendedCharset(parts[0].value)
	encoded := parts[0].extended || hasCharset
	if hasCharset {
		parts[0].value = first
	}
	var data []byte
	previous := -1
	for i, part := range parts {
		if part.index == previous {
			continue // the same piece twice
		}
		previous = part.index
		encoded = encoded || part.extended
		if part.extended || i == 0 && hasCharset || hasCharset && strings.Contains(part.value, "%") {
			data = append(data, percentDecode(part.value)...)
		} else {
			data = append(data, part.value...)
		}
	}
	if !encoded {
		return words(string(data))
	}
	return words(text(data, charset))
}

// cutExtendedCharset splits "charset'language'value"; ok only for a charset
// that exists, so that names with apostrophes stay whole.
func cutExtendedCharset(s string) (charset, value string, ok bool) {
	charset, rest, ok := strings.Cut(s, "'")
	if !ok {
		return "", s, false
	}
	_, value, ok = strings.Cut(rest, "'")
	if !ok {
		return "", s, false
	}
	if _, known := lookupCharset(charset); !known && charset != "" {
		return "", s, false
	}
	return charset, value, true
}

func percentDecode(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' {
			if v, ok := hexByte([]byte(s[i+1 : min(len(s), i+3)])); ok {
				out = append(out, v)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

// decodePlainParameter undoes the encodings that have no place in a plain
// parameter but are the commonest of all in names: encoded words, and percent
// escapes as in a URL.
func decodePlainParameter(name, value string, text func([]byte, string) string, words func(string) string) string {
	value = words(value)
	if name != "name" && name != "filename" {
		return value
	}
	// RFC 2231 without its asterisk.
	if charset, rest, ok := cutExtendedCharset(value); ok && charset != "" && strings.Contains(rest, "%") {
		return text(percentDecode(rest), charset)
	}
	if strings.Count(value, "%") >= 2 {
		plain, err := url.PathUnescape(value)
		if err == nil && utf8.ValidString(plain) && !isSevenBit([]byte(plain)) {
			return plain
		}
	}
	return value
}

// stripComments removes parenthesised comments (RFC 5322 section 3.2.2).
func stripComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var b strings.Builder
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && depth > 0:
			i++
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}
