package mail

import (
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// plainAddresses says of each remote image, by its address as https and as it
// stands in CSS, whether the mail itself names it with http: whoever fetches it
// may have to fall back to that.
type plainAddresses map[string]bool

// asWritten returns an address with the scheme that the mail gave it.
func (p plainAddresses) asWritten(address string) string {
	if rest, ok := strings.CutPrefix(address, "https:"); ok && p[cssAddress(address)] {
		return "http:" + rest
	}
	return address
}

// imageSource judges the address of an image like the function of that name, and
// notes whether it was http. A first https wins over a later http.
func (f *cssFilter) imageSource(raw string) (string, imageKind) {
	source, kind := imageSource(raw, f.base)
	if kind != imageRemote || f.plain == nil {
		return source, kind
	}
	written := cssAddress(source)
	if _, known := f.plain[written]; !known {
		f.plain[written] = saysHTTP(raw, f.base)
	}
	return source, kind
}

func saysHTTP(raw string, base *url.URL) bool {
	raw = trimURL(raw)
	switch scheme, _ := splitScheme(raw); scheme {
	case "http":
		return true
	case "":
		return base != nil && base.Scheme == "http" && !strings.HasPrefix(strings.ReplaceAll(raw, `\`, "/"), "//")
	}
	return false
}

// cssAddress writes an address so that no parenthesis of it ends a url().
func cssAddress(address string) string {
	return strings.NewReplacer("(", "%28", ")", "%29").Replace(escapeURL(address))
}

func cssURL(address string) string { return "url('" + cssAddress(address) + "')" }

// replaceImages puts what imageURL returns in the place of every remote image of
// sanitised HTML. The text is parsed for it, since only in a tree an address that
// is loaded differs from one that is merely written; it is stable, so what is
// rendered from its tree is the same but for the addresses.
func replaceImages(safe string, imageURL func(string) string) (string, error) {
	context := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(safe), context)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, node := range nodes {
		replaceImagesOf(node, imageURL)
		for descendant := range node.Descendants() {
			replaceImagesOf(descendant, imageURL)
		}
		if err := html.Render(&out, node); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

// cssRemote is a remote image in a style as cssURL writes it.
var cssRemote = regexp.MustCompile(`url\('(https://[^']*)'\)`)

func replaceImagesOf(node *html.Node, imageURL func(string) string) {
	styles := func(css string) string {
		return cssRemote.ReplaceAllStringFunc(css, func(match string) string {
			address := imageURL(cssRemote.FindStringSubmatch(match)[1])
			if address == "" {
				return "none"
			}
			return cssURL(address)
		})
	}
	if node.Type == html.TextNode && node.Parent != nil && node.Parent.Data == "style" {
		node.Data = styles(node.Data)
	}
	if node.Type != html.ElementNode {
		return
	}
	kept := node.Attr[:0]
	for _, a := range node.Attr {
		switch {
		case a.Key == "style":
			a.Val = styles(a.Val)
		case (a.Key == "src" || a.Key == "background") && strings.HasPrefix(a.Val, "https://"):
			if a.Val = imageURL(a.Val); a.Val == "" {
				continue
			}
		}
		kept = append(kept, a)
	}
	node.Attr = kept
}
