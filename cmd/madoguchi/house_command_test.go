package main_test

import (
	"net/http"
	"strings"
	"testing"
)

// besideAndWithout runs a test beside a running server and without one: the
// commands have to do the same.
func besideAndWithout(t *testing.T, exercise func(t *testing.T, data string)) {
	t.Run("beside a server", func(t *testing.T) {
		s := start(t, t.TempDir())
		exercise(t, s.data)
		s.stop()
	})
	t.Run("without a server", func(t *testing.T) { exercise(t, t.TempDir()) })
}

func TestPipelineCommands(t *testing.T) {
	t.Parallel()
	besideAndWithout(t, func(t *testing.T, data string) {
		with := func(args ...string) []string { return append(append([]string{"pipeline"}, args...), "--data", data) }
		succeed(t, "", with("add", "修理", "--stage", "受付", "--stage", "対応中", "--stage", "完了:closed", "--reopen", "対応中")...)
		succeed(t, "", with("add", "Applications", "--stage", "New", "--stage", "Phone: second round:open", "--stage", "Over:closed", "--no-reopen")...)
		if out := succeed(t, "", with("add", "Orders", "--stage", "New", "--stage", "Done:closed")...); !strings.Contains(out, `added pipeline "Orders": New → [Done]`) {
			t.Errorf("pipeline add prints %q", out)
		}
		list := strings.Split(succeed(t, "", with("list")...), "\n")
		for i, want := range [][]string{
			{"修理", "受付 → 対応中 → [完了]", "reopens into 対応中"},
			{"Applications", "New → Phone: second round → [Over]", "an answer makes a new ticket"},
			{"Orders", "New → [Done]", "reopens into New"},
		} {
			for _, text := range want {
				if !strings.Contains(list[i], text) {
					t.Errorf("line %d of the list is %q, without %q", i+1, list[i], text)
				}
			}
		}
		succeed(t, "", "alias", "add", "repairs@example.com", "--pipeline", "修理", "--data", data)

		refuse(t, with("add", "orders", "--stage", "New"), `pipeline "orders" exists already`)
		refuse(t, with("add", "Empty"), "--stage New", "Done:closed")
		refuse(t, with("add", "Shut", "--stage", "Done:closed"), "first stage of kind open")
		refuse(t, with("add", "Twice", "--stage", "New", "--stage", "new"), `stage "new" twice`)
		refuse(t, with("add", "Lost", "--stage", "New", "--stage", "Done:closed", "--reopen", "Done"), `reopens into "Done"`, "no open stage")
		refuse(t, with("add", "Both", "--stage", "New", "--reopen", "New", "--no-reopen"), "[no-reopen reopen]")
	})
}

