package mail

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// rewriter gives every element of a parsed body its attributes anew.
type rewriter struct {
	css            cssFilter
	safe           SafeHTML
	markMisleading bool
}

func (r *rewriter) children(parent *html.Node) {
	for node := parent.FirstChild; node != nil; {
		next := node.NextSibling
		switch {
		case node.Type == html.TextNode:
		case node.Type != html.ElementNode || node.Namespace != "" || !kept(node.Data):
			parent.RemoveChild(node)
		case node.Data == "img" && r.tracker(node):
			parent.RemoveChild(node)
		default:
			r.element(node)
			r.children(node)
			if node.Data == "a" {
				r.link(node)
			}
		}
		node = next
	}
}

func kept(name string) bool {
	return elements[name] == elementKept || elements[name] == elementVoid
}

func (r *rewriter) element(node *html.Node) {
	original := node.Attr
	node.Attr = make([]html.Attribute, 0, len(original)+3)
	seen := map[string]bool{}
	hidden := false
	for _, a := range original {
		if a.Namespace != "" || seen[a.Key] {
			continue // of two attributes of one name the first counts, as in a browser
		}
		seen[a.Key] = true
		value := strings.TrimSpace(a.Val)
		switch a.Key {
		case "hidden":
			hidden = true
		case "href":
			r.href(node, value)
		case "src":
			r.source(node, value)
		case "background":
			r.background(node, value)
		case "title":
			if node.Data != "a" && node.Data != "area" {
				set(node, a.Key, value)
			}
		case "style", "class", "id", "name", "usemap":
			set(node, a.Key, r.named(node.Data, a.Key, value))
		default:
			if pattern := attributePatterns[a.Key]; pattern != nil && pattern.MatchString(value) && (value != "" || pattern.MatchString("")) {
				node.Attr = append(node.Attr, html.Attribute{Key: a.Key, Val: value})
			}
		}
	}
	if hidden {
		hide(node)
	}
}

func set(node *html.Node, key, value string) {
	if value != "" {
		node.Attr = append(node.Attr, html.Attribute{Key: key, Val: value})
	}
}

// hide says in CSS what the hidden attribute says, which the page's own style
// could otherwise undo.
func hide(node *html.Node) {
	for i, a := range node.Attr {
		if a.Key == "style" {
			if !strings.Contains(a.Val, "display: none") {
				node.Attr[i].Val = a.Val + "; display: none"
			}
			return
		}
	}
	set(node, "style", "display: none")
}

// named rewrites attributes that name something of the mail's own: styles, and
// names put into the mail's name space.
func (r *rewriter) named(element, key, value string) string {
	switch key {
	case "style":
		return r.css.declarations(value)
	case "class":
		var classes []string
		for class := range strings.FieldsSeq(value) {
			if localName.MatchString(class) {
				classes = append(classes, prefixName(class))
			}
		}
		return strings.Join(classes, " ")
	case "name":
		if element != "map" {
			return ""
		}
	case "usemap":
		name, ok := strings.CutPrefix(value, "#")
		if !ok || element != "img" || !localName.MatchString(name) {
			return ""
		}
		return "#" + prefixName(name)
	}
	if !localName.MatchString(value) {
		return ""
	}
	return prefixName(value)
}

var localName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,78}$`)

// wrapperClass restores the wrapper's own class, which named has put into the
// mail's name space like any other.
func (r *rewriter) wrapperClass(wrapper *html.Node) {
	class := scopeClass
	for i, a := range wrapper.Attr {
		if a.Key == "class" {
			for name := range strings.FieldsSeq(a.Val) {
				if name != namePrefix+scopeClass {
					class += " " + name
				}
			}
			wrapper.Attr = append(wrapper.Attr[:i], wrapper.Attr[i+1:]...)
			break
		}
	}
	wrapper.Attr = append([]html.Attribute{{Key: "class", Val: class}}, wrapper.Attr...)
}

// href opens links in a new window that knows nothing of ours, and shows the true
// target on hover.
func (r *rewriter) href(node *html.Node, value string) {
	if node.Data != "a" && node.Data != "area" {
		return
	}
	target := linkTarget(value, r.css.base)
	if target == "" {
		return
	}
	set(node, "href", target)
	set(node, "title", target)
	set(node, "rel", "noopener noreferrer nofollow")
	set(node, "target", "_blank")
	if node.Data == "area" {
		r.safe.Links = append(r.safe.Links, Link{URL: target})
	}
}

func (r *rewriter) link(node *html.Node) {
	target := attribute(node, "href")
	if target == "" {
		return
	}
	var text strings.Builder
	for descendant := range node.Descendants() {
		if descendant.Type == html.TextNode && text.Len() < 1000 {
			text.WriteString(descendant.Data)
		}
	}
	words := strings.Join(strings.Fields(text.String()), " ")
	shown, host, misleading := misleading(words, target)
	r.safe.Links = append(r.safe.Links, Link{URL: target, Text: words, Misleading: misleading, Shown: shown, Host: host})
	if misleading && r.markMisleading {
		set(node, "data-target", host)
	}
}

func (r *rewriter) source(node *html.Node, value string) {
	if node.Data != "img" {
		return
	}
	source, kind := r.css.imageSource(value)
	switch {
	case kind == imageInline:
		set(node, "src", source)
	case kind == imageRemote:
		r.safe.RemoteImages++
		if r.css.remoteImages {
			set(node, "src", source)
			set(node, "referrerpolicy", "no-referrer")
		}
	}
}

func (r *rewriter) background(node *html.Node, value string) {
	source, kind := r.css.imageSource(value)
	if kind != imageRemote {
		return
	}
	r.safe.RemoteImages++
	if r.css.remoteImages {
		set(node, "background", source)
	}
}
