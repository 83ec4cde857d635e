package ui_test

import (
	"net/http"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestAdminsAreShownAlarms(t *testing.T) {
	h := newReadyHouse(t)
	if err := h.RaiseAlarm(h.ctx(), helpdesk.System("backup"), helpdesk.AlarmBackup, "/srv/backup", "no space left on <device>"); err != nil {
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
