package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/madoguchi/madoguchi/store/backup"
)

// backupSource is a backup that is read: a file, a copy in a directory, or standard input.
type backupSource struct {
	io.ReadCloser
	name string // for messages
	size int64  // 0 where it is not known
	// note keeps, in a directory of backups, that this one was found whole.
	note func(time.Time) error
}

func noteNothing(time.Time) error { return nil }

// openBackup opens a backup by what was typed; copy is the one of a directory, "" for the
// newest.
func openBackup(name, copy string, stdin io.Reader) (backupSource, error) {
	if name == "-" {
		return backupSource{io.NopCloser(stdin), "the backup", 0, noteNothing}, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return backupSource{}, fmt.Errorf("read backup: %w", err)
	}
	if info.IsDir() {
		directory, err := backup.Open(name)
		if err != nil {
			return backupSource{}, err
		}
		reader, err := directory.Read(copy)
		if err != nil {
			return backupSource{}, err
		}
		return backupSource{reader, "backup " + reader.ID, reader.Size, reader.Note}, nil
	}
	if copy != "" {
		return backupSource{}, fmt.Errorf("--copy chooses among the backups of a directory, and %s is a file", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return backupSource{}, fmt.Errorf("read backup: %w", err)
	}
	return backupSource{file, "the backup", info.Size(), noteNothing}, nil
}

// verifyBackup recomputes everything from a backup, in a copy of it in the directory
// scratch that goes away again: an older backup stays as it is.
func verifyBackup(ctx context.Context, source backupSource, scratch string, show *bytesShown) (v verification, err error) {
	err = withCopy(ctx, source, scratch, show, func(path string) error {
		v, err = verifyFile(ctx, path)
		return err
	})
	return v, err
}

// withCopy does something with a copy of a backup in the directory scratch.
func withCopy(ctx context.Context, source backupSource, scratch string, show *bytesShown, do func(path string) error) (err error) {
	if err := spaceFor(source.size, scratch, "work on a copy of the backup; name another place with --scratch DIR"); err != nil {
		return err
	}
	directory, err := os.MkdirTemp(scratch, ".madoguchi-verify-")
	if err != nil {
		return fmt.Errorf("work on a copy of a backup: %w; name a place for it with --scratch DIR", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	path := filepath.Join(directory, "copy.db")
	show.begin("reading", source.size)
	err = copyDurably(ctx, path, io.TeeReader(source, show))
	show.end()
	if err != nil {
		return err
	}
	return do(path)
}

// spaceFor is an error where size bytes have no room on the disk of path.
func spaceFor(size int64, path, why string) error {
	const reserve = 64 << 20
	free, err := freeSpace(path)
	if err != nil || size <= 0 || uint64(size)+reserve <= free {
		return nil // what is not known will be found out
	}
	return fmt.Errorf("the disk of %s has %s free, and %s are needed to %s", path, formatBytes(int64(free)), formatBytes(size+reserve), why)
}
