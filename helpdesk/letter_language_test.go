package helpdesk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestAQuoteIsIntroducedInTheLanguageOfTheLetter: whoever writes English to a Japanese alias and is answered in English
// reads no Japanese above what they wrote.
func TestAQuoteIsIntroducedInTheLanguageOfTheLetter(t *testing.T) {
	h := newHouse(t)
	h.alias.Language = "ja"
	_, err := h.SaveAlias(t.Context(), h.admin, h.alias)
	h.must(err)
	for _, c := range []struct{ from, asked, answered, introduced, language string }{
		{"john@guest.example", "Hello, my order has not arrived yet. Where is it now?", "Hi John,\n\nwe are looking into it.", " wrote:\n> Hello", `lang="en"`},
		{"ono@other.example", "注文した商品がまだ届きません。", "確認いたします。", "\n2026年", `lang="ja"`},
		{"kanji@other.example", "御見積書送付願 東京都港区芝公園四丁目二番八号", "お送りいたします。", "\n2026年", `lang="ja"`},
		{"anna@other.example", "注文した商品がまだ届きません。", "Thank you for your mail, we will write again soon.", " wrote:\n> 注文", `lang="en"`},
	} {
		receipt := h.post("support@example.jp", "From: "+c.from, "Test-DMARC: pass", "Subject: Order", "Date: Mon, 02 Mar 2026 09:00:00 +0900", "Content-Type: text/plain; charset=utf-8", "", c.asked)
		_, err := h.Reply(t.Context(), h.admin, helpdesk.Reply{Ticket: receipt.Ticket, Text: c.answered, Quote: true})
		h.must(err)
		h.pass(10 * time.Second)
		got := parse(h.deliver(taken)[c.from])
		if !strings.Contains(got.Text, c.introduced) || !strings.Contains(got.HTML, c.language) {
			t.Errorf("%s reads:\n%s\n%s", c.from, got.Text, got.HTML)
		}
	}
}

// TestAnAcknowledgementSpeaksOneLanguage: what is filled in, and the mark in the subject, are in the language of the text,
// where there is none in the customer's.
func TestAnAcknowledgementSpeaksOneLanguage(t *testing.T) {
	for _, c := range []struct{ alias, text, asked, subject, says, language string }{
		{"en", "Dear {{customer.name}},\nwe have your mail “{{ticket.subject}}” of {{date}}.", "商品が届きません。どうなっていますか。", "Automatic reply", "Dear there,\nwe have your mail “(no subject)” of ", `lang="en"`},
		{"", "{{customer.name_sama}}\n「{{ticket.subject}}」を受け付けました。", "Where is my order? I am still waiting for the parcel.", "自動返信", "お客様\n「（件名なし）」を受け付けました。", `lang="ja"`},
	} {
		h := newHouse(t)
		h.alias.Language, h.alias.Acknowledgement = c.alias, c.text
		_, err := h.SaveAlias(t.Context(), h.admin, h.alias)
		h.must(err)
		h.post("support@example.jp", "From: ono@other.example", "Test-DMARC: pass", "Content-Type: text/plain; charset=utf-8", "", c.asked)
		got := parse(h.acknowledge()["ono@other.example"])
		if got.Subject != c.subject || !strings.Contains(got.Text, c.says) {
			t.Errorf("subject %q, text %q", got.Subject, got.Text)
		}
		if !strings.Contains(got.HTML, c.language) || !strings.Contains(got.HTML, "font-family:") {
			t.Errorf("its HTML:\n%s", got.HTML)
		}
	}
}
