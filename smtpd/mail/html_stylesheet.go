package mail

import (
	"iter"
	"regexp"
	"strings"
)

// stylesheet filters the text of a mail's <style> blocks: plain rules and @media
// rules stay, every selector confined below the element of scopeClass; @import,
// @font-face and all other at-rules go. The result holds no "<" and no escape.
func (f *cssFilter) stylesheet(source string) string {
	var out strings.Builder
	f.rules(&out, stripCSSComments(source), 0)
	if sheet := out.String(); !strings.ContainsAny(sheet, "<\\@") || onlyMediaRules(sheet) {
		return sheet
	}
	return ""
}

func onlyMediaRules(sheet string) bool {
	return !strings.ContainsAny(strings.ReplaceAll(sheet, "@media ", ""), "<\\@")
}

func (f *cssFilter) rules(out *strings.Builder, source string, depth int) {
	for {
		source = strings.TrimLeft(source, " \t\n\r\f;}")
		for _, marker := range []string{"<!--", "-->"} { // allowed around rules (CSS Syntax, section 5.4.1)
			source = strings.TrimLeft(strings.TrimPrefix(source, marker), " \t\n\r\f")
		}
		if source == "" {
			return
		}
		stop := cssIndex(source, "{;")
		if stop == len(source) {
			return
		}
		prelude := strings.TrimSpace(source[:stop])
		if source[stop] == ';' { // @import, @charset, or a rule cut short
			source = source[stop+1:]
			continue
		}
		body := source[stop+1:]
		end := cssIndex(body, "}")
		source = body[min(end+1, len(body)):]
		body = body[:end]
		if !strings.HasPrefix(prelude, "@") {
			f.rule(out, prelude, body)
		} else if query, ok := mediaQuery(prelude); ok && depth < 3 {
			f.mediaRule(out, query, body, depth)
		}
	}
}

func (f *cssFilter) mediaRule(out *strings.Builder, query, body string, depth int) {
	var inner strings.Builder
	f.rules(&inner, body, depth+1)
	switch {
	case inner.Len() == 0:
	case query == "all":
		out.WriteString(inner.String())
	default:
		out.WriteString("@media " + query + " {\n" + inner.String() + "}\n")
	}
}

var mediaPattern = regexp.MustCompile(`^[a-z0-9 ():,.-]{1,300}$`)

// mediaQuery returns the condition of an @media rule. Rules for dark mode are left
// out: a mail is shown on its own light ground whatever the theme around it.
func mediaQuery(prelude string) (string, bool) {
	query, ok := strings.CutPrefix(strings.ToLower(prelude), "@media")
	query = strings.Join(strings.Fields(query), " ")
	if !ok || !mediaPattern.MatchString(query) || strings.Contains(query, "prefers-color-scheme") ||
		strings.Count(query, "(") != strings.Count(query, ")") {
		return "", false
	}
	return query, true
}

func (f *cssFilter) rule(out *strings.Builder, prelude, body string) {
	var selectors []string
	for selector := range splitCSS(prelude, ',') {
		if scoped, ok := scopeSelector(selector); ok {
			selectors = append(selectors, scoped)
		}
	}
	if len(selectors) == 0 {
		return
	}
	if declarations := f.declarations(body); declarations != "" {
		out.WriteString(strings.Join(selectors, ", ") + " { " + declarations + " }\n")
	}
}

var (
	compoundPattern = regexp.MustCompile(`^(\*|[A-Za-z][A-Za-z0-9]*)?((?:[.#][A-Za-z_][A-Za-z0-9_-]{0,60})*)((?::[a-z-]+)*)$`)
	namePattern     = regexp.MustCompile(`[.#][A-Za-z0-9_-]+`)
	combinators     = strings.NewReplacer(">", " > ", "+", " + ", "~", " ~ ")
	pseudoClasses   = wordSet("hover link visited active focus first-child last-child only-child first-of-type last-of-type")
)

