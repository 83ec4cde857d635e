package run

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store/backup"
)

// BackupProblem says why backups fail, with what to do about it where that is known.
func BackupProblem(err error) helpdesk.AlarmDetail {
	key, already := "backup_failed", helpdesk.FoundIn(err)
	switch {
	case already.Key != "":
		return already
	case errors.Is(err, backup.ErrBusy):
		key = "backup_busy"
	case errors.Is(err, backup.ErrNewer):
		key = "backup_newer"
	case errors.Is(err, backup.ErrDamaged):
		key = "backup_damaged"
	case errors.Is(err, syscall.ENOSPC):
		key = "backup_full"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		key = "backup_permission"
	case errors.Is(err, fs.ErrNotExist):
		key = "backup_missing"
	}
	return helpdesk.Found(key, "%v", err)
}
