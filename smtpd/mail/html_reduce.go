package mail

import (
	"errors"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

const (
	// maxElementDepth keeps the nesting below the 512 open elements at which both
	// golang.org/x/net/html and browsers give up.
	maxElementDepth = 400
	// maxOpenFormatting and maxNodes bound what the HTML parser builds: every
	// open formatting element is copied into each later block.
	maxOpenFormatting = 32
	maxNodes          = 400_000
)

var errTooManyNodes = errors.New("more elements than can be shown")

// reduced is a mail's HTML with nothing left but the elements and attribute
// names that may stay, and what was found outside of the body's content.
type reduced struct {
	markup         string
	stylesheet     string           // text of every <style>, in order
	bodyAttributes []html.Attribute // of the first <body>
	base           *url.URL         // of the first usable <base>, or nil
}

// reducer copies tokens. It works on tokens, not on a tree, so that neither
// foreign content (SVG, MathML), nor raw text elements, nor depth ever reach the
// tree builder: these are where two parsers disagree about the same markup.
type reducer struct {
	reduced
	out      strings.Builder
	css      strings.Builder
	open     []openElement
	unclosed map[string]int // start tags written and not ended yet, by name
	skipped  map[string]int // start tags left out for depth and not ended yet, by name
	formats  int            // unclosed formatting elements
	nodes    int            // upper bound of what the parser will build
}

type openElement struct {
	name  string
	depth int // open elements at most, with those the parser implies
}

// elementDepth is how deep one start tag can take the parser, counting the
// elements it implies: <table> brings <tbody>, <tr>, <td> and <p>. Elements whose
// end is implied by their next sibling count with their parent.
func elementDepth(name string) int {
	switch name {
	case "table":
		return 5
	case "ul", "ol", "dl", "menu", "dir":
		return 3
	case "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup":
		return 0
	}
	return 1
}

func reduce(source string) (reduced, error) {
	r := reducer{unclosed: map[string]int{}, skipped: map[string]int{}}
	tokenizer := html.NewTokenizer(strings.NewReader(source))
	dropping, verbatim := "", ""
	for {
		switch tokenizer.Next() {
		case html.ErrorToken:
			r.markup, r.stylesheet = r.out.String(), r.css.String()
			return r.reduced, nil
		case html.TextToken:
			if text := tokenizer.Token().Data; dropping == "" {
				r.text(text)
			} else if dropping == "style" {
				r.css.WriteString(text)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokenizer.Token()
			dropping = ""
			switch {
			case token.Data == "noscript":
				// Nothing runs scripts here, so its content is what is shown.
				tokenizer.NextIsNotRawText()
			case elements[token.Data] == elementDropped:
				dropping = token.Data
				if dropping == "style" {
					r.openStyle(token)
				}
			case elements[token.Data] == elementVerbatim && verbatim == "":
				verbatim = token.Data
				r.start("pre", nil)
			default:
				r.startTag(token)
			}
		case html.EndTagToken:
			name := tokenizer.Token().Data
			switch {
			case name == dropping:
				if name == "style" {
					r.closeStyle()
				}
			case verbatim != "" && name == verbatim:
				verbatim = ""
				r.end("pre")
			default:
				r.endTag(name)
			}
			dropping = ""
		}
		if r.nodes > maxNodes {
			return reduced{}, errTooManyNodes
		}
	}
}

func (r *reducer) startTag(token html.Token) {
	name := token.Data
	switch {
	case name == "body" && r.bodyAttributes == nil:
		r.bodyAttributes = token.Attr
	case name == "base" && r.base == nil:
		r.base = baseURL(token.Attr)
	case name == "image": // as every browser reads it
		r.start("img", token.Attr)
	case elements[name] == elementKept, elements[name] == elementVoid:
		r.start(name, token.Attr)
	case elements[name] == elementSpaced:
		r.text(" ")
	}
}

func (r *reducer) endTag(name string) {
	switch elements[name] {
	case elementKept:
		r.end(name)
	case elementSpaced:
		r.text(" ")
	}
	if name == "br" { // as every browser reads it
		r.start("br", nil)
	}
}

func (r *reducer) start(name string, attributes []html.Attribute) {
	formatting := formattingElements[name]
	if elements[name] != elementVoid {
		depth := r.depth() + elementDepth(name)
		if depth > maxElementDepth || formatting && r.formats >= maxOpenFormatting {
			r.skipped[name]++
			return
		}
		r.unclosed[name]++
		if formatting {
			r.formats++
		} else {
			r.open = append(r.open, openElement{name, depth})
		}
	}
	r.nodes += 1 + r.formats
	r.out.WriteByte('<')
	r.out.WriteString(name)
	for _, attribute := range attributes {
		if attribute.Namespace == "" && keepsAttribute(attribute.Key) {
			r.out.WriteByte(' ')
			r.out.WriteString(attribute.Key)
			r.out.WriteString(`="`)
			r.out.WriteString(html.EscapeString(printable(attribute.Val)))
			r.out.WriteByte('"')
		}
	}
	r.out.WriteByte('>')
}

func (r *reducer) depth() int {
	if len(r.open) == 0 {
		return 0
	}
	return r.open[len(r.open)-1].depth
}

func (r *reducer) end(name string) {
	if r.skipped[name] > 0 {
		r.skipped[name]--
		return
	}
	if r.unclosed[name] == 0 {
		return
	}
	r.unclosed[name]--
	r.nodes += 1 + r.formats
	r.out.WriteString("</" + name + ">")
	if formattingElements[name] {
		r.formats--
		return
	}
	for i := len(r.open) - 1; i >= 0; i-- {
		if r.open[i].name == name {
			r.open = r.open[:i]
			return
		}
	}
}

func (r *reducer) text(text string) {
	r.nodes += 1 + r.formats
	r.out.WriteString(html.EscapeString(printable(text)))
}

// openStyle turns <style media="…"> into an @media rule, so that rules meant for
// print or for narrow screens stay there.
func (r *reducer) openStyle(token html.Token) {
	for _, attribute := range token.Attr {
		if attribute.Key == "media" && strings.TrimSpace(attribute.Val) != "" {
			r.css.WriteString("@media " + attribute.Val + "{")
			return
		}
	}
	r.css.WriteString("@media all{")
}

func (r *reducer) closeStyle() { r.css.WriteString("\n}\n") }

func baseURL(attributes []html.Attribute) *url.URL {
	for _, attribute := range attributes {
		if attribute.Key == "href" {
			base, err := url.Parse(strings.TrimSpace(attribute.Val))
			if err == nil && (base.Scheme == "https" || base.Scheme == "http") && base.Host != "" {
				return base
			}
		}
	}
	return nil
}

// printable drops control characters, which browsers and parsers skip at
// different places, and whatever is not UTF-8.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7F || c >= 0x80 && c < 0xA0 || c >= 0xFFFE && c <= 0xFFFF {
			return -1
		}
		return c
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
