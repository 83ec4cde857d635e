package mail

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// TextFromHTML returns the text that a reader of the HTML sees: paragraphs and
// rows as lines, the cells of a row parted by tabs, list items with their mark,
// quotations as "> " lines, links followed by <their target> where the words do
// not show it. Hidden text is left out. The time it takes grows linearly with the
// source, however deep its nesting.
func TextFromHTML(source string) string {
	return (&textExtractor{}).read(source)
}

func (t *textExtractor) read(source string) string {
	t.opened, t.overflow = map[string]int{}, map[string]int{}
	tokens := newHTMLTokens(source)
	dropping := ""
	for {
		switch token := tokens.next(); token.Type {
		case html.ErrorToken:
			t.closeTo(0)
			return t.lines.String()
		case html.TextToken:
			switch {
			case dropping == "":
				t.text(printable(token.Data))
			case tokens.parted:
				tokens.skipTo(dropping)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			dropping = ""
			if token.Data == "noscript" {
				tokens.tokenizer.NextIsNotRawText()
			} else if elements[token.Data] == elementDropped {
				dropping = token.Data
			} else {
				t.start(token)
			}
		case html.EndTagToken:
			if token.Data != dropping {
				t.end(token.Data)
			}
			dropping = ""
		}
	}
}

// maxTextDepth bounds the stack of open elements; deeper ones only lend their text.
const maxTextDepth = 400

type textExtractor struct {
	lines    textLines
	stack    []textElement
	opened   map[string]int // elements in stack, by name
	overflow map[string]int // start tags not pushed and not ended yet, by name
	link     textLink
	images   bool // an image is named by its words, in brackets
}

// textElement is an open element with what its content inherits.
type textElement struct {
	name     string
	hidden   bool
	tinyFont bool // font-size: 0, until a descendant sets another size
	pre      bool
	quote    int
	lists    int
	ordered  bool
	items    int  // list items so far, in a list
	spaced   bool // a blank line follows
}

type textLink struct {
	target string
	text   strings.Builder
	alt    string
}

// How an element stands among the lines; every other element is part of a line.
var (
	blockElements = wordSet(`address article aside body center dd details dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
		h5 h6 header hgroup html legend li listing main menu nav ol option p plaintext pre section summary ul xmp blockquote caption
		table tbody tfoot thead tr td th`)
	spacedElements = wordSet("p h1 h2 h3 h4 h5 h6 dl figure pre listing plaintext xmp")
	// newLineElements begin a line even at the start of a table cell.
	newLineElements = wordSet("blockquote caption dl li ol pre table tr ul")
	tableElements   = wordSet("table tbody tfoot thead tr td th caption")
	preElements     = wordSet("pre listing plaintext xmp textarea")
)

func (t *textExtractor) top() textElement {
	if len(t.stack) == 0 {
		return textElement{}
	}
	return t.stack[len(t.stack)-1]
}

func (t *textExtractor) visible() bool {
	top := t.top()
	return !top.hidden && !top.tinyFont
}

func (t *textExtractor) text(text string) {
	if !t.visible() {
		return
	}
	top := t.top()
	t.lines.quote, t.lines.lists = top.quote, top.lists
	t.lines.write(text, top.pre)
	if t.link.target != "" {
		t.link.text.WriteString(text)
	}
}

func (t *textExtractor) start(token html.Token) {
	name := token.Data
	t.closeImplied(name)
	element := t.top()
	element.name, element.items, element.spaced, element.ordered = name, 0, false, false
	t.style(&element, token.Attr)
	if !element.hidden {
		t.startShown(token, &element)
	}
	if elements[name] == elementVoid || name == "input" || name == "meta" || name == "link" || name == "base" {
		return
	}
	if len(t.stack) >= maxTextDepth {
		t.overflow[name]++
		return
	}
	t.stack = append(t.stack, element)
	t.opened[name]++
}

func (t *textExtractor) startShown(token html.Token, element *textElement) {
	name := token.Data
	t.lines.quote, t.lines.lists = element.quote, element.lists
	element.pre = element.pre || preElements[name]
	if blockElements[name] && name != "td" && name != "th" {
		t.lines.block(newLineElements[name])
		element.spaced = spacedElements[name] || (name == "ul" || name == "ol") && element.lists == 0
		if name == "p" && tightParagraph(token.Attr) {
			element.spaced = false
		}
		if element.spaced {
			t.lines.blank()
		}
	}
	switch name {
	case "br":
		t.lines.lineBreak()
	case "hr":
		t.lines.block(true)
		t.lines.write(strings.Repeat("_", 32), true)
		t.lines.block(true)
	case "td", "th":
		t.lines.cell()
	case "blockquote":
		element.quote++
	case "ul", "ol", "menu", "dir":
		element.lists++
		element.ordered = name == "ol"
		if first, err := strconv.ParseUint(attributeOf(token.Attr, "start"), 10, 16); element.ordered && err == nil {
			element.items = int(first) - 1
		}
	case "li":
		t.lines.bullet = t.bullet()
	case "a":
		t.endLink()
		t.startLink(token.Attr)
	case "img":
		words := strings.Join(strings.Fields(printable(attributeOf(token.Attr, "alt"))), " ")
		if t.link.alt == "" {
			t.link.alt = words
		}
		if t.images && t.link.target == "" && words != "" {
			t.text("[" + words + "]")
		}
	case "option", "button":
		t.lines.write(" ", false)
	}
}

// bullet is the mark of the next item of the innermost list.
func (t *textExtractor) bullet() string {
	for i := len(t.stack) - 1; i >= 0; i-- {
		switch list := &t.stack[i]; list.name {
		case "ol":
			list.items++
			return strconv.Itoa(list.items) + ". "
		case "ul", "menu", "dir":
			return "- "
		}
	}
	return "- "
}

// closeImplied ends the elements that a start tag ends by implication
// (HTML Standard, section 13.1.2.4): the open paragraph, item, cell or row.
func (t *textExtractor) closeImplied(name string) {
	switch {
	case name == "li":
		t.closeInside(wordLi, wordLists)
	case name == "dt" || name == "dd":
		t.closeInside(wordTerms, wordLists)
	case name == "td" || name == "th":
		t.closeInside(wordCells, wordTable)
	case name == "tr" || name == "tbody" || name == "thead" || name == "tfoot":
		t.closeInside(wordRows, wordTable)
	}
	if blockElements[name] {
		t.closeInside(wordParagraph, tableElements)
	}
}

var (
	wordLi        = wordSet("li")
	wordTerms     = wordSet("dt dd")
	wordLists     = wordSet("ul ol menu dir dl table td th blockquote")
	wordCells     = wordSet("td th")
	wordRows      = wordSet("tr td th")
	wordTable     = wordSet("table")
	wordParagraph = wordSet("p")
)

// closeInside ends the outermost open element of names that is inside of the
// innermost element of limits.
func (t *textExtractor) closeInside(names, limits map[string]bool) {
	found, open := -1, 0
	for name := range names {
		open += t.opened[name]
	}
	for i := len(t.stack) - 1; i >= 0 && open > 0 && !limits[t.stack[i].name]; i-- {
		if names[t.stack[i].name] {
			found = i
		}
	}
	if found >= 0 {
		t.closeTo(found)
	}
}

func (t *textExtractor) end(name string) {
	if t.overflow[name] > 0 {
		t.overflow[name]--
		return
	}
	switch {
	case name == "br":
		t.lines.lineBreak()
	case t.opened[name] > 0:
		t.endOpen(name)
	case name == "p":
		t.lines.block(false)
	}
}

func (t *textExtractor) endOpen(name string) {
	for i := len(t.stack) - 1; i >= 0; i-- {
		open := t.stack[i].name
		switch {
		case open == name:
			t.closeTo(i)
			return
		case blockElements[name] && !tableElements[name] && tableElements[open],
			tableElements[name] && open == "table",
			!blockElements[name] && blockElements[open]:
			return // an end tag does not reach out of its block or cell
		}
	}
}

// closeTo ends all open elements from index on.
func (t *textExtractor) closeTo(index int) {
	for len(t.stack) > index {
		element := t.top()
		if element.name == "a" {
			t.endLink()
		}
		t.stack = t.stack[:len(t.stack)-1]
		t.opened[element.name]--
		switch {
		case element.hidden || !blockElements[element.name]:
			continue
		case element.name == "td" || element.name == "th":
			t.lines.endCell()
			continue
		}
		t.lines.block(newLineElements[element.name])
		if element.spaced {
			t.lines.blank()
		}
	}
}

func (t *textExtractor) startLink(attributes []html.Attribute) {
	target := linkTarget(attributeOf(attributes, "href"), nil)
	t.link = textLink{target: target}
}

// endLink writes the target behind the words of a link that do not name it.
func (t *textExtractor) endLink() {
	link := t.link
	t.link = textLink{}
	words := strings.Join(strings.Fields(link.text.String()), " ")
	if link.target == "" || words == "" && link.alt == "" || !t.visible() {
		return
	}
	if words == "" {
		t.text(link.alt)
	} else if strings.Contains(bareTarget(words), bareTarget(link.target)) {
		return
	}
	t.lines.add(" <" + link.target + ">")
}

// bareTarget is what people write of a URL.
func bareTarget(target string) string {
	target = strings.ToLower(target)
	for _, prefix := range []string{"https://", "http://", "mailto:", "tel:", "www."} {
		target = strings.TrimPrefix(target, prefix)
	}
	return strings.TrimSuffix(target, "/")
}

func attributeOf(attributes []html.Attribute, name string) string {
	for _, attribute := range attributes {
		if attribute.Key == name {
			return attribute.Val
		}
	}
	return ""
}

var (
	hiddenStyle   = regexp.MustCompile(`(?:^|;)(?:display:none|visibility:hidden|mso-hide:all|opacity:0(?:\.0*)?(?:;|!|$))`)
	clippedStyle  = regexp.MustCompile(`(?:^|;)(?:max-)?(?:height|width):0(?:px|pt|em|%)?(?:;|!|$)`)
	fontSizeStyle = regexp.MustCompile(`(?:^|;)font-size:(0(?:\.0*)?(?:px|pt|em|%)?(?:;|!|$))?`)
	noMarginStyle = regexp.MustCompile(`(?:^|;)margin:0(?:[^1-9]*)(?:;|$)`)
	compactStyle  = strings.NewReplacer(" ", "", "\t", "", "\n", "", "\r", "")
)

// style finds out whether the element hides its content.
func (t *textExtractor) style(element *textElement, attributes []html.Attribute) {
	for _, attribute := range attributes {
		switch attribute.Key {
		case "hidden":
			element.hidden = true
		case "style":
			style := compactStyle.Replace(strings.ToLower(attribute.Val))
			if hiddenStyle.MatchString(style) || strings.Contains(style, "overflow:hidden") && clippedStyle.MatchString(style) {
				element.hidden = true
			}
			if size := fontSizeStyle.FindStringSubmatch(style); size != nil {
				element.tinyFont = size[1] != ""
			}
		}
	}
}

// tightParagraph reports a <p> without margin, as Word writes for every line.
func tightParagraph(attributes []html.Attribute) bool {
	return strings.HasPrefix(attributeOf(attributes, "class"), "Mso") ||
		noMarginStyle.MatchString(compactStyle.Replace(strings.ToLower(attributeOf(attributes, "style"))))
}
