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

// adopt gives a file that root makes to whom the directory belongs, so that a server
// of another user goes on with it.
func adopt(file *os.File, directory string) error {
	if os.Getuid() != 0 {
		return nil
	}
	info, err := os.Stat(directory)
	if err != nil {
		return err
	}
	if owner, is := info.Sys().(*syscall.Stat_t); is && owner.Uid != 0 {
		return file.Chown(int(owner.Uid), int(owner.Gid))
	}
	return nil
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
