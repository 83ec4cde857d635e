package main_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

var crashes = flag.Int("crashes", 10, "how often to kill the program under load (TestCrashesUnderLoadLoseNothing)")

// crashesOfAStore is after how many crashes all of it is looked at, and a new store begun.
const crashesOfAStore = 30

// A 250 is a promise, and so is the answer to an agent. The program is killed at any moment, under
// mail that comes in, agents who answer and note, a model that reads, answers on their way
// out, and sometimes while it recovers from the kill before. Every promise is kept, once.
func TestCrashesUnderLoadLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the crashes under load")
	}
	t.Parallel()
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	model, box := reserveOllama(t), serveMailbox(t)
	model.start(t)
	model.pull()
	config := writeConfig(t, fmt.Sprintf("[helpdesk]\nundo_window = \"0s\"\n[ai]\naddress = %q\nmodel = %q\n", model.address, testModel))
	arguments := []string{"--config", config, "--resolver", zone.Address, "--smarthost", box.address}
	var total crashFigures
	for done := 0; done < *crashes; {
		n := min(crashesOfAStore, *crashes-done)
		l := &crashLoad{t: t, data: newDesk(t), arguments: arguments, box: box, store: done}
		l.run(n)
		total.add(l.check())
		done += n
	}
	t.Logf("%d kills: %s", *crashes, total)
}

// crashFigures are what a run of crashes went through.
type crashFigures struct {
	mails, replies, notes     int // acknowledged
	unanswered, twice, starts int // mails sent again; letters that a customer got twice; kills during the start
}

func (f *crashFigures) add(more crashFigures) {
	f.mails += more.mails
	f.replies += more.replies
	f.notes += more.notes
	f.unanswered += more.unanswered
	f.twice += more.twice
	f.starts += more.starts
}

func (f crashFigures) String() string {
	return fmt.Sprintf("%d mails acknowledged and each there once (%d sent again for lack of an answer), %d replies and %d notes, %d kills during the start; "+
		"%d letters left twice, since the kill came between the other side's 250 and our record of it", f.mails, f.unanswered, f.replies, f.notes, f.starts, f.twice)
}

// Of each kind, how many work at a time.
const (
	crashHosts  = 6
	crashAgents = 3
)

// crashLoad is who works with one store while its program is killed again and again.
type crashLoad struct {
	t         *testing.T
	data      string
	arguments []string
	box       *mailbox
	store     int
	token     string
	figures   crashFigures
	promises  atomic.Int64 // answers of 250 and 2xx

	next  [crashHosts]int  // the mail that each host sends next
	keys  [crashAgents]int // the reply that each agent writes next
	mu    sync.Mutex
	mails map[string]bool // acknowledged, by Message-ID
	texts map[string]int  // acknowledged replies and notes, by their text, and their tickets
	open  []int           // tickets that agents know of
}

// run kills the program n times.
func (l *crashLoad) run(n int) {
	l.t.Helper()
	l.mails, l.texts = map[string]bool{}, map[string]int{}
	for kill := range n {
		if kill > 0 && rand.IntN(5) == 0 {
			l.killStart()
		}
		p := start(l.t, l.data, l.arguments...)
		if l.token == "" {
			l.token = p.apiOf(l.t).token
		}
		l.work(p, kill)
		p.kill()
		p.expectSilence()
		if kill%4 == 3 { // else the next start is what finds the store as the crash left it
			succeed(l.t, "", "verify", "--data", l.data)
		}
		if l.t.Failed() {
			l.t.FailNow()
		}
	}
}

