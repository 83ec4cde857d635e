package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestUnknownCommand(t *testing.T) {
	refuse(t, []string{"srve"}, `unknown command "srve"`, "serve")
}

// TestMistypedCommands looks for what to type instead in what is said of mistakes.
func TestMistypedCommands(t *testing.T) {
	t.Parallel()
	for command, says := range map[string]string{
		"user add":             "EMAIL is missing: madoguchi user add EMAIL; madoguchi user add --help",
		"user lst":             `unknown command "lst" for "madoguchi user"; did you mean "list"?`,
		"import csv x":         `unknown command "csv" for "madoguchi import"; known here: contacts, freescout`,
		"queue pose x.example": `unknown command "pose" for "madoguchi queue"; did you mean "pause"?`,
		"check example.com":    `madoguchi check takes no argument, not "example.com"`,
		"alias add a b":        "2 arguments are too many (one with spaces goes into quotes): madoguchi alias add ADDRESS",
		"serve --confg x":      `unknown flag: --confg; did you mean "--config"?; madoguchi serve --help`,
	} {
		refuse(t, strings.Fields(command), says)
	}
}

// TestCommands runs the commands that change data beside a running server and
// without one: they have to do the same.
func TestCommands(t *testing.T) {
	t.Parallel()
	for _, beside := range []bool{true, false} {
		name := "without a server"
		if beside {
			name = "beside a server"
		}
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			if beside {
				defer start(t, data).stop()
			}
			exerciseCommands(t, data)
		})
	}
}

