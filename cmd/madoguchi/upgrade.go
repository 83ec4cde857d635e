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

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// keepBeforeUpgrade copies data that opening would upgrade, into its directory, and
// returns the copy's path; "" where nothing is upgraded. The copy can be restored by
// the program that wrote it. Copies that were broken off, by a kill or a power cut, are
// removed: each is as large as the data, and a start that is tried again and again would
// fill the disk with them.
func keepBeforeUpgrade(ctx context.Context, journal *store.Journal, directory string) (path string, err error) {
	if err := removeBrokenCopies(directory); err != nil {
		return "", err
	}
	state, err := helpdesk.ReadDataState(ctx, journal)
	if err != nil || !state.Older() {
		return "", err
	}
	why := fmt.Sprintf(`upgrade the data from version %d to %d, with a copy of it as it is; make room, or back it up elsewhere and start madoguchi serve with [backup] before_upgrade = false`, state.Version, helpdesk.DataVersion)
	if err := spaceFor(storeSize(directory), directory, why); err != nil {
		return "", err
	}
	path = filepath.Join(directory, fmt.Sprintf("%sfrom-%d-%s.db", copyName, state.Version, time.Now().Format("20060102-150405")))
	partial := path + partialCopy
	reader, writer := io.Pipe()
	copied := make(chan error, 1)
	go func() {
		_, err := journal.Snapshot(ctx, writer)
		writer.CloseWithError(err)
		copied <- err
	}()
	err = errors.Join(copyDurably(ctx, partial, reader), reader.Close(), <-copied)
	if err == nil {
		err = errors.Join(adopt(storePath(directory), partial), os.Rename(partial, path), syncDirectory(directory))
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("keep the data before it is upgraded: %w", err), os.RemoveAll(partial))
	}
	return path, nil
}

// Copies of data before its upgrade, and what their names end with until they are whole.
const (
	copyName    = "before-upgrade-"
	partialCopy = ".partial"
)

func removeBrokenCopies(directory string) error {
	entries, err := os.ReadDir(directory)
	for _, entry := range entries {
		if name := entry.Name(); strings.HasPrefix(name, copyName) && strings.HasSuffix(name, partialCopy) {
			err = errors.Join(err, os.Remove(filepath.Join(directory, name)))
		}
	}
	if err != nil {
		return fmt.Errorf("remove copies of the data that were broken off: %w", err)
	}
	return nil
}
