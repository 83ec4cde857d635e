package main

import (
	"strings"
	"testing"
)

// An attached mail is of any size too, and was shown whole.
func TestAnAttachedMailOfAnySizeFillsNoPage(t *testing.T) {
	const limit = 1 << 20
	raw := "From: a@b.example\r\nTo: " + strings.Repeat("c@d.example,\r\n ", 2000) + "e@f.example\r\nSubject: " + strings.Repeat("long \r\n ", 2000) +
		"\r\nContent-Type: text/html\r\n\r\n" + strings.Repeat("<p>It prints nothing.\r\n", 3*limit/20)
	letter := mailView{}.Read([]byte(raw))
	if len(letter.HTML) > limit || len(letter.Text) > limit || len(letter.To) > 500 || len(letter.Subject) > 2000 {
		t.Errorf("%d bytes of HTML, %d of text, %d of subject, %d addresses", len(letter.HTML), len(letter.Text), len(letter.Subject), len(letter.To))
	}
	said := strings.Join(letter.Defects, "\n")
	for _, what := range []string{"the text of", "the HTML of", "the subject of", "addresses under To"} {
		if !strings.Contains(said, what) {
			t.Errorf("nothing says that %s is not whole: %q", what, letter.Defects)
		}
	}
}
