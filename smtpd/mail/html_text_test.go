package mail

import (
	"strings"
	"testing"
	"time"
)

func TestTextFromHTML(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"paragraphs", "<p>One\n two</p><p>Three</p>", "One two\n\nThree"},
		{"lines of a web mailer", "<div>One</div><div><br></div><div>Two<br></div><div>Three</div>", "One\n\nTwo\nThree"},
		{"line breaks", "One<br>Two<br/><br>Three", "One\nTwo\n\nThree"},
		{"Word paragraphs have no margin", `<p class="MsoNormal">お世話になっております。</p><p class="MsoNormal">&nbsp;</p><p class="MsoNormal">山田です。</p>`, "お世話になっております。\n\n山田です。"},
		{"entities", "&lt;b&gt; &amp; caf&eacute;&nbsp;&yen;100", "<b> & café ¥100"},
		{"Japanese wrapped in the source", "<p>本日は\n  晴天\nなり。</p><p>Tokyo\nOsaka</p>", "本日は晴天なり。\n\nTokyo Osaka"},
		{"Japanese over inline elements", "<p>東<b>京</b>\n<i>都</i></p>", "東京都"},
		{"head, style and script", "<html><head><title>T</title><style>p{}</style></head><body>Text<script>alert(1)</script></body></html>", "Text"},
		{"comments", "A<!-- no --><!--[if mso]>no<![endif]--><![if !mso]>B<![endif]>", "AB"},
		{"hidden preheader", `<div style="display:none; max-height:0">Preview</div><div style="max-height: 0px; overflow: hidden">Preview</div><span style="font-size:0">x</span><p hidden>y</p>Shown`, "Shown"},
		{"font size zero around a column", `<td style="font-size:0"><div style="font-size:14px">Column</div></td>`, "Column"},
		{"list", "<p>Bring:</p><ul><li>pen</li><li>ink<ul><li>blue</li></ul></li></ul><ol><li>first<li>second</ol>", "Bring:\n\n- pen\n- ink\n  - blue\n\n1. first\n2. second"},
		{"data table", "<table><tr><th>Name</th><th>Price</th></tr><tr><td><p>Tea</p></td><td><div>300</div></td></tr></table>", "Name\tPrice\nTea\t300"},
		{"layout table", "<table><tr><td>One<br>Two</td><td>Three</td></tr></table>", "One\nTwo\nThree"},
		{"nested table", "<table><tr><td>A</td><td><table><tr><td>B</td></tr><tr><td>C</td></tr></table></td></tr></table>D", "A\nB\nC\nD"},
		{"preformatted", "<pre>\na  b\n  c</pre>", "a  b\n  c"},
		{"quotation", "<p>Yes.</p><div>On Monday Ann wrote:</div><blockquote><p>Really?</p><blockquote>No.<br><br>Ever.</blockquote></blockquote>", "Yes.\n\nOn Monday Ann wrote:\n\n> Really?\n>\n>> No.\n>>\n>> Ever."},
		{"link that shows its target", `<a href="https://example.com/">example.com</a> <a href="mailto:a@example.com">a@example.com</a>`, "example.com a@example.com"},
		{"link with another target", `See <a href="https://example.com/a?b=1&amp;c=2">this page</a>.`, "See this page <https://example.com/a?b=1&c=2>."},
		{"link around blocks", `<a href="https://example.com/x"><div>Offer</div></a><div>More</div>`, "Offer <https://example.com/x>\nMore"},
		{"image in a link", `<a href="https://example.com/x"><img src="x.png" alt="Logo"></a><a href="https://example.com/y"><img></a>`, "Logo <https://example.com/x>"},
		{"script link", `<a href="javascript:alert(1)">Click</a>`, "Click"},
		{"rule", "Above<hr>Below", "Above\n" + strings.Repeat("_", 32) + "\nBelow"},
		{"misnested tags", "<p>a<div>b</p>c</div>d</p>e", "a\n\nb\nc\nd\ne"},
		{"invisible characters", "a\u200Bb\u00ADc\uFEFF", "abc"},
		{"ruby", "<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>", "漢字(かんじ)"},
		{"no blank lines at the ends", "<p>&nbsp;</p><br><p>x</p><p><br></p><br>", "x"},
		{"text of unknown elements", "<o:p>a</o:p><x-y>b</x-y><noscript>c</noscript>", "abc"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := TextFromHTML(c.html); got != c.want {
				t.Errorf("TextFromHTML(%q)\n got %q\nwant %q", c.html, got, c.want)
			}
		})
	}
}

// hugeHTML are the shapes that make careless parsers quadratic.
func hugeHTML() map[string]string {
	const n = 30_000
	return map[string]string{
		"deep":              strings.Repeat("<div>", n) + "end" + strings.Repeat("</div>", n),
		"deep quotes":       strings.Repeat("<blockquote>x", n),
		"deep tables":       strings.Repeat("<table><tr><td>x", n),
		"open formatting":   strings.Repeat("<p><font size=1>x", n),
		"distinct fonts":    strings.Repeat("<b><i>", 250) + strings.Repeat("<p>x</p>", n),
		"stray end tags":    strings.Repeat("<i>", n) + strings.Repeat("</b></div>", n) + "x",
		"nested links":      strings.Repeat("<a href=https://example.com>x", n),
		"nested lists":      strings.Repeat("<ul><li>x", n),
		"attributes":        "<p " + strings.Repeat("a=b ", n) + ">x",
		"long style":        `<p style="` + strings.Repeat("color:red;(", n) + `">x`,
		"style comments":    "<style>" + strings.Repeat("/*'*/", n) + "</style>x",
		"style blocks":      "<style>" + strings.Repeat("@media x{", n) + "</style>x",
		"many style blocks": strings.Repeat("<style>p{color:red}</style>", n) + "x",
		"open angle":        strings.Repeat("<", 10*n) + "x",
		"comments":          strings.Repeat("<!--", n) + "x",
		"text":              strings.Repeat("日本語 ", 10*n),
	}
}

func TestHugeHTML(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out huge HTML")
	}
	for name, source := range hugeHTML() {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			text := TextFromHTML(source)
			read := time.Since(started)
			safe := SanitizeHTML(source, SanitizeOptions{})
			t.Logf("%d bytes: text %v (%d bytes), sanitised %v (%d bytes)", len(source), read, len(text), time.Since(started)-read, len(safe.HTML))
			if name != "comments" && (text == "" || safe.HTML == "") {
				t.Errorf("text of %d bytes, safe HTML of %d: content was lost", len(text), len(safe.HTML))
			}
			if len(text) > 10*len(source) || len(safe.HTML) > 20*len(source) {
				t.Errorf("text of %d bytes, safe HTML of %d from %d", len(text), len(safe.HTML), len(source))
			}
		})
	}
}
