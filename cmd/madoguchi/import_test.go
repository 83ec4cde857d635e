package main_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImport takes tickets over beside a running server and without one: first as a dry
// run, then twice, and finds them.
func TestImport(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the imports of other programs")
	}
	t.Parallel()
	const source = "../../helpdesk/migrate/testdata"
	for _, beside := range []bool{true, false} {
		name := map[bool]string{true: "beside a server", false: "without a server"}[beside]
		t.Run(name, func(t *testing.T) {
			data, report := newDesk(t), filepath.Join(t.TempDir(), "report.txt")
			if beside {
				defer start(t, data).stop()
			}
			with := func(args ...string) []string {
				return append(append([]string{"import"}, args...), "--data", data, "--report", report)
			}
			refuse(t, with("zendesk", filepath.Join(source, "absent")), "absent")
			if out := succeed(t, "", with("zendesk", filepath.Join(source, "zendesk"), "--alias", deskAddress, "--dry-run")...); !strings.Contains(out, "would import 2 tickets with 3 messages and 1 notes") || !strings.Contains(out, report) {
				t.Errorf("dry run:\n%s", out)
			}
			if left, err := filepath.Glob(filepath.Join(data, ".rehearsal-*")); err != nil || len(left) > 0 {
				t.Errorf("the dry run left %q (%v)", left, err)
			}
			if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), "smoke.jpg") {
				t.Errorf("report: %s (%v)", text, err)
			}
			if out := succeed(t, "", with("zendesk", filepath.Join(source, "zendesk"), "--alias", deskAddress)...); !strings.Contains(out, "imported 2 tickets") {
				t.Errorf("import:\n%s", out)
			}
			if out := succeed(t, "", with("zendesk", filepath.Join(source, "zendesk"), "--alias", deskAddress)...); !strings.Contains(out, "imported 0 tickets") || !strings.Contains(out, "2 tickets were here already") {
				t.Errorf("a second run:\n%s", out)
			}
			if out := succeed(t, "", with("mbox", filepath.Join(source, "thread.mbox"), "--alias", deskAddress)...); !strings.Contains(out, "imported 2 tickets with 3 messages") {
				t.Errorf("mbox:\n%s", out)
			}
			csv := "email,name,company\nueda@customer.example,上田,Ueda Works\nnobody,x,\n"
			if out := succeed(t, csv, with("contacts", "-", "--dry-run")...); !strings.Contains(out, "nothing is changed") || !strings.Contains(out, "1 row left out") {
				t.Errorf("contacts, dry run:\n%s", out)
			}
			if out := succeed(t, csv, with("contacts", "-")...); !strings.Contains(out, "1 changed") || !strings.Contains(out, "1 company made") {
				t.Errorf("contacts:\n%s", out)
			}
			if out := succeed(t, "", "verify", "--data", data); !strings.Contains(out, "is whole") {
				t.Errorf("verify:\n%s", out)
			}
		})
	}
}

// A server that is killed while an import is rehearsed leaves nothing of the rehearsal:
// its file has no name by then.
func TestAKilledRehearsalLeavesNothing(t *testing.T) {
	t.Parallel()
	data := newDesk(t)
	server := start(t, data)
	client := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", filepath.Join(data, "control.sock"))
	}}}
	body, lines := io.Pipe()
	defer lines.Close()
	answer, err := client.Post("http://control/rehearse-import", "application/json", body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%+v, %v", answer, err)
	}
	defer answer.Body.Close() // it has begun: its headers come with the rehearsal
	server.kill()
	if left, err := filepath.Glob(filepath.Join(data, ".rehearsal-*")); err != nil || len(left) > 0 {
		t.Errorf("a rehearsal that was killed left %q (%v)", left, err)
	}
}
