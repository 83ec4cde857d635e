package run

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store/backup"
)

// Pauses between two looks at the clock, and after a backup that failed.
const (
	backupLook  = 30 * time.Second
	backupRetry = time.Hour
	busyRetry   = 5 * time.Minute
)

// BackupDesk is where it is said that backups fail.
type BackupDesk interface {
	RaiseAlarm(ctx context.Context, a helpdesk.Actor, kind helpdesk.AlarmKind, subject string, detail helpdesk.AlarmDetail) error
	EndAlarm(ctx context.Context, a helpdesk.Actor, kind helpdesk.AlarmKind, subject string) error
}

// BackupPlan is where backups go, when one is made and which stay.
type BackupPlan struct {
	Directory string
	At        []time.Duration // times of day, since midnight in Zone
	Zone      *time.Location
	Keep      backup.Keep
}

// Due is the newest moment up to now at which the plan wants a backup, and the next
// one after it.
func (p BackupPlan) Due(now time.Time) (last, next time.Time) {
	local := now.In(p.Zone)
	for day := -1; day <= 1; day++ {
		for _, at := range p.At {
			// By the clock on the wall: in the night in which it is set forward, 2:30
			// is 3:30.
			moment := time.Date(local.Year(), local.Month(), local.Day()+day, 0, int(at.Minutes()), 0, 0, p.Zone)
			if !moment.After(now) && moment.After(last) {
				last = moment
			}
			if moment.After(now) && (next.IsZero() || moment.Before(next)) {
				next = moment
			}
		}
	}
	return last, next
}

// BackupJob is what is copied, by whom and when.
type BackupJob struct {
	Plan    BackupPlan
	Desk    BackupDesk
	Copy    func(context.Context, io.Writer) error // writes the store
	Size    func() int64                           // about how large the store is, for the progress
	Program string
	Now     func() time.Time
	Log     *slog.Logger
}

// Backups makes backups by a plan, and when it is asked to, one at a time. What it
// knows of earlier ones stands in the directory.
type Backups struct {
	BackupJob
	wake chan struct{}

	mu     sync.Mutex
	status BackupStatus
	asked  bool
	retry  time.Time // not before, after a failure
}

// BackupStatus is how the backups are.
type BackupStatus struct {
	Working  bool
	Checking bool  // it reads back what it wrote
	Done     int64 // bytes of Total
	Total    int64
	Failed   time.Time // when the last one failed, zero where it did not
	Problem  helpdesk.AlarmDetail
	Next     time.Time
}

// NewBackups returns a Backups that has made none yet.
func NewBackups(job BackupJob) *Backups {
	return &Backups{BackupJob: job, wake: make(chan struct{}, 1)}
}

// Ask has a backup made now, or joins the one under way.
func (b *Backups) Ask() {
	b.mu.Lock()
	b.asked = true
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Status says how the backups are.
func (b *Backups) Status() BackupStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.status
	s.Working = s.Working || b.asked
	_, s.Next = b.Plan.Due(b.Now())
	if b.retry.After(b.Now()) && (s.Next.IsZero() || b.retry.Before(s.Next)) {
		s.Next = b.retry
	}
	return s
}

// List returns the backups there are, the oldest first.
func (b *Backups) List() ([]backup.Copy, error) {
	d, err := backup.Open(b.Plan.Directory)
	if errors.Is(err, backup.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return d.List()
}

// LastGood is when the newest backup that was read back was begun; zero: never.
func (b *Backups) LastGood() (time.Time, error) {
	list, err := b.List()
	if err != nil {
		return time.Time{}, err
	}
	for _, c := range slices.Backward(list) {
		if c.Fault == nil && !c.Verified.IsZero() {
			return c.At, nil
		}
	}
	return time.Time{}, nil
}

// Run makes backups until ctx ends. One that is broken off by that is gone on with
// by the next.
func (b *Backups) Run(ctx context.Context) {
	look := time.NewTicker(backupLook)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-b.wake:
		case <-ctx.Done():
			return
		}
		b.Work(ctx)
	}
}

