package mail

import (
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

var schemePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// trimURL does what browsers do before they look at a URL: white space and
// control characters around it go, tabs and line ends inside it too
// (WHATWG URL, section 4.4), so that no scheme hides behind them.
func trimURL(raw string) string {
	raw = strings.TrimFunc(raw, func(c rune) bool { return c <= ' ' || c == 0xA0 || c == 0x3000 || c == 0xFEFF })
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7F {
			return -1
		}
		return c
	}, raw)
}

func splitScheme(raw string) (scheme, rest string) {
	scheme = schemePattern.FindString(raw)
	return strings.ToLower(strings.TrimSuffix(scheme, ":")), raw[len(scheme):]
}

// linkTarget returns the canonical target of a link that an agent may follow:
// http, https, mailto or tel, with its host as A-labels; "" for any other.
func linkTarget(raw string, base *url.URL) string {
	raw = trimURL(raw)
	scheme, rest := splitScheme(raw)
	switch scheme {
	case "http", "https":
		return webURL(scheme, rest)
	case "mailto", "tel":
		if rest == "" {
			return ""
		}
		return scheme + ":" + escapeURL(rest)
	case "":
		return relativeURL(raw, base)
	}
	return ""
}

// relativeURL resolves against the <base> of the mail; without one a relative
// URL would point into our own origin, and is worth nothing.
func relativeURL(raw string, base *url.URL) string {
	slashes := strings.ReplaceAll(raw, `\`, "/")
	switch {
	case strings.HasPrefix(slashes, "//"):
		return webURL("https", slashes)
	case base == nil || raw == "" || strings.HasPrefix(raw, "#"):
		return ""
	}
	reference, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return webURL(splitScheme(base.ResolveReference(reference).String()))
}

// webURL writes scheme://host… anew; rest is what follows the colon. The path and
// query are kept as they are, since signed links break by the smallest change.
func webURL(scheme, rest string) string {
	end := strings.IndexAny(rest, "?#")
	if end < 0 {
		end = len(rest)
	}
	rest = strings.TrimLeft(strings.ReplaceAll(rest[:end], `\`, "/"), "/") + rest[end:]
	end = strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	userinfo := ""
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		userinfo, authority = authority[:at+1], authority[at+1:]
	}
	host, port := authority, ""
	if colon := strings.LastIndexByte(authority, ':'); colon >= 0 && !strings.HasSuffix(authority, "]") {
		host, port = authority[:colon], authority[colon:]
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	if host == "" || strings.Trim(port, ":0123456789") != "" || strings.Contains(host, ":") && !strings.HasPrefix(host, "[") || scheme != "http" && scheme != "https" {
		return "" // no browser takes it for an address either
	}
	return scheme + "://" + escapeURL(userinfo+host+port+tail)
}

// escapeURL percent-encodes what has no place in a URL and could end it early in
// an attribute, a style sheet or a text.
func escapeURL(raw string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(raw) {
		c := raw[i]
		if c <= ' ' || c >= 0x7F || strings.IndexByte("\"'<>\\`{}|^", c) >= 0 {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// imageKind is where the bytes of an image come from.
type imageKind uint8

const (
	imageNone   imageKind = iota // nothing that can or may be shown
	imageInline                  // a part of the mail (cid:) or the URL itself (data:)
	imageRemote
)

var dataImagePattern = regexp.MustCompile(`^(?i:data:image/(png|jpe?g|gif|webp)(?:;[a-z0-9=_-]+)*;base64),([A-Za-z0-9+/=\s%]+)$`)

// imageSource judges the src of an image. Remote sources are returned as https,
// whatever they were.
func imageSource(raw string, base *url.URL) (string, imageKind) {
	raw = trimURL(raw)
	switch scheme, rest := splitScheme(raw); scheme {
	case "cid":
		if id := strings.Trim(rest, "<> "); id != "" {
			return "cid:" + escapeURL(id), imageInline
		}
	case "data":
		if match := dataImagePattern.FindStringSubmatch(raw); match != nil {
			kind := strings.ToLower(match[1])
			if kind == "jpg" {
				kind = "jpeg"
			}
			data := strings.NewReplacer(" ", "", "%2B", "+", "%2b", "+", "%2F", "/", "%2f", "/", "%3D", "=", "%3d", "=", "%0A", "", "%0D", "", "%0a", "", "%0d", "").Replace(match[2])
			if !strings.Contains(data, "%") && data != "" {
				return "data:image/" + kind + ";base64," + data, imageInline
			}
		}
	case "http", "https":
		if target := webURL("https", rest); target != "" {
			return target, imageRemote
		}
	case "":
		if target := relativeURL(raw, base); target != "" {
			_, rest := splitScheme(target)
			return webURL("https", rest), imageRemote
		}
	}
	return "", imageNone
}

var shownHostPattern = regexp.MustCompile(`^(?i:(?:https?://)?((?:[\pL\pN_-]+\.)+[\pL]{2,24})(?::[0-9]+)?(?:[/?#]\S*)?)$`)

// misleading reports that the words of a link name a host other than the one it
// goes to, the oldest trick of phishing, and both hosts.
func misleading(text, target string) (shown, host string, is bool) {
	match := shownHostPattern.FindStringSubmatch(strings.TrimSpace(text))
	if match == nil {
		return "", "", false
	}
	parsed, err := url.Parse(target)
	if err != nil || parsed.Host == "" {
		return "", "", false
	}
	shown, host = strings.ToLower(match[1]), strings.ToLower(parsed.Hostname())
	_, listed := publicsuffix.PublicSuffix(shown)
	if !listed || fileExtensions[shown[strings.LastIndexByte(shown, '.')+1:]] || registrableDomain(shown) == registrableDomain(host) {
		return "", "", false
	}
	if ascii, err := idna.Lookup.ToASCII(shown); err == nil {
		shown = ascii
	}
	return shown, host, true
}

// fileExtensions are top-level domains too, but a link called "readme.md" names a file.
var fileExtensions = wordSet("md mov pl ps py rs sh zip")

func registrableDomain(host string) string {
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	host = strings.ToLower(host)
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}

// unescapeURL undoes escapeURL as far as a Content-ID needs it.
func unescapeURL(escaped string) string {
	if plain, err := url.PathUnescape(escaped); err == nil {
		return plain
	}
	return escaped
}
