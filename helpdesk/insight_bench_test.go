package helpdesk_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// BenchmarkInsights asks for a year, with more mails than are read for challenges
// and topics. Days are read from what was counted, so more mails cost no more.
func BenchmarkInsights(b *testing.B) {
	journal, err := store.Open(filepath.Join(b.TempDir(), "bench.db"), store.BoltOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer journal.Close()
	desk, err := helpdesk.Open(b.Context(), journal, helpdesk.Options{})
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	desk.Now = func() time.Time { return now }
	if err := desk.ApplyFile(b.Context(), helpdesk.Declared{Pipelines: []helpdesk.DeclaredPipeline{{Name: "Support", Stages: []helpdesk.Stage{{Name: "New", Kind: helpdesk.StageOpen}}}},
		Aliases: []helpdesk.DeclaredAlias{{Address: "support@example.jp"}}}); err != nil {
		b.Fatal(err)
	}
	const mails = 5500 // the sample is smaller
	for i := range mails {
		raw := fmt.Appendf(nil, "Message-ID: <%d@x.example>\r\nFrom: c%d@x.example\r\nSubject: A question\r\n\r\nWords %d\r\n", i, i, i)
		received, err := desk.Receive(b.Context(), helpdesk.Incoming{Raw: raw, Message: mail.Parse(raw), Envelope: helpdesk.Envelope{Recipients: []string{"support@example.jp"}},
			ReceivedAt: now.Add(-time.Duration(i) * (364 * 24 * time.Hour / mails))})
		if err != nil {
			b.Fatal(err)
		}
		if err := desk.StoreAnalysis(b.Context(), helpdesk.Analysis{MessageID: received.MessageID, Model: "m", ReplyType: "high_value", Sentiment: "neutral", Opportunity: i%5 + 1, FollowUp: true,
			Challenges: []string{fmt.Sprintf("担当者 %d 名で返信の質が %d 通り揃わない", i%97, i%83)}, Topics: []string{fmt.Sprintf("話題%d", i%50)}, ActionItems: []string{"見積書を送る"}}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		in, err := desk.Insights(b.Context(), helpdesk.System("bench"), helpdesk.InsightQuery{From: "2025-11-23", To: "2026-11-22"})
		if err != nil || in.Total.Mails != mails {
			b.Fatalf("%d mails, %v", in.Total.Mails, err)
		}
	}
}
