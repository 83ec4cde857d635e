package run_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/store/backup"
)

var tokyo = time.FixedZone("JST", 9*60*60)

// keeper is a Backups of a real desk, with a clock.
type keeper struct {
	*run.Backups
	t       *testing.T
	desk    *helpdesk.Desk
	now     time.Time
	content []byte
	fails   error
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	k := &keeper{t: t, desk: deskOf(t), now: time.Date(2026, 11, 22, 12, 0, 0, 0, tokyo), content: []byte("what the store holds")}
	k.Backups = run.NewBackups(run.BackupJob{
		Plan: run.BackupPlan{Directory: filepath.Join(t.TempDir(), "backups"), At: []time.Duration{3*time.Hour + 30*time.Minute}, Zone: tokyo, Keep: backup.Keep{Daily: 2}},
		Desk: k.desk, Size: func() int64 { return int64(len(k.content)) }, Program: "test", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return k.now },
		Copy: func(_ context.Context, w io.Writer) error {
			if k.fails != nil {
				return k.fails
			}
			_, err := io.Copy(w, bytes.NewReader(k.content))
			return err
		},
	})
	return k
}

// at moves the clock there, and returns how many backups there are after the work.
func (k *keeper) at(day, hour, minute int) int {
	k.t.Helper()
	k.now = time.Date(2026, 11, day, hour, minute, 0, 0, tokyo)
	k.Work(k.t.Context())
	list, err := k.List()
	if err != nil {
		k.t.Fatal(err)
	}
	return len(list)
}

func (k *keeper) alarms() int {
	k.t.Helper()
	list, err := k.desk.Alarms(k.t.Context(), helpdesk.System("test"))
	if err != nil {
		k.t.Fatal(err)
	}
	return len(list)
}

func TestBackupsFollowTheirPlan(t *testing.T) {
	k := newKeeper(t)
	steps := []struct{ day, hour, minute, backups int }{
		{22, 12, 0, 1}, // there is none: the one of the night is made up for
		{22, 12, 1, 1},
		{23, 3, 29, 1},
		{23, 3, 30, 2},
		{23, 3, 31, 2},
		{24, 9, 0, 2}, // one more, and the oldest goes
		{24, 9, 1, 2},
	}
	for _, s := range steps {
		if n := k.at(s.day, s.hour, s.minute); n != s.backups {
			t.Errorf("on the %dth at %d:%02d: %d backups, want %d", s.day, s.hour, s.minute, n, s.backups)
		}
	}
	list, err := k.List()
	if err != nil || list[0].Verified.IsZero() || !list[1].At.Equal(time.Date(2026, 11, 24, 9, 0, 0, 0, tokyo)) {
		t.Errorf("backups: %+v, %v", list, err)
	}
	if s := k.Status(); s.Working || !s.Next.Equal(time.Date(2026, 11, 25, 3, 30, 0, 0, tokyo)) {
		t.Errorf("status: %+v", s)
	}
	k.Ask()
	if s := k.Status(); !s.Working {
		t.Error("what was asked for is not under way")
	}
	if n := k.at(24, 10, 0); n != 2 { // of one day the newest stays
		t.Errorf("after asking: %d", n)
	}
	if last, err := k.LastGood(); err != nil || !last.Equal(k.now) {
		t.Errorf("last good: %v, %v", last, err)
	}
}

// A clock that is ahead for a while, or that starts in 1970, costs one backup each: the copy
// made then is not the newest for two years, so none is made at every look, and what is put
// back is what was copied last.
func TestBackupsSurviveTheClock(t *testing.T) {
	k := newKeeper(t)
	k.at(22, 12, 0)
	k.content = []byte("what the store holds while the clock is wrong")
	for _, wrong := range []time.Time{k.now.AddDate(2, 0, 0), time.Unix(60, 0)} {
		for range 3 {
			k.now = wrong
			k.Work(t.Context())
		}
	}
	k.content = []byte("what came since")
	k.at(23, 3, 31)
	made, err := k.LastGood()
	if err != nil || !made.Equal(k.now) {
		t.Fatalf("the last good one is of %v, %v; want %v", made, err, k.now)
	}
	k.at(23, 3, 33)
	if again, err := k.LastGood(); err != nil || !again.Equal(made) {
		t.Errorf("another was made two minutes later: %v, %v", again, err)
	}
	directory, err := backup.Open(k.Plan.Directory)
	if err != nil {
		t.Fatal(err)
	}
	r, err := directory.Read("")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, k.content) {
		t.Errorf("the newest has %q, %v", got, err)
	}
}

// A failure is an alarm until a backup succeeds, is tried again after an hour, and takes
// nothing away.
func TestBackupsRaiseAnAlarm(t *testing.T) {
	k := newKeeper(t)
	k.at(22, 12, 0)
	good, err := k.LastGood()
	if err != nil || good.IsZero() {
		t.Fatalf("last good: %v, %v", good, err)
	}
	k.fails = fmt.Errorf("write: %w", syscall.ENOSPC)
	for day := 23; day <= 27; day++ {
		if n := k.at(day, 4, 0); n != 1 {
			t.Errorf("on the %dth: %d backups", day, n)
		}
	}
	if s := k.Status(); s.Problem.Key != "backup_full" || !s.Failed.Equal(k.now) || !s.Next.Equal(k.now.Add(time.Hour)) {
		t.Errorf("status: %+v", s)
	}
	if last, err := k.LastGood(); err != nil || !last.Equal(good) || k.alarms() != 1 {
		t.Errorf("last good: %v, %v; %d alarms", last, err, k.alarms())
	}
	k.fails = nil
	if n := k.at(27, 4, 59); n != 1 {
		t.Errorf("tried again too early: %d", n)
	}
	if n := k.at(27, 5, 0); n != 2 || k.alarms() != 0 {
		t.Errorf("after it worked: %d backups, %d alarms", n, k.alarms())
	}
	// What cannot be read is a failure too.
	if err := os.WriteFile(filepath.Join(k.Plan.Directory, "madoguchi-backup.json"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	k.now = time.Date(2026, 11, 28, 4, 0, 0, 0, tokyo)
	k.Work(t.Context())
	if k.alarms() != 1 {
		t.Errorf("a damaged directory: %d alarms", k.alarms())
	}
}

func TestBackupPlan(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p := run.BackupPlan{At: []time.Duration{2*time.Hour + 30*time.Minute, 14 * time.Hour}, Zone: zone}
	last, next := p.Due(time.Date(2026, 3, 29, 13, 0, 0, 0, zone)) // the night in which 2:30 is left out
	if last.Format("02 15:04") != "29 03:30" || next.Format("02 15:04") != "29 14:00" {
		t.Errorf("last %v, next %v", last, next)
	}
	if d := p.Interval(); d != 12*time.Hour+30*time.Minute {
		t.Errorf("interval %v", d)
	}
	if d := (run.BackupPlan{At: []time.Duration{time.Hour}, Zone: zone}).Interval(); d != 24*time.Hour {
		t.Errorf("interval of one a day: %v", d)
	}
}

func deskOf(t *testing.T) *helpdesk.Desk {
	desk, _ := open(t)
	return desk
}
