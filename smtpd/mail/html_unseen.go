package mail

import (
	"math"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// WithoutUnseen returns HTML without the words that its style sheets hide, or that
// have the colour of what they stand on; found says whether there were some. It is
// for readers who are not people: TextFromHTML knows style attributes alone, and
// no colours. HTML that would take too long to look through is left empty.
func WithoutUnseen(source string) (seen string, found bool) {
	lower := strings.ToLower(source)
	if !strings.Contains(lower, "<style") && !strings.Contains(lower, "color") {
		return source, false
	}
	root, err := html.Parse(strings.NewReader(source))
	if err != nil { // nested too deeply for a parser, and so for a browser
		return "", true
	}
	u := unseen{rules: map[string][]unseenRule{}, budget: 4_000_000}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "style" && n.FirstChild != nil {
			u.sheet(stripCSSComments(n.FirstChild.Data), 0)
		}
	}
	u.walk(root, ground{color: rgb{0, 0, 0}, back: rgb{255, 255, 255}})
	if u.budget <= 0 {
		return "", true
	}
	if !u.found {
		return source, false
	}
	var b strings.Builder
	if err := html.Render(&b, root); err != nil {
		return "", true
	}
	return b.String(), true
}

// unseen looks for words that a reader does not see.
type unseen struct {
	rules  map[string][]unseenRule // by the last name of their selector
	budget int                     // of comparisons
	found  bool
}

// unseenRule is a selector of elements below elements, with what it declares.
type unseenRule struct {
	compounds    []cssCompound
	weight       int
	declarations string
}

type cssCompound struct {
	element string
	names   []string // ".class" and "#id"
}

type rgb [3]uint8

// ground is what an element hands down to its content.
type ground struct {
	color, back rgb
	anyBack     bool // a picture, or a colour that we cannot read
	hidden      bool
	tiny        bool
}

// sheet reads the rules that hold on a wide screen.
func (u *unseen) sheet(source string, depth int) {
	for source = strings.TrimLeft(source, " \t\r\n\f;}"); source != ""; source = strings.TrimLeft(source, " \t\r\n\f;}") {
		stop := cssIndex(source, "{;")
		if stop == len(source) {
			return
		}
		prelude := strings.ToLower(strings.TrimSpace(strings.NewReplacer("<!--", "", "-->", "").Replace(source[:stop])))
		if source[stop] == ';' {
			source = source[stop+1:]
			continue
		}
		body := source[stop+1:]
		end := cssIndex(body, "}")
		source, body = body[min(end+1, len(body)):], body[:end]
		switch {
		case strings.HasPrefix(prelude, "@media"):
			if q := strings.Join(strings.Fields(strings.TrimPrefix(prelude, "@media")), " "); depth < 3 && (q == "all" || q == "screen" || q == "only screen" || strings.Contains(q, "min-width")) {
				u.sheet(body, depth+1)
			}
		case !strings.HasPrefix(prelude, "@"):
			for selector := range splitCSS(prelude, ',') {
				u.add(selector, body)
			}
		}
	}
}

// add keeps a rule; selectors of siblings and attributes are not understood.
func (u *unseen) add(selector, body string) {
	r := unseenRule{declarations: body}
	for _, part := range strings.Fields(strings.ReplaceAll(selector, ">", " ")) {
		match := compoundPattern.FindStringSubmatch(part)
		if match == nil || match[3] != "" && match[3] != ":first-child" && match[3] != ":last-child" {
			return
		}
		c := cssCompound{element: strings.TrimPrefix(match[1], "*"), names: namePattern.FindAllString(match[2], -1)}
		if c.element != "" {
			r.weight++
		}
		for _, name := range c.names {
			r.weight += map[byte]int{'.': 1 << 8, '#': 1 << 16}[name[0]]
		}
		r.compounds = append(r.compounds, c)
	}
	if len(r.compounds) == 0 {
		return
	}
	last := r.compounds[len(r.compounds)-1]
	key := last.element
	if len(last.names) > 0 {
		key = last.names[0]
	}
	u.rules[key] = append(u.rules[key], r)
}

// walk drops the words below n that nobody sees.
func (u *unseen) walk(n *html.Node, g ground) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		switch child.Type {
		case html.TextNode:
			if (g.hidden || g.tiny || !g.anyBack && alike(g.color, g.back)) && strings.TrimSpace(child.Data) != "" && n.Data != "style" && n.Data != "script" && n.Data != "title" {
				child.Data, u.found = " ", true
			}
		case html.ElementNode:
			u.walk(child, u.ground(child, g))
		}
	}
}

