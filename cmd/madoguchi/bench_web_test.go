package main_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/store"
)

// asked is one question to the web, as a browser puts it. path is given how
// many tickets there are.
type asked struct {
	name   string
	target string // the part of the page that is asked for, "" for all of it
	path   func(r *rand.Rand, tickets int) string
}

func fixed(path string) func(*rand.Rand, int) string {
	return func(*rand.Rand, int) string { return path }
}

func anyTicket(r *rand.Rand, tickets int) string {
	return fmt.Sprintf("/inbox/open/%d", 1+r.IntN(tickets))
}

func finds(text string) func(*rand.Rand, int) string {
	return fixed("/inbox/open?q=" + url.QueryEscape(text))
}

// questions are what agents ask all day: lists, tickets, searches.
func questions() (list []asked) {
	for _, view := range []string{"mine", "unassigned", "waiting", "overdue", "mentions", "following", "open", "snoozed", "held", "failed", "closed"} {
		list = append(list, asked{"list/" + view, "rows", fixed("/inbox/" + view)})
	}
	tag := func(s string) string { return "tag=" + url.QueryEscape(s) }
	return append(list,
		asked{"list/whole-page", "", fixed("/inbox/open")},
		asked{"list/counts", "nav", fixed("/navigation?current=open")},
		asked{"filter/tag", "rows", fixed("/inbox/open?" + tag("急ぎ"))},
		asked{"filter/rare-tag", "rows", fixed("/inbox/open?" + tag("wholesale"))},
		asked{"filter/alias", "rows", fixed("/inbox/closed?alias=billing%40desk.test")},
		asked{"filter/alias+tag", "rows", fixed("/inbox/open?alias=billing%40desk.test&" + tag("wholesale"))},
		asked{"filter/nothing-fits", "rows", fixed("/inbox/closed?alias=order%40desk.test&assignee=nobody&" + tag("配送"))},
		asked{"filter/mine+priority", "rows", fixed("/inbox/mine?priority=urgent&" + tag("refund"))},
		asked{"ticket/fragment", "ticket", anyTicket},
		asked{"ticket/whole-page", "", anyTicket},
		asked{"search/common", "rows", finds("お願い")},
		asked{"search/common-english", "rows", finds("the")},
		asked{"search/two-characters", "rows", finds("返品")},
		asked{"search/phrase", "rows", finds(`"delivery schedule"`)},
		asked{"search/three-words", "rows", finds("請求書 金額 再発行")},
		asked{"search/long-phrase", "rows", finds("お世話になっております")},
		asked{"search/beginning", "rows", finds("inv")},
		asked{"search/rare", "rows", func(r *rand.Rand, _ int) string {
			return "/inbox/open?q=" + fmt.Sprintf("ZK%04d", r.IntN(10_000))
		}},
		asked{"search/filters", "rows", finds("is:open tag:vip 配送")},
	)
}

// BenchmarkWeb measures how long a browser waits for lists, tickets and
// searches, through real HTTP, and how much of the processor that takes.
func BenchmarkWeb(b *testing.B) {
	for _, tickets := range ticketCounts(b) {
		b.Run(fmt.Sprintf("tickets=%d", tickets), func(b *testing.B) {
			s := start(b, storeOf(b, tickets), "--config", writeConfig(b, "[log]\nlevel = \"warn\"\n"))
			client := s.login(b)
			for _, q := range questions() {
				b.Run(q.name, func(b *testing.B) { s.measure(b, client, q, tickets) })
			}
		})
	}
}

func (p *running) measure(b *testing.B, client *http.Client, q asked, tickets int) {
	r := rand.New(rand.NewPCG(1, 1))
	size := p.ask(b, client, q, q.path(r, tickets)) // the first warms what is kept in memory
	var delays []time.Duration
	before := p.processorTime(b)
	for b.Loop() {
		for range 100 {
			begun := time.Now()
			size = p.ask(b, client, q, q.path(r, tickets))
			delays = append(delays, time.Since(begun))
		}
	}
	spent := p.processorTime(b) - before
	b.ReportMetric(float64(spent.Microseconds())/1000/float64(len(delays)), "cpu-ms")
	b.ReportMetric(float64(size)/1024, "KiB-sent")
	reportDelays(b, delays)
}

// ask puts one question and returns how many bytes came back, compressed.
func (p *running) ask(t testing.TB, client *http.Client, q asked, path string) int64 {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.web+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	if q.target != "" {
		request.Header.Set("HX-Request", "true")
		request.Header.Set("HX-Target", "div#"+q.target)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	size, err := io.Copy(io.Discard, response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", path, response.Status, err)
	}
	return size
}

// processorTime is how long the server's threads have run (proc(5)).
func (p *running) processorTime(t testing.TB) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		t.Skip("SKIPPED, not passed: processor time is read from /proc, which is not here")
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory is what of the server is in memory that is its own, and the pages of
// its files that are there besides, in bytes.
func (p *running) memory(t testing.TB) (own, files int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		t.Skip("SKIPPED, not passed: memory is read from /proc, which is not here")
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "RssAnon":
			own = kilobytes << 10
		case "RssFile":
			files = kilobytes << 10
		}
	}
	return own, files
}