func exerciseCommands(t *testing.T, data string) {
	with := func(args ...string) []string { return append(args, "--data", data) }
	succeed(t, "correct horse battery\n", with("user", "add", "hana@example.com", "--role", "admin", "--name", "森 花", "--password-file", "-")...)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("another long secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	succeed(t, "", with("user", "add", "ken@example.com", "--name", "Ken", "--password-file", secret)...)
	succeed(t, "yet another secret\n", with("user", "password", "ken@example.com", "--password-file", "-")...)
	if out := succeed(t, "", with("user", "reset-2fa", "ken@example.com")...); !strings.Contains(out, "took away the second factors of ken@example.com") {
		t.Errorf("user reset-2fa: %q", out)
	}
	if out := succeed(t, "", with("user", "list")...); !strings.Contains(out, "hana@example.com  admin  森 花") || !strings.Contains(out, "ken@example.com   agent  Ken") {
		t.Errorf("user list:\n%s", out)
	}
	succeed(t, "", with("alias", "add", "support@example.com", "--name", "Example Support", "--owner", "hana@example.com")...)
	if out := succeed(t, "", with("alias", "list")...); !strings.Contains(out, "support@example.com  Example Support  Support  hana@example.com") {
		t.Errorf("alias list:\n%s", out)
	}
	if token := succeed(t, "", with("token", "create", "--user", "hana@example.com", "--scope", "write")...); len(strings.Fields(token)) != 1 || len(token) < 20 {
		t.Errorf("token create prints %q, not a token alone", token)
	}
	if out := succeed(t, "", with("verify")...); !strings.Contains(out, "is whole") {
		t.Errorf("verify: %q", out)
	}

	refuse(t, with("user", "add", "hana@example.com", "--name", "Hana", "--password-file", secret), "hana@example.com already")
	refuse(t, with("user", "add", "new@example.com", "--name", "New"), "--password-file FILE")
	refuse(t, with("user", "add", "new@example.com", "--name", "New", "--role", "boss", "--password-file", secret), `"boss"`, "supervisor")
	refuse(t, with("alias", "add", "support@example.com", "--name", "Again"), "support@example.com exists already")
	refuse(t, with("user", "reset-2fa", "who@example.com"), `no user "who@example.com"`)
	refuse(t, with("alias", "add", "support"), "support")
	refuse(t, with("alias", "add", "b@example.com", "--pipeline", "None"), `no pipeline "None"`, "Support")
	refuse(t, with("alias", "add", "b@example.com", "--owner", "who@example.com"), `no user "who@example.com"`, "hana@example.com")
	refuse(t, with("token", "create", "--user", "who@example.com"), `no user "who@example.com"`)
	refuse(t, with("token", "create", "--user", "hana@example.com", "--scope", "all"), `"all"`, "write")
	refuse(t, with("token", "create"), "--user EMAIL")
}

func TestTokenOpensTheAPI(t *testing.T) {
	s := start(t, t.TempDir())
	succeed(t, "correct horse battery\n", "user", "add", "ops@example.com", "--role", "admin", "--name", "Ops", "--password-file", "-", "--data", s.data)
	token := strings.TrimSpace(succeed(t, "", "token", "create", "--user", "ops@example.com", "--data", s.data))
	if code, body := s.get("/api/v1/tickets", "Authorization", "Bearer "+token); code != 200 || !strings.Contains(body, `"tickets"`) {
		t.Errorf("with the token: %d %s", code, body)
	}
	if code, _ := s.get("/api/v1/tickets", "Authorization", "Bearer wrong"); code != 401 {
		t.Errorf("with a wrong token: %d", code)
	}
	s.stop()
}

func TestSendTest(t *testing.T) {
	s := start(t, t.TempDir())
	refuse(t, []string{"send-test", "--data", s.data}, "no address takes mail yet", "madoguchi alias add")
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", s.data)
	for _, language := range []string{"ja", "en"} {
		out := succeed(t, "", "send-test", "--data", s.data, "--lang", language)
		if !strings.Contains(out, "to support@example.com through "+s.smtp) || !strings.Contains(out, s.web) {
			t.Errorf("send-test --lang %s:\n%s", language, out)
		}
	}
	succeed(t, "", "send-test", "--smtp", s.smtp, "--to", "support@example.com", "--from", "me@customer.example", "--subject", "件名です")
	refuse(t, []string{"send-test", "--data", s.data, "--to", "nobody@example.com"}, "does not take mail for nobody@example.com", "alias list")
	if out := succeed(t, "", "verify", "--data", s.data); !strings.Contains(out, "3 mails accepted: 3 on tickets") {
		t.Errorf("verify after three mails: %s", out)
	}
	s.stop()
	refuse(t, []string{"send-test", "--data", s.data}, "no server runs on the data in "+s.data, "madoguchi serve")
}

// TestNothingAcknowledgedIsLost takes the power away right after a 250.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	data := t.TempDir()
	s := start(t, data)
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", data)
	succeed(t, "", "send-test", "--data", data)
	s.kill()
	again := start(t, data)
	if out := succeed(t, "", "verify", "--data", data); !strings.Contains(out, "1 mail accepted: 1 on tickets") {
		t.Errorf("verify after the power cut: %s", out)
	}
	again.stop()
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", s.data)
	succeed(t, "", "send-test", "--data", s.data)
	directory := t.TempDir()
	copied := filepath.Join(directory, "backup.db")
	if out := succeed(t, "", "backup", copied, "--data", s.data); !strings.Contains(out, "verified") || !strings.Contains(out, "1 mail accepted") {
		t.Errorf("backup beside a server: %s", out)
	}
	streamed := filepath.Join(directory, "streamed.db")
	if err := os.WriteFile(streamed, []byte(succeed(t, "", "backup", "-", "--data", s.data)), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse(t, []string{"restore", copied, "--data", s.data, "--force"}, "a server runs on "+s.data)
	s.stop()
	succeed(t, "", "backup", filepath.Join(directory, "offline.db"), "--data", s.data)

	restored := filepath.Join(directory, "restored")
	for i, source := range []string{copied, streamed, filepath.Join(directory, "offline.db")} {
		args := []string{"restore", source, "--data", restored}
		if i > 0 {
			refuse(t, args, "there is data in "+restored, "--force")
			args = append(args, "--force")
		}
		if out := succeed(t, "", args...); !strings.Contains(out, "1 mail accepted: 1 on tickets") {
			t.Errorf("restore %s: %s", source, out)
		}
	}
	again := start(t, restored)
	if out := succeed(t, "", "alias", "list", "--data", restored); !strings.Contains(out, "support@example.com") {
		t.Errorf("alias list after a restore: %q", out)
	}
	again.stop()
	leftovers, err := filepath.Glob(filepath.Join(restored, "*.partial"))
	if err != nil || len(leftovers) > 0 {
		t.Errorf("left over: %v (%v)", leftovers, err)
	}
	if kept, _ := filepath.Glob(filepath.Join(restored, "madoguchi.db.before-*")); len(kept) == 0 {
		t.Error("what --force replaced was not kept")
	}
}

func TestRestoreRefusesWhatIsNoBackup(t *testing.T) {
	data := t.TempDir()
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", data)
	directory := t.TempDir()
	whole := filepath.Join(directory, "whole.db")
	succeed(t, "", "backup", whole, "--data", data)
	bytes, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte{}, bytes...)
	for i := 2 * os.Getpagesize(); i < len(damaged); i++ { // behind the two pages that say where all begins
		damaged[i] ^= 0x5a
	}
	for name, content := range map[string][]byte{
		"empty": nil, "short": bytes[:3*os.Getpagesize()], "other": []byte(strings.Repeat("no database ", 5000)), "damaged": damaged,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(directory, name+".db")
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			target := filepath.Join(directory, name)
			refuse(t, []string{"restore", file, "--data", target}, "nothing was changed")
			if _, err := os.Stat(filepath.Join(target, "madoguchi.db")); err == nil {
				t.Error("something was restored")
			}
		})
	}
	refuse(t, []string{"restore", filepath.Join(directory, "absent.db"), "--data", data}, "absent.db")
}

