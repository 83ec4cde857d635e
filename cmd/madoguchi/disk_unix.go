//go:build linux || darwin || freebsd

package main

import "syscall"

// freeSpace is how many bytes this user may still write on the disk that path
// is on.
func freeSpace(path string) (uint64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(path, &disk); err != nil {
		return 0, err
	}
	return uint64(disk.Bavail) * uint64(disk.Bsize), nil
}
