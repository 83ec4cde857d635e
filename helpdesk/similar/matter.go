package similar

import (
	"strings"
	"unicode"

	"github.com/madoguchi/madoguchi/helpdesk/search"
)

// courtesies are what letters have in common whatever they are about, folded.
var courtesies = foldAll(
	"お世話", "御世話", "よろしく", "宜しく", "と申します", "いつもありがとう", "はじめまして", "お疲れ様", "失礼いたします", "失礼します", "以上です",
	"best regards", "kind regards", "regards", "sincerely", "yours", "dear ", "hello", "hi ", "good morning", "thank you", "thanks", "many thanks", "looking forward",
)

func foldAll(list ...string) []string {
	for i, s := range list {
		list[i] = search.Fold(s + "|")
		list[i] = strings.TrimSuffix(list[i], "|") // a space at the end counts
	}
	return list
}

// Sentences of courtesy are short; a long one says something besides.
const (
	courtesyLength = 24 // characters
	nameLength     = 9  // "伊藤 健です", "田村様"
)

// Matter is a text without its courtesies, or the text where nothing else is in
// it: two letters are not alike because both are polite.
func Matter(text string) string {
	var kept strings.Builder
	for sentence := range sentences(text) {
		plain := strings.TrimSpace(sentence)
		if n := len([]rune(plain)); n == 0 || n <= courtesyLength && courteous(plain) || n <= nameLength && !strings.ContainsFunc(plain, asks) {
			continue
		}
		kept.WriteString(sentence)
	}
	if rest := strings.TrimSpace(kept.String()); rest != "" {
		return rest
	}
	return text
}

func asks(r rune) bool { return r == '?' || r == '？' || unicode.IsDigit(r) }

func courteous(sentence string) bool {
	folded := search.Fold(sentence)
	for _, c := range courtesies {
		if strings.Contains(folded+" ", c) {
			return true
		}
	}
	return false
}

// sentences yields the sentences of a text, each with what ends it.
func sentences(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		from := 0
		for i, r := range text {
			if !strings.ContainsRune("。．！？!?\n", r) {
				continue
			}
			end := i + len(string(r))
			if !yield(text[from:end]) {
				return
			}
			from = end
		}
		if from < len(text) {
			yield(text[from:])
		}
	}
}
