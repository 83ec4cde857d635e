package search_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// benchTickets is how many tickets are searched: TICKETS of the environment, or
// 20,000.
func benchTickets() int {
	if n, err := strconv.Atoi(os.Getenv("TICKETS")); err == nil {
		return n
	}
	return 20_000
}

// BenchmarkRebuild measures the indexing of letters in Japanese and English, and
// how large the index is relative to their text.
func BenchmarkRebuild(b *testing.B) {
	h := newHouse(b)
	text := h.fill(benchTickets())
	for b.Loop() {
		if err := h.index.Rebuild(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(benchTickets()*b.N)/b.Elapsed().Seconds(), "tickets/s")
	b.ReportMetric(float64(text)/1e6, "MB-text")
	b.ReportMetric(float64(h.indexSize())/float64(text), "index/text")
}

// BenchmarkSearch measures searches of many kinds, each with the first page of 50.
func BenchmarkSearch(b *testing.B) {
	h := newHouse(b)
	h.fill(benchTickets())
	if err := h.index.Rebuild(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	for _, text := range []string{"請求書", "お願いいたします", "お世話になっております", "invoice", "inv", "税", `"delivery schedule"`, "山田 見積 -closed", "is:open tag:vip 配送", "from:c77", "customer", "zzzz", "after:2026-11-21 返品"} {
		b.Run(strings.ReplaceAll(text, " ", "_"), func(b *testing.B) {
			var took []time.Duration
			total := 0
			for b.Loop() {
				begun := time.Now()
				total = h.search(search.Query{Text: text}).Total
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(total), "found")
		})
	}
}

// BenchmarkFollow measures one mail's way into the index, as it comes alone.
func BenchmarkFollow(b *testing.B) {
	h := newHouse(b)
	h.fill(500)
	h.follow()
	next := 500
	for b.Loop() {
		b.StopTimer()
		h.postMany(next, next+1)
		next++
		b.StartTimer()
		h.follow()
	}
}

// fill posts so many first mails, each of a ticket, and returns the bytes of
// their text.
func (h *house) fill(tickets int) (bytes int) {
	h.t.Helper()
	const together = 64
	for at := 0; at < tickets; at += together {
		bytes += h.postMany(at, min(at+together, tickets))
	}
	return bytes
}

// postMany posts mails at once, so that they share commits.
func (h *house) postMany(from, to int) (bytes int) {
	h.t.Helper()
	done := make(chan error)
	for n := from; n < to; n++ {
		raw := []byte(benchLetter(n))
		message := mail.Parse(raw)
		bytes += len(message.Text) + len(message.Subject)
		go func() {
			_, err := h.Receive(h.t.Context(), helpdesk.Incoming{Envelope: helpdesk.Envelope{Recipients: []string{"support@example.jp"}}, Raw: raw, Message: message, ReceivedAt: h.now})
			done <- err
		}()
	}
	for range to - from {
		if err := <-done; err != nil {
			h.t.Fatal(err)
		}
	}
	return bytes
}

// Sentences of letters to a shop, with places for words of their own.
var sentences = []string{
	"お世話になっております。%s株式会社の%sです。", "先日注文した%sがまだ届いておりません。", "請求書の再発行をお願いいたします。", "%sの見積を至急お送りください。",
	"納品書と請求書の金額が異なっているようです。ご確認いただけますでしょうか。", "返品の手順を教えていただけますか。", "何卒よろしくお願い申し上げます。",
	"%sのサーバーに接続できず、エラーコード%dが表示されます。", "消費税の端数処理についてお尋ねします。", "We have not received the invoice for order %d yet.",
	"Could you please confirm the delivery schedule of the %s?", "The temperature logger %s stopped recording on the third day.", "Please find the documents attached.",
	"Thank you for your quick reply about %s.", "配送先の住所を%sに変更したいのですが、可能でしょうか。", "添付の写真をご覧ください。%sの角が破損しています。",
}

var things = strings.Fields("温度計 記録計 山田 鈴木 佐藤 東京都港区 大阪市北区 プリンター 加湿器 空気清浄機 冷蔵庫 商品番号 notebook sensor adapter charger cable monitor 契約書 保証書 交換部品 電源 液晶 基板 定期便 領収証")

func benchLetter(n int) string {
	r := rand.New(rand.NewPCG(uint64(n), 11))
	var text strings.Builder
	for range 8 + r.IntN(14) {
		sentence := sentences[r.IntN(len(sentences))]
		for strings.Contains(sentence, "%s") {
			sentence = strings.Replace(sentence, "%s", things[r.IntN(len(things))]+syllables(r), 1)
		}
		text.WriteString(strings.ReplaceAll(sentence, "%d", strconv.Itoa(r.IntN(1_000_000))))
		if r.IntN(3) == 0 {
			text.WriteString("\r\n")
		}
	}
	return fmt.Sprintf("Message-ID: <bench-%d@customer.example>\r\nFrom: Customer %d <c%d@customer.example>\r\nTo: support@example.jp\r\nSubject: %s %d\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s",
		n, n%500, n%500, things[r.IntN(len(things))], n, text.String())
}

// syllables makes a name that hardly anybody else has, so that the vocabulary
// grows with the text as it does in life.
func syllables(r *rand.Rand) string {
	if r.IntN(3) > 0 {
		return ""
	}
	var b strings.Builder
	for range 2 + r.IntN(2) {
		b.WriteRune(rune(0x4e00 + int(r.ExpFloat64()*400)%5000))
	}
	return b.String()
}

// indexSize sums the keys and values of the index.
func (h *house) indexSize() (bytes int) {
	h.t.Helper()
	err := h.db.View(h.t.Context(), func(r store.Reader) error {
		for entry, err := range r.Scan(store.Prefix([]byte("s/"))) {
			if err != nil {
				return err
			}
			bytes += len(entry.Key) + len(entry.Value)
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return bytes
}