// TestCommandsMakeNoDataByASlip names directories without data: none is a place for a new house.
func TestCommandsMakeNoDataByASlip(t *testing.T) {
	absent, empty := filepath.Join(t.TempDir(), "absent"), t.TempDir()
	for _, args := range [][]string{{"verify"}, {"backup", filepath.Join(t.TempDir(), "b.db")}, {"user", "list"}, {"user", "reset-2fa", "ken@example.com"}, {"alias", "list"},
		{"pipeline", "list"}, {"token", "list"}, {"queue"}, {"queue", "pause", "example.com"}, {"parked"}, {"parked", "resume"}, {"reindex"}, {"export", filepath.Join(t.TempDir(), "e")},
		{"dns"}, {"dns", "example.com"}, {"dns", "rotate", "example.com"}, {"check"}, {"certificate"}, {"certificate", "renew"}} {
		for _, data := range []string{absent, empty} {
			refuse(t, append(slices.Clip(args), "--data", data), "there is no data in "+data, "--data DIR")
		}
	}
	if _, err := os.Stat(absent); err == nil {
		t.Error("a command made the directory")
	}
	if files, err := os.ReadDir(empty); err != nil || len(files) > 0 {
		t.Errorf("a command made %v, %v", files, err)
	}
}

// TestBackupDirectory adds to a directory of backups while the server runs, verifies,
// and goes back to either.
func TestBackupDirectory(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	succeed(t, "", "alias", "add", "support@example.com", "--name", "Support", "--data", s.data)
	succeed(t, "", "send-test", "--data", s.data)
	directory := filepath.Join(t.TempDir(), "backups")
	if out := succeed(t, "", "backup", directory+"/", "--data", s.data); !strings.Contains(out, "found whole") {
		t.Errorf("first backup: %s", out)
	}
	succeed(t, "", "send-test", "--data", s.data)
	succeed(t, "", "backup", directory, "--data", s.data)
	s.stop()
	lines := strings.Split(strings.TrimSpace(succeed(t, "", "backup", "list", directory)), "\n")
	if len(lines) != 3 {
		t.Fatalf("backup list:\n%s", strings.Join(lines, "\n"))
	}
	first, second := strings.Fields(lines[1])[0], strings.Fields(lines[2])[0]
	for copy, mails := range map[string]string{first: "1 mail accepted", second: "2 mails accepted"} {
		if out := succeed(t, "", "verify", directory, "--copy", copy); !strings.Contains(out, mails) || !strings.Contains(out, "backup "+copy+" is whole") {
			t.Errorf("verify %s: %s", copy, out)
		}
		restored := filepath.Join(t.TempDir(), "restored")
		if out := succeed(t, "", "restore", directory, "--copy", copy, "--data", restored); !strings.Contains(out, mails) {
			t.Errorf("restore %s: %s", copy, out)
		}
		refuse(t, []string{"restore", directory, "--data", restored}, "there is data in "+restored)
	}
	if out := succeed(t, "", "restore", directory, "--data", filepath.Join(t.TempDir(), "newest")); !strings.Contains(out, "2 mails accepted") {
		t.Errorf("restore the newest: %s", out)
	}
	refuse(t, []string{"verify", directory, "--copy", "20200101T000000Z"}, "20200101T000000Z", "no backup")
	refuse(t, []string{"restore", t.TempDir(), "--data", filepath.Join(t.TempDir(), "none")}, "madoguchi-backup.json")
	packs, _ := filepath.Glob(filepath.Join(directory, "packs", "*.pack"))
	for _, pack := range packs {
		content, err := os.ReadFile(pack)
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)/3] ^= 1
		if err := os.WriteFile(pack, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refuse(t, []string{"verify", directory}, "damaged")
	refuse(t, []string{"restore", directory, "--data", filepath.Join(t.TempDir(), "damaged")}, "damaged", "nothing was changed")
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(directory), ".madoguchi-verify-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
