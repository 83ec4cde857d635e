package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// TestParkedWorkIsListedAndResumed has the work of a domain fail until it is parked.
func TestParkedWorkIsListedAndResumed(t *testing.T) {
	directory, l := openFurnished(t)
	var parked time.Time
	now := time.Now()
	l.desk.Now = func() time.Time { return now }
	for range 25 {
		now = now.Add(24 * time.Hour)
		claimed, _, err := l.desk.ClaimDue(t.Context(), helpdesk.TimerDomain, 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(claimed) == 0 && parked.IsZero() {
			parked = now
		}
		for _, timer := range claimed {
			if err := l.desk.PutOff(t.Context(), timer, now.Add(time.Minute), "the disk is full", true); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		root := newRootCommand()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetArgs(append(args, "--data", directory))
		if err := root.Execute(); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return out.String()
	}
	if out := run("parked"); strings.Join(strings.Fields(out), " ") != "domain example.com since "+parked.Local().Format(time.DateTime)+" 20 tries the disk is full" {
		t.Errorf("parked prints %q", out)
	}
	if out := run("parked", "--json"); !strings.Contains(out, `"total": 1`) || !strings.Contains(out, `"kind": "domain"`) || !strings.Contains(out, `"tries": 20`) ||
		!strings.Contains(out, `"since": "`+parked.UTC().Format("2006-01-02T15:04:05")) || !strings.Contains(out, `"problem": "the disk is full"`) {
		t.Errorf("parked --json prints %s", out)
	}
	if out := run("parked", "resume"); out != "resumed: 1\n" {
		t.Errorf("parked resume prints %q", out)
	}
	if out := run("parked"); out != "no work is parked\n" {
		t.Errorf("after that: %q", out)
	}
}
