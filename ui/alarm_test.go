package ui_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/ui"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func TestAdminsAreShownAlarms(t *testing.T) {
	h := newReadyHouse(t)
	if err := h.RaiseAlarm(h.ctx(), helpdesk.System("backup"), helpdesk.AlarmBackup, "/srv/backup", helpdesk.AlarmDetail{Text: "no space left on <device>"}); err != nil {
		t.Fatal(err)
	}
	b := h.as(h.admin)
	b.get("/notices").want(http.StatusOK).shows("予定されたバックアップができませんでした", "/srv/backup", `href="/settings/check"`)
	b.get("/settings/check").shows("予定されたバックアップができませんでした", "/srv/backup", "no space left on &lt;device&gt;", "から続いています")
	b.get("/settings/notices").shows("サーバーに対応が必要なとき")

	agent := h.as(h.user("agent@example.jp", "林 大地", helpdesk.RoleAgent))
	agent.get("/notices").hides("バックアップ")
	agent.get("/settings/check").hides("/srv/backup")
	agent.get("/settings/notices").hides("サーバーに対応が必要なとき")
}

// What an alarm found is said in the language of whoever reads it: on the page, in a
// notice, in its mail and in the record of what was done.
func TestAlarmsAreSaidInTheReadersLanguage(t *testing.T) {
	h := newReadyHouse(t)
	raise := func(kind helpdesk.AlarmKind, subject string, found helpdesk.AlarmDetail) {
		t.Helper()
		if err := h.RaiseAlarm(h.ctx(), helpdesk.System("test"), kind, subject, found); err != nil {
			t.Fatal(err)
		}
	}
	catalogues, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	mail := func(language string) string {
		t.Helper()
		list, _, err := h.Notices(h.ctx(), h.admin.Actor(), 1)
		if err != nil || len(list) != 1 {
			t.Fatalf("%d notices: %v", len(list), err)
		}
		title, text := ui.NoticeWords(catalogues, "https://desk.example.jp")(language, list[0])
		return title + "\n" + text
	}
	japanese := "バックアップ先のディスクに空きがありません（write /srv/backup/&lt;pack&gt;: no space left on device）"
	english := "The disk of the backups is full (write /srv/backup/&lt;pack&gt;: no space left on device)"
	b := h.as(h.admin)
	raise(helpdesk.AlarmBackup, "/srv/backup", helpdesk.Found("backup_full", "%v", "write /srv/backup/<pack>: no space left on device"))
	b.get("/notices").shows("/srv/backup")
	if got := mail("ja"); !strings.Contains(got, "/srv/backup\nバックアップ先のディスクに空きがありません") {
		t.Errorf("the mail says %q", got)
	}
	if got := mail("en"); !strings.Contains(got, "/srv/backup\nThe disk of the backups is full") {
		t.Errorf("the mail says %q", got)
	}
	raise(helpdesk.AlarmWebhook, "0123456789abcdef", helpdesk.Found("webhook_unreachable", "%s: %s", "受注システム", "connection refused"))
	b.get("/settings/check").shows(japanese, "「受注システム」の送り先に接続できません（connection refused）").hides(english, "0123456789abcdef")
	b.get("/notices").shows("「受注システム」の送り先に接続できません").hides("0123456789abcdef")
	if got := mail("en"); strings.Count(got, "“受注システム” cannot be reached (connection refused).") != 1 || strings.Contains(got, "0123456789abcdef") {
		t.Errorf("the mail says %q", got)
	}
	b.get("/settings/audit").shows(japanese, "予定されたバックアップができませんでした").hides("detail_key", "backup_full")
	b.post("/settings/profile", "name", "佐藤 遥", "locale", "en").want(http.StatusSeeOther)
	b.get("/settings/check").shows(english, "“受注システム” cannot be reached").hides(japanese)
}

// Every finding of an alarm in the source has its sentence, for as many values as it has.
func TestFindingsOfAlarmsHaveSentences(t *testing.T) {
	catalogues, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{} // values
	for _, pattern := range []string{"../helpdesk/*.go", "../helpdesk/run/*.go", "../cmd/madoguchi/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range regexp.MustCompile(`\bFound\("([a-z_]+)", ("(?:[^"\\]|\\.)*")`).FindAllSubmatch(source, -1) {
				found[string(call[1])] = strings.Count(string(call[2]), "%")
			}
			for _, key := range regexp.MustCompile(`key (?:=|, already :=) "(backup_[a-z]+)"`).FindAllSubmatch(source, -1) {
				found[string(key[1])] = 1
			}
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %d findings in the source: %v", len(found), found)
	}
	for key, values := range found {
		for _, l := range []locale.Language{locale.Japanese, locale.English} {
			sentence, ok := catalogues.Lookup(l, "alarm.say."+key)
			if !ok || strings.Contains(sentence, fmt.Sprintf("%%[%d]", values+1)) {
				t.Errorf("%s, alarm.say.%s is %q for %d values", l, key, sentence, values)
			}
		}
	}
}
