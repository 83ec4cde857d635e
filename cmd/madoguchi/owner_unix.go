//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
)

// adopt gives files that belong to root, because it made them, to whom another file or
// directory belongs, so that a server of that user can use them.
func adopt(like string, files ...string) error {
	if os.Getuid() != 0 {
		return nil
	}
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	owner, is := info.Sys().(*syscall.Stat_t)
	if !is || owner.Uid == 0 {
		return nil
	}
	for _, file := range files {
		if made, known := ownerOf(file); known && made == 0 { // a link is not followed: its owner may have laid it
			err = errors.Join(err, os.Lchown(file, int(owner.Uid), int(owner.Gid)))
		}
	}
	return err
}

// ownerOf is the user to whom a file belongs.
func ownerOf(path string) (uid int, known bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	owner, is := info.Sys().(*syscall.Stat_t)
	if !is {
		return 0, false
	}
	return int(owner.Uid), true
}