func TestTokenListAndRevoke(t *testing.T) {
	t.Parallel()
	besideAndWithout(t, func(t *testing.T, data string) {
		with := func(args ...string) []string { return append(args, "--data", data) }
		succeed(t, "correct horse battery\n", with("user", "add", "ops@example.com", "--role", "admin", "--name", "Ops", "--password-file", "-")...)
		if out := succeed(t, "", with("token", "list")...); out != "" {
			t.Errorf("a list of no tokens: %q", out)
		}
		secret := strings.TrimSpace(succeed(t, "", with("token", "create", "--user", "ops@example.com", "--scope", "read")...))
		succeed(t, "", with("token", "create", "--user", "ops@example.com", "--scope", "admin")...)
		out := succeed(t, "", with("token", "list")...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		fields := strings.Fields(lines[0])
		if len(lines) != 2 || len(fields) != 7 || fields[1] != "ops@example.com" || fields[2] != "read" || strings.Contains(out, secret) {
			t.Fatalf("token list:\n%s", out)
		}
		if said := succeed(t, "", with("token", "revoke", fields[0])...); !strings.Contains(said, "revoked "+fields[0]+" of ops@example.com (read)") {
			t.Errorf("token revoke prints %q", said)
		}
		if left := succeed(t, "", with("token", "list")...); strings.Contains(left, fields[0]) || !strings.Contains(left, " admin ") {
			t.Errorf("after the revocation:\n%s", left)
		}
		refuse(t, with("token", "revoke", fields[0]), "no token "+fields[0])
		refuse(t, with("token", "revoke", secret), "does not name a token", "list of tokens")
		succeed(t, "", with("verify")...)
	})
}

func TestRevokedTokenIsRefusedAtOnce(t *testing.T) {
	s := start(t, t.TempDir())
	succeed(t, "correct horse battery\n", "user", "add", "ops@example.com", "--role", "admin", "--name", "Ops", "--password-file", "-", "--data", s.data)
	secret := strings.TrimSpace(succeed(t, "", "token", "create", "--user", "ops@example.com", "--data", s.data))
	if code, body := s.get("/api/v1/tickets", "Authorization", "Bearer "+secret); code != http.StatusOK {
		t.Fatalf("before: %d %s", code, body)
	}
	id := strings.Fields(succeed(t, "", "token", "list", "--data", s.data))[0]
	succeed(t, "", "token", "revoke", id[:4], "--data", s.data)
	if code, body := s.get("/api/v1/tickets", "Authorization", "Bearer "+secret); code != http.StatusUnauthorized {
		t.Errorf("after: %d %s", code, body)
	}
	s.stop()
}

func TestSetupLinkCommand(t *testing.T) {
	s := start(t, t.TempDir())
	printed := s.setupLink()
	link := strings.TrimSpace(succeed(t, "", "setup-link", "--data", s.data))
	if setupAddress.FindString(link) != link || link == printed || !strings.HasPrefix(link, s.web) {
		t.Fatalf("setup-link prints %q after %q", link, printed)
	}
	for address, want := range map[string]int{link: http.StatusOK, printed: http.StatusForbidden} {
		if code, _ := s.get(strings.TrimPrefix(address, s.web)); code != want {
			t.Errorf("%s: %d, want %d", address, code, want)
		}
	}
	succeed(t, "correct horse battery\n", "user", "add", "ops@example.com", "--role", "admin", "--name", "Ops", "--password-file", "-", "--data", s.data)
	refuse(t, []string{"setup-link", "--data", s.data}, "set up already", "log in")
	s.stop()
	refuse(t, []string{"setup-link", "--data", s.data}, "set up already")

	fresh := t.TempDir()
	succeed(t, "", "alias", "add", "support@example.com", "--data", fresh)
	refuse(t, []string{"setup-link", "--data", fresh}, "no server runs", "madoguchi serve")
	refuse(t, []string{"setup-link", "--data", t.TempDir()}, "there is no data in", "--data DIR", "madoguchi serve")
}

func TestAnalyseCommand(t *testing.T) {
	t.Parallel()
	besideAndWithout(t, func(t *testing.T, data string) {
		with := func(args ...string) []string { return append(append([]string{"analyse"}, args...), "--data", data) }
		succeed(t, "correct horse battery\n", "user", "add", "ops@example.com", "--role", "admin", "--name", "Ops", "--password-file", "-", "--data", data)
		if out := succeed(t, "", with()...); !strings.Contains(out, "no mails were read again") {
			t.Errorf("before anything: %q", out)
		}
		refuse(t, with("--from", "yesterday"), `"yesterday" is no day`)
		refuse(t, with("--stop"), "no mails are being read again")
		refuse(t, with("--stop", "--from", "2026-11-01"), "leave --from out")
	})
}

// The first address of a house that is set up by commands alone says in which language
// its pipeline is named, whatever the terminal of the machine speaks.
func TestAliasNamesTheFirstPipeline(t *testing.T) {
	t.Parallel()
	besideAndWithout(t, func(t *testing.T, data string) {
		refuse(t, []string{"alias", "add", "support@example.com", "--language", "jp", "--data", data}, `"jp"`, "ja or en")
		succeed(t, "", "alias", "add", "support@example.com", "--language", "ja", "--data", data)
		succeed(t, "", "alias", "add", "help@example.com", "--language", "en", "--data", data)
		if out := succeed(t, "", "pipeline", "list", "--data", data); !strings.Contains(out, "受付 → 対応中 → [完了]") || strings.Contains(out, "Done") {
			t.Errorf("pipeline list prints %q", out)
		}
	})
}

// An address that takes reports makes no tickets, so it can be no alias: beside a server that
// goes by its file, and without one where the file is named.
func TestNoAliasTakesReports(t *testing.T) {
	t.Parallel()
	data, file := t.TempDir(), writeConfig(t, "[reports]\ndmarc = \"reports@example.com\"\n")
	add := func(address string) []string {
		return []string{"alias", "add", address, "--config", file, "--data", data}
	}
	refuse(t, add("Reports@example.com"), "reports@example.com takes reports", "choose another")
	refuse(t, add("self-test+x@example.com"), "self-test+", "choose another")
	succeed(t, "", add("support@example.com")...)
	succeed(t, "", "alias", "add", "reports@example.com", "--data", data) // no file says what it is
	s := start(t, data, "--config", file)
	if !strings.Contains(s.log.String(), "mail to this alias is taken for reports") {
		t.Errorf("the server does not warn:\n%s", s.log)
	}
	succeed(t, "", add("sales@example.com")...)
	other := writeConfig(t, "[reports]\ndmarc = \"sales@example.com\"\n")
	s.stop()
	refuse(t, []string{"alias", "add", "sales@example.com", "--config", other, "--data", data}, "sales@example.com takes reports")
}

func TestParkedCommands(t *testing.T) {
	t.Parallel()
	besideAndWithout(t, func(t *testing.T, data string) {
		succeed(t, "", "alias", "add", "support@example.com", "--data", data)
		if out := succeed(t, "", "parked", "--data", data); out != "no work is parked\n" {
			t.Errorf("parked prints %q", out)
		}
		if out := succeed(t, "", "parked", "resume", "--data", data); out != "no work was parked\n" {
			t.Errorf("parked resume prints %q", out)
		}
	})
}
