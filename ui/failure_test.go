package ui_test

import (
	"os"
	"path/filepath"
	"regexp"
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
	}
	files, err := filepath.Glob("../helpdesk/*.go")
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
				keys["error."+found[1]] = file
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
