package mail

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// letterFont names Japanese faces first in each system's own words, since Outlook
// falls back to a face without kanji where it does not know one.
const letterFont = `-apple-system,'Segoe UI','Hiragino Sans','Hiragino Kaku Gothic ProN','Yu Gothic',Meiryo,'Noto Sans JP',Arial,sans-serif`

const letterStyle = "font-family:" + letterFont + ";font-size:14px;line-height:1.7;color:#23211d"

// letterStyles are what an element of a letter looks like. They stand on each
// element, since Gmail drops style sheets of answers and Outlook knows few rules.
var letterStyles = map[string]string{
	"p":          "margin:0 0 1em",
	"ul":         "margin:0 0 0 1.6em;padding:0",
	"ol":         "margin:0 0 0 1.8em;padding:0",
	"blockquote": "margin:0.4em 0 0.4em 0.2em;padding:0 0 0 0.9em;border-left:3px solid #c9ced6;color:#57534b",
	"pre":        "margin:0.4em 0;padding:8px 10px;background-color:#f3f2ef;font-family:Consolas,Menlo,monospace;font-size:13px;white-space:pre-wrap",
	"code":       "font-family:Consolas,Menlo,monospace;font-size:13px",
	"a":          "color:#1f5aa8",
	"img":        "max-width:100%;height:auto;border:0",
	"table":      "border-collapse:collapse;margin:0.4em 0;font-size:14px",
	"th":         "border:1px solid #c9ced6;padding:4px 9px;text-align:left;background-color:#f3f2ef",
	"td":         "border:1px solid #c9ced6;padding:4px 9px;text-align:left;vertical-align:top",
	"hr":         "border:0;border-top:1px solid #c9ced6;margin:1em 0",
}

// StyleLetter puts styles on the elements of a letter's HTML that have none of
// their own, and around it the faces of Japanese and Latin text. fragment is
// trusted: it comes from ReadLetter, HTMLFromText or QuoteHTML. language is that
// of the text, "" where it is not known.
func StyleLetter(fragment, language string) string {
	context := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(fragment), context)
	if err != nil { // a strings.Reader does not fail
		return fragment
	}
	wrapper := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	if language != "" {
		wrapper.Attr = append(wrapper.Attr, html.Attribute{Key: "lang", Val: language})
	}
	wrapper.Attr = append(wrapper.Attr, html.Attribute{Key: "style", Val: letterStyle})
	for _, node := range nodes {
		wrapper.AppendChild(node)
		styleLetter(node)
	}
	keepSpaces(wrapper)
	var out strings.Builder
	_ = html.Render(&out, wrapper) // as in renderChildren
	return out.String()
}

func styleLetter(node *html.Node) {
	if node.Type != html.ElementNode || attribute(node, "class") == scopeClass {
		return // a quoted mail keeps its own look
	}
	if style := letterStyles[node.Data]; style != "" && attribute(node, "style") == "" {
		if align := attribute(node, "align"); align != "" {
			style = strings.Replace(style, "text-align:left", "text-align:"+align, 1)
		}
		node.Attr = append(node.Attr, html.Attribute{Key: "style", Val: style})
	}
	if node.Data == "table" && attribute(node, "cellspacing") == "" {
		node.Attr = append(node.Attr, html.Attribute{Key: "cellspacing", Val: "0"})
	}
	for child := range node.ChildNodes() {
		styleLetter(child)
	}
}

// keepSpaces writes runs of spaces so that none is lost: an editor shows each.
func keepSpaces(node *html.Node) {
	if node.Type == html.ElementNode && (node.Data == "pre" || attribute(node, "class") == scopeClass) {
		return
	}
	for child := range node.ChildNodes() {
		if child.Type == html.TextNode && strings.Contains(child.Data, "  ") {
			child.Data = strings.ReplaceAll(child.Data, "  ", " \u00a0")
		}
		keepSpaces(child)
	}
}
