package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"strings"
)

// content is what a node of the tree gives the reader: its words in either form.
// A form that the node itself does not have is empty.
type content struct {
	text, html string
}

func (c content) empty() bool { return isBlankText(c.text) && isBlankText(c.html) }

// readBody fills Text, HTML, Attachments and parts from the tree.
func (p *parsing) readBody(root *entity) {
	m := p.message
	c := p.read(root, nil)
	if c.empty() {
		c = p.enclosed
	}
	if c.empty() {
		c = p.named
	}
	m.Text, m.HTML = c.text, c.html
	if isBlankText(m.Text) && !isBlankText(m.HTML) {
		m.Text, m.TextFromHTML = TextFromHTML(m.HTML), true
	}
	p.markInline()
}

// read collects the content of e and, in order, the attachments under it.
func (p *parsing) read(e, parent *entity) content {
	if len(e.children) == 0 {
		return p.readLeaf(e, parent)
	}
	p.markProtection(e)
	if e.contentType == "multipart/alternative" {
		return p.readAlternatives(e)
	}
	// mixed, related, signed, report, and any kind unknown (RFC 2046 section 5.1.7)
	var parts []content
	for _, child := range e.children {
		if c := p.read(child, e); !c.empty() {
			parts = append(parts, c)
		}
	}
	return joinContents(parts)
}

// readAlternatives takes the best plain and the best HTML form. A child that
// holds plain text alone is a better text than one that only mixes some in.
func (p *parsing) readAlternatives(e *entity) content {
	var plain []string
	var rich content
	for _, child := range e.children {
		c := p.read(child, e)
		switch {
		case c.empty():
		case !isBlankText(c.html):
			rich = c // the last is the richest
		default:
			plain = append(plain, c.text)
		}
	}
	if text := joinDistinct(plain); !isBlankText(text) {
		rich.text = text
	}
	return rich
}

// joinDistinct joins texts, each once: the same may be sent in several character sets.
func joinDistinct(texts []string) string {
	if len(texts) == 1 {
		return texts[0]
	}
	var joined lineJoiner
	seen := map[string]bool{}
	for _, text := range texts {
		if words := strings.TrimSpace(text); !seen[words] {
			seen[words] = true
			joined.add(text)
		}
	}
	return joined.String()
}

// joinContents puts the bodies of parts that follow each other into one. Where
// only some have HTML, each form is made whole from the other, so that nobody
// reads half a mail.
func joinContents(parts []content) content {
	if len(parts) == 1 {
		return parts[0]
	}
	var texts, htmls, plain int
	for _, c := range parts {
		if !isBlankText(c.text) {
			texts++
		}
		if !isBlankText(c.html) {
			htmls++
		} else {
			plain += len(c.text)
		}
	}
	if len(parts) == 2 && texts == 1 && htmls == 1 && parts[0].text != "" && sameWords(parts[0].text, parts[1].html) {
		return content{text: parts[0].text, html: parts[1].html} // alternatives, sent as mixed
	}
	asHTML := htmls > 0 && plain <= maxPlainInHTML
	var text, markup lineJoiner
	for _, c := range parts {
		if asHTML && isBlankText(c.html) {
			c.html = `<div style="white-space: pre-wrap">` + html.EscapeString(c.text) + "</div>"
		}
		if texts > 0 && isBlankText(c.text) {
			c.text = TextFromHTML(c.html)
		}
		text.add(c.text)
		if asHTML {
			markup.add(c.html)
		}
	}
	return content{text: text.String(), html: markup.String()}
}

// maxPlainInHTML is how many bytes of plain text are put into HTML beside others, where
// each can become five. With more the mail is read as text.
const maxPlainInHTML = 4 << 20

// sameWords says that text and HTML begin with the same words.
func sameWords(text, htmlBody string) bool {
	const enough = 2000
	a, b := removeSpace(text), removeSpace(TextFromHTML(htmlBody))
	a, b = a[:min(len(a), enough)], b[:min(len(b), enough)]
	return a != "" && a == b
}

