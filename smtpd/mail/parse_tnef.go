package mail

import "strings"

// openTNEF takes the files out of a winmail.dat, and keeps its words for a mail
// that has no other. It says whether the stream is fully opened; otherwise it
// stays an attachment too, so that nothing in it is lost.
func (p *parsing) openTNEF(e *entity, data []byte) bool {
	m, err := readTNEF(data)
	if err != nil {
		p.defect("%s cannot be opened as a whole: %v", tnefLabel(e), err)
	}
	p.takeTNEF(m)
	if p.enclosed.empty() {
		p.enclosed = p.tnefContent(m)
	}
	return err == nil
}

func tnefLabel(e *entity) string {
	if e.filename != "" {
		return quoteForDefect(e.filename)
	}
	return e.contentType
}

// takeTNEF attaches the files of a stream. An attached mail gives its words as
// a file of its own, and its files beside it.
func (p *parsing) takeTNEF(m *tnefMessage) {
	for _, f := range m.files {
		name := f.name
		if name == "" {
			name = f.displayName
		}
		if f.mail == nil {
			if f.data == nil && name == "" {
				continue // a mark in the text, no file
			}
			file := &entity{contentType: "application/octet-stream", contentID: oneLine(strings.Trim(f.contentID, "<> \t"))}
			file.filename, file.rawFilename = cleanFilename(name), oneLine(name)
			if t := strings.ToLower(f.contentType); isMediaType(t) {
				file.contentType = t
			}
			p.attach(file, f.data)
			continue
		}
		if name == "" {
			name = f.mail.subject
		}
		c := p.tnefContent(f.mail)
		switch {
		case !isBlankText(c.html):
			p.attach(&entity{contentType: "text/html", filename: mailName(name, len(p.message.Attachments)) + ".html"}, []byte(c.html))
		default:
			p.attach(&entity{contentType: "text/plain", filename: mailName(name, len(p.message.Attachments)) + ".txt"}, []byte(c.text))
		}
		p.takeTNEF(f.mail)
	}
}

func isMediaType(s string) bool {
	major, minor, ok := strings.Cut(s, "/")
	return ok && isToken(major) && isToken(minor)
}

// tnefContent is the words of a stream: HTML if it has any, of itself or within
// RTF, else the text of the RTF, which marks more characters than the plain one.
func (p *parsing) tnefContent(m *tnefMessage) content {
	c := content{text: m.text}
	if len(m.html) > 0 {
		part := &entity{contentType: "text/html", parameters: map[string]string{"charset": m.htmlPage}}
		c.html = p.decodeBody(part, m.html).html
	}
	if len(m.rtf) > 0 && isBlankText(c.html) {
		rich := readRTF(m.rtf)
		c.html = rich.html
		if isBlankText(c.text) {
			c.text = rich.text
		}
	}
	return c
}
