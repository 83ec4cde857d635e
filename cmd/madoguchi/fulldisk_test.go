package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// limitFiles makes every write of the server beyond size bytes of a file fail,
// as on a full disk; "unlimited" takes that back.
func limitFiles(t *testing.T, s *running, size string) {
	t.Helper()
	if out, err := exec.Command("prlimit", "--pid", strconv.Itoa(s.command.Process.Pid), "--fsize="+size+":unlimited").CombinedOutput(); err != nil {
		t.Fatalf("prlimit: %v\n%s", err, out)
	}
}

// On a full disk mail is put off, not lost and not bounced; what is there can
// be read, and once there is room again everything goes on by itself.
func TestFullDisk(t *testing.T) {
	if _, err := exec.LookPath("prlimit"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, not passed: no prlimit (util-linux) was found to make the disk full with")
	}
	t.Parallel()
	zone := dnstest.ServeZone(t, dnstest.TXT("customer.test", "v=spf1 ip4:127.0.0.1 -all"))
	s := start(t, newDesk(t), "--resolver", zone.Address)
	s.troubled = true
	api := s.apiOf(t)
	info, err := os.Stat(filepath.Join(s.data, "madoguchi.db"))
	if err != nil {
		t.Fatal(err)
	}
	// Room for a mail on its way in, so that it is the store which is full.
	limitFiles(t, s, strconv.FormatInt(max(info.Size(), 4<<20), 10))
	attach := func(n int) []byte { // a megabyte that does not compress
		return append(post(uint64(n), customerAddress, deskAddress, fmt.Sprintf("%d@customer.test", n)), noisyLines(1<<20)...)
	}
	client, err := smtp.Dial(s.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	taken := 0
	for ; err == nil; taken++ {
		if taken == 100 {
			t.Fatalf("100 MB fit into %d bytes", info.Size())
		}
		_, err = submit(client, customerAddress, deskAddress, attach(taken))
	}
	taken--
	refused, _ := errors.AsType[*smtp.SMTPError](err)
	if refused == nil || refused.Code != 451 || refused.EnhancedCode != (smtp.EnhancedCode{4, 3, 0}) {
		t.Errorf("on a full disk the answer is %v, want 451 4.3.0", err)
	}
	if got := len(api.tickets(t)); got != taken {
		t.Errorf("%d tickets can be read, %d mails were acknowledged", got, taken)
	}
	limitFiles(t, s, "unlimited")
	if _, err := submit(client, customerAddress, deskAddress, attach(taken)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if got := len(api.tickets(t)); got != taken+1 {
		t.Errorf("%d tickets, want %d", got, taken+1)
	}
	succeed(t, "", "verify", "--data", s.data)
	s.stop()
	succeed(t, "", "verify", "--data", s.data)
}