// lineJoiner concatenates texts, each beginning on a line of its own. A text that
// stays alone is not copied.
type lineJoiner struct {
	only   string // the first text, until another comes
	joined strings.Builder
}

func (j *lineJoiner) add(s string) {
	switch {
	case s == "":
		return
	case j.String() == "":
		j.only = s
		return
	case j.joined.Len() == 0:
		j.joined.WriteString(j.only)
	}
	if !strings.HasSuffix(j.joined.String(), "\n") {
		j.joined.WriteByte('\n')
	}
	j.joined.WriteString(s)
}

func (j *lineJoiner) String() string {
	if j.joined.Len() == 0 {
		return j.only
	}
	return j.joined.String()
}

func isBlankText(s string) bool { return strings.TrimSpace(s) == "" }

// readLeaf decodes a part, and makes it body or attachment.
func (p *parsing) readLeaf(e, parent *entity) content {
	data, defect := decodeTransfer(e.body, e.encoding)
	if defect != "" {
		p.defect("%s: %s", e.contentType, defect)
	}
	if isAttachedMail(e) {
		data = attachedMail(data, e)
	}
	p.message.parts = append(p.message.parts, part{
		contentType: e.contentType, parameters: e.parameters, filename: e.filename, data: data,
	})
	if !isBody(e, parent) {
		opened := isTNEF(e) && p.openTNEF(e, data)
		if !opened && !isSignature(e, parent) {
			p.attach(e, data)
		}
		switch {
		case isCalendar(e):
			p.takeInvitation(e, data)
		case isPKCS7(e):
			return p.openPKCS7(e, data)
		}
		if p.named.empty() && e.disposition != "attachment" && (e.contentType == "text/plain" || e.contentType == "text/html") {
			p.named = p.decodeBody(e, data)
		}
		return content{}
	}
	if e.filename != "" {
		p.attach(e, data)
	}
	data = p.undoHiddenTransfer(e, data)
	if e.contentType == "text/plain" {
		data = p.takeUUEncoded(data)
	}
	return p.decodeBody(e, data)
}

// decodeBody decodes the words of a text part.
func (p *parsing) decodeBody(e *entity, data []byte) content {
	if e.contentType == "text/html" {
		return content{html: cleanText(p.bodyText(data, htmlCharset(e, data), "HTML"))}
	}
	text := cleanText(p.bodyText(data, e.parameters["charset"], "text"))
	if strings.EqualFold(e.parameters["format"], "flowed") {
		text = unflow(text, strings.EqualFold(e.parameters["delsp"], "yes"))
	}
	if e.contentType == "text/enriched" || e.contentType == "text/richtext" {
		text = readEnriched(text, e.contentType == "text/richtext")
	}
	return content{text: p.takeArmor(text)}
}

// isBody says that a leaf is words to read, not a file to save. A mail that is
// nothing but one named text is both.
func isBody(e, parent *entity) bool {
	major, minor, _ := strings.Cut(e.contentType, "/")
	if major != "text" || e.disposition == "attachment" {
		return false
	}
	if e.filename != "" && parent != nil {
		return false // unless there is nothing else, see parsing.named
	}
	switch minor {
	case "plain", "html":
		return true
	case "enriched", "richtext", "markdown", "x-markdown":
		return parent == nil || parent.contentType != "multipart/alternative"
	}
	return false
}

// isSignature recognises the detached signature of a signed mail (RFC 1847
// section 2.1). Without a name it is part of the envelope, no file to open; a
// client that names it wants it seen.
func isSignature(e, parent *entity) bool {
	return parent != nil && parent.contentType == "multipart/signed" && e.filename == "" &&
		len(parent.children) > 1 && parent.children[len(parent.children)-1] == e &&
		strings.EqualFold(e.contentType, parent.parameters["protocol"])
}

