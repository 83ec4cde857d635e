package helpdesk_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
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
			desk := benchDesk(b)
			mails := benchMails(b.N)
			b.ResetTimer()
			receiveAll(b, desk, mails, sessions)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}

// BenchmarkEnqueueAnalyses measures what it takes, once a mail is durable, until
// its analysis is in the durable queue: for one mail alone, and for the events
// that a follower takes at once.
func BenchmarkEnqueueAnalyses(b *testing.B) {
	for _, together := range []int{1, 500} {
		b.Run(fmt.Sprintf("events=%d", together), func(b *testing.B) {
			desk := benchDesk(b)
			receiveAll(b, desk, benchMails(min(b.N, 2000)), 16)
			list, err := desk.Events(b.Context(), helpdesk.System("bench"), 0, 10_000)
			if err != nil {
				b.Fatal(err)
			}
			list = slices.DeleteFunc(list, func(e helpdesk.Event) bool { return e.Kind != helpdesk.EventMessageReceived })
			b.ResetTimer()
			for done := 0; done < b.N; {
				at := done % len(list)
				batch := list[at:min(at+together, at+b.N-done, len(list))]
				if err := desk.EnqueueAnalyses(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				done += len(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "µs/mail")
		})
	}
}

// benchDesk is a desk on the store that the program uses, with one alias.
func benchDesk(b *testing.B) *helpdesk.Desk {
	b.Helper()
	journal, err := store.Open(filepath.Join(b.TempDir(), "bench.db"), store.BoltOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { journal.Close() })
	desk, err := helpdesk.Open(b.Context(), journal, helpdesk.Options{})
	if err != nil {
		b.Fatal(err)
	}
	err = desk.ApplyFile(b.Context(), helpdesk.Declared{Pipelines: []helpdesk.DeclaredPipeline{{Name: "Support", Stages: []helpdesk.Stage{{Name: "New", Kind: helpdesk.StageOpen}}}},
		Aliases: []helpdesk.DeclaredAlias{{Address: "support@example.jp"}}})
	if err != nil {
		b.Fatal(err)
	}
	return desk
}

func benchMails(n int) []helpdesk.Incoming {
	mails := make([]helpdesk.Incoming, n)
	for i := range mails {
		raw := []byte(benchMail(i))
		mails[i] = helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Envelope: helpdesk.Envelope{Recipients: []string{"support@example.jp"}}}
	}
	return mails
}

// receiveAll hands mails to the desk from so many callers at once.
func receiveAll(b *testing.B, desk *helpdesk.Desk, mails []helpdesk.Incoming, callersAtOnce int) {
	b.Helper()
	var next atomic.Int64
	var callers sync.WaitGroup
	for range callersAtOnce {
		callers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(mails)); i = next.Add(1) - 1 {
				if _, err := desk.Receive(b.Context(), mails[i]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	callers.Wait()
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
