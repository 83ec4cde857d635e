package main_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// serviceDesk opens a data directory as the program does, with another clock, and
// lets the desk work in it.
func serviceDesk(t *testing.T, data string, clock time.Time, work func(*helpdesk.Desk, helpdesk.Actor)) {
	t.Helper()
	bolt, err := store.OpenBolt(filepath.Join(data, "madoguchi.db"), store.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer bolt.Close()
	desk, err := helpdesk.Open(t.Context(), bolt, helpdesk.Options{Hostname: "mx.desk.test"})
	if err != nil {
		t.Fatal(err)
	}
	desk.Now = func() time.Time { return clock }
	users, err := desk.Users(t.Context(), helpdesk.System("test"))
	if err != nil {
		t.Fatal(err)
	}
	work(desk, users[0].Actor())
}

// addService makes a smart service of one template on the desk's alias.
func addService(t *testing.T, desk *helpdesk.Desk, admin helpdesk.Actor, delay time.Duration) (template string) {
	t.Helper()
	aliases, err := desk.Aliases(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	aliases[0].Language = "ja"
	if _, err := desk.SaveAlias(t.Context(), admin, aliases[0]); err != nil {
		t.Fatal(err)
	}
	saved, err := desk.SaveTemplate(t.Context(), admin, helpdesk.Template{Name: "配送について", Versions: []helpdesk.TemplateVersion{{Language: "ja", Text: "3営業日でお届けします。"}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = desk.SaveService(t.Context(), admin, helpdesk.Service{Name: "よくあるご質問", Language: "ja", Aliases: []string{aliases[0].ID}, Templates: []string{saved.ID},
		Delay: delay, Threshold: 80, SenderLimit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return saved.ID
}

func deliveryQuestion(from string, n int) []byte {
	return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: =?utf-8?B?6YWN6YCB?=\r\nMessage-ID: <question.%d@customer.test>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0900\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nいつ届きますか。\r\n", from, deskAddress, n)
}

// plan lets a mail come in at the desk's own time, and a model choose the
// template for it.
func plan(t *testing.T, desk *helpdesk.Desk, from string, n int, template string) {
	t.Helper()
	raw := deliveryQuestion(from, n)
	receipt, err := desk.Receive(t.Context(), helpdesk.Incoming{Envelope: helpdesk.Envelope{MailFrom: from, Recipients: []string{deskAddress}},
		Raw: raw, Message: mail.Parse(raw), ReceivedAt: desk.Now(), Authentication: helpdesk.Authentication{DMARC: helpdesk.AuthResult{Result: "pass"}}})
	if err != nil {
		t.Fatal(err)
	}
	in, err := desk.MatchInput(t.Context(), fmt.Sprint(receipt.Ticket))
	if err != nil || in == nil {
		t.Fatal(in, err)
	}
	if err := desk.StoreMatch(t.Context(), in, helpdesk.MatchChoice{Template: template, Confidence: 95}, ""); err != nil {
		t.Fatal(err)
	}
}

// serviceState is where a ticket stands with its service.
func (a api) serviceState(t testing.TB, number int) (state string, replies int) {
	t.Helper()
	var d struct {
		Ticket   struct{ Service *struct{ State string } }
		Messages []struct{ Direction string }
	}
	a.get(t, fmt.Sprintf("/tickets/%d", number), &d)
	if d.Ticket.Service != nil {
		state = d.Ticket.Service.State
	}
	for _, m := range d.Messages {
		if m.Direction == "out" {
			replies++
		}
	}
	return state, replies
}

// TestServiceSurvivesCrashes kills the program while the model is asked, while
// answers wait for their eighteen hours, which began on a clock of yesterday, and
// while they are sent. Each is sent, and none twice.
func TestServiceSurvivesCrashes(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the crashes")
	}
	t.Parallel()
	const waiting = 8
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	box, model := serveMailbox(t), reserveOllama(t)
	asked, release := make(chan struct{}, 10), make(chan struct{})
	model.answer = func(prompt string) map[string]any {
		if !strings.HasPrefix(prompt, "MARK-") {
			return standardAnswer()
		}
		asked <- struct{}{}
		<-release
		return map[string]any{"template": "answer_1", "confidence": 95}
	}
	model.start(t)
	model.pull()
	data := newDesk(t)
	template := ""
	serviceDesk(t, data, time.Now(), func(desk *helpdesk.Desk, admin helpdesk.Actor) { template = addService(t, desk, admin, 18*time.Hour) })
	config := fmt.Sprintf("[ai]\naddress = %q\nmodel = %q\n", model.address, testModel)
	arguments := []string{"--config", writeConfig(t, config), "--resolver", zone.Address, "--smarthost", box.address}

	p := start(t, data, arguments...)
	send(t, p.smtp, "late@customer.test", deskAddress, deliveryQuestion("late@customer.test", waiting))
	<-asked
	p.kill() // while the model thinks
	close(release)
	succeed(t, "", "verify", "--data", data)

	yesterday := time.Now().Add(6*time.Second - 18*time.Hour)
	serviceDesk(t, data, yesterday, func(desk *helpdesk.Desk, admin helpdesk.Actor) {
		for i := range waiting {
			plan(t, desk, fmt.Sprintf("waiting%d@customer.test", i), i, template)
		}
	})
	start(t, data, arguments...).kill() // while they wait
	succeed(t, "", "verify", "--data", data)

	p = start(t, data, arguments...)
	eventually(t, patience, "the first answers leave", func() bool { return len(box.all()) > 0 })
	p.kill() // while the others are sent
	succeed(t, "", "verify", "--data", data)

	p = start(t, data, arguments...)
	desk := p.apiOf(t)
	eventually(t, patience, "every answer is sent, and the new mail is matched", func() bool {
		for number := range waiting {
			if state, _ := desk.serviceState(t, number+2); state != "sent" {
				return false
			}
		}
		state, _ := desk.serviceState(t, 1)
		return state == "planned" && len(desk.eventsOf(t, "delivery.sent")) == waiting
	})
	for number := range waiting {
		if _, replies := desk.serviceState(t, number+2); replies != 1 {
			t.Errorf("ticket %d has %d answers", number+2, replies)
		}
		ids := map[string]bool{}
		for _, l := range box.to(fmt.Sprintf("waiting%d@customer.test", number)) {
			ids[mail.Parse(l.raw).MessageID] = true
			if !strings.Contains(string(l.raw), "Auto-Submitted: auto-replied") {
				t.Errorf("the answer does not say that it is automatic:\n%s", l.raw)
			}
		}
		if len(ids) != 1 {
			t.Errorf("customer %d got %d different mails", number, len(ids))
		}
	}
	if letters := box.to("late@customer.test"); len(letters) != 0 {
		t.Errorf("what is planned for tomorrow was sent: %d", len(letters))
	}
	p.stop()
	succeed(t, "", "verify", "--data", data)
}

// TestInjectionsSendNothing gives every injection to a service that would answer
// at once, with a model that obeys the mail: nothing is sent.
func TestInjectionsSendNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the injections")
	}
	t.Parallel()
	injections := readInjections(t)
	orders := map[string]any{}
	for _, i := range injections {
		orders[i.Order] = i.Orders
	}
	model, outside := serveObedient(t, orders), serveMailbox(t)
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	data := newDesk(t)
	serviceDesk(t, data, time.Now(), func(desk *helpdesk.Desk, admin helpdesk.Actor) { addService(t, desk, admin, 0) })
	config := fmt.Sprintf("[ai]\naddress = %q\nmodel = %q\n", model.address, testModel)
	program := start(t, data, "--config", writeConfig(t, config), "--resolver", zone.Address, "--smarthost", outside.address)
	desk := program.apiOf(t)
	for _, i := range injections {
		send(t, program.smtp, "mallory@customer.test", deskAddress, i.mail())
	}
	eventually(t, time.Minute, "every mail was matched, or could not be", func() bool {
		var list struct {
			Tickets []struct{ Service *struct{ State string } }
		}
		desk.get(t, "/tickets?limit=200", &list)
		for _, ticket := range list.Tickets {
			if ticket.Service != nil && ticket.Service.State == "matching" {
				return false
			}
		}
		return len(list.Tickets) == len(injections)
	})
	asked := 0
	for _, e := range desk.eventsOf(t, "service.unmatched", "service.matched", "service.sent") {
		if e.Kind != "service.unmatched" {
			t.Errorf("ticket %d: %s %v", *e.Ticket, e.Kind, e.Data)
		}
		if e.Data["reason"] == "error" {
			asked++
		}
	}
	if asked < len(injections)/4 {
		t.Errorf("the model was asked about %d of %d injections: the test proves little", asked, len(injections))
	}
	if letters := outside.all(); len(letters) != 0 {
		t.Errorf("%d mails left, the first:\n%.500s", len(letters), letters[0].raw)
	}
}
