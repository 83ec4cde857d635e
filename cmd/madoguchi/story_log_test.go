package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestTheLogTellsAMailsStoryAndNoSecret runs a mail's whole story at the most
// talkative level: it is taken, answered, and answered again at its reply address.
// The log has the story under the mail's id, in order; and nothing that the program
// says anywhere has a secret of it.
func TestTheLogTellsAMailsStoryAndNoSecret(t *testing.T) {
	t.Parallel()
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	box := serveMailbox(t)
	const smarthostPassword, cardSecret = "smarthost-sesame-77", "card-sesame-78"
	config := writeConfig(t, `[log]
level = "debug"
[metrics]
listen = "127.0.0.1:0"
[ai]
enabled = false
[helpdesk]
undo_window = "0s"
[webhooks]
allow_networks = ["127.0.0.0/8"]
[[outbound.account]]
domains = ["other.test"]
smarthost = "mail.other.test:587"
username = "desk"
password = "`+smarthostPassword+`"
[[customer_card]]
name = "shop"
url = "https://shop.customer.test/card"
secret = "`+cardSecret+`"
`)
	data := newDesk(t)
	p := start(t, data, "--config", config, "--resolver", zone.Address, "--smarthost", box.address)
	api := p.apiOf(t)
	secrets := secretsOf{"password": adminPassword, "smarthost password": smarthostPassword, "card secret": cardSecret, "API token": api.token, "private key": "PRIVATE KEY"}

	browser := p.login(t)
	at, _ := url.Parse(p.web)
	for _, cookie := range browser.Jar.Cookies(at) {
		if len(cookie.Value) > 20 {
			secrets["session cookie"] = cookie.Value
		}
	}
	var hook struct {
		Webhook struct{ ID string }
		Secret  string
	}
	api.do(t, "POST", "/webhooks", nil, map[string]any{"name": "倉庫", "url": "http://127.0.0.1:9/hook?key=receiver-sesame-79", "kinds": []string{"ticket.created"}}, &hook)
	secrets["webhook secret"], secrets["key in a webhook's address"] = hook.Secret, "receiver-sesame-79"
	var other struct{ Token string }
	if err := json.Unmarshal([]byte(`{"Token":"`+strings.TrimSpace(succeed(t, "", "token", "create", "--user", adminEmail, "--scope", "read", "--name", "second", "--expires", "90d", "--data", data))+`"}`), &other); err != nil {
		t.Fatal(err)
	}
	secrets["second API token"] = other.Token

	send(t, p.smtp, customerAddress, deskAddress, post(1, customerAddress, deskAddress, "1@customer.test"))
	question := api.ticket(t, 1).Messages[0].ID
	if status := api.do(t, "POST", "/tickets/1/replies", nil, map[string]string{"text": "承知いたしました。"}, nil); status >= 300 {
		t.Fatalf("post a reply: %d", status)
	}
	answer := box.next(t, customerAddress, patience)
	var reply apiMessage
	eventually(t, patience, "the reply is known to have left", func() bool {
		reply = api.ticket(t, 1).Messages[1]
		return reply.Delivery != nil && reply.Delivery.State == "sent"
	})
	for name, address := range map[string]string{"reply token": reply.ReplyAddress, "bounce token": answer.from} {
		_, token, _ := strings.Cut(address, "+")
		secrets[name], _, _ = strings.Cut(token, "@")
	}
	followed := post(2, customerAddress, reply.ReplyAddress, "2@customer.test")
	send(t, p.smtp, customerAddress, reply.ReplyAddress, followed)
	p.get("/no/such/page?key=" + secrets["API token"])
	p.get("/api/v1/tickets", "Authorization", "Bearer "+strings.ToUpper(api.token))
	p.log.waitFor(t, "msg=delivered")
	p.log.waitFor(t, "hook="+hook.Webhook.ID)

	// The story, in order.
	log := p.log.String()
	var story []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, "id="+question) || strings.Contains(line, "answers="+question) {
			story = append(story, line)
		}
	}
	told := strings.Join(story, "")
	// The session and those who follow the events speak at the same time: each tells its part in order.
	for _, part := range [][]string{
		{`msg="mail stored"`, "spf=pass", "dmarc=", `msg="mail accepted"`},
		{"kind=message.received", "kind=reply.posted"},
		{`msg="delivery begins"`, "msg=delivered"},
	} {
		from := 0
		for _, word := range part {
			i := strings.Index(told[from:], word)
			if i < 0 {
				t.Fatalf("the log does not tell %q after %q:\n%s", word, told[:from], told)
			}
			from += i
		}
	}
	if !regexp.MustCompile(`msg="mail accepted" ip=127\.0\.0\.1`).MatchString(told) {
		t.Errorf("the log does not tell who connected:\n%s", told)
	}

	// Where the program speaks.
	said := map[string]string{"log": log}
	page := func(client *http.Client, address string) string {
		t.Helper()
		response, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	said["metrics"] = page(http.DefaultClient, regexp.MustCompile(`http://[0-9.:]+/metrics`).FindString(log))
	for _, path := range []string{"/readyz", "/healthz", "/no/such/page", "/messages/none/html", "/settings/system", "/settings/audit", "/settings/queue", "/settings/webhooks",
		"/settings/tokens", "/settings/webhooks/" + hook.Webhook.ID + "?x", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline", "/debug/pprof/heap?debug=1"} {
		said[path] = page(browser, p.web+path)
	}
	_, events, err := api.try(t.Context(), "GET", "/events?limit=1000", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	said["events"] = string(events)
	_, hooks, _ := api.try(t.Context(), "GET", "/webhooks", nil, nil)
	said["webhooks"] = strings.ReplaceAll(string(hooks), "receiver-sesame-79", "") // who made it may read its address
	said["/settings/webhooks/"+hook.Webhook.ID+"?x"] = strings.ReplaceAll(said["/settings/webhooks/"+hook.Webhook.ID+"?x"], "receiver-sesame-79", "")
	said["/settings/audit"] = strings.ReplaceAll(said["/settings/audit"], "receiver-sesame-79", "")
	said["events"] = strings.ReplaceAll(said["events"], "receiver-sesame-79", "")
	said["token list"] = succeed(t, "", "token", "list", "--data", data)
	p.stop()
	said["log until the end"] = p.log.String()
	secrets.stayOut(t, said)
	if len(said["events"]) < 1000 || len(said["metrics"]) < 1000 || !strings.Contains(log, "level=DEBUG") {
		t.Error("what is looked through is not what it should be")
	}
}
