package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// keepBeforeUpgrade copies data that opening would upgrade, into its directory, and
// returns the copy's path; "" where nothing is upgraded. The copy can be restored by
// the program that wrote it.
func keepBeforeUpgrade(ctx context.Context, journal *store.Journal, directory string) (path string, err error) {
	state, err := helpdesk.ReadDataState(ctx, journal)
	if err != nil || !state.Older() {
		return "", err
	}
	why := fmt.Sprintf(`upgrade the data from version %d to %d, with a copy of it as it is; make room, or back it up elsewhere and set [backup] before_upgrade = false`, state.Version, helpdesk.DataVersion)
	if err := spaceFor(storeSize(directory), directory, why); err != nil {
		return "", err
	}
	path = filepath.Join(directory, fmt.Sprintf("before-upgrade-from-%d-%s.db", state.Version, time.Now().Format("20060102-150405")))
	partial := path + ".partial"
	reader, writer := io.Pipe()
	copied := make(chan error, 1)
	go func() {
		_, err := journal.Snapshot(ctx, writer)
		writer.CloseWithError(err)
		copied <- err
	}()
	err = errors.Join(copyDurably(ctx, partial, reader), reader.Close(), <-copied)
	if err == nil {
		err = errors.Join(os.Rename(partial, path), syncDirectory(directory))
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("keep the data before it is upgraded: %w", err), os.RemoveAll(partial))
	}
	return path, nil
}
