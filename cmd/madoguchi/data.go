package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// storePath is the file of the embedded store in a data directory. Its logs are
// beside it (store.LogPaths).
func storePath(directory string) string { return filepath.Join(directory, "madoguchi.db") }

// openStore opens the store of a data directory, and makes the directory where
// it is missing. The error is store.ErrLocked, wrapped, where another process
// has it open. What root makes in it belongs to whom the rest does: a command of
// root's would keep the server from starting.
//
// Damage that opening it put right is told to mended, which may be nil.
func openStore(directory string, mended func(what string)) (*store.Journal, error) {
	if err := prepareDirectory(directory); err != nil {
		return nil, err
	}
	journal, err := store.Open(storePath(directory), store.BoltOptions{Mended: mended})
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.ENOLCK) {
		return nil, unusable(directory, err)
	}
	if err != nil {
		return nil, err
	}
	// Where root may not give files away (in a container, over NFS), whoever opens them
	// next is told whose they are.
	logs := store.LogPaths(storePath(directory))
	_ = errors.Join(adopt(directory, storePath(directory)), adopt(storePath(directory), logs[0], logs[1]))
	return journal, nil
}

// prepareDirectory makes the data directory, for its owner alone, and proves
// that it can be written: better now than at the first mail.
func prepareDirectory(directory string) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return unusable(directory, err)
	}
	probe, err := os.MkdirTemp(directory, ".writable-")
	if err != nil {
		return unusable(directory, err)
	}
	return os.Remove(probe)
}

// verifyFile verifies a copy of the store that nobody else uses. Damage that
// makes the engine panic is an error like any other.
func verifyFile(ctx context.Context, path string) (v verification, err error) {
	defer func() {
		if damage := recover(); damage != nil {
			err = fmt.Errorf("%s is damaged: %v", path, damage)
		}
	}()
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		return v, fmt.Errorf("%s is empty: it is no backup", path)
	}
	bolt, err := store.OpenBolt(path, store.BoltOptions{NoPreallocation: true})
	if err != nil {
		return v, err
	}
	l, err := newLocal(ctx, bolt)
	if err != nil {
		return v, errors.Join(err, bolt.Close())
	}
	v, err = l.Verify(ctx)
	return v, errors.Join(err, l.Close())
}

// whole is an error when v found a difference.
func (v verification) whole(path string) error {
	if n := len(v.Differences); n > 0 {
		return fmt.Errorf("%s is not whole: %s, the first: %s", path, amount(n, "difference", "differences"), v.Differences[0])
	}
	return nil
}

// setAside gives the store of a data directory, and its logs, another name: why, and the
// time.
func setAside(directory, why string) (kept string, err error) {
	path := storePath(directory)
	kept = path + time.Now().Format("."+why+"-20060102-150405")
	if err := os.Rename(path, kept); err != nil {
		return "", fmt.Errorf("keep the old data: %w", err)
	}
	for i, log := range store.LogPaths(path) {
		if err := os.Rename(log, store.LogPaths(kept)[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("keep the old data: %w", err)
		}
	}
	return kept, nil
}

// putInPlace makes a file the store of a data directory, and gives it to whom that
// belongs.
func putInPlace(file, directory string) error {
	return errors.Join(adopt(directory, file), os.Rename(file, storePath(directory)), syncDirectory(directory))
}

// syncDirectory makes a rename in directory durable.
func syncDirectory(directory string) error {
	d, err := os.Open(directory)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
