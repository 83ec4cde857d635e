package main_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// receiver is somebody's server that webhooks are sent to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	heard  []heardHook
}

type heardHook struct {
	id, signed string // the id, and the text that the signature is of
	signatures []string
	body       string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		id := request.Header.Get("Webhook-Id")
		r.heard = append(r.heard, heardHook{id, id + "." + request.Header.Get("Webhook-Timestamp") + "." + string(body), strings.Fields(request.Header.Get("Webhook-Signature")), string(body)})
		w.WriteHeader(r.status)
		fmt.Fprintf(w, "receiver says %d", r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// hooks are those whose body has a word.
func (r *receiver) hooks(word string) (list []heardHook) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.heard {
		if strings.Contains(h.body, word) {
			list = append(list, h)
		}
	}
	return list
}

// by reports whether a secret signed what was heard.
func (h heardHook) by(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h.signed))
	for _, signature := range h.signatures {
		if signature == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			return true
		}
	}
	return false
}

// again opens a page until it shows what is waited for.
func (b *browser) again(address, condition string) {
	b.t.Helper()
	eventually(b.t, patience, condition+" at "+address, func() bool {
		b.do("open "+address, chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("body")))
		return result(b, "look for "+condition, chromedp.Evaluate[bool](condition))
	})
}

// TestProgramsAreConnectedInABrowser makes a webhook and a token as an admin does:
// the webhook is tested, fails, is tried again and taken; the token is told once,
// used, and revoked.
func TestProgramsAreConnectedInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the browser")
	}
	findBrowser(t)
	t.Parallel()
	theirs := newReceiver(t)
	p := start(t, newDesk(t), "--config", writeConfig(t, "[ai]\nenabled = false\n\n[webhooks]\nallow_networks = [\"127.0.0.0/8\"]\n"), "--resolver", dnstest.ServeZone(t).Address)
	b := openBrowser(t)
	b.do("log in", chromedp.Navigate(p.web+"/login"), typed(`[name=email]`, adminEmail), typed(`[name=password]`, adminPassword), click(`form[action="/login"] button`), chromedp.WaitVisible(chromedp.CSS(`#list`)))
	has := func(text string) string { return `document.body.innerText.includes(` + quoted(text) + `)` }

	// Made, its secret is told, and a test is signed with it.
	b.do("make a webhook", chromedp.Navigate(p.web+"/settings/webhooks/new"), typed(`[name=name]`, "warehouse"), typed(`[name=url]`, theirs.URL+"/hook"), click(`.save-bar .primary`),
		chromedp.WaitVisible(chromedp.CSS(`#webhook-secret`)))
	secret := b.text(`#webhook-secret`)
	var list struct{ Webhooks []struct{ ID string } }
	p.apiOf(t).get(t, "/webhooks", &list)
	page := p.web + "/settings/webhooks/" + list.Webhooks[0].ID
	b.do("open it again", chromedp.Navigate(page), chromedp.WaitVisible(chromedp.CSS(`.webhook-state`)))
	if result(b, "look for the secret", chromedp.Evaluate[bool](`document.documentElement.innerHTML.includes("whsec_")`)) {
		t.Error("the secret is shown a second time")
	}
	b.do("test it", click(`.webhook-state [value=test]`), chromedp.WaitVisible(chromedp.CSS(`.webhook-lines`)))
	b.again(page, has("receiver says 200"))
	if tests := theirs.hooks("webhook.test"); len(tests) != 1 || !tests[0].by(secret) {
		t.Fatalf("the test that arrived: %+v", tests)
	}

	// It fails, says so, and is tried again until it is taken: once.
	theirs.answer(http.StatusInternalServerError)
	send(t, p.smtp, customerAddress, deskAddress, post(1, customerAddress, deskAddress, "1@customer.test"))
	b.again(page, has("receiver says 500"))
	theirs.answer(http.StatusOK)
	b.again(page, `document.querySelector(".webhook-lines li .badge.good") && !`+has("receiver says 500"))
	tried := theirs.hooks("ticket.created")
	if len(tried) < 2 {
		t.Fatalf("it was tried %d times", len(tried))
	}
	for _, h := range tried {
		if h.id != tried[0].id || !h.by(secret) {
			t.Errorf("an attempt is not the same event, signed: %+v", h)
		}
	}

	// A token is told once, does what its scope says, and nothing once it is revoked.
	b.do("make a token", chromedp.Navigate(p.web+"/settings/tokens"), typed(`.inline-form [name=name]`, "robot"), chromedp.SetValue(chromedp.CSS(`[name=scope]`), "read"), chromedp.SetValue(chromedp.CSS(`[name=ends]`), "30"),
		click(`.inline-form .primary`), chromedp.WaitVisible(chromedp.CSS(`#new-token`)))
	robot := api{p.web, strings.TrimSpace(b.text(`#new-token`))}
	if status := robot.do(t, "GET", "/tickets", nil, nil, nil); status != http.StatusOK {
		t.Errorf("the token reads: %d", status)
	}
	if status := robot.do(t, "POST", "/tickets/1/notes", nil, map[string]string{"text": "x"}, nil); status != http.StatusForbidden {
		t.Errorf("the token writes: %d", status)
	}
	b.do("open the list again", chromedp.Navigate(p.web+"/settings/tokens"), chromedp.WaitVisible(chromedp.CSS(`.records`)))
	if result(b, "look for the token", chromedp.Evaluate[bool](`document.documentElement.innerHTML.includes(`+quoted(robot.token)+`)`)) {
		t.Error("the token is shown a second time")
	}
	b.eval(`window.confirm = () => true`)
	b.do("revoke it", click(`.record-row .danger`))
	eventually(t, patience, "the token is refused", func() bool { return robot.do(t, "GET", "/tickets", nil, nil, nil) == http.StatusUnauthorized })
}
