package locale

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
)

//go:embed ja/*.toml en/*.toml
var files embed.FS

// Language is a language the interface speaks, as its BCP 47 tag.
type Language string

// The languages.
const (
	Japanese Language = "ja"
	English  Language = "en"
)

// Languages lists the languages, the first being spoken where nothing is known
// about the reader.
func Languages() []Language { return []Language{Japanese, English} }

// Parse returns the language with the given tag, or false.
func Parse(tag string) (Language, bool) {
	l := Language(tag)
	return l, slices.Contains(Languages(), l)
}

// Match chooses the language for an Accept-Language header (RFC 9110, section
// 12.5.4): the best one spoken, English for readers of another language, and
// Japanese where the header says nothing.
func Match(acceptLanguage string) Language {
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(wanted) == 0 {
		return Japanese
	}
	_, index, _ := language.NewMatcher([]language.Tag{language.English, language.Japanese}).Match(wanted...)
	if index == 1 {
		return Japanese
	}
	return English
}

// Catalogues are the sentences of every language. They are read once and safe
// for use by many goroutines.
type Catalogues struct {
	sentences map[Language]map[string]string
}

// Load reads the catalogues that are part of the program: for each language a
// directory, with a file for each area of the interface.
func Load() (*Catalogues, error) {
	c := &Catalogues{sentences: map[Language]map[string]string{}}
	for _, l := range Languages() {
		c.sentences[l] = map[string]string{}
		areas, err := fs.Glob(files, string(l)+"/*.toml")
		if err != nil {
			return nil, fmt.Errorf("list catalogue %s: %w", l, err)
		}
		for _, area := range areas {
			if err := c.read(l, area); err != nil {
				return nil, fmt.Errorf("catalogue %s: %w", area, err)
			}
		}
	}
	return c, nil
}

func (c *Catalogues) read(l Language, area string) error {
	data, err := files.ReadFile(area)
	if err != nil {
		return err
	}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		return err
	}
	return flatten(c.sentences[l], "", tree)
}

func flatten(into map[string]string, prefix string, tree map[string]any) error {
	for name, value := range tree {
		key := prefix + name
		switch v := value.(type) {
		case string:
			if _, twice := into[key]; twice {
				return fmt.Errorf("%s is already said in another file", key)
			}
			into[key] = v
		case map[string]any:
			if err := flatten(into, key+".", v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is a %T, not a sentence", key, value)
		}
	}
	return nil
}

// Keys lists the keys of a language, sorted.
func (c *Catalogues) Keys(l Language) []string {
	keys := make([]string, 0, len(c.sentences[l]))
	for k := range c.sentences[l] {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Lookup returns the sentence of a key as it is written, or false.
func (c *Catalogues) Lookup(l Language, key string) (string, bool) {
	s, ok := c.sentences[l][key]
	return s, ok
}

// sentence says key with its arguments. An unknown key is returned as it is,
// so that what is missing can be seen and named.
func (c *Catalogues) sentence(l Language, key string, args []any) string {
	s, ok := c.sentences[l][key]
	if !ok {
		return key
	}
	if !strings.Contains(s, "%") {
		return s
	}
	return fmt.Sprintf(s, args...)
}
