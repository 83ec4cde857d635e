package mail

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// SanitizeOptions chooses what a sanitised mail may refer to.
type SanitizeOptions struct {
	// InlineURL returns where the attached image with this Content-ID (without
	// angle brackets) is served, "" if there is none. It is our own code: its
	// answer is not judged again. With nil, cid: URLs are kept as they are.
	InlineURL func(contentID string) string
	// RemoteImages keeps remote images, as https and without referrer. Images in
	// style sheets cannot carry a referrer policy: serve the page that shows them
	// with "Referrer-Policy: no-referrer".
	RemoteImages bool
	// ImageURL returns where a remote image is served instead, "" to leave it out;
	// its answer is not judged again, only escaped. The address it is asked about
	// is absolute, http where the mail says http. With nil, or without
	// RemoteImages, it is not asked.
	ImageURL func(remote string) string
	// MarkMisleading gives every misleading link the attribute data-target, which
	// holds the host the link goes to, for a style sheet to show. No mail can set
	// or hide that attribute by itself.
	MarkMisleading bool
}

// SafeHTML is a mail's HTML made safe: it runs nothing, loads nothing remote
// unless asked to, sends nothing, and matches no rule or id of the page around it.
type SafeHTML struct {
	// HTML is an optional <style> and one <div class="mail-body">; "" for a mail without content.
	HTML string
	// RemoteImages counts remote images, shown or not; Trackers those of a pixel
	// or so, which are always left out.
	RemoteImages int
	Trackers     int
	Links        []Link
}

// Link is a link of a mail.
type Link struct {
	URL  string // canonical: http, https, mailto or tel, host as A-labels
	Text string // its words, white space collapsed
	// Misleading says that the words name another site than the one the link goes
	// to: Shown is the host they name and Host the one that opens. Both are as
	// A-labels, so that letters that only look alike are told apart; both are ""
	// for a link that is not misleading.
	Misleading  bool
	Shown, Host string
}

// maxSanitizePasses is how often the output may still change when it is parsed
// and sanitised again before the mail is shown as text instead.
const maxSanitizePasses = 5

// maxSource is how many bytes of HTML are made safe; a page of them takes twenty times as
// many. What helpdesk keeps of a mail, and a page shows, is an eighth of it.
const maxSource = 8 << 20

// SanitizeHTML makes the HTML of a mail safe to show in a browser. The output is
// stable: parsed and sanitised again it is the same, so that no second parser can
// read something else into it. A mail too deep or too large to be shown as it is
// (see maxNodes and maxSource) is shown as its text. SanitizeHTML never fails.
func SanitizeHTML(source string, o SanitizeOptions) SafeHTML {
	if len(source) > maxSource {
		return SafeHTML{HTML: plainHTML(TextFromHTML(source))}
	}
	plain := plainAddresses{}
	safe, err := sanitizePass(source, o, plain)
	for range maxSanitizePasses {
		if err != nil || safe.HTML == "" {
			break
		}
		var again SafeHTML
		if again, err = sanitizePass(safe.HTML, o, plainAddresses{}); err == nil && again.HTML == safe.HTML {
			if o.RemoteImages && o.ImageURL != nil {
				safe.HTML, err = replaceImages(safe.HTML, func(address string) string { return o.ImageURL(plain.asWritten(address)) })
				if err != nil {
					break
				}
			}
			safe.HTML = inlineImages(safe.HTML, o.InlineURL)
			return safe
		}
		safe.HTML = again.HTML
	}
	if err == nil && safe.HTML == "" {
		return safe
	}
	return SafeHTML{HTML: plainHTML(TextFromHTML(source))}
}

// plainHTML shows text as it stands; its only element is of the sanitiser's own form.
func plainHTML(text string) string {
	return `<div class="` + scopeClass + `"><pre style="white-space: pre-wrap">` + html.EscapeString(printable(text)) + `</pre></div>`
}

func sanitizePass(source string, o SanitizeOptions, plain plainAddresses) (SafeHTML, error) {
	body, err := reduce(source)
	if err != nil {
		return SafeHTML{}, err
	}
	context := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(body.markup), context)
	if err != nil {
		return SafeHTML{}, err
	}
	r := rewriter{css: cssFilter{base: body.base, remoteImages: o.RemoteImages, plain: plain}, markMisleading: o.MarkMisleading}
	sheet := r.css.stylesheet(body.stylesheet)
	wrapper := wrap(nodes, body.bodyAttributes)
	r.element(wrapper)
	r.children(wrapper)
	r.wrapperClass(wrapper)
	if wrapper.FirstChild == nil {
		return SafeHTML{}, nil
	}
	var out strings.Builder
	if err := html.Render(&out, wrapper); err != nil {
		return SafeHTML{}, err
	}
	r.safe.HTML = gate(o.RemoteImages).Sanitize(out.String())
	if sheet != "" {
		r.safe.HTML = "<style>\n" + sheet + "</style>" + r.safe.HTML
	}
	r.safe.RemoteImages += r.css.remote
	return r.safe, nil
}

// wrap puts the content under one element that stands for the mail's <body>. A
// wrapper that is there already, from an earlier pass, is used again.
func wrap(nodes []*html.Node, attributes []html.Attribute) *html.Node {
	var wrapper *html.Node
	for _, node := range nodes {
		if node.Type == html.TextNode && strings.TrimSpace(node.Data) == "" {
			continue
		}
		class, _, _ := strings.Cut(attribute(node, "class"), " ")
		if wrapper != nil || node.Data != "div" || class != scopeClass {
			return wrapAll(nodes, attributes)
		}
		wrapper = node
	}
	if wrapper == nil {
		return wrapAll(nodes, attributes)
	}
	return wrapper
}

func wrapAll(nodes []*html.Node, attributes []html.Attribute) *html.Node {
	wrapper := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div, Attr: bodyStyle(attributes)}
	for _, node := range nodes {
		wrapper.AppendChild(node)
	}
	return wrapper
}

// bodyStyle turns the colours of <body bgcolor text background>, which mean
// nothing on the <div> that replaces it, into style.
func bodyStyle(attributes []html.Attribute) []html.Attribute {
	var kept []html.Attribute
	style := ""
	for _, a := range attributes {
		value := strings.TrimSpace(a.Val)
		if _, err := strconv.ParseUint(value, 16, 32); err == nil && len(value) == 6 {
			value = "#" + value
		}
		switch a.Key {
		case "bgcolor":
			style = "background-color: " + value + "; " + style
		case "text":
			style = "color: " + value + "; " + style
		case "background":
			style = "background-image: url('" + escapeURL(value) + "'); " + style
		case "style":
			style += a.Val
		default:
			kept = append(kept, a)
		}
	}
	return append(kept, html.Attribute{Key: "style", Val: style})
}

func attribute(node *html.Node, name string) string {
	for _, attribute := range node.Attr {
		if attribute.Key == name {
			return attribute.Val
		}
	}
	return ""
}

// inlineImages puts in where attached images are served. It works on the rendered
// text because the URLs are ours and would not pass the rules for a mail's own:
// a quote in text or in a value is always escaped there, so the searched words
// cannot stand anywhere but in a tag.
func inlineImages(safe string, inlineURL func(string) string) string {
	const start = ` src="cid:`
	if inlineURL == nil || !strings.Contains(safe, start) {
		return safe
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(safe, start)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		id, after, _ := strings.Cut(rest, `"`)
		if target := inlineURL(unescapeURL(html.UnescapeString(id))); target != "" {
			out.WriteString(` src="` + html.EscapeString(target) + `"`)
		}
		safe = after
	}
}
