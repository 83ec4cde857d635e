package helpdesk_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// BenchmarkReceive measures mails of about 10 KiB, durable on a ticket each,
// from as many callers as there are sessions. Parsing is not counted.
func BenchmarkReceive(b *testing.B) {
	for _, sessions := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			bolt, err := store.OpenBolt(filepath.Join(b.TempDir(), "bench.db"), store.BoltOptions{})
			if err != nil {
				b.Fatal(err)
			}
			group := store.NewGroup(bolt)
			defer group.Close()
			desk, err := helpdesk.Open(b.Context(), group, helpdesk.Options{})
			if err != nil {
				b.Fatal(err)
			}
			err = desk.ApplyFile(b.Context(), helpdesk.Declared{Pipelines: []helpdesk.DeclaredPipeline{{Name: "Support", Stages: []helpdesk.Stage{{Name: "New", Kind: helpdesk.StageOpen}}}},
				Aliases: []helpdesk.DeclaredAlias{{Address: "support@example.jp"}}})
			if err != nil {
				b.Fatal(err)
			}
			mails := make([]helpdesk.Incoming, b.N)
			for i := range mails {
				raw := []byte(benchMail(i))
				mails[i] = helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Envelope: helpdesk.Envelope{Recipients: []string{"support@example.jp"}}}
			}
			var next atomic.Int64
			var callers sync.WaitGroup
			b.ResetTimer()
			for range sessions {
				callers.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						if _, err := desk.Receive(b.Context(), mails[i]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			callers.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}

// benchMail is a letter of words in a random order, so that compression has
// real work.
func benchMail(n int) string {
	words := strings.Fields("納品 書類 確認 お願い invoice delivery schedule いたします temperature logger 記録 about the for 先日 replacement unit 工場 we would like 見積 至急 ありがとうございます")
	r := rand.New(rand.NewPCG(uint64(n), 7))
	var text strings.Builder
	for text.Len() < 10<<10 {
		fmt.Fprintf(&text, "%s %x ", words[r.IntN(len(words))], r.Uint32())
		if r.IntN(12) == 0 {
			text.WriteString("\r\n")
		}
	}
	return fmt.Sprintf("Message-ID: <bench-%d@customer.example>\r\nFrom: Customer %d <c%d@customer.example>\r\nTo: support@example.jp\r\nSubject: Order %d\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s", n, n%500, n%500, n, text.String())
}
