package helpdesk

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxSnippet is in characters: about what one line of the list can show.
const maxSnippet = 140

// snippet is the start of the first text that has words, on one line and past
// its greeting: every letter begins alike, and a list is read for what differs.
func snippet(texts ...string) string {
	for _, text := range texts {
		if len(text) > 4*1024 {
			text = strings.ToValidUTF8(text[:4*1024], "")
		}
		if line := beginning(afterGreeting(text)); line != "" {
			return line
		}
	}
	return ""
}

// beginning is the words of text, up to maxSnippet characters of them.
func beginning(text string) string {
	line, length := make([]byte, 0, maxSnippet*utf8.UTFMax), 0
	for word := range strings.FieldsSeq(text) {
		if length > 0 {
			line = append(line, ' ')
			length++
		}
		line = append(line, word...)
		if length += utf8.RuneCountInString(word); length > maxSnippet {
			return cut(string(line), maxSnippet-1) + "…"
		}
	}
	return string(line)
}

// cut is the first n characters of line, which has more.
func cut(line string, n int) string {
	for at := range line {
		if n == 0 {
			return line[:at]
		}
		n--
	}
	return line
}

// greetingLines are the most lines that are looked at for a greeting.
const greetingLines = 10

// maxGreeting is in characters: a longer line says something.
const maxGreeting = 50

// greeting is a kind of line that a letter begins with and that says nothing of
// its matter: who is addressed, and the greeting, with who writes on the same line.
type greeting struct {
	// words are looked for first, one of which the form needs: most lines have
	// none, and the form costs far more to try. Nil where the form itself refuses
	// most lines at their first letter.
	words []string
	form  *regexp.Regexp
}

var greetings = []greeting{
	{[]string{"様", "さま", "御中", "各位", "殿", "担当者"},
		regexp.MustCompile(`^[^。、はがを]*(様|さま|御中|各位|殿|ご担当者|担当者さん)[、。,.:：]?$`)},
	{[]string{"世話", "疲れ様", "つかれさま"},
		regexp.MustCompile(`^[^。]*お?(世話|疲れ様|つかれさま)(に|で)(なって|なり|ござい|す)[^。]*[。！!]?\s*([^。はがをも]{1,40}(です|でございます|と申します)[。．.]?)?$`)},
	{[]string{"いつも", "平素", "毎度", "日頃"},
		regexp.MustCompile(`^(いつも|平素|毎度|日頃)[^。]*(ありがとう|有難う|有り難う|お引き立て|御礼|お礼)[^。]*[。！!]?$`)},
	{[]string{"はじめまして", "初めまして", "こんにちは", "こんばんは", "おはようございます", "拝啓", "前略", "謹啓", "突然の"},
		regexp.MustCompile(`^(はじめまして|初めまして|こんにちは|こんばんは|おはようございます|拝啓|前略|謹啓|突然の(ご連絡|メール))[^。]{0,25}[。！!]?$`)},
	{nil, regexp.MustCompile(`^(?i:(hi|hello|hey|dear|good (morning|afternoon|evening)|greetings|to whom it may concern)(( [\p{L}.'-]+){0,5} ?[,!:、。]|( [\p{L}.'-]+){0,2}))$`)},
	{nil, regexp.MustCompile(`^(?i:i hope (this|you are|you're|all is)[^.]*(finds|well|good|great)[^.]*[.!]?)$`)},
}

func isGreeting(line string) bool {
	return slices.ContainsFunc(greetings, func(g greeting) bool {
		return (g.words == nil || containsAny(line, g.words)) && g.form.MatchString(line)
	})
}

// introductions say who writes; only after a greeting is a line that ends so one.
var introductions = regexp.MustCompile(`^[^。はがをも]{1,40}(です|でございます|と申します)[。．.]?$`)

// requests tell a line that only looks like a greeting: it wants something.
var requests = []string{"?", "？", "ません", "ください", "下さい", "ですか", "でしょうか", "の件", "について", "希望", "できな", "困って"}

// afterGreeting is text without the lines of its greeting, or all of it where
// nothing else is there.
func afterGreeting(text string) string {
	rest, greeted := text, false
	for range greetingLines {
		line, after, more := strings.Cut(rest, "\n")
		line = strings.TrimSpace(line)
		if line != "" {
			if utf8.RuneCountInString(line) > maxGreeting || containsAny(line, requests) ||
				!isGreeting(line) && !(greeted && introductions.MatchString(line)) {
				break
			}
			greeted = true
		}
		if !more {
			return text
		}
		rest = after
	}
	if strings.TrimSpace(rest) == "" {
		return text
	}
	return rest
}

// containsAny says that one of words stands in line.
func containsAny(line string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(line, word) })
}
