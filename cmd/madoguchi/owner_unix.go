//go:build unix

package main

import (
	"os"
	"syscall"
)

// adopt gives a file that root makes to whom a directory belongs, so that a server of
// another user can use it.
func adopt(file, directory string) error {
	if os.Getuid() != 0 {
		return nil
	}
	info, err := os.Stat(directory)
	if err != nil {
		return err
	}
	if owner, is := info.Sys().(*syscall.Stat_t); is && owner.Uid != 0 {
		return os.Chown(file, int(owner.Uid), int(owner.Gid))
	}
	return nil
}
