package helpdesk_test

import (
	"strings"
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
		h.must(h.RaiseAlarm(ctx, system, helpdesk.AlarmBackup, "/srv/backup", helpdesk.AlarmDetail{Text: detail}))
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
	h.must(h.RaiseAlarm(ctx, system, helpdesk.AlarmSelfMail, "mx", helpdesk.Found("self_late", "nothing after %s", 5*time.Minute)))
	h.wantTold(admin, "alarm 0×2")
	h.must(h.EndAlarm(ctx, system, helpdesk.AlarmBackup, "/srv/backup"))
	h.wantTold(admin, "alarm 0×2") // one stands
	h.must(h.EndAlarm(ctx, system, helpdesk.AlarmSelfMail, "mx"))
	h.must(h.EndAlarm(ctx, system, helpdesk.AlarmSelfMail, "mx")) // nothing to end
	h.wantTold(admin)
	if err := h.RaiseAlarm(ctx, system, "weather", "rain", helpdesk.AlarmDetail{}); helpdesk.CodeOf(err) != helpdesk.CodeInvalid {
		t.Errorf("an unknown kind: %v", err)
	}
	raise("again")
	h.wantTold(admin, "alarm 0×1")
	h.verify()
}

// An alarm reaches the admins' own mailboxes too, and no ticket hears of it.
func TestAlarmGoesByMailUnlessRead(t *testing.T) {
	h := newHouse(t)
	h.first()
	ctx := t.Context()
	h.must(h.RaiseAlarm(ctx, helpdesk.System("backup"), helpdesk.AlarmBackup, "/srv/backup", helpdesk.AlarmDetail{Text: "no space left on device"}))
	h.pass(4 * time.Minute)
	claimed, _, err := h.ClaimDue(ctx, helpdesk.TimerNotice, 10, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d due: %v", len(claimed), err)
	}
	words := func(_ string, n helpdesk.NoticeView) (string, string) {
		return string(n.Notice.Alarm) + " " + n.Subject, n.Snippet
	}
	for range 2 { // worked on twice, it is sent once
		h.must(h.MailNotice(ctx, claimed[0].ID, words))
	}
	h.verify()
	queue, err := h.Queue(ctx, h.admin, helpdesk.QueueQuery{})
	if err != nil || len(queue.Deliveries) != 1 {
		t.Fatalf("%d wait: %v", len(queue.Deliveries), err)
	}
	tried := 0
	h.deliver(func(string) (helpdesk.Attempt, bool) {
		tried++
		return helpdesk.Attempt{Code: 550, Enhanced: "5.7.1", Text: "not here"}, true
	})
	h.must(h.RetryDelivery(ctx, h.admin, queue.Deliveries[0].ID))
	h.verify()
	sent := h.deliver(func(string) (helpdesk.Attempt, bool) { return helpdesk.Attempt{OK: true, Code: 250}, false })
	raw := sent[h.user.Email]
	if tried != 1 || len(sent) != 1 || !strings.Contains(raw, "Subject: backup /srv/backup") || !strings.Contains(raw, "no space left on device") || !strings.Contains(raw, "Auto-Submitted: auto-generated") {
		t.Errorf("tried %d, sent %d: %s", tried, len(sent), raw)
	}
	h.verify()
}
