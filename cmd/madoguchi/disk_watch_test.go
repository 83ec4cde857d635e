package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/check"
)

// TestFullDiskIsAnAlarm looks at a file system that has no room, and then at one that has.
func TestFullDiskIsAnAlarm(t *testing.T) {
	const full, roomy = "/proc", "/" // the first holds nothing but what the kernel says
	if check.Disk(full).State != check.Wrong || check.Disk(roomy).State == check.Wrong {
		t.Skip("SKIPPED, not passed: no file system is known here that is full, or none that has room")
	}
	_, l := openFurnished(t)
	defer l.Close()
	var said strings.Builder
	s := &server{desk: l.desk, log: slog.New(slog.NewTextHandler(&said, nil))}
	admin := helpdesk.System("test")
	for range 2 {
		s.lookAtDisk(t.Context(), full)
	}
	list, err := l.desk.Alarms(t.Context(), admin)
	if err != nil || len(list) != 1 || list[0].Kind != helpdesk.AlarmDisk || list[0].Subject != full || list[0].Detail != "0.0 GB free (100%)" && list[0].Detail != "0.0 GB free (0%)" {
		t.Errorf("on a full disk: %+v, %v", list, err)
	}
	if !strings.Contains(said.String(), "level=WARN") || strings.Contains(said.String(), "level=ERROR") {
		t.Errorf("the log: %s", said.String())
	}
	if err := l.desk.EndAlarm(t.Context(), admin, helpdesk.AlarmDisk, full); err != nil {
		t.Fatal(err)
	}
	if err := l.desk.RaiseAlarm(t.Context(), admin, helpdesk.AlarmDisk, roomy, helpdesk.Found("disk_full", "%s free (%s%%)", "0.0 GB", "0")); err != nil {
		t.Fatal(err)
	}
	s.lookAtDisk(t.Context(), roomy)
	if list, err := l.desk.Alarms(t.Context(), admin); err != nil || len(list) != 0 {
		t.Errorf("with room again: %+v, %v", list, err)
	}
}
