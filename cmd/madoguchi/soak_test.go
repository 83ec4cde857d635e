package main_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

var soakTime = flag.Duration("soak", 0, "how long to keep the program under mixed load (TestSoak)")

// The load of a soak: of each kind, how many a second.
const (
	soakMails    = 12
	soakReplies  = 2
	soakPages    = 4
	soakSearches = 2
	soakStorm    = 0.2 // strangers who are refused, or leave in the middle
	soakReload   = 15 * time.Second
	soakBackup   = 40 * time.Second
)

// Everything at once, for as long as one likes: mail, answers, pages, searches, a model,
// backups and reloads. In the end every promise is kept, the ledger balances, verify is
// clean, and the program holds no more of anything than after a fifth of the time.
func TestSoak(t *testing.T) {
	if *soakTime == 0 {
		t.Skip("SKIPPED, not passed: make soak MINUTES=10 keeps the program under load")
	}
	zone, model, box := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all")), reserveOllama(t), serveMailbox(t)
	model.start(t)
	model.pull()
	config := writeConfig(t, fmt.Sprintf("[helpdesk]\nundo_window = \"0s\"\n[ai]\naddress = %q\nmodel = %q\n[metrics]\nlisten = \"127.0.0.1:0\"\n", model.address, testModel))
	p := start(t, newDesk(t), "--config", config, "--resolver", zone.Address, "--smarthost", box.address)
	s := &soak{crashLoad: crashLoad{t: t, data: p.data, box: box, mails: map[string]bool{}, texts: map[string]int{}}, p: p, config: config, taken: map[string][]time.Duration{}}
	s.token = p.apiOf(t).token
	p.log.waitFor(t, "/metrics")
	s.metrics = regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`).FindString(p.log.String())

	s.work(*soakTime / 5)
	warm := s.hold()
	s.work(*soakTime * 4 / 5)
	end := s.hold()

	desk := api{p.web, s.token}
	written := s.checkMails(desk)
	s.checkReplies(desk, written)
	eventually(t, 4*patience, "every mail is read by the model", func() bool { return len(desk.eventsOf(t, "analysis.stored")) >= len(s.mails) })
	ledger := desk.ledger(t)
	if !ledger.Balanced || ledger.Total.Accepted != len(s.mails) {
		t.Errorf("the ledger does not balance: %d mails were answered with 250, it says %+v", len(s.mails), ledger)
	}
	succeed(t, "", "verify", "--data", p.data)
	p.stop()
	succeed(t, "", "verify", "--data", p.data)
	s.report(warm, end, ledger)
}

// soak is a load under way.
type soak struct {
	crashLoad
	p       *running
	config  string
	metrics string

	backups, reloads, storms, searches, pages atomic.Int64

	timing sync.Mutex
	taken  map[string][]time.Duration // by what was waited for
}

// every does something some times a second until ctx ends; where it is slower than that, it
// is done as often as it can be.
func (s *soak) every(ctx context.Context, all *sync.WaitGroup, pause time.Duration, do func(n int)) {
	all.Go(func() {
		ticks := time.NewTicker(pause)
		defer ticks.Stop()
		for n := 0; ; n++ {
			select {
			case <-ticks.C:
				do(n)
			case <-ctx.Done():
				return
			}
		}
	})
}

func (s *soak) timed(what string, do func()) {
	began := time.Now()
	do()
	s.timing.Lock()
	defer s.timing.Unlock()
	s.taken[what] = append(s.taken[what], time.Since(began))
}

func rate(perSecond float64, among int) time.Duration {
	return time.Duration(float64(among) / perSecond * float64(time.Second))
}

// work keeps everybody at work for a while.
func (s *soak) work(length time.Duration) {
	ctx, stop := context.WithTimeout(s.t.Context(), length)
	defer stop()
	var all sync.WaitGroup
	for host := range crashHosts {
		client, err := smtp.Dial(s.p.smtp)
		if err != nil {
			s.t.Fatal(err)
		}
		sent := 0
		s.every(ctx, &all, rate(soakMails, crashHosts), func(int) {
			if sent++; sent%50 == 0 { // connections do not last for ever
				client.Close()
				if client, err = smtp.Dial(s.p.smtp); err != nil {
					s.t.Error(err)
					stop()
					return
				}
			}
			s.timed("250 to a mail", func() { s.mailOnce(client, host, stop) })
		})
	}
	desk := api{s.p.web, s.token}
	for agent := range crashAgents {
		s.every(ctx, &all, rate(soakReplies, crashAgents), func(int) {
			s.timed("reply and note", func() { s.answerOnce(ctx, desk, agent) })
		})
	}
	s.browse(ctx, &all, desk)
	s.every(ctx, &all, rate(soakStorm, 1), func(n int) { s.storm(n) })
	s.every(ctx, &all, soakReload, func(int) {
		s.p.command.Process.Signal(syscall.SIGHUP)
		s.reloads.Add(1)
	})
	s.every(ctx, &all, soakBackup, func(n int) { s.backup(n) })
	all.Wait()
}

func (s *soak) mailOnce(client *smtp.Client, host int, stop func()) {
	n := s.next[host]
	if _, err := submit(client, customerAddress, deskAddress, s.mail(host, n)); err != nil {
		s.t.Errorf("mail %s: %v", s.mailID(host, n), err)
		stop()
		return
	}
	s.mu.Lock()
	s.mails[s.mailID(host, n)] = true
	s.mu.Unlock()
	s.next[host]++
}

// answerOnce lets an agent write one reply and one note.
func (s *soak) answerOnce(ctx context.Context, desk api, agent int) {
	once, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	written := 0
	s.answer(once, desk, agent, func() {
		if written++; written == 2 {
			stop()
		}
	})
}

// browse reads pages as a browser with a session does, and searches.
func (s *soak) browse(ctx context.Context, all *sync.WaitGroup, desk api) {
	client := s.p.login(s.t)
	page := func(path string) {
		response, err := client.Get(s.p.web + path)
		if err != nil {
			s.t.Error(err)
			return
		}
		defer response.Body.Close()
		if io.Copy(io.Discard, response.Body); response.StatusCode >= 500 {
			s.t.Errorf("GET %s: %s", path, response.Status)
		}
	}
	s.every(ctx, all, rate(soakPages, 1), func(n int) {
		path := []string{"/inbox/open", "/inbox/all", fmt.Sprintf("/inbox/open/%d", 1+rand.IntN(20)), "/settings/ledger", "/situation"}[n%5]
		s.timed("page "+strings.TrimRight(path, "0123456789"), func() { page(path) })
		s.pages.Add(1)
	})
	words := []string{"請求", "standard plan", "order", "管理画面", "refund"}
	s.every(ctx, all, rate(soakSearches, 1), func(n int) {
		s.timed("search", func() { desk.get(s.t, "/tickets?q="+url.QueryEscape(words[n%len(words)]), nil) })
		s.searches.Add(1)
	})
}

// storm is somebody whom the listener has to bear: an unknown recipient, a client that
// leaves in the middle of a mail, one that says nothing.
func (s *soak) storm(n int) {
	client, err := smtp.Dial(s.p.smtp)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer client.Close()
	s.storms.Add(1)
	if n%3 == 2 {
		return
	}
	if err := client.Mail("scanner@elsewhere.test", nil); err != nil {
		return
	}
	if n%3 == 0 {
		client.Rcpt(fmt.Sprintf("user%d@desk.test", n), nil)
		return
	}
	if client.Rcpt(deskAddress, nil) == nil {
		if data, err := client.Data(); err == nil {
			data.Write([]byte("From: scanner@elsewhere.test\r\nSubject: half a ma"))
		}
	}
}

// backup takes one beside the load, and reads the newest one back.
func (s *soak) backup(n int) {
	file := filepath.Join(filepath.Dir(s.config), fmt.Sprintf("backup-%d.db", n))
	defer os.Remove(file)
	s.timed("backup", func() { succeed(s.t, "", "backup", file, "--data", s.data) })
	s.backups.Add(1)
}

// holding is what the program holds on to.
type holding struct {
	memory, heap      int64 // its own, in bytes
	goroutines, files int
}

// hold waits until the program rests and says what it holds.
func (s *soak) hold() (h holding) {
	t := s.t
	desk := api{s.p.web, s.token}
	eventually(t, 4*patience, "every reply is sent", func() bool {
		var queue struct{ Total int }
		desk.get(t, "/queue", &queue)
		return queue.Total == 0
	})
	eventually(t, 4*patience, "every mail is read by the model", func() bool {
		return s.metric("madoguchi_backlog_due", `kind="analyse"`) == 0 && s.metric("madoguchi_search_behind_events", "") == 0
	})
	http.DefaultClient.CloseIdleConnections()
	pid := s.p.command.Process.Pid
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	if own := regexp.MustCompile(`RssAnon:\s+(\d+) kB`).FindSubmatch(status); own != nil {
		kilobytes, _ := strconv.ParseInt(string(own[1]), 10, 64)
		h.memory = kilobytes << 10
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	h.files, h.goroutines, h.heap = len(files), int(s.metric("go_goroutines", "")), int64(s.metric("go_memstats_heap_inuse_bytes", ""))
	return h
}

// metric reads a metric, with a label where there are several of it.
func (s *soak) metric(name, label string) float64 {
	response, err := http.Get(s.metrics)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok && strings.Contains(rest, label) && (rest[0] == ' ' || rest[0] == '{') {
			value, _ := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(strings.TrimSpace(rest), ' ')+1:]), 64)
			return value
		}
	}
	return 0
}

// report prints the figures, and fails where something grew.
func (s *soak) report(warm, end holding, ledger ledgerAnswer) {
	t := s.t
	t.Logf("%v: %d mails, %d replies and %d notes, %d pages, %d searches, %d backups, %d reloads, %d strangers; turned away %v",
		*soakTime, len(s.mails), s.figures.replies, s.figures.notes, s.pages.Load(), s.searches.Load(), s.backups.Load(), s.reloads.Load(), s.storms.Load(), ledger.Total.Refused)
	t.Logf("held after a fifth and at the end: own memory %d and %d MB (heap %d and %d), goroutines %d and %d, files %d and %d",
		warm.memory>>20, end.memory>>20, warm.heap>>20, end.heap>>20, warm.goroutines, end.goroutines, warm.files, end.files)
	for _, what := range slices.Sorted(maps.Keys(s.taken)) {
		times := s.taken[what]
		slices.Sort(times)
		at := func(part float64) time.Duration {
			return times[int(part*float64(len(times)-1))].Round(100 * time.Microsecond)
		}
		t.Logf("%-20s %6d times, half within %v, 99 %% within %v, at most %v", what, len(times), at(.5), at(.99), at(1))
	}
	const moreMemory, moreOfOthers = 64 << 20, 12 // what caches and pools still take after a fifth of the time
	if end.memory > warm.memory*3/2+moreMemory {
		t.Errorf("its own memory grew from %d to %d MB", warm.memory>>20, end.memory>>20)
	}
	if end.goroutines > warm.goroutines+moreOfOthers || end.files > warm.files+moreOfOthers {
		t.Errorf("goroutines grew from %d to %d, open files from %d to %d", warm.goroutines, end.goroutines, warm.files, end.files)
	}
}
