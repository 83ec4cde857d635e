package main

import (
	"context"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/check"
)

// diskEvery is how often the room on the disk is looked at: files that come with mail can
// take the last of it within the hour.
const diskEvery = 10 * time.Minute

// tendDisk looks now and then whether there is room for mail.
func (s *server) tendDisk(ctx context.Context) {
	every := time.NewTicker(diskEvery)
	defer every.Stop()
	for {
		s.lookAtDisk(ctx, s.config.Server.Data)
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// lookAtDisk raises an alarm while it can still be stored: on a full disk there is no
// room for it either, and mail is put off.
func (s *server) lookAtDisk(ctx context.Context, directory string) {
	actor := helpdesk.System("disk")
	var err error
	if f := check.Disk(directory); f.State == check.Wrong {
		s.log.WarnContext(ctx, "the disk is all but full", "directory", directory, "free", f.Args[0], "percent", f.Args[1])
		err = s.desk.RaiseAlarm(ctx, actor, helpdesk.AlarmDisk, directory, helpdesk.Found("disk_full", "%s free (%s%%)", f.Args[0], f.Args[1]))
	} else {
		err = s.desk.EndAlarm(ctx, actor, helpdesk.AlarmDisk, directory)
	}
	if err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "tell the admins of the disk", "error", err)
	}
}
