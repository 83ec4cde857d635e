package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// unusable says why a data directory cannot be used, and what to do about it.
func unusable(directory string, err error) error {
	for path := directory; errors.Is(err, syscall.ENOTDIR); path = filepath.Dir(path) {
		if info, statErr := os.Stat(path); statErr == nil && !info.IsDir() {
			return fmt.Errorf("data directory %s cannot be made: %s is a file; name a directory with --data DIR", directory, path)
		}
		if path == filepath.Dir(path) {
			break
		}
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("data directory %s cannot be used by user %d: %w; %s, or name another with --data DIR", directory, os.Getuid(), err, access(directory, err))
	case errors.Is(err, syscall.ENOLCK):
		return fmt.Errorf("the file system of data directory %s gives no locks: %w; without them two servers could write at once. Keep the data on a disk of this machine (over NFS, run the lock service, or mount with nfsvers=4), or name another directory with --data DIR", directory, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk of data directory %s is full: %w; make room on it and try again: what was stored is still there", directory, err)
	}
	return fmt.Errorf("data directory %s cannot be written: %w; put that right or name another with --data DIR", directory, err)
}

// access says how a directory whose use was refused with err can be used: as its owner,
// or by giving it away. What is in it may belong to somebody else than the directory.
func access(directory string, err error) string {
	path := directory
	if refused, is := errors.AsType[*fs.PathError](err); is {
		if _, known := ownerOf(refused.Path); known {
			path = refused.Path
		}
	}
	owner, known := ownerOf(path)
	switch {
	case known && owner == os.Getuid():
		return fmt.Sprintf("let that user write there (chmod -R u+rwX %s)", directory)
	case known:
		return fmt.Sprintf("%s belongs to %s: run this as that user (sudo -u), give all of it to this one (chown -R %d %s)", path, userName(owner), os.Getuid(), directory)
	}
	return fmt.Sprintf("give it to that user (chown -R %d %s)", os.Getuid(), directory)
}

// userName is what a user is called, with its number.
func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return fmt.Sprintf("user %d (%s)", uid, u.Username)
	}
	return fmt.Sprintf("user %d", uid)
}
