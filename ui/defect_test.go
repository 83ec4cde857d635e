package ui_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/ui"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// TestDefectsAreSaidInTheReadersLanguage takes every line that the fixtures of
// the parser end in, and every line that the sources can write: what is added
// there needs its sentence.
func TestDefectsAreSaidInTheReadersLanguage(t *testing.T) {
	catalogues, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	japanese := catalogues.Printer(locale.Japanese, time.UTC, time.Now())
	lines := append(defectsOfFixtures(t), defectsOfSources(t)...)
	if len(lines) < 80 {
		t.Fatalf("only %d lines were found; has the layout of the parser changed?", len(lines))
	}
	for _, line := range lines {
		if said := ui.DescribeDefect(japanese, line); !strings.ContainsFunc(said, isKana) || strings.Contains(said, "%!") {
			t.Errorf("%q is shown as %q; add its shape to defect.go and its sentence to the catalogues", line, said)
		}
	}
	for line, want := range map[string]string{
		"declared nothing, used utf-8, in text":                                         "文字コードの指定がないため、utf-8 として読みました（本文）。",
		`"winmail.dat" cannot be opened as a whole: the stream ends too early`:          `"winmail.dat" の一部を開けませんでした。理由: データが途中で切れています。`,
		"the subject of 900 bytes is shown up to 500 bytes; the whole is in the source": "件名が長いため（900 バイト）、500 バイトまで表示しています。全体は原文にあります。",
		"of a kind that nobody has seen":                                                "of a kind that nobody has seen",
	} {
		if said := ui.DescribeDefect(japanese, line); said != want {
			t.Errorf("%q is shown as %q, want %q", line, said, want)
		}
	}
}

func isKana(r rune) bool { return r >= 'ぁ' && r <= 'ヿ' }

func defectsOfFixtures(t *testing.T) (lines []string) {
	t.Helper()
	files, err := filepath.Glob("../smtpd/mail/testdata/*.want.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			CharsetNotes []string `json:"charset_notes"`
			Defects      []string `json:"defects"`
		}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		lines = append(append(lines, want.CharsetNotes...), want.Defects...)
	}
	return lines
}

// defectsOfSources are the format strings of defects, with something in each place.
func defectsOfSources(t *testing.T) (lines []string) {
	t.Helper()
	formats := regexp.MustCompile(`(?:\.defect\(|m\.Defects = append\(m\.Defects, (?:fmt\.Sprintf\()?)"((?:[^"\\]|\\.)*)"`)
	files, err := filepath.Glob("../smtpd/mail/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../helpdesk/bounds.go", "../helpdesk/copy.go") {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range formats.FindAllSubmatch(source, -1) {
			line := strings.NewReplacer("%d", "7", "%s", "x-word", "%v", "x-word").Replace(string(found[1]))
			if line == "x-word: x-word" { // what decodeTransfer says; in the fixtures
				continue
			}
			if strings.HasSuffix(line, ": ") {
				line += "x-word"
			}
			lines = append(lines, line)
		}
	}
	return lines
}
