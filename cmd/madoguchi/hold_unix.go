//go:build unix && !solaris && !aix

package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/madoguchi/madoguchi/store"
)

// holdStore keeps servers from opening the store at path until release is called, for who is
// about to put another in its place; it can still be read. The error is store.ErrLocked,
// wrapped, where a process has it open.
func holdStore(path string) (release func() error, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("hold the data: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) // the engine wants it for itself
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = store.ErrLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hold the data in %s: %w", path, err), file.Close())
	}
	return file.Close, nil
}
