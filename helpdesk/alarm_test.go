package helpdesk_test

import (
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// An alarm calls the admins once, says since when it stands, and calls nobody
// any more when it is over.
func TestAlarmCallsAdminsUntilItIsOver(t *testing.T) {
	h := newHouse(t)
	ctx, system := t.Context(), helpdesk.System("backup")
	agent, admin := h.newUser(helpdesk.RoleAgent), h.newUser(helpdesk.RoleAdmin)
	raise := func(detail string) {
		t.Helper()
		h.must(h.RaiseAlarm(ctx, system, helpdesk.AlarmBackup, "/srv/backup", detail))
	}
	began := h.now
	raise("no space left on device")
	h.pass(time.Hour)
	raise("permission denied")
	h.wantTold(admin, "alarm 0×1")
	h.wantTold(agent)
	list, err := h.Alarms(ctx, admin.Actor())
	if err != nil || len(list) != 1 || list[0].Detail != "permission denied" || !list[0].At.Equal(began) || !list[0].SeenAt.Equal(h.now) {
		t.Errorf("alarms: %+v, %v", list, err)
	}
	h.must(h.RaiseAlarm(ctx, system, helpdesk.AlarmSelfMail, "mx", "nothing after 5m"))
	h.wantTold(admin, "alarm 0×2")
	h.must(h.EndAlarm(ctx, system, helpdesk.AlarmBackup, "/srv/backup"))
	h.wantTold(admin, "alarm 0×2") // one stands
	h.must(h.EndAlarm(ctx, system, helpdesk.AlarmSelfMail, "mx"))
	h.must(h.EndAlarm(ctx, system, helpdesk.AlarmSelfMail, "mx")) // nothing to end
	h.wantTold(admin)
	if err := h.RaiseAlarm(ctx, system, "weather", "rain", ""); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("an unknown kind: %v", err)
	}
	raise("again")
	h.wantTold(admin, "alarm 0×1")
	h.verify()
}
