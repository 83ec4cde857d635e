package mail

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// Marks that hintedText puts into HTML to find the same places again in its
// text. They are of the last private plane of Unicode, which no mail uses;
// any that come in are removed first.
const (
	markAttribution = "\U0010F8A1"
	markQuote       = "\U0010F8A2"
	markSignature   = "\U0010F8A3"
	markEnd         = "\U0010F8A4"
)

const marks = markAttribution + markQuote + markSignature + markEnd

var hintOfMark = map[rune]hint{0x10F8A1: hintAttribution, 0x10F8A2: hintQuote, 0x10F8A3: hintSignature}

var markRemover = strings.NewReplacer(markAttribution, "", markQuote, "", markSignature, "", markEnd, "")

// quoteMark says what an element of a mail program means.
type quoteMark struct {
	mark string
	// rest: all that follows the element is the earlier mail, not only its content.
	rest bool
}

// quoteIDs and quoteClasses are left in HTML by mail programs. Outlook prefixes
// those of the mail it quotes with "x_", so those are none of the sender's.
var quoteIDs = map[string]quoteMark{
	"divrplyfwdmsg": {markQuote, true}, // Outlook on the web, for Windows
	"appendonsend":  {markQuote, true}, // Outlook on the web
	"mail-editor-reference-message-container": {markQuote, true},  // new Outlook
	"olk_src_body_section":                    {markQuote, true},  // Outlook for Mac
	"ms-outlook-mobile-body-separator-line":   {markQuote, true},  // Outlook for iOS
	"isreplycontent":                          {markQuote, false}, // NetEase
	"isforwardcontent":                        {markQuote, false},
	"divtagdefaultwrapper_quoted":             {markQuote, true},
	"yahoo_quoted":                            {markQuote, false},
	"orimsghtmlseperator":                     {markQuote, true},
	"replysplit":                              {markQuote, true}, // 163
	"reply139content":                         {markQuote, false},
	"origbody":                                {markQuote, false},
	"zwchr":                                   {markQuote, true},        // Zimbra
	"stopspelling":                            {markQuote, true},        // Hotmail
	"reply-intro":                             {markAttribution, false}, // Roundcube
	"aqm-signature":                           {markSignature, false},
	"signature":                               {markSignature, false},
	"applemailsignature":                      {markSignature, false},
	"ms-outlook-mobile-signature":             {markSignature, false},
}

var quoteClasses = map[string]quoteMark{
	"gmail_attr":                          {markAttribution, false},
	"moz-cite-prefix":                     {markAttribution, false},
	"moz-forward-container":               {markQuote, false},
	"yahoo_quoted":                        {markQuote, false},
	"protonmail_quote":                    {markQuote, false},
	"tutanota_quote":                      {markQuote, false},
	"zmail_extra":                         {markQuote, false},
	"outlookmessageheader":                {markQuote, true},
	"ms-outlook-mobile-reference-message": {markQuote, false},
	"front-blockquote":                    {markQuote, false},
	"quoted-reply":                        {markQuote, false},
	"hs_reply":                            {markQuote, false},
	"ntes-mailmaster-quote":               {markQuote, false},
	"freshdesk_quote":                     {markQuote, false},
	"skiff_quote":                         {markQuote, false},
	"gmail_quote_attribution":             {markAttribution, false}, // Mailspring
	"yahoo-quoted-begin":                  {markAttribution, false}, // Yahoo for iOS
	"zd-reply-quote":                      {markQuote, false},
	"gmail_signature":                     {markSignature, false},
	"moz-signature":                       {markSignature, false},
	"protonmail_signature_block":          {markSignature, false},
	"ymail_android_signature":             {markSignature, false},
	"ms-outlook-mobile-signature":         {markSignature, false},
	"zmail_signature_below":               {markSignature, false},
	"front-signature":                     {markSignature, false},
	"mail_android_signature":              {markSignature, false},
	"mail_android_quote":                  {markQuote, false},
	"missive_quote":                       {markQuote, false},
	"airmail_ext_on":                      {markAttribution, false},
	"history-quote-wrapper":               {markQuote, false}, // Lark
	"moz-email-headers-table":             {markQuote, true},
}

// quoteNames are values of the attribute name. Spark's "messageReplySection" is not
// among them: answers between the lines stand in it.
var quoteNames = map[string]quoteMark{
	"quote":                   {markQuote, false}, // GMX, WEB.DE
	"messagesignaturesection": {markSignature, false},
}

