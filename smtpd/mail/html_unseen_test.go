package mail_test

import (
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

func TestWordsThatNobodySees(t *testing.T) {
	for name, source := range map[string]string{
		"a class":               `<style>.x{display:none}</style><p>SEEN</p><p class="y X">UNSEEN</p>`,
		"an id below":           `<style>td #x , p{visibility: hidden}</style><table><tr><td>SEEN<b id=x>UNSEEN</b></td></tr></table>`,
		"important":             `<style>.x{display:none !important}</style><p>SEEN</p><p class=x style="display:block">UNSEEN</p>`,
		"the greater weight":    `<style>p.x{display:none} p{display:block}</style><p>SEEN</p><p class=x>UNSEEN</p>`,
		"on wide screens":       `<style>@media screen{.x{font-size:0}}</style><p>SEEN</p><p class=x>UNSEEN</p>`,
		"white on white":        `<p>SEEN</p><p style="color:#fff">UNSEEN</p>`,
		"almost white":          `<body bgcolor="#ffffff"><p>SEEN</p><font color="#FDFDFD">UNSEEN</font>`,
		"white by a class":      `<style>.w{color:rgb(255, 255, 255)}</style><p>SEEN</p><p class=w>UNSEEN</p>`,
		"dark on dark":          `<div style="background:#222;color:#eee">SEEN<span style="color:#232323">UNSEEN</span></div>`,
		"transparent":           `<p>SEEN</p><p style="color:transparent">UNSEEN</p>`,
		"a paragraph not ended": `<style>.x{display:none}</style><p class=x>UNSEEN<p>SEEN`,
	} {
		got, any := mail.WithoutUnseen(source)
		if text := mail.TextFromHTML(got); !any || text != "SEEN" {
			t.Errorf("%s: %t, %q", name, any, text)
		}
	}
}

func TestWordsThatPeopleSeeStay(t *testing.T) {
	for name, source := range map[string]string{
		"small screens":       `<style>@media (max-width:600px){.x{display:none}}</style><p class=x>SEEN</p>`,
		"an overruled rule":   `<style>p{display:none} p.x{display:block}</style><p class=x>SEEN</p>`,
		"white on a button":   `<a style="background-color:#06c;color:#fff">SEEN</a>`,
		"white on a picture":  `<td background="cid:1" style="color:white">SEEN</td>`,
		"white on a gradient": `<div style="background:linear-gradient(#000,#111);color:white">SEEN</div>`,
		"another element":     `<style>div.x{display:none}</style><p class=x>SEEN</p>`,
	} {
		if got, any := mail.WithoutUnseen(source); any || got != source {
			t.Errorf("%s: %t, %q", name, any, got)
		}
	}
}

// A mail that is made to be slow is not looked through to its end.
func TestUnseenWordsHaveABudget(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out HTML that is made to be slow")
	}
	source := "<style>" + strings.Repeat(".a{color:red}", 20_000) + "</style>" + strings.Repeat("<b class=a>x</b>", 20_000)
	if got, any := mail.WithoutUnseen(source); !any || got != "" {
		t.Errorf("%d bytes are left", len(got))
	}
}
