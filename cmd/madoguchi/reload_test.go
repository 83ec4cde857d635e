package main_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestReloadChangesWhoAndWhatComesIn rewrites the file of a running server: sessions
// that are open go by the new limits, filters and report addresses, and who came in
// by a domain that single sign-on no longer lets in is out.
func TestReloadChangesWhoAndWhatComesIn(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out what a reload changes")
	}
	t.Parallel()
	port := freePort(t)
	web := "http://localhost:" + port
	signOn := serveProvider(t, web, adminEmail, "client-sesame-90")
	data := newDesk(t)
	file := writeConfig(t, "")
	write := func(text string) {
		t.Helper()
		text = fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\n[web]\nurl = %q\n[proxy_protocol]\ntrusted = [\"127.0.0.1\"]\nlisteners = [\"smtp\"]\n[ai]\nenabled = false\n[dns]\nresolver = \"127.0.0.1:1\"\ntimeout = \"1s\"\n[oidc]\nissuer = %q\nclient_id = %q\nclient_secret = \"client-sesame-90\"\n",
			web, signOn.URL, providerClient) + text
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("name = \"Portal\"\n")
	s := start(t, data, "--config", file, "--http", "127.0.0.1:"+port)
	open := talkThrough(t, s.smtp, from("192.0.2.7"))
	letter := func(c *conversation, sender string) string {
		return c.send(sender, deskAddress, strings.Replace(letterFrom(sender, "Hello"), "support@desk.test", deskAddress, 1))
	}
	other := talkThrough(t, s.smtp, from("198.51.100.9"))
	if answer := letter(open, "known@stranger.test"); !strings.HasPrefix(answer, "250") {
		t.Fatalf("before: %s", answer)
	}
	open.do("MAIL FROM:<reporter@stranger.test>", "250")
	open.do("RCPT TO:<reports@desk.test>", "550")
	open.do("RSET", "250")
	member := newVisit(t, web)
	signOn.logIn(t, member.http, web)
	member.want(http.StatusOK, "/settings/profile")

	write("name = \"Anteroom\"\ndomains = [\"elsewhere.test\"]\n[reports]\ndmarc = \"reports@desk.test\"\n[incoming.greylist]\nenabled = true\n[incoming.limits]\nmails_per_minute = 3\n")
	s.command.Process.Signal(syscall.SIGHUP)
	s.log.waitFor(t, "reloaded log level")
	for _, want := range []string{
		`msg="reload: changed" key=oidc.domains was=[] is=[elsewhere.test]`, `msg="reload: changed" key=reports.dmarc`, `msg="reload: changed" key=incoming.greylist.enabled was=false is=true`,
		`msg="reload: changed" key=incoming.limits.mails_per_minute was=120 is=3`, "sessions by single sign-on ended", "sessions=1",
	} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, s.log)
		}
	}
	if strings.Contains(s.log.String(), "needs a restart") {
		t.Errorf("something needs a restart:\n%s", s.log)
	}
	open.do("MAIL FROM:<reporter@stranger.test>", "250")
	open.do("RCPT TO:<reports@desk.test>", "250")
	open.do("RSET", "250")
	if answer := letter(other, "new@elsewhere.test"); !strings.HasPrefix(answer, "451") {
		t.Errorf("a stranger's mail after the reload: %s", answer)
	}
	for _, answer := range []string{"250", "250", "450"} {
		open.do("MAIL FROM:<known@stranger.test>", answer)
		open.do("RSET", "250")
	}
	member.want(http.StatusSeeOther, "/settings/profile")
	if page := member.want(http.StatusOK, "/login"); !strings.Contains(page, "Anteroom") || strings.Contains(page, "Portal") {
		t.Errorf("the login page says %s", page)
	}
	signOn.refused(t, member.http, web)
	member.want(http.StatusSeeOther, "/settings/profile")

	holder := newVisit(t, web)
	holder.want(http.StatusSeeOther, "/login", "email", adminEmail, "password", adminPassword)
	holder.want(http.StatusOK, "/settings/profile")
	write("only = true\n")
	s.command.Process.Signal(syscall.SIGHUP)
	s.log.waitFor(t, `msg="sessions by password or passkey ended: oidc.only lets in by single sign-on alone" sessions=1`)
	holder.want(http.StatusSeeOther, "/settings/profile")
}
