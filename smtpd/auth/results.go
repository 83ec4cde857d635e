package auth

import "strings"

// AuthenticationResults writes the verdict as the value of an
// Authentication-Results field (RFC 8601), on one unfolded line of printable
// ASCII: whoever writes it into a header folds it after a semicolon.
func (v Verdict) AuthenticationResults(authservID string) string {
	identity := printable(strings.Join(strings.Fields(authservID), ""))
	if identity == "" {
		identity = "localhost"
	}
	spfProperty := "smtp.mailfrom"
	if v.SPF.HELO {
		spfProperty = "smtp.helo"
	}
	var b strings.Builder
	b.Grow(300)
	b.WriteString(identity)
	writeResult(&b, "spf", v.SPF.Result, v.SPF.Reason, property{spfProperty, v.SPF.Domain})
	for _, d := range v.DKIM {
		writeResult(&b, "dkim", d.Result, d.Reason, property{"header.d", d.Domain}, property{"header.i", d.Identity}, property{"header.s", d.Selector})
	}
	if len(v.DKIM) == 0 {
		writeResult(&b, "dkim", None, "the mail is not signed")
	}
	writeResult(&b, "dmarc", v.DMARC.Result, v.DMARC.Reason, property{"header.from", v.DMARC.Domain}, property{"policy.dmarc", v.DMARC.Policy})
	writeResult(&b, "arc", Result(v.ARC), "")
	return strings.Join(strings.Fields(strings.ReplaceAll(b.String(), " ;", ";")), " ")
}

// property is what a method looked at, such as header.from; left out where empty.
type property struct{ name, value string }

// writeResult writes "; method=result" with its reason and properties (section 2.2).
func writeResult(b *strings.Builder, method string, result Result, reason string, properties ...property) {
	if result == "" {
		result = None
	}
	b.WriteString("; " + method + "=" + printable(string(result)))
	if reason != "" {
		b.WriteString(" reason=" + quoted(printable(reason), isTokenCharacter))
	}
	for _, p := range properties {
		if p.value != "" {
			b.WriteString(" " + p.name + "=" + quoted(printable(p.value), isAddressCharacter, isTokenCharacter))
		}
	}
}

// quoted puts a value into quotes unless all of it is plain in one of the ways given.
// printable has left neither a quote nor a backslash in it.
func quoted(s string, plain ...func(rune) bool) string {
	for _, is := range plain {
		if strings.IndexFunc(s, func(r rune) bool { return !is(r) }) < 0 {
			return s
		}
	}
	return `"` + s + `"`
}

// isTokenCharacter tells those of a token (RFC 2045 section 5.1).
func isTokenCharacter(r rune) bool { return r > ' ' && !strings.ContainsRune(`()<>@,;:"/[]?=`, r) }

// isAddressCharacter tells those of addresses and domains, which many readers do not
// expect in quotes.
func isAddressCharacter(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(`#$%&'*+,./-@[]^_{|}~`, r)
}

// printable keeps a value within printable ASCII, and without the characters
// that would end a quoted string or escape in it. A semicolon would end the result for
// readers that split before they unquote, as go-msgauth does.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\' || r == '`':
			return '\''
		case r == ';':
			return ','
		case r < ' ':
			return ' '
		case r >= 0x7f:
			return '?'
		}
		return r
	}, s)
}
