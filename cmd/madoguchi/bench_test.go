package main_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// The benchmarks of the whole: the real binary, reached as the world reaches
// it. Their figures are metrics of their own; the time of one operation says
// nothing.

// benchDesk is a server with the customers' DNS beside it, as every mail's
// sender is looked up.
func benchDesk(b *testing.B) *running {
	b.Helper()
	return benchDeskOn(b, newDesk(b))
}

// benchDeskOn is the same on data that is there already.
func benchDeskOn(b *testing.B, data string) *running {
	b.Helper()
	zone := dnstest.ServeZone(b, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"), dnstest.TXT("_dmarc.customer.test", "v=DMARC1; p=reject"),
		dkimRecord(b, "customer.test", "s1", dkimKey()))
	return start(b, data, "--config", writeConfig(b, "[log]\nlevel = \"warn\"\n[smtp]\nmax_sessions_per_ip = 200\n"), "--resolver", zone.Address)
}

// letters writes and signs mails with the numbers from first on, ahead of the
// time that is measured.
func letters(b *testing.B, first, count int) [][]byte {
	b.Helper()
	return written(count, func(n int) []byte {
		return signed(b, "customer.test", unsigned(first+n))
	})
}

// unsigned is the nth mail without a signature.
func unsigned(n int) []byte {
	return post(uint64(n), customerMailboxASCII, deskAddress, fmt.Sprintf("%d.bench@customer.test", n))
}

func written(count int, letter func(n int) []byte) [][]byte {
	list := make([][]byte, count)
	var group sync.WaitGroup
	for worker := range 2 {
		group.Go(func() {
			for i := worker; i < count; i += 2 {
				list[i] = letter(i)
			}
		})
	}
	group.Wait()
	return list
}

const customerMailboxASCII = "Ichiro Tanaka <" + customerAddress + ">"

// crowd is a number of sessions that stay open between rounds, as those of busy
// mail servers do.
type crowd struct {
	clients []*smtp.Client
}

func gather(b *testing.B, address string, sessions int) *crowd {
	b.Helper()
	c := &crowd{}
	for range sessions {
		client, err := smtp.Dial(address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { client.Close() })
		c.clients = append(c.clients, client)
	}
	return c
}

// deliver hands mails to the sessions as they become free, and returns how long
// it took until the last was acknowledged.
func (c *crowd) deliver(b *testing.B, mails [][]byte) time.Duration {
	b.Helper()
	queue := make(chan []byte, len(mails))
	for _, mail := range mails {
		queue <- mail
	}
	close(queue)
	failed := make(chan error, len(c.clients))
	began := time.Now()
	var group sync.WaitGroup
	for _, client := range c.clients {
		group.Go(func() {
			for mail := range queue {
				if _, err := submit(client, customerAddress, deskAddress, mail); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
	return took
}

// quantile is the value below which a part of the values lies.
func quantile[T float64 | time.Duration](values []T, part float64) T {
	values = slices.Sorted(slices.Values(values))
	return values[min(int(part*float64(len(values))), len(values)-1)]
}

// BenchmarkEvent measures the time from a mail's 250 to its event in the
// browser's stream: with nothing else to do, and with eight sessions that
// deliver without a pause.
func BenchmarkEvent(b *testing.B) {
	for _, busy := range []int{0, 8} {
		b.Run(fmt.Sprintf("beside-sessions=%d", busy), func(b *testing.B) {
			s := benchDesk(b)
			events := s.live(b, s.login(b))
			if busy > 0 {
				defer keepBusy(b, s, busy)()
			}
			client, err := smtp.Dial(s.smtp)
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			var delays []time.Duration
			for b.Loop() {
				for _, mail := range letters(b, 1_000_000+len(delays), 300) {
					delays = append(delays, delay(b, client, events, mail))
				}
			}
			reportDelays(b, delays)
		})
	}
}

// delay is the time from a mail's 250 to its event; none when the event is
// there first.
func delay(b *testing.B, client *smtp.Client, events <-chan liveEvent, mail []byte) time.Duration {
	b.Helper()
	answer, err := submit(client, customerAddress, deskAddress, mail)
	if err != nil {
		b.Fatal(err)
	}
	accepted := time.Now()
	id := answer[len(answer)-len("01ARZ3NDEKTSV4RRFFQ69G5FAV"):] // the answer ends with the mail's ULID
	end := time.After(patience)
	for {
		select {
		case event, open := <-events:
			if !open {
				b.Fatal("the stream has ended")
			}
			if event.Kind == "message.received" && event.Message == id {
				return max(event.at.Sub(accepted), 0)
			}
		case <-end:
			b.Fatalf("no event of mail %s within %v", id, patience)
		}
	}
}

func reportDelays(b *testing.B, delays []time.Duration) {
	milliseconds := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(milliseconds(quantile(delays, 0.5)), "ms-median")
	b.ReportMetric(milliseconds(quantile(delays, 0.99)), "ms-p99")
	b.ReportMetric(float64(len(delays)), "samples")
	b.ReportMetric(0, "ns/op")
}

// keepBusy delivers mails in a number of sessions until the returned function
// is called.
func keepBusy(b *testing.B, s *running, sessions int) (stop func()) {
	b.Helper()
	ended := make(chan struct{})
	var group sync.WaitGroup
	for session, client := range gather(b, s.smtp, sessions).clients {
		group.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-ended:
					return
				default:
				}
				raw := post(uint64(session)<<32|uint64(n), customerMailboxASCII, deskAddress, fmt.Sprintf("%d.%d.busy@customer.test", session, n))
				if _, err := submit(client, customerAddress, deskAddress, raw); err != nil {
					return // the server ends long sessions; there are others
				}
			}
		})
	}
	return func() {
		close(ended)
		group.Wait()
	}
}

// BenchmarkBrowser measures the time from a mail's 250 to its row in the list of
// an open inbox, in a real browser. The mails come one right after the other:
// the page takes what comes together in together, which is the longer way.
func BenchmarkBrowser(b *testing.B) {
	s := benchDesk(b)
	tab := openBrowser(b)
	tab.do("log in", chromedp.Navigate(s.web+"/login"), typed(`[name=email]`, adminEmail), typed(`[name=password]`, adminPassword),
		click(`form[action="/login"] button`), chromedp.WaitVisible(chromedp.CSS(`#list`)), chromedp.WaitReady(chromedp.CSS(`html[data-live=yes]`)))
	var delays []time.Duration
	for b.Loop() {
		for _, mail := range letters(b, len(delays), 30) {
			row := tab.watch("the row", fmt.Sprintf("document.querySelector('#row-%d')", len(delays)+1))
			delays = append(delays, tab.delay(row, send(b, s.smtp, customerAddress, deskAddress, mail)))
		}
	}
	reportDelays(b, delays)
}

// BenchmarkWriting measures what the clients of the other benchmarks have to do
// for a mail, so that nobody takes it for the server's work.
func BenchmarkWriting(b *testing.B) {
	n := uint64(0)
	for b.Loop() {
		post(n, customerMailboxASCII, deskAddress, "1@customer.test")
		n++
	}
}
