package analysis

import (
	"regexp"
	"strings"
	"unicode"
)

// chatToken matches what chat templates of models take for the ends of turns,
// thoughts and calls: the runner would read such words of a mail as the tokens
// themselves, and so end the turn that the mail stands in.
var chatToken = regexp.MustCompile(`(?i)` +
	`<[|｜][^<>|｜\n]{0,60}[|｜]?>?|[|｜]>` + // <|im_start|>, <|eot_id|>, <｜User｜>
	`|</?(?:s|bos|eos|pad|unk|mask|think|thinking|reasoning|tool_call|tool_response|tools?|(?:start|end)_of_(?:turn|image|sequence))>` +
	`|<</?SYS>>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]`)

// asData makes a stranger's text fit to stand in a prompt: nothing in it is a
// token of a chat template, and nothing of it is hidden from people.
func asData(s string) string {
	return chatToken.ReplaceAllStringFunc(visible(s), func(token string) string {
		// A space after the first bracket: people read the same, models letters.
		return token[:1] + " " + token[1:]
	})
}

// visible takes out what has no shape of its own: characters that people do not
// see, that turn the order of others around or that command terminals. Those
// that scripts and emoji need (ZWJ, ZWNJ, VS15, VS16) stay.
func visible(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, s)
}

func hidden(r rune) bool {
	switch {
	case r < 0x20:
		return r != '\n' && r != '\t'
	case r < 0x7F:
		return false
	case r == 0x200C || r == 0x200D:
		return false
	case r == 0x115F || r == 0x1160 || r == 0x3164 || r == 0xFFA0 || r == 0x034F || r == 0x2800: // blank letters
		return true
	case r >= 0xE0000 && r <= 0xE0FFF: // tags, which spell ASCII; selectors without a shape
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf)
}