// Work makes a backup if one is due, or was asked for. That it failed is kept in an
// alarm, until one succeeds.
func (b *Backups) Work(ctx context.Context) {
	due, err := b.due()
	if err == nil && !due {
		return
	}
	b.begin()
	if err == nil {
		err = b.make(ctx)
	}
	b.finish(ctx, err)
}

// due tells whether one is to be made now.
func (b *Backups) due() (bool, error) {
	now := b.Now()
	b.mu.Lock()
	asked, retry := b.asked, b.retry
	b.mu.Unlock()
	if asked {
		return true, nil
	}
	if now.Before(retry) && retry.Sub(now) <= backupRetry { // a clock that was set back does not stop it
		return false, nil
	}
	last, err := b.LastGood()
	if err != nil {
		return false, err
	}
	wanted, _ := b.Plan.Due(now)
	return !wanted.IsZero() && (last.Before(wanted) || last.After(now.Add(time.Hour))), nil
}

func (b *Backups) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = false
	b.status.Working, b.status.Checking, b.status.Done, b.status.Total = true, false, 0, b.Size()
}

// make makes one, reads it back and only then takes old ones away.
func (b *Backups) make(ctx context.Context) error {
	began := b.Now()
	d, err := backup.Create(b.Plan.Directory)
	if err != nil {
		return err
	}
	made, err := d.Take(ctx, began, b.Program, b.Copy, b.progress)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.status.Checking, b.status.Done, b.status.Total = true, 0, made.Size
	b.mu.Unlock()
	if err := d.Check(ctx, made.ID, b.Now(), b.progress); err != nil {
		return err
	}
	gone, err := d.Rotate(ctx, b.Plan.Keep, b.Plan.Zone)
	if err != nil {
		return helpdesk.Found("backup_rotation", "the backup was made; taking away old ones failed: %v", err)
	}
	b.Log.InfoContext(ctx, "backup made", "backup", made.ID, "directory", d.Path(), "size", made.Size, "new", made.New, "taken away", len(gone), "duration", b.Now().Sub(began))
	return nil
}

func (b *Backups) progress(done int64) {
	b.mu.Lock()
	b.status.Done = done
	b.mu.Unlock()
}

// finish keeps how it ended.
func (b *Backups) finish(ctx context.Context, err error) {
	now := b.Now()
	stopped := err != nil && ctx.Err() != nil
	b.mu.Lock()
	b.status.Working, b.status.Checking = false, false
	switch {
	case stopped:
	case err == nil:
		b.status.Failed, b.status.Problem, b.retry = time.Time{}, helpdesk.AlarmDetail{}, time.Time{}
	default:
		b.status.Failed, b.status.Problem, b.retry = now, BackupProblem(err), now.Add(backupRetry)
		if errors.Is(err, backup.ErrBusy) {
			b.retry = now.Add(busyRetry)
		}
	}
	b.mu.Unlock()
	if stopped {
		return
	}
	actor := helpdesk.System("backup")
	if err != nil {
		b.Log.WarnContext(ctx, "backup failed", "directory", b.Plan.Directory, "error", err)
		err = b.Desk.RaiseAlarm(ctx, actor, helpdesk.AlarmBackup, b.Plan.Directory, BackupProblem(err))
	} else {
		err = b.Desk.EndAlarm(ctx, actor, helpdesk.AlarmBackup, b.Plan.Directory)
	}
	if err != nil {
		b.Log.ErrorContext(ctx, "tell how a backup ended", "error", err)
	}
}

// Interval is the longest time between two backups of the plan.
func (p BackupPlan) Interval() time.Duration {
	at := slices.Sorted(slices.Values(p.At))
	var longest time.Duration
	for i, moment := range at {
		before := at[(i+len(at)-1)%len(at)]
		longest = max(longest, (moment-before+24*time.Hour-1)%(24*time.Hour)+1)
	}
	return cmp.Or(longest, 24*time.Hour)
}
