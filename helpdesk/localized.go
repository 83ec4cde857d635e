package helpdesk

import (
	"cmp"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// Localized is a text in one language, as plain words and, where it has a form
// of its own, as HTML.
type Localized struct {
	Language string // "" for any
	Text     string
	HTML     string `cbor:",omitempty"`
}

// maxLocalized is in bytes, text and HTML each.
const maxLocalized = 64 << 10

// NewLocalized reads a text as it is written in a file or a form: one that
// begins with "<" is HTML.
func NewLocalized(language, written string) Localized {
	written = strings.TrimSpace(strings.ReplaceAll(written, "\r\n", "\n"))
	if strings.HasPrefix(written, "<") {
		return Localized{Language: language, HTML: written}
	}
	return Localized{Language: language, Text: written}
}

// Written returns the text as NewLocalized reads it.
func (l Localized) Written() string { return cmp.Or(l.HTML, l.Text) }

// checkLocalized makes a list of texts fit to be kept: HTML safe and with its
// words beside it, empty ones left out, one a language.
func checkLocalized(field string, texts []Localized, allowed []string) ([]Localized, error) {
	var kept []Localized
	seen := map[string]bool{}
	for _, l := range texts {
		l.Language, l.Text = strings.TrimSpace(l.Language), strings.TrimSpace(l.Text)
		if err := l.check(field, allowed); err != nil {
			return nil, err
		}
		if l.Text == "" && l.HTML == "" {
			continue
		}
		if l.Language != "" && !languageCode.MatchString(l.Language) {
			return nil, invalid(field, "language_code", "%q is no language; write its code, such as ja, en, zh or ko", l.Language)
		}
		if seen[l.Language] {
			return nil, invalid(field, "language_twice", "there are two texts for language %q; keep one", l.Language)
		}
		seen[l.Language] = true
		kept = append(kept, l)
	}
	return kept, nil
}

// check cleans one text and refuses variables that have no place in it.
func (l *Localized) check(field string, allowed []string) error {
	if size := max(len(l.Text), len(l.HTML)); size > maxLocalized {
		return invalid(field, "localized_too_long", "the text has %d bytes; the limit is %d", size, maxLocalized)
	}
	if l.HTML == "" {
		return checkVariables(field, l.Text, allowed)
	}
	var err error
	l.HTML, l.Text, err = checkHTML(field, l.HTML, allowed)
	return err
}

// clean makes a text that somebody wrote safe to be sent, as it stands.
func (l *Localized) clean() error {
	if size := max(len(l.Text), len(l.HTML)); size > maxLocalized {
		return invalid("signature", "localized_too_long", "the text has %d bytes; the limit is %d", size, maxLocalized)
	}
	l.Text = strings.TrimSpace(strings.ReplaceAll(l.Text, "\r\n", "\n"))
	if l.HTML != "" {
		letter := mail.ReadLetter(l.HTML)
		l.HTML, l.Text = letter.HTML, letter.Text
	}
	return nil
}

// chooseLocalized returns the text for the first of the languages that has one.
func chooseLocalized(texts []Localized, wanted ...string) (Localized, bool) {
	var languages []string
	for _, l := range texts {
		languages = append(languages, l.Language)
	}
	i := chooseLanguage(languages, wanted...)
	if i < 0 {
		return Localized{}, false
	}
	return texts[i], true
}
