package helpdesk_test

import (
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// What a list shows of a mail begins where its matter does.
func TestSnippetIsPastTheGreeting(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct{ text, want string }{
		{"サポートご担当者様\n\nいつもお世話になっております。ミナト精機の田村です。\n\n温度の記録が欠けております。", "温度の記録が欠けております。"},
		{"株式会社窓口 御中\nお世話になります。\n田村と申します。\n在庫はありますか。", "在庫はありますか。"},
		{"お世話になっております。", "お世話になっております。"},
		{"お世話になっております。昨日の請求書について確認してください。", "お世話になっております。昨日の請求書について確認してください。"},
		{"田村様からの荷物が届きません。\n至急です。", "田村様からの荷物が届きません。 至急です。"},
		{"赤い部品の在庫は3個です。\nこれで足りますか。", "赤い部品の在庫は3個です。 これで足りますか。"},
		{"問題の商品は B-12 です。\n以上", "問題の商品は B-12 です。 以上"},
		{"Hi Madoguchi team,\n\nI hope this finds you well.\nThe invoice is wrong.", "The invoice is wrong."},
		{"Hello, is this still available?", "Hello, is this still available?"},
		{"High prices are a problem.", "High prices are a problem."},
		{"Dear all,", "Dear all,"},
	} {
		receipt := h.mailFrom("kyaku@customer.example", "件名", "", strings.ReplaceAll(c.text, "\n", "\r\n"))
		if got := h.ticket(receipt.Ticket).Row.Ticket.Snippet; got != c.want {
			t.Errorf("of %q the list shows %q, want %q", c.text, got, c.want)
		}
	}
}

// BenchmarkSnippet measures a letter past its greeting, and one without.
func BenchmarkSnippet(b *testing.B) {
	const matter = "先日ご案内いただいた標準プランについて、20 席での年間費用をお教えください。\nCould you tell us whether the Team plan covers a second site?\n\n"
	for _, c := range []struct{ name, text string }{
		{"greeted", "サポートご担当者様\n\nいつもお世話になっております。ミナト精機の田村です。\n\n" + strings.Repeat(matter, 6)},
		{"plain", strings.Repeat(matter, 6)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				helpdesk.Snippet(c.text)
			}
		})
	}
}
