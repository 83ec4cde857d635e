package mail

import (
	"regexp"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// scopeClass is the class of the element that wraps every sanitised body; all
// rules of a mail's own style sheet are confined below it.
const scopeClass = "mail-body"

// namePrefix is put before every class, id and map name of a mail, so that none
// of them can match a rule, a label or a script of the page around it.
const namePrefix = "m-"

// elementKind says what the reducer does with an element's tags.
type elementKind uint8

const (
	elementUnwrapped elementKind = iota // tags dropped, content kept (the zero value: every unknown element)
	elementKept
	elementVoid     // kept, has no content
	elementDropped  // dropped together with its raw text content
	elementVerbatim // becomes <pre>
	elementSpaced   // tags dropped, a space left so that words do not run together
)

var elements = func() map[string]elementKind {
	kinds := map[string]elementKind{}
	for kind, names := range map[elementKind]string{
		elementKept: "a abbr acronym address article aside b bdi bdo big blockquote caption center cite code col colgroup dd del " +
			"details dfn dir div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup i ins kbd legend li main " +
			"map mark menu nav nobr ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot " +
			"th thead tr tt u ul var",
		elementVoid:     "area br hr img wbr",
		elementDropped:  "script style title iframe noembed noframes",
		elementVerbatim: "xmp plaintext listing",
		elementSpaced:   "option optgroup button textarea input form select",
	} {
		for name := range strings.FieldsSeq(names) {
			kinds[name] = kind
		}
	}
	kinds["col"] = elementVoid
	return kinds
}()

// formatting elements are reopened by the HTML parser in every later block
// until they are closed (HTML Standard, section 13.2.4.3), which multiplies nodes.
var formattingElements = wordSet("a b big code em font i nobr s small strike strong tt u")

// Attribute values by shape; an attribute that is not listed is dropped.
var attributePatterns = func() map[string]*regexp.Regexp {
	const (
		number = `[0-9]{1,5}`
		length = `[0-9]{1,5}(?:\.[0-9]{1,4})?(?:%|px)?`
		color  = `#?[0-9A-Fa-f]{3,8}|[A-Za-z]{3,24}|rgba?\([0-9., %]{1,40}\)`
		prose  = `(?s).*`
	)
	patterns := map[string]*regexp.Regexp{}
	for pattern, names := range map[string]string{
		number: "border cellpadding cellspacing colspan hspace rowspan span vspace",
		length: "height width",
		color:  "bgcolor bordercolor color text",
		prose:  "abbr alt summary title",
		`left|right|center|justify|middle|absmiddle|absbottom|texttop|top|bottom|baseline`: "align",
		`top|middle|bottom|baseline|center`:                                                "valign",
		`left|right|all|none|both`:                                                         "clear",
		`ltr|rtl|auto`:                                                                     "dir",
		`[A-Za-z0-9-]{1,35}`:                                                               "lang",
		`[+-]?[0-9]{1,3}`:                                                                  "size start value",
		`[A-Za-z0-9]|disc|circle|square|none|cite`:                                         "type",
		`[^<>"&;(){}\\]{1,200}`:                                                            "face",
		`nowrap|noshade|open|reversed|compact|`:                                            "nowrap noshade open reversed compact",
		`row|col|rowgroup|colgroup`:                                                        "scope",
		`presentation|none`:                                                                "role",
		`rect|circle|poly|default`:                                                         "shape",
		`[0-9., -]{1,400}`:                                                                 "coords",
		`void|above|below|hsides|lhs|rhs|vsides|box|border|none|groups|rows|cols|all`: "frame rules",
	} {
		compiled := regexp.MustCompile(`^(?i:` + pattern + `)$`)
		for name := range strings.FieldsSeq(names) {
			patterns[name] = compiled
		}
	}
	return patterns
}()

// rewrittenAttributes are the attributes whose value is not judged by a pattern
// but made anew.
var rewrittenAttributes = wordSet("style class id href src background usemap name hidden")

func keepsAttribute(name string) bool {
	return attributePatterns[name] != nil || rewrittenAttributes[name]
}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

const (
	gateName = `m-[A-Za-z0-9_-]{1,80}`
	// One declaration as the filter in html_css.go writes it: no escape, no
	// brace, no markup, and parentheses only after a harmless function.
	gateValue    = `(?:[^\\(){}<>@;"&]|(?:rgba?|hsla?|calc|min|max|clamp|(?:linear|radial)-gradient)\(|\)|CSSURL)`
	gateCSSURL   = `url\('https://[^'"\\()<>\s]+'\)`
	gateLink     = `(?:https?://|mailto:|tel:)[^\s<>"\\` + "`" + `]*`
	gateInline   = `cid:[^\s<>"\\]+|data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+`
	gateRemote   = `https://[^\s<>"\\` + "`" + `]+`
	gateRelation = `noopener noreferrer nofollow`
	gateHost     = `[a-z0-9._:\[\]-]{1,255}`
)

// gate is the second opinion: an independent allow-list over the text that the
// rewriter rendered. It normally changes nothing; a fault of the rewriter has to
// get past it too.
func gate(remoteImages bool) *bluemonday.Policy {
	if remoteImages {
		return gateWithRemoteImages()
	}
	return gateWithoutRemoteImages()
}

var (
	gateWithRemoteImages    = sync.OnceValue(func() *bluemonday.Policy { return newGate(true) })
	gateWithoutRemoteImages = sync.OnceValue(func() *bluemonday.Policy { return newGate(false) })
)

func newGate(remoteImages bool) *bluemonday.Policy {
	policy := bluemonday.NewPolicy()
	var names []string
	for name, kind := range elements {
		if kind == elementKept || kind == elementVoid {
			names = append(names, name)
		}
	}
	policy.AllowElements(names...)
	policy.AllowNoAttrs().OnElements(names...)
	for name, pattern := range attributePatterns {
		policy.AllowAttrs(name).Matching(pattern).Globally()
	}
	whole := func(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }
	cssURL, source := `CSSURL`, gateInline
	if remoteImages {
		cssURL, source = gateCSSURL, gateInline+`|`+gateRemote
		policy.AllowAttrs("background").Matching(whole(gateRemote)).Globally()
		policy.AllowAttrs("referrerpolicy").Matching(whole(`no-referrer`)).OnElements("img")
	}
	value := strings.ReplaceAll(gateValue, `CSSURL`, cssURL)
	policy.AllowAttrs("style").Matching(whole(`(?:[a-z-]+: ` + value + `+(?:; |$))+`)).Globally()
	policy.AllowAttrs("class").Matching(whole(`(?:` + gateName + `|` + scopeClass + `)(?: ` + gateName + `)*`)).Globally()
	policy.AllowAttrs("id").Matching(whole(gateName)).Globally()
	policy.AllowAttrs("name").Matching(whole(gateName)).OnElements("map")
	policy.AllowAttrs("usemap").Matching(whole(`#` + gateName)).OnElements("img")
	policy.AllowAttrs("href").Matching(whole(gateLink)).OnElements("a", "area")
	policy.AllowAttrs("rel").Matching(whole(gateRelation)).OnElements("a", "area")
	policy.AllowAttrs("target").Matching(whole(`_blank`)).OnElements("a", "area")
	policy.AllowAttrs("data-target").Matching(whole(gateHost)).OnElements("a")
	policy.AllowAttrs("src").Matching(whole(source)).OnElements("img")
	return policy
}
