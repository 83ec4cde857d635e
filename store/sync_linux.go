package store

import (
	"errors"
	"os"
	"syscall"
)

// syncData makes what was written to a file durable, without its times, which
// would cost a commit of the file system's journal.
func syncData(file *os.File) error {
	for {
		err := syscall.Fdatasync(int(file.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return os.NewSyscallError("fdatasync "+file.Name(), err)
		}
	}
}