// BenchmarkStart measures how long a server takes from its start until it is
// ready, what it holds in memory once it has searched, and what is on the disk.
func BenchmarkStart(b *testing.B) {
	for _, tickets := range ticketCounts(b) {
		b.Run(fmt.Sprintf("tickets=%d", tickets), func(b *testing.B) {
			data := storeOf(b, tickets)
			madoguchi(b) // built before the clock runs, also where the store was kept
			var delays []time.Duration
			var own, files int64
			for b.Loop() {
				begun := time.Now()
				s := start(b, data, "--config", writeConfig(b, "[log]\nlevel = \"warn\"\n"))
				delays = append(delays, time.Since(begun))
				client := s.login(b)
				for _, q := range questions() {
					s.ask(b, client, q, q.path(rand.New(rand.NewPCG(1, 1)), tickets))
				}
				own, files = s.memory(b)
				s.stop()
			}
			info, err := os.Stat(filepath.Join(data, "madoguchi.db"))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(quantile(delays, 0.5).Milliseconds()), "ms-to-ready")
			b.ReportMetric(float64(own)/(1<<20), "MiB-own-memory")
			b.ReportMetric(float64(files)/(1<<20), "MiB-mapped-files")
			b.ReportMetric(float64(info.Size())/(1<<20), "MiB-on-disk")
			b.ReportMetric(float64(info.Size())/float64(rawBytes(b, data)), "disk-of-raw-bytes")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// rawBytes is what the mails of a store take as they were received and composed.
func rawBytes(b *testing.B, data string) (size int64) {
	b.Helper()
	bolt, err := store.OpenBolt(filepath.Join(data, "madoguchi.db"), store.BoltOptions{NoPreallocation: true})
	if err != nil {
		b.Fatal(err)
	}
	defer bolt.Close()
	sources := store.Blobs{Name: "raw"}
	err = bolt.View(b.Context(), func(r store.Reader) error {
		for id, err := range sources.IDs(r) {
			if err != nil {
				return err
			}
			info, err := sources.Stat(r, id)
			if err != nil {
				return err
			}
			size += info.Size
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}

// BenchmarkOpening measures, in a real browser, the time from the click on a row
// of the list to the frame that shows the ticket.
func BenchmarkOpening(b *testing.B) {
	for _, tickets := range ticketCounts(b) {
		b.Run(fmt.Sprintf("tickets=%d", tickets), func(b *testing.B) {
			s := start(b, storeOf(b, tickets), "--config", writeConfig(b, "[log]\nlevel = \"warn\"\n"))
			tab := openBrowser(b)
			tab.do("log in", chromedp.Navigate(s.web+"/login"), typed(`[name=email]`, adminEmail), typed(`[name=password]`, adminPassword),
				click(`form[action="/login"] button`), chromedp.WaitVisible(chromedp.CSS(`#list`)), chromedp.WaitReady(chromedp.CSS(`html[data-live=yes]`)))
			var delays []time.Duration
			for b.Loop() {
				for n := range 30 {
					delays = append(delays, tab.opening(n))
				}
			}
			reportDelays(b, delays)
		})
	}
}

// opening clicks the nth row of a page that rests and returns how long it took until the browser
// had drawn that ticket: the second frame after it was in the page begins when
// the first is drawn.
func (b *browser) opening(n int) time.Duration {
	b.t.Helper()
	b.watched++
	variable := fmt.Sprintf("window.__opened%d", b.watched)
	script := fmt.Sprintf(`(() => {
		%[1]s = 0;
		const row = document.querySelectorAll("#rows .row")[%[2]d], number = row.dataset.number, begun = performance.now();
		const look = () => {
			if (document.querySelector("#ticket")?.dataset.number !== number) return;
			observer.disconnect();
			requestAnimationFrame(() => requestAnimationFrame(() => { %[1]s = performance.now() - begun; }));
		};
		const observer = new MutationObserver(look);
		observer.observe(document.body, {subtree: true, childList: true});
		row.click();
		return true;
	})()`, variable, n)
	result(b, "open a ticket", chromedp.Evaluate[bool](script))
	var took float64
	eventually(b.t, pagePatience, "the ticket is drawn", func() bool {
		took = result(b, "look for the ticket", chromedp.Evaluate[float64](variable))
		return took != 0
	})
	// People read before they open the next: by then what comes late (similar
	// tickets, the customer's history) is there.
	eventually(b.t, pagePatience, "the page rests", func() bool {
		return result(b, "look for requests", chromedp.Evaluate[bool](`!document.querySelector(".htmx-request") && performance.now() - Math.max(...performance.getEntriesByType("resource").map(e => e.responseEnd)) > 250`))
	})
	return time.Duration(took * float64(time.Millisecond))
}
