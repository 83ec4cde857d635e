package mail

import (
	"strings"
	"testing"
)

// The structures that mail programs leave in HTML, each around the same words.
func TestSplitReplyOfHTML(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"Gmail", `<div dir="ltr">直りました。</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">2026年11月21日(土) 10:00 窓口 &lt;<a href="mailto:a@b.example">a@b.example</a>&gt;:<br></div><blockquote class="gmail_quote" style="margin:0"><div>再起動をお試しください。</div></blockquote></div>`, "直りました。"},
		{"Gmail, unknown language", `<div>ok</div><div class="gmail_quote"><div class="gmail_attr">Xx 21 yy zz Support:</div><blockquote class="gmail_quote"><div>restart</div></blockquote></div>`, "ok"},
		{"Gmail, answers between", `<div class="gmail_quote"><div class="gmail_attr">On Sat, Nov 21, 2026 at 10:00 AM Support &lt;a@b.example&gt; wrote:</div><blockquote class="gmail_quote"><div>Which model?</div></blockquote><div>MD-200</div><blockquote class="gmail_quote"><div>Since when?</div></blockquote><div>Monday</div></div>`, "> Which model?\nMD-200\n> Since when?\nMonday"},
		{"Outlook on the web", `<div>承知しました。</div><div id="appendonsend"></div><hr style="width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><b>差出人:</b> 窓口<br><b>件名:</b> 確認</div><div>ご確認ください。</div>`, "承知しました。"},
		{"Outlook for Windows", `<div class="WordSection1"><p class="MsoNormal">Fine.</p><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal"><b>From:</b> Support &lt;a@b.example&gt;<br><b>Sent:</b> Saturday, November 21, 2026 10:00 AM<br><b>To:</b> Jo<br><b>Subject:</b> Order</p></div><p>Has it arrived?</p></div>`, "Fine."},
		{"Outlook for iOS", `<div>Fine.</div><div id="ms-outlook-mobile-signature"><div>Get Outlook for iOS</div></div><div id="mail-editor-reference-message-container"><div>Has it arrived?</div></div>`, "Fine."},
		{"Thunderbird", `<p>Geht wieder.</p><div class="moz-cite-prefix">Am 21.11.26 um 10:00 schrieb Support:<br></div><blockquote type="cite" cite="mid:x">Bitte neu starten.</blockquote><div class="moz-signature">-- <br>Jo</div>`, "Geht wieder."},
		{"Apple Mail", `<div>Fine.<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">iPhoneから送信</div><div dir="ltr"><br><blockquote type="cite">2026/11/21 10:00、窓口 &lt;a@b.example&gt;のメール:<br><br></blockquote></div><blockquote type="cite"><div>ご確認ください。</div></blockquote></div>`, "Fine."},
		{"Yahoo!", `<div>Fine.</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>On Saturday, Support wrote:</div><div>Has it arrived?</div></div>`, "Fine."},
		{"Proton", `<div>Fine.</div><div class="protonmail_quote">On Saturday, Support wrote:<blockquote type="cite">Has it arrived?</blockquote></div>`, "Fine."},
		{"Zimbra", `<div>Fine.</div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>From: </b>Support<br></div><div data-marker="__QUOTED_TEXT__">Has it arrived?</div>`, "Fine."},
		{"Zimbra, older, unknown language", `<div>ok</div><hr id="zwchr"><div><b>Xx: </b>Support<br><b>Yy: </b>Jo<br></div><br>restart`, "ok"},
		{"Hotmail, unknown language", `<div>ok</div><hr id="stopSpelling">Xx: a@b.example<br>Yy: Jo<br><br>restart`, "ok"},
		{"Outlook Web App, unknown language", `<div>ok</div><div id="divRpF482911" style="direction: ltr;"><hr tabindex="-1"><b>Xx:</b> Support<br><b>Yy:</b> Jo<br></div><div>restart</div>`, "ok"},
		{"Outlook for Windows, unknown language", `<div class="WordSection1"><p class="MsoNormal">ok</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>Xx:</b> Support<br><b>Zz:</b> Jo</p></div></div><p>restart</p></div>`, "ok"},
		{"GMX, unknown language", `<div>ok</div><div name="quote" style="margin:10px 5px 5px 10px; border-left:2px solid #C3D9E5;"><div><b>Xx:</b> Support</div><div>restart</div></div>`, "ok"},
		{"Roundcube, unknown language", `<p>ok</p><p id="reply-intro">Xx Support yy:</p><blockquote type="cite">restart</blockquote>`, "ok"},
		{"Mailspring, unknown language", `<div>ok</div><div class="gmail_quote_attribution">Xx Support yy:</div><blockquote class="gmail_quote">restart</blockquote>`, "ok"},
		{"Spark’s signature", `<div name="messageBodySection">Fine.</div><div name="messageSignatureSection"><br>Jo Baker<br>Head of Bread</div><div name="messageReplySection">On 21 Nov 2026, 10:00 +0900, Support &lt;a@b.example&gt;, wrote:<br><blockquote type="cite">Has it arrived?</blockquote></div>`, "Fine."},
		{"an answer below a quoted mail of Outlook", `<div class="moz-cite-prefix">On 21/11/2026 10:00, Support wrote:<br></div><blockquote type="cite" cite="mid:x"><p>Has it arrived?</p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Jo<br><b>Sent:</b> Friday<br></div><div>Where is it?</div></blockquote><p>Yes, today.</p>`, "Yes, today."},
		{"answers between quoted mails of Outlook", `<p>Hello,</p><blockquote type="cite"><p>Has it arrived?</p></blockquote><p>Yes.</p><blockquote type="cite"><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><b>From:</b> Jo</div>Is it whole?</blockquote><p>It is.</p>`, "Hello,\n\n> Has it arrived?\n\nYes.\n\n> From: Jo\n> Is it whole?\n\nIt is."},
		{"words below the element of the earlier mail", `<div>Hello,</div><div class="yahoo_quoted"><div>Support wrote:</div><div>Has it arrived?</div></div><div>It came today.</div>`, "Hello,\nIt came today."},
		{"NetEase", `<div>好的</div><div id="isReplyContent">在 2026-11-21 10:00:00，"Support" 写道：<blockquote>请确认</blockquote></div>`, "好的"},
		{"signature", `<div>Fine.</div><div class="gmail_signature" data-smartmail="gmail_signature"><div>Jo Baker</div><div>Head of Bread</div></div>`, "Fine."},
		{"nothing but a forward", `<div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: Jiro &lt;j@b.example&gt;<br>Date: Sat, Nov 21, 2026<br>Subject: Delay<br>To: Jo<br></div><br><div>One week later, please.</div></div>`, "One week later, please."},
		{"no structure at all", `<p>Fine.</p><p>Thanks<br>Jo</p>`, "Fine.\n\nThanks\nJo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &Message{HTML: c.html, Text: TextFromHTML(c.html), TextFromHTML: true}
			got := SplitReply(m)
			if got.New != c.want {
				t.Errorf("new words %q, want %q; quote %q, signature %q", got.New, c.want, got.Quote, got.Signature)
			}
			var shown, whole string
			for _, segment := range FoldMail(m.Text, m.HTML, got.New) {
				if whole += segment.Text; segment.Kind == SegmentNew {
					shown += segment.Text
				}
			}
			if strings.Join(strings.Fields(shown), " ") != strings.Join(strings.Fields(c.want), " ") || strings.Join(strings.Fields(whole), " ") != strings.Join(strings.Fields(m.Text), " ") {
				t.Errorf("shown as new are %q of %q, want %q", shown, whole, c.want)
			}
			all := got.New + got.Quote + got.Signature
			for l := range strings.Lines(m.Text) {
				if l = strings.TrimSpace(l); !strings.Contains(all, l) {
					t.Errorf("line lost: %q", l)
				}
			}
		})
	}
}

func TestMarkedHTMLIsNoDeeperThanItsSource(t *testing.T) {
	// Unclosed and misnested elements must neither lose text nor cost much.
	source := strings.Repeat(`<div class="gmail_attr"><blockquote>`, 20000) + "words" + strings.Repeat("</b></div>", 20000)
	if text, _ := hintedText(source); !strings.Contains(text, "words") {
		t.Errorf("words lost in %d bytes of text", len(text))
	}
}
