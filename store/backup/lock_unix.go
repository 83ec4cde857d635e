//go:build unix && !solaris && !aix

package backup

import (
	"errors"
	"os"
	"syscall"
)

func lockFile(file *os.File, exclusive bool) error {
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX
	}
	return syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
