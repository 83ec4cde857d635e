package mail

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// proxied stands for the address of an image that is served by somebody else,
// and keeps what it was asked about.
type proxied struct{ asked []string }

func (p *proxied) url(remote string) string {
	p.asked = append(p.asked, remote)
	return fmt.Sprintf("/images?u=%d&s=x", len(p.asked))
}

func TestSanitizeReplacesEveryRemoteImage(t *testing.T) {
	source := `<style>.a { background: red url(http://one.example/a.png) no-repeat } @media print { .b { background-image: url("https://two.example/b(1).png") } }</style>` +
		`<body background="//three.example/c.png"><img src="http://four.example/d(1).png?x=1&amp;y=2" srcset="https://no.example/x 2x"><table background="https://five.example/e.png"><tr><td style="background:url(https://six.example/f.png)">` +
		`url('https://prose.example/x.png') src="https://prose.example/y.png"</td></tr></table><img alt="url('https://prose.example/z.png')" src="cid:logo"><img src="data:image/png;base64,AA=="><img src="https://seven.example/open.gif" width=1 height=1>`
	var p proxied
	safe := SanitizeHTML(source, SanitizeOptions{RemoteImages: true, ImageURL: p.url, InlineURL: func(string) string { return "/inline/1" }})
	want := []string{"http://one.example/a.png", "https://two.example/b%281%29.png", "https://three.example/c.png",
		"http://four.example/d(1).png?x=1&y=2", "https://five.example/e.png", "https://six.example/f.png"}
	if !slices.Equal(p.asked, want) {
		t.Errorf("asked about %q\nwant %q", p.asked, want)
	}
	rest := strings.NewReplacer("url(&#39;https://prose.example/x.png&#39;) src=&#34;https://prose.example/y.png&#34;", "", `alt="url(&#39;https://prose.example/z.png&#39;)"`, "").Replace(safe.HTML)
	if strings.Contains(rest, "https:") || strings.Contains(rest, "http:") || len(safe.HTML)-len(rest) < 100 {
		t.Errorf("an address is left, or a text was touched:\n%s", safe.HTML)
	}
	for _, part := range []string{"background: red url('/images?u=1&s=x') no-repeat", "url('/images?u=2&s=x')", "url(&#39;/images?u=3&amp;s=x&#39;)",
		`src="/images?u=4&amp;s=x"`, `background="/images?u=5&amp;s=x"`, `src="/inline/1"`, `src="data:image/png;base64,AA=="`} {
		if !strings.Contains(safe.HTML, part) {
			t.Errorf("lacks %s:\n%s", part, safe.HTML)
		}
	}
	if safe.RemoteImages != 6 || safe.Trackers != 1 {
		t.Errorf("%d images and %d trackers", safe.RemoteImages, safe.Trackers)
	}

	none := SanitizeHTML(source, SanitizeOptions{RemoteImages: true, ImageURL: func(string) string { return "" }}).HTML
	if rest := strings.ReplaceAll(none, "https://prose.example", ""); strings.Contains(rest, "https:") || !strings.Contains(none, "background: red none no-repeat") {
		t.Errorf("left out: %s", none)
	}
	unasked := SanitizeHTML(source, SanitizeOptions{ImageURL: func(string) string { t.Error("asked without RemoteImages"); return "" }})
	if plain := SanitizeHTML(source, SanitizeOptions{}); unasked.HTML != plain.HTML {
		t.Errorf("got %s\nwant %s", unasked.HTML, plain.HTML)
	}
}

// What the function returns is put where it cannot end the attribute or the url().
func TestSanitizeEscapesWhereImagesAreServed(t *testing.T) {
	safe := SanitizeHTML(`<img src="https://a.example/1.png"><p style="background:url(https://a.example/2.png)">x</p><style>p{background:url(https://a.example/3.png)}</style>`,
		SanitizeOptions{RemoteImages: true, ImageURL: func(string) string { return `/x');}</style><script>"'` }}).HTML
	if strings.Contains(safe, "<script") || strings.Contains(safe, `');`) || strings.Count(safe, "</style>") != 1 {
		t.Errorf("got %s", safe)
	}
}

func TestSanitizeDropsAddressesWithoutAHost(t *testing.T) {
	source := `<a href="//:javascript:x">a</a><a href="https://:80/">b</a><a href="https://host:x/">c</a><a href="https://a:b:c/">d</a><a href="https://[::1]:80/">e</a><a href="https://host.example:8080/">f</a>`
	links := SanitizeHTML(source, SanitizeOptions{}).Links
	if len(links) != 2 || links[0].URL != "https://[::1]:80/" || links[1].URL != "https://host.example:8080/" {
		t.Errorf("links %+v", links)
	}
}

func TestSanitizeMarksMisleadingLinks(t *testing.T) {
	source := `<a href="https://login.evil.example/x" data-target="bank.co.jp">www.bank.co.jp</a> <a href="https://bank.co.jp/" data-target="good.example">bank.co.jp</a>`
	safe := SanitizeHTML(source, SanitizeOptions{MarkMisleading: true})
	if strings.Count(safe.HTML, "data-target") != 1 || !strings.Contains(safe.HTML, ` data-target="login.evil.example">www.bank`) {
		t.Errorf("got %s", safe.HTML)
	}
	if l := safe.Links[0]; !l.Misleading || l.Shown != "www.bank.co.jp" || l.Host != "login.evil.example" {
		t.Errorf("link %+v", l)
	}
	if plain := SanitizeHTML(source, SanitizeOptions{}).HTML; strings.Contains(plain, "data-target") {
		t.Errorf("unasked: %s", plain)
	}
	if l := SanitizeHTML(`<a href="https://pаypal.com/">paypal.com</a>`, SanitizeOptions{}).Links[0]; l.Shown != "paypal.com" || !strings.HasPrefix(l.Host, "xn--") {
		t.Errorf("a name that only looks alike: %+v", l)
	}
}
