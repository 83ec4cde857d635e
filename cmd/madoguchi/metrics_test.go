package main_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestMetricsCountWhatHappens sends a mail and looks for it in the numbers.
func TestMetricsCountWhatHappens(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "madoguchi.toml")
	text := "[metrics]\nlisten = \"127.0.0.1:0\"\n[[alias]]\naddress = \"support@example.com\"\n[ai]\nenabled = false\n[dns]\nresolver = \"127.0.0.1:1\"\ntimeout = \"1s\"\n"
	const putsOff = "[incoming]\nexempt = []\n[incoming.greylist]\nenabled = true\n"
	if err := os.WriteFile(file, []byte(text+putsOff), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, filepath.Join(directory, "data"), "--config", file)
	address := regexp.MustCompile(`http://[0-9.:]+/metrics`).FindString(s.log.String())
	scrape := func() string {
		t.Helper()
		response, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("%s: %d %v\n%s", address, response.StatusCode, err, body)
		}
		return string(body)
	}
	before := scrape()
	for _, want := range []string{"madoguchi_ready 1", "madoguchi_store_syncs_total ", "madoguchi_smtp_sessions 0", "madoguchi_store_bytes ", "madoguchi_disk_free_bytes ", "madoguchi_build_info{", `madoguchi_smtp_incidents_total{reason="tarpit"} 0`,
		`madoguchi_mail_received_seconds_count{result="temporary"} 0`} {
		if !strings.Contains(before, want) {
			t.Errorf("no %q in\n%s", want, before)
		}
	}
	refuse(t, []string{"send-test", "--data", s.data}, "greylisted")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.command.Process.Signal(syscall.SIGHUP)
	s.log.waitFor(t, "reloaded log level")
	succeed(t, "", "send-test", "--data", s.data)
	s.get("/readyz")
	var after string
	eventually(t, patience, "the events of the mail are counted", func() bool {
		after = scrape()
		return strings.Contains(after, `madoguchi_events_total{kind="ticket.created"} 1`)
	})
	for _, want := range []string{
		`madoguchi_mail_received_seconds_count{result="accepted"} 1`,
		`madoguchi_mail_received_seconds_count{result="put_off"} 1`,
		`madoguchi_mail_received_seconds_count{result="temporary"} 0`, // what is put off is no fault
		`madoguchi_events_total{kind="message.received"} 1`,
		`madoguchi_http_request_seconds_count{code="200",method="get"}`,
	} {
		if !strings.Contains(after, want) {
			t.Errorf("no %q in\n%s", want, after)
		}
	}
	if strings.Contains(after, "example.com") {
		t.Errorf("an address of a mail became a label:\n%s", after)
	}
	if _, page := s.get("/metrics"); strings.Contains(page, "madoguchi_ready") {
		t.Error("the web serves the numbers to anybody")
	}
}
