package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
	"github.com/madoguchi/madoguchi/store/backup"
)

// backupSource is a backup that is read: a file, a copy in a directory, or standard input.
type backupSource struct {
	io.ReadCloser
	name string // for messages
	size int64  // 0 where it is not known
	// note keeps, in a directory of backups, that this one was found whole.
	note func(time.Time) error
	// path is that of a file; logs are those beside it, which may have what it lacks.
	path string
	logs []string
}

func noteNothing(time.Time) error { return nil }

// openBackup opens a backup by what was typed; copy is the one of a directory, "" for the
// newest.
func openBackup(name, copy string, stdin io.Reader) (backupSource, error) {
	if name == "-" {
		return backupSource{ReadCloser: io.NopCloser(stdin), name: "the backup", note: noteNothing}, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return backupSource{}, fmt.Errorf("read backup: %w", err)
	}
	if info.IsDir() {
		directory, err := backup.Open(name)
		if _, statErr := os.Stat(storePath(name)); err != nil && statErr == nil {
			return backupSource{}, fmt.Errorf("%s holds data, and no backups: name the data itself, %s", name, storePath(name))
		}
		if err != nil {
			return backupSource{}, err
		}
		reader, err := directory.Read(copy)
		if err != nil {
			return backupSource{}, err
		}
		return backupSource{ReadCloser: reader, name: "backup " + reader.ID, size: reader.Size, note: reader.Note}, nil
	}
	if copy != "" {
		return backupSource{}, fmt.Errorf("--copy chooses among the backups of a directory, and %s is a file", name)
	}
	return openBackupFile(name, info.Size())
}

// openBackupFile opens a backup that is one file: what madoguchi backup wrote, or the store of
// a data directory (of a snapshot of the disk, say, or what restore kept), whose newest updates may be
// in the logs beside it alone.
func openBackupFile(name string, size int64) (backupSource, error) {
	release, err := holdStore(name)
	switch {
	case errors.Is(err, store.ErrLocked):
		return backupSource{}, fmt.Errorf("a server works on %s, and a copy of it would not be whole: write one with madoguchi backup FILE --data %s", name, filepath.Dir(name))
	case err != nil: // this file system has no locks, or opening it says why not
		release = func() error { return nil }
	}
	file, err := os.Open(name)
	if err != nil {
		return backupSource{}, errors.Join(fmt.Errorf("read backup: %w", err), release())
	}
	source := backupSource{ReadCloser: heldFile{file, release}, name: "the backup", size: size, note: noteNothing, path: name}
	for _, log := range store.LogPaths(name) {
		if info, err := os.Stat(log); err == nil && info.Size() > 0 {
			source.logs = append(source.logs, log)
		}
	}
	return source, nil
}

// heldFile lets servers open it again when it is closed.
type heldFile struct {
	*os.File
	release func() error
}

func (f heldFile) Close() error { return errors.Join(f.File.Close(), f.release()) }

// copyTo writes a copy of the source as the file at path, with what only its logs have.
func (b backupSource) copyTo(ctx context.Context, path string, show *bytesShown, doing string) (err error) {
	show.begin(doing, b.size)
	err = copyDurably(ctx, path, io.TeeReader(b, show))
	show.end()
	if err != nil || len(b.logs) == 0 {
		return err
	}
	defer func() {
		for _, log := range store.LogPaths(path) {
			err = errors.Join(err, os.RemoveAll(log))
		}
	}()
	for _, name := range b.logs {
		log, err := os.Open(name)
		if err != nil {
			return err
		}
		if err := errors.Join(copyDurably(ctx, path+strings.TrimPrefix(name, b.path), log), log.Close()); err != nil {
			return err
		}
	}
	journal, err := store.Open(path, store.BoltOptions{NoPreallocation: true}) // takes over what they have
	if err == nil {
		err = journal.Close()
	}
	if err != nil {
		return fmt.Errorf("take over what %s have: %w; to go without that, move them away", strings.Join(b.logs, " and "), err)
	}
	return nil
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
	if err := source.copyTo(ctx, path, show, "reading"); err != nil {
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
