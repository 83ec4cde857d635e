package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/smtpd/check"
	"github.com/madoguchi/madoguchi/store/backup"
	"github.com/madoguchi/madoguchi/ui"
)

// backupConfig is where backups go by themselves, when, and which stay.
type backupConfig struct {
	Dir         string      `toml:"dir"`
	At          []clockTime `toml:"at"`
	KeepDaily   int         `toml:"keep_daily"`
	KeepWeekly  int         `toml:"keep_weekly"`
	KeepMonthly int         `toml:"keep_monthly"`
	// BeforeUpgrade keeps a copy of data that a newer program upgrades.
	BeforeUpgrade bool `toml:"before_upgrade"`
}

// plan is what c wants, by this machine's clock.
func (c backupConfig) plan() run.BackupPlan {
	plan := run.BackupPlan{Directory: c.Dir, Zone: time.Local, Keep: backup.Keep{Daily: c.KeepDaily, Weekly: c.KeepWeekly, Monthly: c.KeepMonthly}}
	for _, at := range c.At {
		plan.At = append(plan.At, at.Duration)
	}
	return plan
}

func (k *checker) backup(c backupConfig) {
	if c.Dir == "" {
		return
	}
	if len(c.At) == 0 {
		k.add("backup.at", `names no time; write when a backup is made, such as ["03:30"]`)
	}
	k.natural("backup.keep_daily", int64(c.KeepDaily))
	k.natural("backup.keep_weekly", int64(c.KeepWeekly))
	k.natural("backup.keep_monthly", int64(c.KeepMonthly))
}

// clockTime is a time of day, written "03:30".
type clockTime struct{ time.Duration }

// UnmarshalText reads "03:30".
func (c *clockTime) UnmarshalText(text []byte) error {
	at, err := time.Parse("15:04", string(text))
	if err != nil {
		return fmt.Errorf(`%q is no time of day; write it like "03:30"`, text)
	}
	c.Duration = time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	return nil
}

// String writes c as the file does.
func (c clockTime) String() string {
	return fmt.Sprintf("%02d:%02d", int(c.Hours()), int(c.Minutes())%60)
}

// openBackups connects the making of backups, where a directory is configured.
func (s *server) openBackups(context.Context) error {
	c := s.config.Backup
	if c.Dir == "" {
		return nil
	}
	s.backups = run.NewBackups(run.BackupJob{Plan: c.plan(), Desk: s.desk, Program: programVersion(), Now: time.Now, Log: s.log,
		Copy: (&local{engine: s.store}).Backup, Size: func() int64 { return storeSize(s.config.Server.Data) }})
	s.background = append(s.background, s.backups.Run)
	return nil
}

// backupKeeper is the backups in the words of the web, nil where none are made.
func (s *server) backupKeeper() ui.BackupKeeper {
	if s.backups == nil {
		return nil
	}
	return shownBackups{s.backups}
}

type shownBackups struct{ *run.Backups }

// State implements ui.BackupKeeper.
func (b shownBackups) State() (ui.BackupState, error) {
	status := b.Status()
	state := ui.BackupState{Directory: b.Plan.Directory, Next: status.Next, Problem: status.Problem,
		Working: status.Working, Checking: status.Checking, Done: status.Done, Total: status.Total}
	list, err := b.List()
	if err != nil { // the page says so, and everything else
		state.Problem = run.BackupProblem(err)
		return state, nil
	}
	for _, c := range slices.Backward(list) {
		line := ui.BackupLine{ID: c.ID, At: c.At, Size: c.Size, New: c.New, Verified: c.Verified}
		if c.Fault != nil {
			line.Fault = c.Fault.Error()
		} else if state.LastGood.IsZero() && !c.Verified.IsZero() {
			state.LastGood = c.At
		}
		state.Backups = append(state.Backups, line)
	}
	state.Overdue = overdue(b.Plan, state.LastGood, b.Now())
	return state, nil
}

// backupSlack is how much later than planned a backup may be: it takes its time, and
// one may fail once.
const backupSlack = 3 * time.Hour

func overdue(plan run.BackupPlan, last, now time.Time) bool {
	return !last.IsZero() && now.Sub(last) > plan.Interval()+backupSlack
}

// backups says in one line whether there is a good backup.
func (c *checkup) backups(context.Context) []finding {
	f := check.Finding{Area: "backup", Subject: c.config.Backup.Dir, State: check.Fine, Key: "backup_fine", Args: []string{c.config.Backup.Dir}}
	if c.config.Backup.Dir == "" {
		f.State, f.Key, f.Args, f.Fix = check.Warning, "backup_off", nil, `backup.dir = "/var/lib/madoguchi-backup"`
		return found(f)
	}
	keeper := run.NewBackups(run.BackupJob{Plan: c.config.Backup.plan(), Now: time.Now})
	last, err := keeper.LastGood()
	age := time.Since(last)
	switch {
	case err != nil:
		f.State, f.Key, f.Args, f.Fix = check.Wrong, "backup_unreadable", append(f.Args, err.Error()), "madoguchi backup list "+f.Subject
	case last.IsZero():
		f.State, f.Key, f.Fix = check.Warning, "backup_none_yet", "madoguchi backup "+strings.TrimSuffix(f.Subject, "/")+"/"
	default:
		f.Args = append(f.Args, duration{max(age, time.Minute).Truncate(time.Minute)}.String())
		if overdue(keeper.Plan, last, time.Now()) {
			f.State, f.Key, f.Fix = check.Wrong, "backup_old", "madoguchi backup "+strings.TrimSuffix(f.Subject, "/")+"/"
		}
	}
	return found(f)
}
