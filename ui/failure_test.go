package ui_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/ui/locale"
)

// TestEveryRefusalOfTheDeskIsTranslated reads the desk's files for the keys of
// its errors.
func TestEveryRefusalOfTheDeskIsTranslated(t *testing.T) {
	catalogues, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	patterns := []*regexp.Regexp{
		regexp.MustCompile(`\binvalid\([^,]+, "([a-z_]+)"`),
		regexp.MustCompile(`\bconflict\("([a-z_]+)"`),
		regexp.MustCompile(`\bunauthorized\("([a-z_]+)"`),
		regexp.MustCompile(`Key: +"error\.([a-z_]+)"`),
		regexp.MustCompile(`\binvalid\("[a-z_]*", "error\.([a-z_]+)"`),
	}
	files, err := refusing()
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	keys := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, pattern := range patterns {
			for _, found := range pattern.FindAllStringSubmatch(string(data), -1) {
				if !strings.HasSuffix(found[1], "_") { // the rest of it is composed
					keys["error."+found[1]] = file
				}
			}
		}
	}
	if len(keys) < 40 {
		t.Fatalf("only %d keys found: the patterns no longer fit the code", len(keys))
	}
	for key, file := range keys {
		for _, language := range locale.Languages() {
			_, plain := catalogues.Lookup(language, key)
			if _, counted := catalogues.Lookup(language, key+".other"); !plain && !counted {
				t.Errorf("%s refuses with %s, which has no sentence in %s", file, key, language)
			}
		}
	}
}

// refusing are the files of those who refuse what a page asks for. The API speaks English to programs.
func refusing() (files []string, err error) {
	for _, pattern := range []string{"../helpdesk/*.go", "../helpdesk/*/*.go", "*.go"} {
		list, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		files = append(files, list...)
	}
	return slices.DeleteFunc(files, func(file string) bool {
		return strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "api_") || file == "api.go"
	}), nil
}

// TestNoRefusalIsEnglishOnAPage reads the same files for refusals without a sentence of the catalogue, and for what would
// bring the English words of an error into one.
func TestNoRefusalIsEnglishOnAPage(t *testing.T) {
	files, err := refusing()
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	// What is said to whoever types a command, or decides by itself which sentence it is.
	elsewhere := map[string]int{"../helpdesk/errors_kept.go": 1, "../helpdesk/format.go": 1, "../helpdesk/queue.go": 1,
		"../helpdesk/search/forget.go": 1, "../helpdesk/search/rebuild.go": 1, "writing.go": 1}
	literal := regexp.MustCompile(`&(?:helpdesk\.)?Error\{Code:[^\n]*`)
	unnamed := regexp.MustCompile(`\binvalid\("[a-z_]*", "",`)
	foreign := regexp.MustCompile(`\b(?:invalid|conflict)\([^\n]*, (?:err|err\.Error\(\)|[a-z]+\.Detail)\)`)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		without := 0
		for _, found := range literal.FindAllString(string(data), -1) {
			if !strings.Contains(found, "Key:") {
				without++
			}
		}
		if without > elsewhere[file] {
			t.Errorf("%s has %d refusals without a key of the catalogue", file, without)
		}
		for _, found := range foreign.FindAllString(string(data), -1) {
			if !strings.Contains(found, "image_unreadable") && !strings.Contains(found, "charset_unknown") { // their sentences have no place for it
				t.Errorf("%s: %s puts the words of an error into a sentence", file, found)
			}
		}
		for _, found := range unnamed.FindAllString(string(data), -1) {
			t.Errorf("%s: %s names no sentence", file, found)
		}
	}
}
