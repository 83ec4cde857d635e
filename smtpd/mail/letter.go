package mail

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Letter is an answer written in an editor, reduced to what belongs in a mail.
type Letter struct {
	// HTML is a fragment of the elements and attributes of a short allow-list,
	// with safe styles where it came with some; "" where Text says all.
	HTML string
	// Text is what a reader without HTML sees; an image is its words in brackets.
	Text string
	// Images are the Content-IDs that its images refer to, each once.
	Images []string
}

// ReadLetter makes the HTML of an editor, or of a program that posts a reply,
// safe to mail: it goes through SanitizeHTML, and of what is left only the
// elements of letters stay. Classes, ids and style sheets go, remote images
// too. A letter without any formatting has no HTML. It never fails.
func ReadLetter(source string) Letter {
	safe := SanitizeHTML(source, SanitizeOptions{})
	context := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(safe.HTML), context)
	if err != nil { // a strings.Reader does not fail
		return Letter{Text: TextFromHTML(safe.HTML)}
	}
	r := letterReducer{plain: true, seen: map[string]bool{}}
	body := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, node := range nodes {
		r.reduce(node, body)
	}
	trimLines(body)
	fragment := renderChildren(body)
	letter := Letter{Text: (&textExtractor{images: true, lines: textLines{columns: true}}).read(fragment), Images: r.images}
	if !r.plain {
		letter.HTML = fragment
	}
	return letter
}

func renderChildren(node *html.Node) string {
	var out strings.Builder
	for child := range node.ChildNodes() {
		// A strings.Builder does not fail, and a parsed tree can be rendered.
		_ = html.Render(&out, child)
	}
	return out.String()
}

// What may stand in a letter. Everything else that has content becomes a <div>
// where it is a block, and lends its content where it is not.
var (
	letterElements = wordSet(`a b big blockquote br caption code col colgroup del div em font h1 h2 h3 h4 hr i img ins li ol p pre s small
		span strike strong sub sup table tbody td tfoot th thead tr u ul`)
	letterAttributes = wordSet(`align alt bgcolor border cellpadding cellspacing color colspan dir face height href lang rowspan size span src
		start style type valign width`)
	// lineElements have no formatting of their own.
	lineElements = wordSet("div p br a")
)

type letterReducer struct {
	plain  bool // nothing but lines so far
	images []string
	seen   map[string]bool
}

// reduce copies what belongs in a letter to the end of into.
func (r *letterReducer) reduce(node, into *html.Node) {
	switch node.Type {
	case html.TextNode:
		into.AppendChild(&html.Node{Type: html.TextNode, Data: node.Data})
		return
	case html.ElementNode:
	default:
		return
	}
	if node.Data == "style" {
		return
	}
	if copied := r.element(node); copied != nil {
		into.AppendChild(copied)
		into = copied
	}
	for child := range node.ChildNodes() {
		r.reduce(child, into)
	}
}

// element copies an element without its content, nil for one that only lends
// its content.
func (r *letterReducer) element(node *html.Node) *html.Node {
	copied := &html.Node{Type: html.ElementNode, Data: node.Data, DataAtom: node.DataAtom}
	for _, a := range node.Attr {
		if letterAttributes[a.Key] && strings.TrimSpace(a.Val) != "" {
			copied.Attr = append(copied.Attr, html.Attribute{Key: a.Key, Val: a.Val})
		}
	}
	wrapper := attribute(node, "class") == scopeClass || node.Data == "span"
	switch {
	case wrapper && len(copied.Attr) == 0:
		return nil
	case node.Data == "img" && !r.image(node):
		return nil
	case !letterElements[node.Data] && blockElements[node.Data]:
		copied.Data, copied.DataAtom = "div", atom.Div
	case !letterElements[node.Data]:
		return nil
	}
	r.judge(node, copied)
	return copied
}

// image reports whether an image stands in the mail itself, and notes it.
func (r *letterReducer) image(node *html.Node) bool {
	id, ok := strings.CutPrefix(attribute(node, "src"), "cid:")
	if !ok || id == "" {
		return false
	}
	if id = unescapeURL(id); !r.seen[id] {
		r.seen[id] = true
		r.images = append(r.images, id)
	}
	return true
}

// judge finds out whether the text alone would say as much.
func (r *letterReducer) judge(node, copied *html.Node) {
	if !lineElements[copied.Data] {
		r.plain = false
		return
	}
	for _, a := range copied.Attr {
		if copied.Data == "a" && a.Key == "href" {
			words := strings.TrimSpace(textOf(node))
			if bareTarget(words) == bareTarget(a.Val) {
				continue
			}
		}
		r.plain = false
	}
}

func textOf(node *html.Node) string {
	var out strings.Builder
	for descendant := range node.Descendants() {
		if descendant.Type == html.TextNode {
			out.WriteString(descendant.Data)
		}
	}
	return out.String()
}

// trimLines takes off the empty lines around a letter.
func trimLines(body *html.Node) {
	for child := body.FirstChild; child != nil && emptyLine(child); child = body.FirstChild {
		body.RemoveChild(child)
	}
	for child := body.LastChild; child != nil && emptyLine(child); child = body.LastChild {
		body.RemoveChild(child)
	}
}

func emptyLine(node *html.Node) bool {
	switch {
	case node.Type == html.TextNode:
		return strings.TrimSpace(node.Data) == ""
	case node.Type != html.ElementNode || !lineElements[node.Data]:
		return false
	}
	for descendant := range node.Descendants() {
		if descendant.Type == html.TextNode && strings.TrimSpace(descendant.Data) != "" ||
			descendant.Type == html.ElementNode && !lineElements[descendant.Data] {
			return false
		}
	}
	return true
}
