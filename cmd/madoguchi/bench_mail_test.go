package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// throughput is how many mails a second a server took, round after round.
type throughput struct {
	name    string
	deliver func(mails [][]byte) time.Duration
	signed  bool   // it gets those with a signature
	settle  func() // waits for what it does after the last 250; nil where nothing
	rates   []float64
}

// take delivers a round, and lets the server finish before the next one's turn. The
// first round only warms.
func (p *throughput) take(mails [][]byte, first bool) {
	took := p.deliver(mails)
	if p.settle != nil {
		p.settle()
	}
	if !first {
		p.rates = append(p.rates, float64(len(mails))/took.Seconds())
	}
}

// settle waits until the server rests: the search index and the model's queue follow
// the mails with a delay.
func (p *running) settle(b *testing.B) {
	b.Helper()
	for before := p.processorTime(b); ; {
		time.Sleep(400 * time.Millisecond) // the followers wait for less than that
		now := p.processorTime(b)
		if now-before <= 10*time.Millisecond {
			return
		}
		before = now
	}
}

// BenchmarkMail measures durable mails a second through the real SMTP port: 10 KiB
// each, every one different, of a sender that is checked, parsed, placed on a ticket
// and synced to disk before its 250; without signatures, and with one of RSA of 2048
// bits. Beside it in each round, so that all meet the machine in the same mood: a
// server that discards, one that only writes the bytes into bbolt with one
// commit for those that wait, and Postfix, until the last mail is in the Maildir. What
// ours does of a mail after its 250, such as indexing it for the search, is awaited before
// the next turn; it counts in cpu-ms, the mean of mails with and without a signature.
func BenchmarkMail(b *testing.B) {
	const rounds = 4
	for _, load := range []struct{ sessions, mails int }{{1, 50}, {16, 256}, {64, 512}} { // mails a round
		b.Run(fmt.Sprintf("sessions=%d", load.sessions), func(b *testing.B) {
			desk := benchDesk(b)
			peers := []*throughput{
				{name: "unsigned-mails/s", deliver: ourDelivery(b, desk, load.sessions), settle: func() { desk.settle(b) }},
				{name: "signed-mails/s", deliver: ourDelivery(b, desk, load.sessions), settle: func() { desk.settle(b) }, signed: true},
				{name: "into-bbolt/s", deliver: bareDelivery(b, bareKeep+filepath.Join(b.TempDir(), "bare.db"), load.sessions)},
				{name: "discarded/s", deliver: bareDelivery(b, bareDiscard, load.sessions)},
			}
			if p := startPostfix(b, deskAddress, ""); p != nil {
				peers = append(peers, &throughput{name: "postfix/s", deliver: postfixDelivery(b, p, load.sessions)})
			}
			var syncs []float64
			sent, before := 0, desk.processorTime(b)
			for b.Loop() {
				for round := range rounds + 1 {
					mails := written(2*load.mails, func(n int) []byte { return unsigned(sent + n) })
					plain, toSign := mails[:load.mails], mails[load.mails:]
					withSignature := written(load.mails, func(n int) []byte { return signed(b, "customer.test", toSign[n]) })
					sent += 2 * load.mails
					for _, p := range peers {
						batch := plain
						if p.signed {
							batch = withSignature
						}
						p.take(batch, round == 0)
					}
					syncs = append(syncs, 1/timeSyncs(b, plain[:min(60, len(plain))]).Seconds())
				}
			}
			for _, p := range peers {
				b.ReportMetric(quantile(p.rates, 0.5), p.name)
			}
			ours := peers[0]
			b.ReportMetric(medianRatio(ours.rates, peers[2].rates), "of-into-bbolt")
			if len(peers) > 4 {
				b.ReportMetric(medianRatio(ours.rates, peers[4].rates), "of-postfix")
				b.ReportMetric(medianRatio(peers[1].rates, peers[4].rates), "signed-of-postfix")
			}
			if load.sessions == 1 {
				b.ReportMetric(medianRatio(syncs[1:], ours.rates), "syncs-a-mail")
			}
			b.ReportMetric(float64((desk.processorTime(b)-before).Microseconds())/1000/float64(sent), "cpu-ms")
			own, _ := desk.memory(b)
			b.ReportMetric(float64(own)/(1<<20), "MiB-own-memory")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkFilled measures how many mails a second a large store takes in 16
// sessions, beside an empty one in turn.
func BenchmarkFilled(b *testing.B) {
	const sessions, mails, rounds = 16, 256, 4
	for _, tickets := range ticketCounts(b) {
		b.Run(fmt.Sprintf("tickets=%d", tickets), func(b *testing.B) {
			large, fresh := benchDeskOn(b, storeOf(b, tickets)), benchDesk(b)
			filled := &throughput{deliver: ourDelivery(b, large, sessions), settle: func() { large.settle(b) }}
			empty := &throughput{deliver: ourDelivery(b, fresh, sessions), settle: func() { fresh.settle(b) }}
			sent := int(time.Now().UnixNano() >> 20) // a kept store has those of earlier runs
			for b.Loop() {
				for round := range rounds + 1 {
					batch := written(mails, func(n int) []byte { return unsigned(sent + n) })
					sent += mails
					for _, p := range []*throughput{filled, empty} {
						p.take(batch, round == 0)
					}
				}
			}
			b.ReportMetric(quantile(filled.rates, 0.5), "mails/s")
			b.ReportMetric(medianRatio(filled.rates, empty.rates), "of-empty-store")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func medianRatio(a, b []float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return quantile(ratios, 0.5)
}

func ourDelivery(b *testing.B, s *running, sessions int) func([][]byte) time.Duration {
	c := gather(b, s.smtp, sessions)
	return func(mails [][]byte) time.Duration { return c.deliver(b, mails) }
}

func bareDelivery(b *testing.B, kind string, sessions int) func([][]byte) time.Duration {
	c := gather(b, startBare(b, kind), sessions)
	return func(mails [][]byte) time.Duration { return c.deliver(b, mails) }
}

// postfixDelivery takes the time until all mails are in the mailbox. Postfix ends
// sessions after a number of mails, so each round has its own.
func postfixDelivery(b *testing.B, p *postfix, sessions int) func([][]byte) time.Duration {
	return func(mails [][]byte) time.Duration {
		before, c := p.delivered(), gather(b, p.address, sessions)
		began := time.Now()
		c.deliver(b, mails)
		eventually(b, patience, "all mails are in the Maildir", func() bool { return p.delivered() >= before+len(mails) })
		took := time.Since(began)
		for _, client := range c.clients {
			client.Close()
		}
		return took
	}
}

// timeSyncs is what writing one mail over blocks that exist and syncing it takes.
func timeSyncs(b *testing.B, mails [][]byte) time.Duration {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "synced"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(make([]byte, (len(mails)+1)*2*postSize)); err != nil {
		b.Fatal(err)
	}
	if err := file.Sync(); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	for i, mail := range mails {
		if _, err := file.WriteAt(mail, int64(i)*2*postSize); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began) / time.Duration(len(mails))
}

// BenchmarkLargeMails measures the most memory that the server holds of its own
// while 64 sessions deliver 25 MB each at once.
func BenchmarkLargeMails(b *testing.B) {
	const sessions, size = 64, 25 << 20
	s := benchDesk(b)
	head := unsigned(1)
	c := gather(b, s.smtp, sessions)
	var most int64
	for b.Loop() {
		ended, watched := make(chan struct{}), sync.WaitGroup{}
		watched.Go(func() {
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-ended:
					tick.Stop()
					return
				case <-tick.C:
					own, _ := s.memory(b)
					most = max(most, own)
				}
			}
		})
		raw := append([]byte(nil), head...)
		for len(raw) < size-1<<16 {
			raw = append(raw, head[len(head)/2:]...)
		}
		var group sync.WaitGroup
		for n, client := range c.clients {
			group.Go(func() {
				mail := append([]byte(fmt.Sprintf("X-Number: %d\r\n", n)), raw...)
				if _, err := submit(client, customerAddress, deskAddress, mail); err != nil {
					if _, busy := err.(*smtp.SMTPError); !busy {
						b.Error(err)
					}
				}
			})
		}
		group.Wait()
		close(ended)
		watched.Wait()
	}
	b.ReportMetric(float64(most)/(1<<20), "MiB-own-memory")
	b.ReportMetric(0, "ns/op")
}
