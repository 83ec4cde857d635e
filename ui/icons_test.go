package ui_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryIconIsDrawn: an icon that the file of icons has not is an empty place.
func TestEveryIconIsDrawn(t *testing.T) {
	drawn, err := os.ReadFile("static/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	templates, err := filepath.Glob("templates/*.html")
	if err != nil || len(templates) == 0 {
		t.Fatalf("%d templates: %v", len(templates), err)
	}
	used := regexp.MustCompile(`\b(?:icon|small) "([a-z0-9-]+)"`)
	for _, name := range templates {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, icon := range used.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(drawn), `id="`+icon[1]+`"`) {
				t.Errorf("%s: nobody drew %q", name, icon[1])
			}
		}
	}
}
