package mail_test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/madoguchi/madoguchi/smtpd/mail"
)

// A short text in one set is often plausible in another: only the reader knows.
func TestParseAsReadsTheTextInTheCharsetAskedFor(t *testing.T) {
	const words = "見積書を確認しました。"
	encoded, err := japanese.EUCJP.NewEncoder().String(words)
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte("From: a@customer.example\r\nSubject: " + encoded + "\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n" + encoded + "\r\n")
	if m := mail.Parse(raw); strings.Contains(m.Text, words) {
		t.Fatal("the mail is no case for decoding again: it is read rightly at once")
	}
	m, err := mail.ParseAs(raw, "EUC-JP")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(m.Text) != words || m.Subject != words {
		t.Errorf("text %q, subject %q", m.Text, m.Subject)
	}
	if notes := strings.Join(m.CharsetNotes, "\n"); !strings.Contains(notes, "declared gb2312, used euc-jp as asked, in text") {
		t.Errorf("notes %q", notes)
	}
}

func TestParseAsReadsHTMLAndFilesAlike(t *testing.T) {
	const words = "请确认发票"
	encoded, err := simplifiedchinese.GBK.NewEncoder().String(words)
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html; charset=shift_jis\r\n\r\n<p>" + encoded +
		"</p>\r\n--x\r\nContent-Type: text/plain; name=f.txt\r\nContent-Disposition: attachment\r\n\r\n" + encoded + "\r\n--x--\r\n")
	m, err := mail.ParseAs(raw, "gbk")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(m.Text) != words || !strings.Contains(m.HTML, words) {
		t.Errorf("text %q, HTML %q", m.Text, m.HTML)
	}
	if len(m.Attachments) != 1 || string(m.Attachments[0].Data) != encoded {
		t.Error("the bytes of a file depend on the character set asked for")
	}
}

func TestParseAsKnowsWhatItOffers(t *testing.T) {
	raw := []byte("Subject: x\r\n\r\nplain words\r\n")
	for _, charset := range mail.Charsets() {
		if _, err := mail.ParseAs(raw, charset); err != nil {
			t.Error(err)
		}
	}
	if m, err := mail.ParseAs(raw, ""); err != nil || m.Text != mail.Parse(raw).Text {
		t.Errorf("no charset: %v, %v", m, err)
	}
	_, err := mail.ParseAs(raw, "klingon")
	if err == nil || !strings.Contains(err.Error(), `"klingon"`) || !strings.Contains(err.Error(), "shift_jis") {
		t.Errorf("an unknown charset: %v", err)
	}
}
