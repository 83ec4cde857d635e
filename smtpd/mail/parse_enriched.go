package mail

import "strings"

// readEnriched gives the words of text/enriched (RFC 1896) and of its
// forerunner text/richtext (RFC 1341): commands in angle brackets go, and a
// single line end is only a blank.
func readEnriched(text string, richtext bool) string {
	var b strings.Builder
	b.Grow(len(text))
	unfilled, parameter := 0, 0
	lower := strings.ToLower(text)
	// What is left of the text at the last closing command: one that is never
	// closed hides nothing.
	closing := len(lower) - max(strings.LastIndex(lower, "</param>"), strings.LastIndex(lower, "</comment>"))
	for text != "" {
		i := strings.IndexAny(text, "<\n")
		if i < 0 {
			i = len(text)
		}
		if parameter == 0 {
			b.WriteString(text[:i])
		}
		text = text[i:]
		switch {
		case text == "":
		case text[0] == '\n':
			n := len(text) - len(strings.TrimLeft(text, "\n"))
			text = text[n:]
			switch {
			case parameter > 0:
			case unfilled > 0:
				b.WriteString(strings.Repeat("\n", n))
			case n == 1 || richtext:
				b.WriteByte(' ')
			default:
				b.WriteString(strings.Repeat("\n", n-1))
			}
		case strings.HasPrefix(text, "<<") && !richtext:
			if parameter == 0 {
				b.WriteByte('<')
			}
			text = text[2:]
		default:
			command, rest, ok := cutEnrichedCommand(text)
			if !ok {
				b.WriteByte('<')
				text = text[1:]
				continue
			}
			text = rest
			switch command {
			case "nofill":
				unfilled++
			case "/nofill":
				unfilled = max(0, unfilled-1)
			case "param", "comment":
				if len(text) >= closing {
					parameter++
				}
			case "/param", "/comment":
				parameter = max(0, parameter-1)
			case "nl", "np", "paragraph", "/paragraph":
				if richtext {
					b.WriteByte('\n')
				}
			case "lt":
				if richtext {
					b.WriteByte('<')
				}
			}
		}
	}
	return b.String()
}

// cutEnrichedCommand reads "<command>" off the front of s: letters, digits and
// hyphens, at most sixty (RFC 1896).
func cutEnrichedCommand(s string) (command, rest string, ok bool) {
	const longest = 60
	end := strings.IndexByte(s[:min(len(s), longest+3)], '>')
	if end < 2 {
		return "", s, false
	}
	command = strings.ToLower(s[1:end])
	if strings.Trim(command, "abcdefghijklmnopqrstuvwxyz0123456789-/") != "" {
		return "", s, false
	}
	return command, s[end+1:], true
}
