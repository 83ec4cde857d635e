package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestCheckSaysWhatIsWrongAndWhatToType runs a check-up beside a server and
// without one.
func TestCheckSaysWhatIsWrongAndWhatToType(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the checks of DNS and ports")
	}
	t.Parallel()
	box := serveMailbox(t)
	z := dnstest.ServeZone(t, "big.test. 60 IN MX 10 mx.big.test.", "mx.big.test. 60 IN A 127.0.0.1",
		"desk.test. 60 IN MX 10 mx.desk.test.", "mx.desk.test. 60 IN A 192.0.2.25", "25.2.0.192.list.test. 60 IN A 127.0.0.2")
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	data := newDesk(t)
	config := writeConfig(t, fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\ndata = %q\n[outbound]\nport = %s\n[dns]\nresolver = %q\n[ai]\nenabled = false\n[check]\noutgoing = \"big.test\"\nblocklists = [\"list.test\", \"other.test\"]\nclock = %q\n",
		data, box.port(), z.Address, web.URL))
	check := func() (keys []string, printed string) {
		t.Helper()
		stdout, stderr, code := run(t, "", "check", "--json", "--data", data, "--config", config)
		var list []struct{ Key, State, Text, Fix string }
		if err := json.Unmarshal([]byte(stdout), &list); err != nil || code != 1 || !strings.Contains(stderr, "things are wrong") {
			t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
		}
		for _, f := range list {
			keys = append(keys, f.Key)
			if f.Text == "" || strings.Contains(f.Text, "%!") || strings.HasPrefix(f.Text, "check.") {
				t.Errorf("%s says %q", f.Key, f.Text)
			}
		}
		printed, _, _ = run(t, "", "check", "--data", data, "--config", config)
		return keys, printed
	}
	keys, _ := check()
	for _, want := range []string{"not_running", "resolver_fine", "record_missing", "listed", "unlisted", "outgoing_open", "clock_right"} {
		if !slices.Contains(keys, want) {
			t.Errorf("without a server %s is not among %v", want, keys)
		}
	}

	s := start(t, data, "--config", config)
	keys, printed := check()
	for _, want := range []string{"self_signed", "model_off"} {
		if !slices.Contains(keys, want) {
			t.Errorf("beside a server %s is not among %v", want, keys)
		}
	}
	for _, want := range []string{"WRONG  SPF is missing: desk.test\n       → madoguchi dns desk.test\n", "192.0.2.25 is on the blocklist list.test (127.0.0.2)", "ok     Mail can leave: mx.big.test:"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in:\n%s", want, printed)
		}
	}

	client := s.login(t)
	if page := s.page(t, client, "/settings/check"); !strings.Contains(page, "Not checked yet") && !strings.Contains(page, "まだ点検していません") {
		t.Errorf("before a check-up:\n%s", page)
	}
	response, err := client.Post(s.web+"/settings/check", "application/x-www-form-urlencoded", nil)
	if err != nil || response.StatusCode != http.StatusSeeOther {
		t.Fatalf("check in the web: %v, %v", response, err)
	}
	response.Body.Close()
	if page := s.page(t, client, "/settings/check"); !strings.Contains(page, "madoguchi dns desk.test") || !strings.Contains(page, "192.0.2.25") {
		t.Errorf("after a check-up:\n%s", page)
	}
}

// TestCheckNamesTheNameServerThatIsSilent has nothing listen where names are asked for.
func TestCheckNamesTheNameServerThatIsSilent(t *testing.T) {
	t.Parallel()
	data := newDesk(t)
	const gone = "127.0.0.1:9" // the port of RFC 863, which nothing listens on
	config := writeConfig(t, fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\ndata = %q\n[dns]\nresolver = %q\n[ai]\nenabled = false\n[check]\noutgoing = \"\"\nblocklists = []\nclock = \"\"\n", data, gone))
	stdout, stderr, code := run(t, "", "check", "--data", data, "--config", config)
	if want := "WRONG  The name server " + gone + " does not answer"; code != 1 || !strings.Contains(stdout, want) {
		t.Errorf("exit %d, %q is not in:\n%s%s", code, want, stdout, stderr)
	}
}
