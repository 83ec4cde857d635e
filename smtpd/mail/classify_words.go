package mail

import (
	"strings"
	"unicode/utf8"
)

// saysAutomatic returns the words by which a mail tells its reader that a program wrote
// it, "" where it does not: in brackets in its subject, or in a sentence of its own. The
// forms of web sites write so and put no field. Who answers such a mail repeats them, so
// neither the subject of an answer nor a quote counts.
func saysAutomatic(m *Message, subject string) string {
	for _, p := range replySubjects {
		if strings.HasPrefix(subject, p) {
			return ""
		}
	}
	if words := bracketedAutomatic(subject); words != "" {
		return words
	}
	text := m.Text[:min(len(m.Text), maxAutomaticText)]
	if !strings.Contains(text, "自動") && !strings.Contains(text, "utomat") {
		return ""
	}
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.Contains(line, "自動") && !strings.Contains(line, "utomat") {
			continue
		}
		sentence := strings.TrimLeft(lowerLine(cleanedLine(line)), automaticMarks)
		for _, form := range automaticSentences {
			if rest, ok := cutAnyPrefix(sentence, form.begins); ok && containsAny(rest, form.says) {
				return sentence[:len(sentence)-len(rest)] + "…"
			}
		}
	}
	return ""
}

const (
	// maxAutomaticText is how much of a text is looked at, in bytes.
	maxAutomaticText = 64 << 10
	// automaticMarks stand before such a sentence.
	automaticMarks = "※*・-=#+◆■●◇□○★☆([【< 　"
)

// automaticSentences are how programs say it: what a sentence begins with, and what is
// in the rest of it. In lower case.
var automaticSentences = []struct{ begins, says []string }{
	{[]string{"このメール", "本メール", "当メール", "こちらのメール", "このeメール", "本eメール", "この電子メール", "本電子メール", "このメッセージ", "本メッセージ"},
		[]string{"自動送信", "自動返信", "自動配信", "自動応答", "自動回答", "自動で送信", "自動で返信", "自動で配信", "自動的に送信", "自動的に返信", "自動的に配信", "自動的に生成"}},
	{[]string{"this is an automated ", "this is an automatic "}, []string{"mail", "message", "response", "reply", "notification", "confirmation"}},
	{[]string{"this is an automatically "}, []string{"generated", "sent"}},
	{[]string{"this email ", "this e-mail ", "this mail ", "this message "}, []string{"automatically sent", "automatically generated", "sent automatically", "generated automatically"}},
}

// bracketedAutomatic finds what a subject has in brackets: "お問い合わせを受け付けました(自動返信)".
func bracketedAutomatic(subject string) string {
	for i, c := range subject {
		if !strings.ContainsRune("([【《〔", c) {
			continue
		}
		inner := subject[i+utf8.RuneLen(c):]
		end := strings.IndexAny(inner, ")]】》〕")
		if end < 0 {
			return ""
		}
		inner = strings.TrimSpace(inner[:end])
		if rest, ok := cutAnyPrefix(inner, []string{"自動返信", "自動送信", "自動配信", "自動応答", "自動回答"}); ok && utf8.RuneCountInString(rest) <= 4 {
			return inner
		}
	}
	return ""
}

func cutAnyPrefix(s string, prefixes []string) (rest string, ok bool) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest, true
		}
	}
	return s, false
}