// ground is what holds inside an element: of each property, the declaration with
// the greatest weight (CSS Cascade, section 6).
func (u *unseen) ground(n *html.Node, g ground) ground {
	type declared struct {
		value  string
		weight int
	}
	won := map[string]declared{}
	declare := func(source string, weight int) {
		for declaration := range splitCSS(source, ';') {
			name, value, _ := strings.Cut(strings.ToLower(declaration), ":")
			value, important := strings.CutSuffix(strings.TrimSpace(value), "!important")
			w := weight
			if important {
				w += 1 << 40
			}
			if name = strings.TrimSpace(name); name == "background" {
				name = "background-color"
			}
			if w >= won[name].weight && value != "" {
				won[name] = declared{strings.TrimSpace(value), w}
			}
		}
	}
	if color := attributeOf(n.Attr, "color"); color != "" && n.Data == "font" {
		declare("color:"+color, 0)
	}
	if color := attributeOf(n.Attr, "bgcolor"); color != "" {
		declare("background-color:"+color, 0)
	}
	keys := []string{"", n.Data, "#" + strings.ToLower(attributeOf(n.Attr, "id"))}
	for _, class := range strings.Fields(strings.ToLower(attributeOf(n.Attr, "class"))) {
		keys = append(keys, "."+class)
	}
	for _, key := range keys {
		for _, r := range u.rules[key] {
			if u.budget -= 1 + len(r.declarations)/8; u.budget <= 0 {
				return ground{hidden: true}
			}
			if u.matches(n, r.compounds) {
				declare(r.declarations, r.weight)
			}
		}
	}
	declare(attributeOf(n.Attr, "style"), 1<<30)
	var style strings.Builder
	for name, d := range won {
		style.WriteString(";" + name + ":" + compactStyle.Replace(d.value))
	}
	if s := style.String(); hiddenStyle.MatchString(s) || strings.Contains(s, "overflow:hidden") && clippedStyle.MatchString(s) {
		g.hidden = true
	}
	if d, ok := won["font-size"]; ok {
		size, err := strconv.ParseFloat(strings.TrimRight(d.value, "abcdefghijklmnopqrstuvwxyz% "), 64)
		g.tiny = err == nil && size == 0
	}
	if d, ok := won["background-color"]; ok && d.value != "transparent" && d.value != "none" && d.value != "inherit" {
		back, known := readColor(d.value)
		g.back, g.anyBack = back, !known
	}
	if _, ok := won["background-image"]; ok || attributeOf(n.Attr, "background") != "" {
		g.anyBack = true
	}
	if d, ok := won["color"]; ok {
		if color, known := readColor(d.value); known {
			g.color = color
		} else if d.value == "transparent" {
			g.hidden = true
		} else if d.value != "inherit" {
			g.color = rgb{0, 0, 0}
		}
	}
	return g
}

// matches reports whether the last compound is the element's and the others are
// of elements around it, in order.
func (u *unseen) matches(n *html.Node, compounds []cssCompound) bool {
	last := len(compounds) - 1
	if !compounds[last].is(n) {
		return false
	}
	for n = n.Parent; n != nil && last > 0; n = n.Parent {
		u.budget--
		if compounds[last-1].is(n) {
			last--
		}
	}
	return last == 0
}

func (c cssCompound) is(n *html.Node) bool {
	if n.Type != html.ElementNode || c.element != "" && c.element != n.Data {
		return false
	}
	for _, name := range c.names {
		switch name[0] {
		case '#':
			if !strings.EqualFold(attributeOf(n.Attr, "id"), name[1:]) {
				return false
			}
		default:
			if !strings.Contains(" "+strings.Join(strings.Fields(strings.ToLower(attributeOf(n.Attr, "class"))), " ")+" ", " "+name[1:]+" ") {
				return false
			}
		}
	}
	return true
}

// alike reports colours that no eye tells apart.
func alike(a, b rgb) bool {
	distance := 0.0
	for i := range a {
		distance += math.Abs(float64(a[i]) - float64(b[i]))
	}
	return distance < 30
}

// readColor reads the colours that mails use: #rgb, #rrggbb, rgb() and the two
// names that text hides in.
func readColor(s string) (c rgb, known bool) {
	s = strings.TrimSpace(s)
	switch s {
	case "white":
		return rgb{255, 255, 255}, true
	case "black":
		return rgb{}, true
	}
	if inner, ok := strings.CutPrefix(strings.Replace(s, "rgba(", "rgb(", 1), "rgb("); ok {
		parts := strings.FieldsFunc(strings.TrimSuffix(inner, ")"), func(r rune) bool { return strings.ContainsRune(", /", r) })
		if len(parts) < 3 || len(parts) > 3 && (parts[3] != "1") {
			return c, false
		}
		for i := range c {
			n, err := strconv.ParseUint(parts[i], 10, 8)
			if err != nil {
				return c, false
			}
			c[i] = uint8(n)
		}
		return c, true
	}
	s = strings.TrimPrefix(s, "#")
	if len(s) == 3 {
		s = string([]byte{s[0], s[0], s[1], s[1], s[2], s[2]})
	}
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) != 6 {
		return c, false
	}
	return rgb{uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
}
