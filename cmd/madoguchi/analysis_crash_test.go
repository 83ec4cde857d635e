package main_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestAnalysisSurvivesCrashes kills the program while the model reads: at the
// first mail, at the same mail once more, and in the middle of the queue. Every
// mail is analysed, none twice, and one that has its analysis is not read again.
func TestAnalysisSurvivesCrashes(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the crashes")
	}
	t.Parallel()
	const mails = 6
	zone, model := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all")), reserveOllama(t)
	asked, answers := make(chan struct{}, 4*mails), make(chan struct{})
	var readings atomic.Int64
	model.answer = func(string) map[string]any {
		readings.Add(1)
		asked <- struct{}{}
		<-answers
		return standardAnswer()
	}
	model.start(t)
	model.pull()
	data := newDesk(t)
	arguments := []string{"--config", writeConfig(t, fmt.Sprintf("[ai]\naddress = %q\nmodel = %q\n", model.address, testModel)), "--resolver", zone.Address}

	p := start(t, data, arguments...)
	for n := range mails {
		send(t, p.smtp, customerAddress, deskAddress, numberedPost(n))
	}
	<-asked
	p.kill() // while it reads its first mail
	succeed(t, "", "verify", "--data", data)
	answers <- struct{}{} // to nobody

	p = start(t, data, arguments...)
	<-asked
	p.kill() // again, and so soon that the claim of the first start still stands
	succeed(t, "", "verify", "--data", data)
	answers <- struct{}{}

	p = start(t, data, arguments...)
	for range 2 {
		<-asked
		answers <- struct{}{}
	}
	<-asked // so the second answer is stored, and the third mail is being read
	desk := p.apiOf(t)
	before := desk.eventsOf(t, "analysis.stored")
	p.kill()
	succeed(t, "", "verify", "--data", data)
	reads := int(readings.Load())
	close(answers)

	p = start(t, data, arguments...)
	desk = p.apiOf(t)
	eventually(t, patience, "every mail is analysed", func() bool { return len(desk.eventsOf(t, "analysis.stored")) >= mails })
	p.stop() // a second analysis of any would have its event by now, or never
	succeed(t, "", "verify", "--data", data)

	p = start(t, data, arguments...)
	desk = p.apiOf(t)
	events := desk.eventsOf(t, "analysis.stored", "analysis.failed")
	tickets := map[uint64]int{}
	for _, e := range events {
		tickets[*e.Ticket]++
	}
	if len(before) != 2 || len(events) != mails || len(tickets) != mails {
		t.Errorf("%d analyses before the last crash, %d events in all of %d tickets; want 2, %d and %d", len(before), len(events), len(tickets), mails, mails)
	}
	for _, number := range desk.tickets(t) {
		if messages := desk.ticket(t, number).Messages; len(messages) != 1 || messages[0].Analysis == nil {
			t.Errorf("ticket %d: %+v", number, messages)
		}
	}
	// What was read in vain is read again; what was stored is not.
	prompts := model.asked()
	if len(prompts)-reads != mails-len(before) {
		t.Errorf("%d mails were read after the last crash, %d had no analysis", len(prompts)-reads, mails-len(before))
	}
	for n := range mails {
		if !slices.ContainsFunc(prompts, func(prompt string) bool { return strings.Contains(prompt, numberedSubject(n)) }) {
			t.Errorf("mail %d was never read", n)
		}
	}
}

func numberedSubject(n int) string { return fmt.Sprintf("Question no. %d.", n) }

func numberedPost(n int) []byte {
	return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <numbered.%d@customer.test>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0900\r\n\r\nWhen does order %d arrive?\r\n",
		customerAddress, deskAddress, numberedSubject(n), n, n)
}