// scopeSelector confines one selector below the wrapper: "p.note > a" becomes
// ".mail-body p.m-note > a", "body" becomes ".mail-body". Selectors that could
// reach beyond it, or look at attribute values, are refused.
func scopeSelector(selector string) (string, bool) {
	if len(selector) > 500 {
		return "", false
	}
	scope, rest := "."+scopeClass, []string{}
	for _, part := range strings.Fields(combinators.Replace(strings.TrimSpace(selector))) {
		if part == ">" || part == "+" || part == "~" {
			if len(rest) == 0 && part != ">" || len(rest) > 0 && len(rest[len(rest)-1]) == 1 && rest[len(rest)-1] != "*" {
				return "", false
			}
			rest = append(rest, part)
			continue
		}
		if outer, ok := scopeCompound(part); ok && (len(rest) == 0 || len(rest) == 1 && rest[0] == ">") {
			scope, rest = outer, rest[:0] // html > body, or our own output once more
			continue
		}
		compound, ok := safeCompound(part)
		if !ok {
			return "", false
		}
		rest = append(rest, compound)
	}
	if len(rest) > 0 && len(rest[len(rest)-1]) == 1 && strings.Contains(">+~", rest[len(rest)-1]) {
		return "", false
	}
	return strings.Join(append([]string{scope}, rest...), " "), true
}

// scopeCompound recognises html, body, :root and the wrapper itself.
func scopeCompound(part string) (string, bool) {
	scope := "." + scopeClass
	if part == ":root" || part == scope {
		return scope, true
	}
	for _, outer := range []string{"html", "body", scope} {
		if len(part) > len(outer) && strings.EqualFold(part[:len(outer)], outer) && part[len(outer)] == '.' {
			names, ok := safeCompound(part[len(outer):])
			return scope + names, ok
		}
		if strings.EqualFold(part, outer) {
			return scope, true
		}
	}
	return "", false
}

func safeCompound(part string) (string, bool) {
	match := compoundPattern.FindStringSubmatch(part)
	if match == nil || part == "" {
		return "", false
	}
	element := strings.ToLower(match[1])
	if element != "" && element != "*" && elements[element] != elementKept && elements[element] != elementVoid {
		return "", false
	}
	for pseudo := range strings.SplitSeq(strings.TrimPrefix(match[3], ":"), ":") {
		if pseudo != "" && !pseudoClasses[pseudo] {
			return "", false
		}
	}
	names := namePattern.ReplaceAllStringFunc(match[2], func(name string) string { return name[:1] + prefixName(name[1:]) })
	return element + names + match[3], true
}

// prefixName puts a mail's class or id into its own name space, once.
func prefixName(name string) string {
	if strings.HasPrefix(name, namePrefix) {
		return name
	}
	return namePrefix + name
}

// stripCSSComments replaces comments by a space; an unclosed one runs to the end.
func stripCSSComments(source string) string {
	if !strings.Contains(source, "/*") {
		return source
	}
	var out strings.Builder
	for {
		start := cssCommentIndex(source)
		out.WriteString(source[:start])
		if start == len(source) {
			return out.String()
		}
		out.WriteByte(' ')
		end := strings.Index(source[start+2:], "*/")
		if end < 0 {
			return out.String()
		}
		source = source[start+2+end+2:]
	}
}

func cssCommentIndex(source string) int {
	quote := byte(0)
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case quote != 0:
			if c == quote || c == '\n' {
				quote = 0
			} else if c == '\\' {
				i++
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '/' && i+1 < len(source) && source[i+1] == '*':
			return i
		}
	}
	return len(source)
}

// cssIndex returns the index of the first of the stop bytes that stands outside
// of strings, parentheses and blocks; the length of source if there is none.
func cssIndex(source, stops string) int {
	quote, parentheses, blocks := byte(0), 0, 0
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case quote != 0:
			if c == quote || c == '\n' {
				quote = 0
			} else if c == '\\' {
				i++
			}
		case blocks == 0 && (parentheses == 0 || c == '{' || c == '}') && strings.IndexByte(stops, c) >= 0:
			return i
		case c == '"' || c == '\'':
			quote = c
		case c == '\\':
			i++
		case c == '(':
			parentheses++
		case c == ')':
			parentheses = max(0, parentheses-1)
		case c == '{':
			blocks++
		case c == '}':
			blocks, parentheses = max(0, blocks-1), 0
		}
	}
	return len(source)
}

// splitCSS yields what stands between separators outside of strings,
// parentheses and blocks.
func splitCSS(source string, separator byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for source != "" {
			end := cssIndex(source, string(separator))
			if !yield(source[:end]) {
				return
			}
			source = source[min(end+1, len(source)):]
		}
	}
}
