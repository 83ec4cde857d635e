package helpdesk

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"

	"github.com/madoguchi/madoguchi/store"
)

// maxDetect is how much of a text is looked at to tell its language, in
// characters.
const maxDetect = 4000

// Enough letters to tell something by: a greeting in Latin letters, or a few
// kanji, are no language yet.
const (
	enoughLatin = 24
	enoughHan   = 10
)

// scriptLanguages are the languages that most mail in a script is written in.
var scriptLanguages = []struct {
	script   *unicode.RangeTable
	language string
}{
	{unicode.Hangul, "ko"}, {unicode.Thai, "th"}, {unicode.Cyrillic, "ru"}, {unicode.Arabic, "ar"}, {unicode.Hebrew, "he"},
	{unicode.Greek, "el"}, {unicode.Devanagari, "hi"},
}

// latinLanguages are those that are looked for in Latin letters: with fewer to
// choose from, short mails are told apart better.
var latinLanguages = map[whatlanggo.Lang]bool{
	whatlanggo.Eng: true, whatlanggo.Deu: true, whatlanggo.Fra: true, whatlanggo.Spa: true, whatlanggo.Por: true, whatlanggo.Ita: true,
	whatlanggo.Nld: true, whatlanggo.Vie: true, whatlanggo.Ind: true, whatlanggo.Pol: true, whatlanggo.Tur: true, whatlanggo.Swe: true,
}

// DetectLanguage tells the language of a text (ISO 639-1), "" where there is
// too little to tell by: kana is Japanese, Chinese characters without kana are
// Chinese, hangul is Korean; Latin letters are told apart by their trigrams.
func DetectLanguage(text string) string {
	var kana, han, latin, letters, seen int
	scripts := map[string]int{}
	for _, r := range text {
		if seen++; seen > maxDetect {
			break
		}
		if !unicode.IsLetter(r) {
			continue
		}
		letters++
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.Is(unicode.Latin, r):
			latin++
		default:
			for _, s := range scriptLanguages {
				if unicode.Is(s.script, r) {
					scripts[s.language]++
				}
			}
		}
	}
	// A name or a product's in another script does not make the language.
	enough := max(letters/10, 1)
	if kana >= enough || kana > 0 && kana+han >= enough {
		return "ja"
	}
	for _, s := range scriptLanguages {
		if scripts[s.language] >= enough {
			return s.language
		}
	}
	if han >= max(enough, enoughHan) {
		return "zh"
	}
	if latin >= enoughLatin && latin*2 > letters {
		return latinLanguage(text)
	}
	return ""
}

func latinLanguage(text string) string {
	found := whatlanggo.DetectLangWithOptions(text, whatlanggo.Options{Whitelist: latinLanguages})
	return cmp.Or(found.Iso6391(), "en")
}

// letterLanguage is the language of a text that answers somebody: that of its readers, so
// far as its words are not plainly of another. Few words in Latin letters, or Chinese
// characters alone, do not tell enough.
func letterLanguage(text, readers string) string {
	written := DetectLanguage(text)
	japanese := baseLanguage(readers) == "ja"
	if written == "" || readers != "" && ((written == "ja") == japanese || japanese && written == "zh") {
		return readers
	}
	return written
}

// languageCode is a language as ISO 639-1 has it, with a script or a region
// where that matters ("zh-Hant").
var languageCode = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z]{2,4})?$`)

// baseLanguage leaves the script or region out.
func baseLanguage(language string) string {
	base, _, _ := strings.Cut(language, "-")
	return base
}

// chooseLanguage returns the index of the language that fits the first of the
// wanted ones that any fits, else of English, else 0; -1 where there is none.
func chooseLanguage(have []string, wanted ...string) int {
	for _, want := range append(wanted, "en") {
		if want == "" {
			continue
		}
		if i := slices.Index(have, want); i >= 0 {
			return i
		}
		if i := slices.IndexFunc(have, func(l string) bool { return baseLanguage(l) == baseLanguage(want) }); i >= 0 {
			return i
		}
	}
	return min(len(have), 1) - 1
}

// ticketLanguage is what the customer writes: what the model found in their
// newest message, else what its words show, else the language of the alias.
func ticketLanguage(r store.Reader, t *Ticket, alias *Alias) (string, error) {
	m, err := newestCustomerMessage(r, t.Number)
	if err != nil || m == nil {
		return cmp.Or(t.Language, alias.language()), err
	}
	return messageLanguage(r, m, alias)
}

func messageLanguage(r store.Reader, m *Message, alias *Alias) (string, error) {
	analysis, err := optional(analyses.Get(r, key(m.ID)))
	if err != nil {
		return "", err
	}
	if analysis != nil && analysis.Effective().Language != "" {
		return analysis.Effective().Language, nil
	}
	body, err := bodies.Get(r, key(m.ID))
	if passOver(r, err) { // its subject still says something
		body, err = &Body{}, nil
	}
	if err != nil {
		return "", err
	}
	return cmp.Or(DetectLanguage(cmp.Or(body.ReplyText, body.Text)), DetectLanguage(m.Subject+"\n"+body.Text), alias.language()), nil
}

// language is that of the alias's customers; an alias that is gone has none.
func (a *Alias) language() string {
	if a == nil {
		return ""
	}
	return a.Language
}
