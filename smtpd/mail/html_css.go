package mail

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cssProperties may be set by a mail. Left out on purpose: position, top, left,
// z-index and transform (cover what is not theirs), content, cursor, filter,
// animation and everything that names a script or another resource.
var cssProperties = wordSet(`background background-color background-image background-position background-repeat background-size
	border border-bottom border-bottom-color border-bottom-left-radius border-bottom-right-radius border-bottom-style
	border-bottom-width border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius
	border-right border-right-color border-right-style border-right-width border-spacing border-style border-top border-top-color
	border-top-left-radius border-top-right-radius border-top-style border-top-width border-width box-shadow box-sizing
	break-inside caption-side clear color column-gap direction display empty-cells flex flex-basis flex-direction flex-flow flex-grow
	flex-shrink flex-wrap align-items align-self align-content justify-content float font font-family font-size font-stretch
	font-style font-variant font-weight gap height hyphens letter-spacing line-break line-height list-style list-style-position
	list-style-type margin margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width
	object-fit opacity order orphans overflow overflow-wrap overflow-x overflow-y padding padding-bottom padding-left
	padding-right padding-top page-break-after page-break-before page-break-inside row-gap tab-size table-layout text-align
	text-align-last text-decoration text-decoration-color text-decoration-line text-decoration-style text-indent text-overflow
	text-shadow text-transform text-underline-offset unicode-bidi vertical-align visibility white-space widows width
	word-break word-spacing word-wrap writing-mode`)

var cssFunctions = wordSet("rgb rgba hsl hsla calc min max clamp linear-gradient radial-gradient")

// cssUnits leaves out vh and its kin: a frame that grows with its content and
// content that grows with its frame never come to rest.
var cssUnits = wordSet("px pt pc em rem ex ch in cm mm q vw deg rad turn")

// cssFilter writes style declarations anew from the few tokens it understands.
type cssFilter struct {
	base         *url.URL
	remoteImages bool // keep background images, as https
	remote       int  // background images met
	plain        plainAddresses
}

