package mail

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// tracker reports, and counts, a remote image that is there to be fetched and not
// to be seen: declared tiny, hidden by itself or by what it stands in, or, where
// no size is declared, at an address as the services that count openings write
// it. An image that is none of these and turns out to be one pixel has told its
// sender of the reader by then: nothing but leaving it unfetched prevents that.
func (r *rewriter) tracker(node *html.Node) bool {
	address, kind := imageSource(attribute(node, "src"), r.css.base)
	if kind != imageRemote {
		return false
	}
	style := (&cssFilter{}).declarations(attribute(node, "style"))
	width, hasWidth := declaredLength(node, style, "width")
	height, hasHeight := declaredLength(node, style, "height")
	switch {
	case hasWidth && hasHeight && width <= tinyLength && height <= tinyLength,
		hasWidth && width == 0, hasHeight && height == 0,
		invisibleStyle.MatchString(style), hasAttribute(node, "hidden"), r.withinHidden(node),
		!hasWidth && !hasHeight && isTrackerAddress(address):
		r.safe.Trackers++
		return true
	}
	return false
}

// tinyLength is the longest side, in pixels, of an image that nobody is to see.
const tinyLength = 2

// declaredLength is the width or height of an image in pixels: that of its style,
// or else of its attribute, within a bound such as max-width.
func declaredLength(node *html.Node, style, name string) (pixels float64, ok bool) {
	pixels, ok = pixelLength(attribute(node, name))
	for declaration := range strings.SplitSeq(style, "; ") {
		property, value, _ := strings.Cut(declaration, ": ")
		length, known := pixelLength(strings.TrimSuffix(value, " !important"))
		switch {
		case !known:
		case property == name, property == "max-"+name && (!ok || length < pixels):
			pixels, ok = length, true
		}
	}
	return pixels, ok
}

func pixelLength(s string) (float64, bool) {
	length, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "px"), 64)
	return length, err == nil
}

// withinHidden says that an image stands in something that is not shown, which
// browsers fetch all the same.
func (r *rewriter) withinHidden(node *html.Node) bool {
	const deepest = 64
	parent := node.Parent
	for range deepest {
		if parent == nil {
			return false
		}
		if invisibleStyle.MatchString(attribute(parent, "style")) {
			return true
		}
		parent = parent.Parent
	}
	return false
}

func hasAttribute(node *html.Node, name string) bool {
	for _, a := range node.Attr {
		if a.Key == name && a.Namespace == "" {
			return true
		}
	}
	return false
}

var invisibleStyle = regexp.MustCompile(`(?:^|; )(?:display: none|visibility: hidden|opacity: 0(?:\.0+)?)(?: !important)?(?:;|$)`)

// trackerPath is the end of an address whose images count openings.
var trackerPath = regexp.MustCompile(`(?i)/(?:wf/open|track/open(?:\.php)?|(?:e?mail[-_]?|track[-_]?)?open(?:ed|s)?\.(?:aspx?|php|gif|png)|trackopens?|` +
	`(?:track(?:er|ing)?[-_]?)?(?:pixel|beacon)(?:\.(?:gif|png|php|aspx?))?|(?:1x1|1px|utm|impression)(?:[-_][a-z]+)?\.(?:gif|png))/?$`)

func isTrackerAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && trackerPath.MatchString(u.Path)
}