// htmlCharset is the label of an HTML part, or what its own meta element says.
func htmlCharset(e *entity, data []byte) string {
	if label := e.parameters["charset"]; label != "" {
		if _, known := lookupCharset(label); known {
			return label
		}
	}
	const far = 1024
	head := strings.ToLower(string(data[:min(len(data), far)]))
	if _, rest, ok := strings.Cut(head, "charset="); ok && strings.Contains(head, "<meta") {
		rest = strings.TrimLeft(rest, "\"' ")
		if end := strings.IndexAny(rest, "\"'; />"); end > 0 {
			return rest[:end]
		}
	}
	return e.parameters["charset"]
}

// maxUUFiles is how many uuencoded files are taken out of a mail: an attachment takes ten
// times as much memory as the shortest of them.
const maxUUFiles = 1000

// takeUUEncoded moves uuencoded files out of a text to the attachments.
func (p *parsing) takeUUEncoded(data []byte) []byte {
	var rest []byte
	found := false
	for {
		block, ok := cutUUEncoded(data)
		if !ok {
			break
		}
		if p.uuFiles == maxUUFiles {
			p.defect("more than %d uuencoded files: the rest is left in the text", maxUUFiles)
			break
		}
		p.uuFiles++
		found = true
		rest = append(rest, data[:block.start]...)
		data = data[block.end:]
		p.attach(&entity{
			contentType: "application/octet-stream",
			filename:    cleanFilename(p.rawText(block.filename, "file name")),
			rawFilename: oneLine(p.rawText(block.filename, "file name")),
		}, block.data)
	}
	if !found {
		return data
	}
	return append(rest, data...)
}

// attach adds an attachment. An attached mail without a name gets its subject's.
func (p *parsing) attach(e *entity, data []byte) {
	if e.filename == "" && e.contentType == "message/rfc822" {
		e.filename = p.mailFilename(data)
	}
	sum := sha256.Sum256(data)
	a := Attachment{
		Filename: e.filename, Risk: riskOf(append(e.names, e.filename), e.contentType, data),
		ContentType: e.contentType, ContentID: e.contentID,
		Inline: e.disposition == "inline",
		Size:   int64(len(data)), SHA256: hex.EncodeToString(sum[:]), Data: data,
	}
	if e.rawFilename != e.filename {
		a.RawFilename = e.rawFilename
	}
	p.message.Attachments = append(p.message.Attachments, a)
}

// mailFilename names an attached mail after its subject.
func (p *parsing) mailFilename(data []byte) string {
	reader := headerReader{data: data, defect: func(string, ...any) {}, bound: &headerBound{}}
	fields, _ := reader.readHeader(0)
	subject, _ := (&entity{fields: fields}).field("Subject")
	const where = "the Subject of an attached mail"
	return mailName(p.words(p.rawText(subject, where), where), len(p.message.Attachments)) + ".eml"
}

// mailName makes a file name, without its extension, of a mail's subject;
// without one it is numbered after the files before it.
func mailName(subject string, before int) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, cleanName(subject))
	const longest = 80 // characters, well under any file system's limit
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest])
	}
	if name == "" {
		name = fmt.Sprintf("mail-%d", before+1)
	}
	return name
}

// markInline marks the attachments that the HTML shows by "cid:" (RFC 2392).
func (p *parsing) markInline() {
	const longest = 512 // of an identifier
	shown := map[string]bool{}
	body := p.message.HTML
	for i := 0; ; {
		colon := strings.IndexByte(body[i:], ':')
		if colon < 0 {
			break
		}
		colon += i
		i = colon + 1
		if colon < 3 || !strings.EqualFold(body[colon-3:colon], "cid") {
			continue
		}
		id := body[i:min(len(body), i+longest)]
		if end := strings.IndexAny(id, "\"'<>) \n\t"); end >= 0 {
			id = id[:end]
		}
		if plain, err := url.PathUnescape(id); err == nil {
			id = plain
		}
		shown[html.UnescapeString(id)] = true
	}
	for i := range p.message.Attachments {
		a := &p.message.Attachments[i]
		a.Inline = a.Inline || a.ContentID != "" && shown[a.ContentID]
	}
}
