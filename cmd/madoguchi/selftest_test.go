package main_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestTheServerTestsItself: a mail of the server's own goes through the real listener
// and is read back; it is no ticket, and nothing of it is left. One that is refused is
// an alarm until the next comes through.
func TestTheServerTestsItself(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the self test, which waits for 20 seconds")
	}
	t.Parallel()
	metered := "[metrics]\nlisten = \"127.0.0.1:0\"\n[self_test]\nevery = \"10s\"\nwithin = \"5s\"\n[ai]\nenabled = false\n"
	data := newDesk(t)
	p := start(t, data, "--config", writeConfig(t, metered+"[smtp]\nmax_message_bytes = \"300\"\n"))
	p.log.waitFor(t, `msg="self test" took=`)
	api := p.apiOf(t)
	eventually(t, patience, "the alarm stands", func() bool {
		code, body := p.get("/readyz")
		return code == http.StatusOK && strings.Contains(body, "alarm: self_mail since ")
	})
	if log := p.log.String(); !strings.Contains(log, "does not take the mail") && !strings.Contains(log, "552") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	p.stop()

	p = start(t, data, "--config", writeConfig(t, metered))
	p.log.waitFor(t, `level=INFO msg="self test" took=`)
	eventually(t, patience, "the alarm is over", func() bool {
		_, body := p.get("/readyz")
		return !strings.Contains(body, "alarm")
	})
	api.base = p.web
	if numbers := api.tickets(t); len(numbers) != 0 {
		t.Errorf("the self test made the tickets %v", numbers)
	}
	response, err := http.Get(regexp.MustCompile(`http://[0-9.:]+/metrics`).FindString(p.log.String()))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`madoguchi_self_test_success_timestamp_seconds 1`, `madoguchi_self_test_seconds (0\.0*)?[1-9]`} {
		if !regexp.MustCompile(want).Match(body) {
			t.Errorf("no %q among the metrics", want)
		}
	}
	// Whoever guesses such an address is refused.
	client, err := dial(p.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := submit(client, customerAddress, "self-test+aaaaaaaaaaaaaaaa@localhost", post(1, customerAddress, "x@localhost", "1@customer.test")); smtpCode(err) != 550 {
		t.Errorf("a guessed address: %v", err)
	}
	if out := succeed(t, "", "verify", "--data", data); strings.Contains(out, "differ") {
		t.Errorf("verify: %s", out)
	}
}
