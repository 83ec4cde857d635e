package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReadLetter(t *testing.T) {
	for _, c := range []struct{ name, source, html, text string }{
		{"lines alone are text", `<div>田村様</div><div><br></div><div>承知しました。<br></div><div><br></div>`, "", "田村様\n\n承知しました。"},
		{"a link that says where it goes is text", `<div>See <a href="https://example.com/a">https://example.com/a</a></div>`, "", "See https://example.com/a"},
		{"a link with words is not", `<div><a href="https://example.com/a" onclick="x()" class="c">手順</a></div>`,
			`<div><a href="https://example.com/a">手順</a></div>`, "手順 <https://example.com/a>"},
		{"formatting", `<div><b>太字</b> <i>x</i> <u>u</u> <s>s</s></div>`, `<div><b>太字</b> <i>x</i> <u>u</u> <s>s</s></div>`, "太字 x u s"},
		{"lists", `<ol><li>一</li><li>二<ul><li>内</li></ul></li></ol>`, `<ol><li>一</li><li>二<ul><li>内</li></ul></li></ol>`, "1. 一\n2. 二\n  - 内"},
		{"quotes", `<blockquote><div>前の文</div></blockquote><div>後</div>`, `<blockquote><div>前の文</div></blockquote><div>後</div>`, "> 前の文\n後"},
		{"tables", `<table><tbody><tr><th>品</th><th>数</th></tr><tr><td>ロガー</td><td align="right">30</td></tr></tbody></table>`,
			`<table><tbody><tr><th>品</th><th>数</th></tr><tr><td>ロガー</td><td align="right">30</td></tr></tbody></table>`, "品\t数\nロガー\t30"},
		{"empty cells keep their place", `<table><tbody><tr><td><br></td><td>4月</td><td>5月</td></tr><tr><td>ロガー</td><td></td><td>30<br></td></tr><tr><td>電池</td><td><div><br></div></td><td><br></td></tr></tbody></table><div>以上</div>`,
			`<table><tbody><tr><td><br/></td><td>4月</td><td>5月</td></tr><tr><td>ロガー</td><td></td><td>30<br/></td></tr><tr><td>電池</td><td><div><br/></div></td><td><br/></td></tr></tbody></table><div>以上</div>`,
			"\t4月\t5月\nロガー\t\t30\n電池\n以上"},
		{"cells of several lines", `<table><tbody><tr><td>甲</td><td>一<br><br>二</td><td><br></td></tr><tr><td><div>乙</div><div><br></div><div>丙<br></div></td><td>三</td></tr></tbody></table>`,
			`<table><tbody><tr><td>甲</td><td>一<br/><br/>二</td><td><br/></td></tr><tr><td><div>乙</div><div><br/></div><div>丙<br/></div></td><td>三</td></tr></tbody></table>`,
			"甲\t一\n\n二\n乙\n\n丙\n三"},
		{"a list that goes on", `<ol start="3"><li>三</li><li>四</li></ol>`, `<ol start="3"><li>三</li><li>四</li></ol>`, "3. 三\n4. 四"},
		{"what runs or looks like our page is gone", `<div id="send" class="toast" style="position:fixed">x<script>alert(1)</script><form action="https://evil.example"><input name="a"><button>Go</button></form><iframe src="https://evil.example"></iframe></div><b>y</b>`,
			`<div>x   Go  </div><b>y</b>`, "x Go\ny"},
		{"scripts in links", `<b>x</b><a href="javascript:alert(1)">y</a><a href="data:text/html,x">z</a>`, `<b>x</b><a>y</a><a>z</a>`, "xyz"},
		{"remote images", `<b>x</b><img src="https://evil.example/p.gif" width="1">`, `<b>x</b>`, "x"},
		{"images are named in the text", `<p>画面<img src="cid:a@b" alt="設定">です。</p><p><img src="cid:c@b"></p>`, `<p>画面<img src="cid:a@b" alt="設定"/>です。</p><p><img src="cid:c@b"/></p>`, "画面[設定]です。"},
		{"styles that are harmless stay", `<p style="color: #c00; behavior: url(x)">赤</p>`, `<p style="color: #c00">赤</p>`, "赤"},
		{"unknown blocks are lines", `<section><h2>題</h2><article>文</article></section>`, `<div><h2>題</h2><div>文</div></div>`, "題\n\n文"},
		{"nothing", " <div><br></div> ", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ReadLetter(c.source)
			if got.HTML != c.html || got.Text != c.text {
				t.Errorf("\n got %q\nwant %q\n got %q\nwant %q", got.HTML, c.html, got.Text, c.text)
			}
			if got.HTML == "" {
				return
			}
			if again := ReadLetter(got.HTML); again.HTML != got.HTML {
				t.Errorf("read again it is\n%q, was\n%q", again.HTML, got.HTML)
			}
		})
	}
}

var onePixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89")

// TestLetterWithImages composes what an editor holds and reads it back.
func TestLetterWithImages(t *testing.T) {
	address := "data:image/png;base64," + base64.StdEncoding.EncodeToString(onePixel)
	source, images, err := DetachImages(`<div>図<img alt="図" src="` + address + `"> と <img src='` + address + `'></div><p title="data:">終</p>`)
	if err != nil || len(images) != 1 || !bytes.Equal(images[0].Data, onePixel) {
		t.Fatalf("%d images, %v", len(images), err)
	}
	letter := ReadLetter(source)
	if !slices.Equal(letter.Images, []string{images[0].ContentID}) || strings.Contains(letter.HTML, "data:image") {
		t.Fatalf("the letter shows %q: %s", letter.Images, letter.HTML)
	}
	raw, err := Compose(Draft{From: Address{"窓口", "desk@example.jp"}, To: []Address{{"", "a@example.org"}}, Subject: "図", Date: time.Unix(1.7e9, 0), MessageID: "1@example.jp",
		Text: letter.Text, HTML: StyleLetter(letter.HTML, "ja"),
		Attachments: append(images, Attachment{Filename: "表.csv", ContentType: "text/csv", Data: []byte("a,b")})})
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"multipart/mixed", "multipart/related", "multipart/alternative", "text/plain", "text/html", "image/png", "text/csv"}
	last := -1
	for _, kind := range kinds {
		at := bytes.Index(raw, []byte("Content-Type: "+kind))
		if at < last {
			t.Errorf("%s is not in its place", kind)
		}
		last = at
	}
	m := Parse(raw)
	if len(m.Attachments) != 2 || m.Attachments[0].ContentID != images[0].ContentID || !bytes.Equal(m.Attachments[0].Data, onePixel) || m.Attachments[1].Filename != "表.csv" {
		t.Errorf("read back %+v", m.Attachments)
	}
	if !strings.Contains(m.HTML, `src="cid:`+images[0].ContentID+`"`) || !strings.Contains(m.HTML, "Hiragino Sans") || strings.Count(m.HTML, "max-width:100%") != 2 {
		t.Errorf("the HTML reads back as %s", m.HTML)
	}
	if strings.TrimSpace(m.Text) != "図[図] と [image1.png]\n\n終" {
		t.Errorf("the text reads back as %q", m.Text)
	}
	for _, bad := range []string{"data:image/svg+xml;base64,PHN2Zz4=", "data:text/html,x", "data:image/png;base64,%%%", "data:"} {
		if _, _, err := DetachImages(`<img src="` + bad + `">`); !errors.Is(err, ErrNotAnImage) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestStyleLetterKeepsSpacesAndQuotedMail(t *testing.T) {
	quoted := QuoteHTML("田村:", SanitizeHTML(`<table><tr><td>a  b</td></tr></table>`, SanitizeOptions{}))
	got := StyleLetter(`<div>a   b</div><table><tbody><tr><td align="right">1</td></tr></tbody></table>`+quoted, "ja")
	for _, want := range []string{`<div lang="ja" style="font-family:`, "a \u00a0 b", `text-align:right`, `<td>a  b</td>`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}
