package search_test

import (
	"fmt"
	"slices"
	"testing"
)

// Letters of business all greet and close alike: what they are about decides.
func TestSimilarTicketsAreNotAlikeByTheirGreetings(t *testing.T) {
	h := newHouse(t)
	dress := func(n int, body string) string {
		greetings := []string{"株式会社みなと サポートご担当者様\n\nいつも大変お世話になっております。みなと製作所の田村です。\n\n", "お世話になっております。青葉商事の小島と申します。\nお忙しいところ恐れ入ります。\n", "ご担当者様\n平素より格別のお引き立てを賜り、誠にありがとうございます。\n"}
		closings := []string{"\n\nお手数をおかけいたしますが、ご確認のほどよろしくお願いいたします。", "\n何卒よろしくお願い申し上げます。\nご返信をお待ちしております。", "\n取り急ぎご連絡まで。\n今後ともよろしくお願いいたします。"}
		return greetings[n%3] + body + closings[n%3]
	}
	post := func(n int, subject, body string) uint64 {
		return h.post(letter{from: fmt.Sprintf("c%d@customer.example", n), subject: subject, text: dress(n, body)}).Ticket
	}
	matters := map[string][]string{
		"校正": {"温度計の校正証明書を再発行していただけますか。", "校正証明書の原本が届いておりません。", "恐れ入りますが、校正証明書の有効期限を教えてください。"},
		"請求": {"先月分の請求書に誤りがあり、消費税の金額が異なります。", "請求書の宛名を変更し、消費税の内訳を記載してください。", "請求書の消費税が二重に計上されています。"},
		"配送": {"配送先の倉庫が変わりましたので、送り状の住所を直してください。", "送り状の番号で配送状況が確認できません。", "配送日時を変更したいのですが、送り状が既に発行されています。"},
	}
	kinds := []string{"校正", "請求", "配送"}
	numbers := map[string][]uint64{}
	n := 0
	for range 10 { // enough to be common: what everybody writes
		post(n, "お問い合わせ", "社内の担当が変わりましたのでお知らせします。")
		n++
	}
	for i := range 3 {
		for _, kind := range kinds {
			numbers[kind] = append(numbers[kind], post(n, "ご連絡", matters[kind][i]))
			n++
		}
	}
	h.follow()
	for _, kind := range kinds {
		asked := numbers[kind][0]
		got, err := h.index.Similar(t.Context(), h.admin, "ご連絡\n"+dress(n, matters[kind][0]), asked, 2)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, numbers[kind][1:]) {
			t.Errorf("%s: found %v, want %v (%v)", kind, got, numbers[kind][1:], err)
		}
	}
	// A letter of nothing but courtesy is like no other.
	for n := range 3 {
		if got, err := h.index.Similar(t.Context(), h.admin, dress(n, ""), 0, 5); err != nil || len(got) != 0 {
			t.Errorf("of greetings alone: found %v, %v", got, err)
		}
	}
	english := "Dear support team,\nI hope this email finds you well.\nThank you for your quick reply.\n\nLooking forward to hearing from you.\nBest regards,\n"
	h.post(letter{from: "e@customer.example", subject: "Broken hinge", text: english})
	h.follow()
	if got, err := h.index.Similar(t.Context(), h.admin, english, 0, 5); err != nil || len(got) != 0 {
		t.Errorf("of English courtesy alone: found %v, %v", got, err)
	}
}
