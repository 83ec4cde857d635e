package mail

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// htmlDocument completes a fragment to a document, for programs that guess where
// nothing is declared.
func htmlDocument(fragment string) string {
	if documentStart.MatchString(fragment) {
		return fragment
	}
	return "<!DOCTYPE html>\n<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n</head>\n<body>\n" +
		fragment + "\n</body>\n</html>\n"
}

var documentStart = regexp.MustCompile(`^(?i:\s*(?:<!doctype|<html))`)

const quoteStart = `<blockquote type="cite" style="margin: 0 0 0 0.8ex; border-left: 2px solid #b8c0cc; padding-left: 1ex">`

// maxQuoteDepth bounds the nesting of blockquotes made from ">" marks.
const maxQuoteDepth = 20

// HTMLFromText writes plain text as HTML: paragraphs, line breaks, "> " quotations
// as <blockquote type="cite">, web and mail addresses as links. Spaces keep their
// number.
func HTMLFromText(text string) string {
	var out strings.Builder
	depth, paragraph := 0, false
	endParagraph := func() {
		if paragraph {
			out.WriteString("</p>\n")
			paragraph = false
		}
	}
	for line := range strings.SplitSeq(strings.Trim(normalizeLines(text), "\n"), "\n") {
		quoted, line := quoteDepth(line)
		if quoted != depth {
			endParagraph()
		}
		for ; depth < quoted; depth++ {
			out.WriteString(quoteStart + "\n")
		}
		for ; depth > quoted; depth-- {
			out.WriteString("</blockquote>\n")
		}
		switch {
		case strings.TrimSpace(line) == "":
			endParagraph()
		case paragraph:
			out.WriteString("<br>\n" + htmlLine(line))
		default:
			out.WriteString("<p>" + htmlLine(line))
			paragraph = true
		}
	}
	endParagraph()
	out.WriteString(strings.Repeat("</blockquote>\n", depth))
	return out.String()
}

// quoteDepth counts the ">" marks of a line, with or without spaces between them.
func quoteDepth(line string) (int, string) {
	depth := 0
	for rest := line; depth < maxQuoteDepth; depth++ {
		after, ok := strings.CutPrefix(strings.TrimPrefix(rest, " "), ">")
		if !ok || depth == 0 && strings.HasPrefix(rest, " ") {
			break
		}
		rest = after
		line = strings.TrimPrefix(after, " ")
	}
	return depth, line
}

// A URL ends where ASCII ends: Japanese goes on without a space.
var linkPattern = regexp.MustCompile(`(?i)\b(?:https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+|[a-z0-9._%+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,24}\b)`)

func htmlLine(line string) string {
	var out strings.Builder
	end := 0
	for _, match := range linkPattern.FindAllStringIndex(line, -1) {
		words := trimLink(line[match[0]:match[1]])
		target := words
		if !strings.Contains(words, "://") {
			target = "mailto:" + words
		}
		if target = linkTarget(target, nil); target == "" {
			continue
		}
		out.WriteString(htmlSpaces(line[end:match[0]]))
		out.WriteString(`<a href="` + html.EscapeString(target) + `">` + html.EscapeString(words) + `</a>`)
		end = match[0] + len(words)
	}
	out.WriteString(htmlSpaces(line[end:]))
	return out.String()
}

// trimLink leaves off the punctuation of the sentence around a URL.
func trimLink(link string) string {
	for {
		trimmed := strings.TrimRight(link, ".,;:!?'")
		for _, pair := range []string{"()", "[]"} {
			if strings.HasSuffix(trimmed, pair[1:]) && strings.Count(trimmed, pair[1:]) > strings.Count(trimmed, pair[:1]) {
				trimmed = trimmed[:len(trimmed)-1]
			}
		}
		if trimmed == link {
			return link
		}
		link = trimmed
	}
}

// htmlSpaces escapes text and keeps its runs of spaces, which HTML would collapse.
func htmlSpaces(text string) string {
	text = html.EscapeString(strings.ReplaceAll(text, "\t", "    "))
	text = strings.ReplaceAll(text, "  ", "\u00A0 ")
	if strings.HasPrefix(text, " ") {
		text = "\u00A0" + text[1:]
	}
	return text
}

// QuoteText quotes a text under an attribution line: every line marked by ">".
func QuoteText(attribution, text string) string {
	var out strings.Builder
	if attribution != "" {
		out.WriteString(headerText(attribution) + "\n")
	}
	for line := range strings.SplitSeq(strings.Trim(normalizeLines(text), "\n"), "\n") {
		line = strings.TrimRight(line, " \t")
		if line != "" && !strings.HasPrefix(line, ">") {
			line = " " + line
		}
		out.WriteString(">" + line + "\n")
	}
	return out.String()
}

// QuoteHTML quotes a mail's HTML under an attribution line. Sanitise it without
// InlineURL, so that cid: images still find the parts sent along.
func QuoteHTML(attribution string, original SafeHTML) string {
	head := ""
	if attribution != "" {
		head = "<p>" + html.EscapeString(headerText(attribution)) + "</p>\n"
	}
	return head + quoteStart + "\n" + original.HTML + "\n</blockquote>\n"
}
