package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// BackupKeeper makes backups by a plan and when it is asked to.
type BackupKeeper interface {
	// State says how the backups are, and which there are.
	State() (BackupState, error)
	// Ask has one made now.
	Ask()
}

// BackupState is how the backups are.
type BackupState struct {
	Directory string
	Next      time.Time
	LastGood  time.Time            // of the newest that was read back; zero where there is none
	Overdue   bool                 // that is longer ago than the plan allows
	Problem   helpdesk.AlarmDetail // why the last one failed; empty where it did not
	Working   bool
	Checking  bool // it is being read back
	Done      int64
	Total     int64 // about; 0 where it is not known
	Backups   []BackupLine
}

// BackupLine is one backup, newest first.
type BackupLine struct {
	ID        string
	At        time.Time
	Size, New int64
	Verified  time.Time // zero: never
	Fault     string    // why it cannot be used, or ""
}

func (s *Server) backupRoutes(g *echo.Group) {
	g.GET("/settings/backups", s.backupsPage)
	g.GET("/settings/backups/progress", s.backupProgress)
	g.POST("/settings/backups", s.backUpNow)
}

type backupsView struct {
	settingsPage
	Kept *backupsKept // nil where no backups are made
}

type backupsKept struct {
	Directory, Problem   string
	Working              bool
	Says                 string
	Done, Total          int64
	Percent              int
	LastGood, Next       moment
	Good                 *badge
	Lines                []backupRow
	RestoreWith, AllWith string
}

type backupRow struct {
	ID, Size, New, Fault string
	At                   moment
	Badge                *badge
}

func (s *Server) backupsPage(c echo.Context) error {
	sp, err := s.newSettingsPage(c, "backups", "")
	if err != nil {
		return err
	}
	view := backupsView{settingsPage: sp}
	if sp.Locked == "" && s.options.Backups != nil {
		if view.Kept, err = s.newBackupsKept(visitOf(c)); err != nil {
			return err
		}
	}
	return s.render(c, http.StatusOK, "settings-backups", view)
}

func (s *Server) newBackupsKept(v *visit) (*backupsKept, error) {
	state, err := s.options.Backups.State()
	if err != nil {
		return nil, err
	}
	k := &backupsKept{Directory: state.Directory, Problem: AlarmText(v.Printer, state.Problem), Working: state.Working, Done: state.Done, Total: max(state.Total, state.Done, 1),
		Next: longMoment(v.Printer, state.Next), RestoreWith: "madoguchi restore " + state.Directory, AllWith: "madoguchi verify " + state.Directory}
	k.Percent = int(k.Done * 100 / k.Total)
	switch {
	case state.Working && state.Checking:
		k.Says = v.T("backup.checking", v.Size(state.Done), v.Size(k.Total))
	case state.Working:
		k.Says = v.T("backup.copying", v.Size(state.Done), v.Size(k.Total))
	}
	switch {
	case state.LastGood.IsZero():
		k.Good = &badge{"warn", v.T("backup.none")}
	case state.Overdue:
		k.Good, k.LastGood = &badge{"bad", v.T("backup.overdue")}, longMoment(v.Printer, state.LastGood)
	default:
		k.Good, k.LastGood = &badge{"good", v.T("backup.fine")}, longMoment(v.Printer, state.LastGood)
	}
	for _, b := range state.Backups {
		row := backupRow{ID: b.ID, Size: v.Size(b.Size), New: v.Size(b.New), Fault: b.Fault, At: longMoment(v.Printer, b.At)}
		switch {
		case b.Fault != "":
			row.Badge = &badge{"bad", v.T("backup.damaged")}
		case b.Verified.IsZero():
			row.Badge = &badge{"plain", v.T("backup.unverified")}
		default:
			row.Badge = &badge{"good", v.T("backup.verified")}
		}
		k.Lines = append(k.Lines, row)
	}
	return k, nil
}

// backupProgress is the part of the page that looks again by itself.
func (s *Server) backupProgress(c echo.Context) error {
	v := visitOf(c)
	if target(c.Request()) != "backups" || s.options.Backups == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/backups")
	}
	if err := v.actor().MaySeeBackups(); err != nil {
		return err
	}
	kept, err := s.newBackupsKept(v)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "backups", kept)
}

func (s *Server) backUpNow(c echo.Context) error {
	if s.options.Backups == nil {
		return echo.ErrNotFound
	}
	if err := s.desk.RequestBackup(c.Request().Context(), visitOf(c).actor()); err != nil {
		return err
	}
	s.options.Backups.Ask()
	return c.Redirect(http.StatusSeeOther, "/settings/backups")
}
