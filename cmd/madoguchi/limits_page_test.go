package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestAdminsSeeWhomTheListenerKeepsOut has one host guess addresses and another be
// greylisted: the page names both and why, and a network that is let pass waits no
// longer.
func TestAdminsSeeWhomTheListenerKeepsOut(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out those whom the listener keeps out")
	}
	t.Parallel()
	data := newDesk(t)
	config := writeConfig(t, fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\n[proxy_protocol]\ntrusted = [\"127.0.0.1\"]\nlisteners = [\"smtp\"]\n[ai]\nenabled = false\n[dns]\nresolver = %q\n[incoming.greylist]\nenabled = true\n[incoming.tarpit]\nafter = 2\ndelay = \"1ms\"\nlongest = \"2ms\"\n", dnstest.ServeZone(t).Address))
	s := start(t, data, "--config", config)
	guesser := talkThrough(t, s.smtp, from("192.0.2.7"))
	guesser.do("MAIL FROM:<x@guesser.test>", "250")
	for i := range 4 {
		guesser.do(fmt.Sprintf("RCPT TO:<guess%d@desk.test>", i), "550")
	}
	stranger := func(subject string) string {
		return talkThrough(t, s.smtp, from("198.51.100.9")).send("new@stranger.test", deskAddress, strings.Replace(letterFrom("new@stranger.test", subject), "support@desk.test", deskAddress, 1))
	}
	if answer := stranger("First"); !strings.HasPrefix(answer, "451") {
		t.Fatalf("a stranger: %s", answer)
	}
	browser := s.login(t)
	page := s.page(t, browser, "/settings/limits")
	for _, want := range []string{"192.0.2.7", "応答を遅延中", "：4", "198.51.100.9", "new@stranger.test", "198.51.100.0/24", "待機中 1 件"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.web+"/settings/limits", strings.NewReader(url.Values{"network": {"198.51.100.0/24"}, "action": {"allow"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSeeOther {
		t.Fatalf("let it pass: %s", response.Status)
	}
	if answer := stranger("Second"); !strings.HasPrefix(answer, "250") {
		t.Errorf("from a network that passes: %s", answer)
	}
	if page := s.page(t, browser, "/settings/limits"); !strings.Contains(page, "通すネットワーク") {
		t.Errorf("the page does not list the network:\n%s", page)
	}

	// The API says the same, and says it after a restart too.
	wants := func(when string, api api) {
		t.Helper()
		var now struct {
			Hosts []struct {
				Host    string
				Refused map[string]int
			}
			Greylisting bool
			Allowed     []struct{ Network string }
		}
		api.get(t, "/incoming", &now)
		refused := map[string]int{}
		for _, h := range now.Hosts {
			refused[h.Host] = h.Refused["unknown_recipient"]
		}
		if refused["192.0.2.7"] != 4 || len(now.Hosts) != 2 || !now.Greylisting || len(now.Allowed) != 1 || now.Allowed[0].Network != "198.51.100.0/24" {
			t.Errorf("%s: %+v", when, now)
		}
	}
	asked := s.apiOf(t)
	wants("before a restart", asked)
	s.stop()
	s = start(t, data, "--config", config)
	asked.base = s.web
	eventually(t, patience, "what was refused before is known", func() bool {
		return strings.Contains(s.page(t, s.login(t), "/settings/limits"), "192.0.2.7")
	})
	wants("after a restart", asked)
}
