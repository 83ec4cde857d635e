package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// TestScheduledBackups has the running server make a backup, sees it in the web, in the
// metrics and in the check-up, and goes back to it.
func TestScheduledBackups(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the scheduled backups")
	}
	t.Parallel()
	data, directory := newDesk(t), filepath.Join(t.TempDir(), "backups")
	config := writeConfig(t, fmt.Sprintf("[backup]\ndir = %q\nat = [\"03:30\", \"15:30\"]\n[metrics]\nlisten = \"127.0.0.1:0\"\n[ai]\nenabled = false\n[check]\noutgoing = \"\"\nblocklists = []\nclock = \"\"\n", directory))
	s := start(t, data, "--config", config, "--resolver", dnstest.ServeZone(t).Address)
	send(t, s.smtp, "tanaka@customer.test", deskAddress, []byte("From: tanaka@customer.test\r\nTo: "+deskAddress+"\r\nSubject: hello\r\n\r\nhello\r\n"))
	browser := s.login(t)
	if page := s.page(t, browser, "/settings/backups"); !strings.Contains(page, "バックアップはまだありません") && !strings.Contains(page, "書き込み中") {
		t.Error("the page tells of backups before the first")
	}
	response, err := browser.PostForm(s.web+"/settings/backups", url.Values{})
	if err != nil || response.StatusCode != http.StatusSeeOther {
		t.Fatalf("back up now: %v, %v", response, err)
	}
	response.Body.Close()
	eventually(t, time.Minute, "the backup is made", func() bool {
		return strings.Contains(s.page(t, browser, "/settings/backups"), "読み直し済み")
	})
	var kept struct {
		Directory string
		Working   bool
		LastGood  time.Time `json:"last_good"`
		Backups   []struct {
			ID       string
			Verified time.Time
		}
	}
	desk := s.apiOf(t)
	desk.get(t, "/backups", &kept)
	if len(kept.Backups) != 1 || kept.Directory != directory {
		t.Fatalf("the backups through the API: %+v", kept)
	}
	first := kept.Backups[0].ID
	if status := desk.do(t, http.MethodPost, "/backups", nil, nil, &kept); status != http.StatusAccepted || !kept.Working {
		t.Errorf("a backup through the API: %d %+v", status, kept)
	}
	eventually(t, time.Minute, "it is made, and that of earlier today is taken away", func() bool {
		desk.get(t, "/backups", &kept)
		return !kept.Working && len(kept.Backups) == 1 && kept.Backups[0].ID != first && !kept.Backups[0].Verified.IsZero() && !kept.LastGood.IsZero()
	})
	page := s.page(t, browser, "/settings/backups")
	for _, text := range []string{">正常<", directory, "madoguchi restore " + directory} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not on the page:\n%s", text, page)
		}
	}
	if strings.Contains(page, "backup.") {
		t.Errorf("a sentence is missing on the page:\n%s", page)
	}
	if out, _, _ := run(t, "", "check", "--data", data, "--config", config); !strings.Contains(out, "The last good backup in "+directory+" is") {
		t.Errorf("check:\n%s", out)
	}
	if out := succeed(t, "", "backup", "list", directory); len(strings.Split(strings.TrimSpace(out), "\n")) != 2 {
		t.Errorf("backup list:\n%s", out)
	}
	s.stop()
	if out := succeed(t, "", "restore", directory, "--data", filepath.Join(t.TempDir(), "restored")); !strings.Contains(out, "1 mail accepted") {
		t.Errorf("restore: %s", out)
	}
	refuse(t, []string{"serve", "--config", writeConfig(t, "[backup]\ndir = \"/b\"\nat = [\"25:00\"]\n")}, `"25:00" is no time of day`, ":3")
	refuse(t, []string{"serve", "--config", writeConfig(t, "[backup]\ndir = \"/b\"\nat = []\nkeep_daily = -1\n")}, "backup.at", "backup.keep_daily")
}