// killStart kills the program somewhere between its first moment and its ready line.
func (l *crashLoad) killStart() {
	command := exec.Command(madoguchi(l.t), append([]string{"serve", "--data", l.data, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"}, l.arguments...)...)
	if err := command.Start(); err != nil {
		l.t.Fatal(err)
	}
	<-time.After(time.Duration(rand.IntN(250)) * time.Millisecond)
	command.Process.Kill()
	command.Wait()
	l.figures.starts++
}

// work lets everybody work until some moment after some promise, and then the program is killed.
func (l *crashLoad) work(p *running, kill int) {
	last := l.promises.Load() + 1 // the first kill comes after a single 250, the others anywhere
	if kill > 0 {
		last += rand.Int64N(80)
	}
	ctx, stop := context.WithTimeout(l.t.Context(), patience)
	defer stop()
	var everybody sync.WaitGroup
	promised := func() {
		if l.promises.Add(1) >= last {
			time.AfterFunc(time.Duration(rand.IntN(20_000))*time.Microsecond, func() {
				p.command.Process.Kill()
				stop()
			})
		}
	}
	for host := range crashHosts {
		everybody.Go(func() { l.sendMail(ctx, p.smtp, host, promised) })
	}
	for agent := range crashAgents {
		everybody.Go(func() { l.answer(ctx, api{p.web, l.token}, agent, promised) })
	}
	everybody.Wait()
}

func (l *crashLoad) mailID(host, n int) string {
	return fmt.Sprintf("%d.%d.%d@customer.test", l.store, host, n)
}

func (l *crashLoad) mail(host, n int) []byte {
	return post(uint64(l.store)<<48|uint64(host)<<32|uint64(n), customerAddress, deskAddress, l.mailID(host, n))
}

// sendMail is a mail server that sends as RFC 5321 asks: what was answered with 250 is
// done with, what was not is sent again.
func (l *crashLoad) sendMail(ctx context.Context, address string, host int, promised func()) {
	for ctx.Err() == nil {
		client, err := smtp.Dial(address)
		if err != nil {
			return // it was killed
		}
		for ; ; l.next[host]++ {
			id := l.mailID(host, l.next[host])
			if _, err := submit(client, customerAddress, deskAddress, l.mail(host, l.next[host])); err != nil {
				if smtpCode(err) >= 500 {
					l.t.Errorf("mail %s: %v", id, err)
				}
				client.Close()
				return
			}
			l.mu.Lock()
			l.mails[id] = true
			l.mu.Unlock()
			promised()
		}
	}
}

// answer is an agent who replies and notes; a reply without an answer is posted again
// under its key.
func (l *crashLoad) answer(ctx context.Context, desk api, agent int, promised func()) {
	for ; ctx.Err() == nil; l.keys[agent]++ {
		number := l.ticket(ctx, desk, agent)
		if number == 0 {
			return
		}
		name := fmt.Sprintf("%d.%d.%d", l.store, agent, l.keys[agent])
		for _, write := range []struct{ path, text string }{{"replies", "reply " + name}, {"notes", "note " + name}} {
			path := fmt.Sprintf("/tickets/%d/%s", number, write.path)
			status, said, err := desk.try(ctx, http.MethodPost, path, http.Header{"Idempotency-Key": {write.text}}, map[string]string{"text": write.text})
			if err != nil {
				return
			}
			if status >= 300 {
				l.t.Errorf("%s: %d %s", path, status, said)
				return
			}
			l.mu.Lock()
			l.texts[write.text] = number
			l.mu.Unlock()
			promised()
		}
	}
}

// ticket is the one that an agent's next reply is for: whatever its number, the same key
// always goes to the same ticket.
func (l *crashLoad) ticket(ctx context.Context, desk api, agent int) int {
	for ctx.Err() == nil {
		l.mu.Lock()
		known := l.open
		l.mu.Unlock()
		if len(known) > 0 {
			return known[(agent*31+l.keys[agent])%len(known)]
		}
		_, answer, err := desk.try(ctx, http.MethodGet, "/tickets?limit=20", nil, nil)
		if err != nil {
			return 0
		}
		var page ticketPage
		if json.Unmarshal(answer, &page) != nil || len(page.Tickets) == 0 {
			continue
		}
		l.mu.Lock()
		for _, ticket := range page.Tickets {
			if l.open = append(l.open, ticket.Number); len(l.open) == 20 {
				break
			}
		}
		l.mu.Unlock()
	}
	return 0
}

// check finds every promise kept after the last crash.
func (l *crashLoad) check() crashFigures {
	t := l.t
	t.Helper()
	p := start(t, l.data, l.arguments...)
	desk := api{p.web, l.token}
	client, err := smtp.Dial(p.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for host, n := range l.next { // what had no answer is sent again
		if _, err := submit(client, customerAddress, deskAddress, l.mail(host, n)); err != nil {
			t.Fatalf("send %s again: %v", l.mailID(host, n), err)
		}
		l.next[host]++
		l.figures.unanswered++
	}
	written := l.checkMails(desk)
	l.checkReplies(desk, written)
	eventually(t, 2*patience, "every mail is read by the model", func() bool { return len(desk.eventsOf(t, "analysis.stored")) >= len(l.mails) })
	if failed := desk.eventsOf(t, "analysis.failed", "timer.parked"); len(failed) > 0 {
		t.Errorf("%d analyses failed or timers are parked: %v", len(failed), failed[0])
	}
	ledger := desk.ledger(t)
	if !ledger.Balanced || ledger.Total.Accepted != ledger.Total.Places["tickets"] {
		t.Errorf("the ledger does not balance: %+v", ledger)
	}
	succeed(t, "", "verify", "--data", l.data)
	p.stop()
	succeed(t, "", "verify", "--data", l.data)
	l.figures.mails = len(l.mails)
	return l.figures
}

// checkMails finds every mail exactly once, and returns how often each text that agents
// wrote is there.
func (l *crashLoad) checkMails(desk api) (written map[string]int) {
	t := l.t
	counts := map[string]int{}
	written = map[string]int{}
	for _, number := range desk.tickets(t) {
		d := desk.ticket(t, number)
		for _, m := range append(d.Messages, d.Held...) {
			if m.Direction == "in" {
				counts[m.MessageID]++
			} else {
				written[fmt.Sprint(number, " ", strings.TrimSpace(m.Text))]++
			}
		}
		for _, n := range d.Notes {
			written[fmt.Sprint(number, " ", n.Text)]++
		}
	}
	want := 0
	for host, n := range l.next {
		want += n
		for i := range n {
			id := l.mailID(host, i)
			if counts[id] != 1 {
				t.Errorf("mail %s is there %d times (acknowledged: %t)", id, counts[id], l.mails[id])
			}
		}
	}
	if len(counts) != want {
		t.Errorf("%d mails are there, %d were sent", len(counts), want)
	}
	return written
}

// checkReplies finds every reply and note on its ticket, replies once, and sees each reply arrive.
func (l *crashLoad) checkReplies(desk api, written map[string]int) {
	t := l.t
	for text, number := range l.texts {
		n := written[fmt.Sprint(number, " ", text)]
		if strings.HasPrefix(text, "note") {
			l.figures.notes++
			if n == 0 {
				t.Errorf("%s, which was acknowledged, is lost", text)
			}
			continue
		}
		l.figures.replies++
		if n != 1 {
			t.Errorf("%s is on ticket %d %d times", text, number, n)
		}
	}
	eventually(t, 2*patience, "every reply is sent", func() bool {
		var queue struct{ Total int }
		desk.get(t, "/queue", &queue)
		return queue.Total == 0
	})
	arrived := map[string]int{}
	for _, letter := range l.box.to(customerAddress) {
		for line := range strings.Lines(string(letter.raw)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, fmt.Sprintf("reply %d.", l.store)) {
				arrived[line]++
				break
			}
		}
	}
	for text := range l.texts {
		if !strings.HasPrefix(text, "reply") {
			continue
		}
		switch n := arrived[text]; {
		case n == 0:
			t.Errorf("%s was acknowledged and never reached the customer", text)
		case n > 1:
			l.figures.twice += n - 1
		}
	}
}
