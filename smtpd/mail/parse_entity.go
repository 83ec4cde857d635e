package mail

import (
	"path"
	"strings"
)

// describe reads the MIME fields of e (RFC 2045, RFC 2183); parent is nil for
// the mail itself.
func (p *parsing) describe(e, parent *entity) {
	token, parameters := p.parameters(e, "Content-Type")
	e.parameters = parameters
	e.contentType = mediaType(token, parameters, parent)
	var dispositionParameters map[string]string
	e.disposition, dispositionParameters = p.parameters(e, "Content-Disposition")
	for _, name := range [...]string{parameters["name*"], dispositionParameters["filename"], dispositionParameters["name"], parameters["name"], parameters["filename"]} {
		if name != "" {
			e.names = append(e.names, name)
		}
	}
	e.filename, e.rawFilename = betterName(e.names)
	if value, ok := e.field("Content-Transfer-Encoding"); ok {
		e.encoding = strings.TrimSpace(p.rawText(value, "Content-Transfer-Encoding"))
	}
	if value, ok := e.field("Content-ID"); ok {
		e.contentID = oneLine(strings.Trim(p.rawText(value, "Content-ID"), "<> \t"))
	}
}

// parameters reads a structured MIME field: its token and decoded parameters.
func (p *parsing) parameters(e *entity, field string) (string, map[string]string) {
	value, ok := e.field(field)
	if !ok {
		return "", nil
	}
	token, written := cutParameters(p.rawText(value, field))
	return cleanText(token), joinParameters(written,
		func(data []byte, charset string) string { return p.text(data, charset, field) },
		func(s string) string { return cleanText(p.words(s, field)) })
}

// mediaType repairs a media type. A part of a digest is a mail by default (RFC
// 2046 section 5.1.5), anything else is plain text.
func mediaType(token string, parameters map[string]string, parent *entity) string {
	token = strings.ReplaceAll(strings.ReplaceAll(token, " ", ""), "\t", "")
	major, minor, _ := strings.Cut(token, "/")
	minor = strings.TrimRight(minor, "/.,:")
	switch {
	case token == "" && parent != nil && parent.contentType == "multipart/digest":
		return "message/rfc822"
	case token == "" && parameters["boundary"] != "":
		return "multipart/mixed"
	case token == "":
		return "text/plain"
	case major == "multipart" && (minor == "" || minor == "*"):
		return "multipart/mixed"
	case major == "html" || token == "text/htm" || token == "text/xhtml" || token == "application/xhtml+xml":
		return "text/html"
	case major == "text" && minor == "", major == "plain", major == "text" && (minor == "text" || minor == "ascii"):
		return "text/plain"
	case minor == "" || !isToken(major) || !isToken(minor):
		if parameters["name"] != "" {
			return "application/octet-stream"
		}
		return "text/plain"
	}
	if len(token) == len(major)+len("/")+len(minor) {
		return token // as nearly all are: no copy of it
	}
	return major + "/" + minor
}

// isToken says that s is made of characters of a token (RFC 2045 section 5.1).
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7F || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// betterName takes the first of the names, in order of authority, that has not
// lost characters: clients write the name twice, once in a set too small for it.
//
// First comes the name of Content-Type where RFC 2231 carries it: it is the name
// that the sender's program shows, in full, while the disposition's is often one
// that a gateway made safe. A plain one is a leftover for old programs and comes
// after the disposition's (RFC 2183 section 2.3).
func betterName(names []string) (clean, raw string) {
	for _, name := range names {
		cleaned := cleanFilename(name)
		switch {
		case cleaned == "":
		case clean == "", damaged(clean) && !damaged(cleaned):
			clean, raw = cleaned, oneLine(name)
		}
	}
	return clean, raw
}

func damaged(name string) bool { return strings.ContainsAny(name, "?\uFFFD") }

// cleanFilename makes a name fit to be shown and saved under: one line, nothing
// invisible, and no directories of the sender's machine.
func cleanFilename(name string) string {
	name = cleanName(name)
	windows := len(name) > 2 && name[1] == ':' && name[2] == '\\' || strings.HasPrefix(name, `\\`)
	if windows {
		name = name[strings.LastIndexByte(name, '\\')+1:]
	}
	if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "~/") || strings.Contains(name, "../") || strings.Contains(name, `..\`) {
		name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	}
	if name == "." || name == ".." || name == "/" {
		return ""
	}
	return name
}