// hintedText returns the text of an HTML mail and what its elements say of each
// line; hints is nil where they say nothing, and where the HTML is longer than maxSource.
func hintedText(source string) (text string, hints []hint) {
	if len(source) > maxSource {
		return "", nil // marking would copy all of it several times, and no more than an eighth is kept
	}
	marked, any := markHTML(markRemover.Replace(source))
	if !any {
		return "", nil
	}
	var b strings.Builder
	var stack []hint
	var open [hintSignature + 1]int // how many elements of each hint are open
	current := hintNone
	for l := range strings.Lines(TextFromHTML(marked)) {
		if strings.ContainsAny(l, marks) {
			for _, r := range l {
				h, opens := hintOfMark[r]
				switch {
				case opens:
					stack = append(stack, h)
					open[h]++
				case string(r) == markEnd && len(stack) > 0:
					open[stack[len(stack)-1]]--
					stack = stack[:len(stack)-1]
				}
			}
			switch {
			case open[hintQuote] > 0:
				current = hintQuote
			case open[hintAttribution] > 0:
				current = hintAttribution
			case open[hintSignature] > 0:
				current = hintSignature
			default:
				current = hintNone
			}
			if cleanLine(unquote(cleanLine(markRemover.Replace(l)))) == "" {
				continue
			}
			l = markRemover.Replace(l)
		}
		b.WriteString(l)
		hints = append(hints, current)
	}
	return b.String(), hints
}

// markHTML copies HTML and puts marks, in paragraphs of their own, around the
// elements that mail programs wrap quotes and signatures in. Those within a
// blockquote were left by programs that the quoted mail passed through, and its
// lines are quoted as it is: new words may stand after it.
func markHTML(source string) (marked string, any bool) {
	type element struct{ name, end string }
	var (
		b     strings.Builder
		stack []element
		depth int // of blockquotes
	)
	const maxDepth = 4096 // beyond it elements are copied unmarked
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			b.Write(z.Raw())
			return b.String(), any
		case html.StartTagToken:
			raw := string(z.Raw())
			name, m := readTag(z)
			if depth > 0 {
				m = quoteMark{}
			}
			if voidElements[name] {
				if m.mark != "" && m.rest {
					b.WriteString("<div>" + m.mark + "</div>")
					any = true
				}
				b.WriteString(raw)
				continue
			}
			e := element{name: name}
			if m.mark != "" {
				any = true
				b.WriteString("<div>" + m.mark + "</div>")
				if !m.rest {
					e.end = "<div>" + markEnd + "</div>"
				}
			}
			if len(stack) < maxDepth {
				stack = append(stack, e)
				depth += quoting(name)
			}
			b.WriteString(raw)
		case html.EndTagToken:
			raw := string(z.Raw())
			tag, _ := z.TagName()
			name := string(tag)
			b.WriteString(raw)
			// Unclosed elements inside end with the one that holds them, looked
			// for among a bounded number so that hostile HTML costs nothing more.
			for i := len(stack) - 1; i >= max(0, len(stack)-64); i-- {
				if stack[i].name != name {
					continue
				}
				for j := len(stack) - 1; j >= i; j-- {
					b.WriteString(stack[j].end)
					depth -= quoting(stack[j].name)
				}
				stack = stack[:i]
				break
			}
		default:
			b.Write(z.Raw())
		}
	}
}

// quoting is 1 for the element whose lines become quoted ones.
func quoting(name string) int {
	if name == "blockquote" {
		return 1
	}
	return 0
}

var voidElements = map[string]bool{
	"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true,
	"link": true, "meta": true, "source": true, "track": true, "wbr": true,
}

// readTag returns the name of the tag the tokenizer stands at, and what it means.
func readTag(z *html.Tokenizer) (name string, m quoteMark) {
	tag, more := z.TagName()
	name = string(tag)
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "id":
			id := strings.ToLower(string(value))
			if found, ok := quoteIDs[id]; ok {
				m = found
			} else if strings.HasPrefix(id, "divrpf") { // Outlook Web App, with a number
				m = quoteMark{markQuote, true}
			}
		case "name":
			if found, ok := quoteNames[strings.ToLower(string(value))]; ok && name == "div" {
				m = found
			}
		case "style":
			if name == "div" && isHeaderBorder(string(value)) {
				m = quoteMark{markQuote, true}
			}
		case "class":
			for class := range strings.FieldsSeq(strings.ToLower(string(value))) {
				if found, ok := quoteClasses[class]; ok {
					m = found
				}
			}
		case "data-smartmail":
			if string(value) == "gmail_signature" {
				m = quoteMark{mark: markSignature}
			}
		case "data-marker":
			switch string(value) { // Zimbra
			case "__QUOTED_TEXT__":
				m = quoteMark{mark: markQuote}
			case "__HEADERS__":
				m = quoteMark{mark: markAttribution}
			case "__SIG_PRE__", "__SIG_POST__":
				m = quoteMark{mark: markSignature}
			}
		}
	}
	return name, m
}

// isHeaderBorder reports whether a style is that which Outlook for Windows and Mac
// gives to the header of the earlier mail, in whatever language that is.
func isHeaderBorder(style string) bool {
	return strings.Contains(style, "border-top:solid #") && headerBorder.MatchString(style)
}

var headerBorder = regexp.MustCompile(`^\s*border:none;\s*border-top:solid #(?:E1E1E1|B5C4DF) 1\.0pt;\s*padding:3\.0pt 0`)