// declarations returns the safe declarations of a style attribute or rule in
// canonical form ("color: red; width: 10px"), "" when none is left.
func (f *cssFilter) declarations(source string) string {
	var kept []string
	for declaration := range splitCSS(stripCSSComments(source), ';') {
		name, value, ok := strings.Cut(declaration, ":")
		if !ok {
			continue
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if !cssProperties[name] {
			continue
		}
		if value = f.value(name, value); value != "" {
			kept = append(kept, name+": "+value)
		}
	}
	return strings.Join(kept, "; ")
}

func (f *cssFilter) value(property, source string) string {
	if len(source) > 2000 && !strings.HasPrefix(property, "background") {
		return ""
	}
	scanner := cssScanner{rest: source, filter: f, property: property}
	value, ok := scanner.list(0)
	if !ok {
		return ""
	}
	value = strings.TrimSpace(value)
	plain := strings.ToLower(strings.TrimSpace(strings.TrimSuffix(value, "!important")))
	switch {
	case plain == "":
		return ""
	case property == "display" && !cssDisplays[plain]:
		return ""
	case strings.HasPrefix(property, "margin") && strings.Contains(plain, "-") && hasNegative(plain):
		return ""
	}
	return value
}

var cssDisplays = wordSet(`none block inline inline-block inline-flex inline-table flex list-item flow-root table table-row table-cell
	table-row-group table-header-group table-footer-group table-column table-column-group table-caption inherit initial`)

func hasNegative(value string) bool {
	return strings.HasPrefix(value, "-") || strings.Contains(value, " -") || strings.Contains(value, "(-") || strings.Contains(value, "calc")
}

// cssScanner reads one value. Nothing is copied from the source but identifiers,
// numbers, colours and simple strings; any other character refuses the value.
type cssScanner struct {
	rest     string
	filter   *cssFilter
	property string
}

// list reads tokens up to the end, or up to ")" when depth is not 0.
func (s *cssScanner) list(depth int) (string, bool) {
	var out strings.Builder
	space := false
	write := func(token string) {
		if space && out.Len() > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(token)
		space = true
	}
	for {
		s.skipSpace()
		if s.rest == "" {
			return out.String(), depth == 0
		}
		c := s.rest[0]
		switch {
		case c == ')':
			s.rest = s.rest[1:]
			return out.String(), depth > 0
		case c == ',':
			s.rest = s.rest[1:]
			space = false
			write(",")
		case c == '/' || depth > 0 && c == '*' || depth > 0 && (c == '+' || c == '-') && len(s.rest) > 1 && isCSSSpace(s.rest[1]):
			s.rest = s.rest[1:]
			write(string(c))
		case c == '#':
			token, ok := s.color()
			if !ok {
				return "", false
			}
			write(token)
		case c == '"' || c == '\'':
			token, ok := s.quoted(c)
			if !ok {
				return "", false
			}
			write(token)
		case c == '!':
			if !strings.EqualFold(strings.Join(strings.Fields(s.rest[1:]), ""), "important") || depth > 0 {
				return "", false
			}
			write("!important")
			return out.String(), true
		case isDigit(c) || (c == '.' || c == '+' || c == '-') && s.numberAhead():
			token, ok := s.number()
			if !ok {
				return "", false
			}
			write(token)
		default:
			token, ok := s.word(depth)
			if !ok {
				return "", false
			}
			if token != "" {
				write(token)
			}
		}
	}
}

func (s *cssScanner) skipSpace() {
	s.rest = strings.TrimLeft(s.rest, " \t\n\r\f\u00A0")
}

func (s *cssScanner) take(n int) string {
	token := s.rest[:n]
	s.rest = s.rest[n:]
	return token
}

func (s *cssScanner) color() (string, bool) {
	end := 1
	for end < len(s.rest) && isHexDigit(s.rest[end]) {
		end++
	}
	ok := slices.Contains([]int{4, 5, 7, 9}, end) && (end == len(s.rest) || !isNameByte(s.rest[end]))
	return s.take(end), ok
}

func (s *cssScanner) quoted(quote byte) (string, bool) {
	end := strings.IndexByte(s.rest[1:], quote)
	if end < 0 {
		return "", false
	}
	text := s.rest[1 : 1+end]
	s.rest = s.rest[end+2:]
	if !s.takesNames() || strings.ContainsAny(text, "\"'\\()<>{};@&\n\r\f:") {
		return "", false
	}
	return "'" + text + "'", true
}

func (s *cssScanner) takesNames() bool { return s.property == "font" || s.property == "font-family" }

func (s *cssScanner) numberAhead() bool {
	rest := strings.TrimLeft(s.rest[:1], "+-") + s.rest[1:]
	rest = strings.TrimPrefix(rest, ".")
	return rest != "" && isDigit(rest[0])
}

func (s *cssScanner) number() (string, bool) {
	end := 0
	if s.rest[0] == '+' || s.rest[0] == '-' {
		end++
	}
	for dots := 0; end < len(s.rest) && (isDigit(s.rest[end]) || s.rest[end] == '.' && dots == 0); end++ {
		if s.rest[end] == '.' {
			dots++
		}
	}
	if end > 16 {
		return "", false
	}
	number := s.take(end)
	if strings.HasPrefix(s.rest, "%") {
		return number + s.take(1), true
	}
	end = 0
	for end < len(s.rest) && isLetter(s.rest[end]) {
		end++
	}
	unit := strings.ToLower(s.take(end))
	return number + unit, (unit == "" || cssUnits[unit]) && !strings.HasPrefix(s.rest, "-")
}

// word reads an identifier or a function; a background image that is not to be
// loaded yields no token and lets the rest of the value stand.
func (s *cssScanner) word(depth int) (string, bool) {
	end := 0
	for end < len(s.rest) {
		c, size := utf8.DecodeRuneInString(s.rest[end:])
		if c < utf8.RuneSelf && !isNameByte(byte(c)) ||
			c >= utf8.RuneSelf && (!s.takesNames() || !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c)) {
			break
		}
		end += size
	}
	if end == 0 {
		return "", false
	}
	name := s.take(end)
	if !strings.HasPrefix(s.rest, "(") {
		return name, true
	}
	name = strings.ToLower(name)
	s.rest = s.rest[1:]
	if name == "url" && depth == 0 && (s.property == "background" || s.property == "background-image") {
		return s.imageURL()
	}
	if !cssFunctions[name] || depth >= 4 {
		return "", false
	}
	arguments, ok := s.list(depth + 1)
	return name + "(" + arguments + ")", ok && arguments != ""
}

func (s *cssScanner) imageURL() (string, bool) {
	s.skipSpace()
	var raw string
	if s.rest != "" && (s.rest[0] == '"' || s.rest[0] == '\'') {
		end := strings.IndexByte(s.rest[1:], s.rest[0])
		if end < 0 {
			return "", false
		}
		raw = s.rest[1 : 1+end]
		s.rest = s.rest[end+2:]
		s.skipSpace()
	} else {
		end := strings.IndexAny(s.rest, ") \t\n\r\f\"'(")
		if end < 0 {
			return "", false
		}
		raw = s.take(end)
		s.skipSpace()
	}
	if !strings.HasPrefix(s.rest, ")") || strings.ContainsAny(raw, "\\\n\r\f") {
		return "", false
	}
	s.rest = s.rest[1:]
	source, kind := s.filter.imageSource(raw)
	if kind != imageRemote {
		return "", true
	}
	s.filter.remote++
	if !s.filter.remoteImages {
		return "", true
	}
	return cssURL(source), true
}

func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isLetter(c byte) bool   { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isHexDigit(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func isCSSSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
func isNameByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' || c == '_' }
