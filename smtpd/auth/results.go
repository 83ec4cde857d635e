package auth

import (
	"strings"

	"github.com/emersion/go-msgauth/authres"
)

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
	// Generic results, since the typed ones know no selector and no policy.
	results := []authres.Result{
		method("spf", v.SPF.Result, "reason", v.SPF.Reason, spfProperty, v.SPF.Domain),
	}
	for _, d := range v.DKIM {
		results = append(results, method("dkim", d.Result, "reason", d.Reason,
			"header.d", d.Domain, "header.i", d.Identity, "header.s", d.Selector))
	}
	if len(v.DKIM) == 0 {
		results = append(results, method("dkim", None, "reason", "the mail is not signed"))
	}
	results = append(results,
		method("dmarc", v.DMARC.Result, "reason", v.DMARC.Reason,
			"header.from", v.DMARC.Domain, "policy.dmarc", v.DMARC.Policy),
		method("arc", Result(v.ARC)))
	return strings.Join(strings.Fields(strings.ReplaceAll(authres.Format(identity, results), " ;", ";")), " ")
}

func method(name string, result Result, properties ...string) authres.Result {
	params := make(map[string]string)
	for i := 0; i+1 < len(properties); i += 2 {
		params[properties[i]] = printable(properties[i+1])
	}
	if result == "" {
		result = None
	}
	return &authres.GenericResult{Method: name, Value: authres.ResultValue(printable(string(result))), Params: params}
}

// printable keeps a value within printable ASCII, and without the characters
// that would end a quoted string: authres writes control characters and
// backslashes as they come. A semicolon would end the result for readers that
// split before they unquote, as authres itself does.
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
