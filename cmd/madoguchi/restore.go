package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/store"
)

func newRestoreCommand() *cobra.Command {
	var (
		data          dataFlags
		force         bool
		copy, scratch string
		ticket        uint64
	)
	cmd := &cobra.Command{
		Use:   "restore DIR|FILE|-",
		Short: "Put a backup in the place of the data",
		Long: `Copies a backup into the data directory, verifies it there, and only then puts
it in place. Of a directory of backups it takes the newest that was verified, or the
one that --copy names. The server must not run. Over data that is there already
it needs --force, and keeps what it replaces under another name.

With --ticket it puts back one ticket, and everything else stays as it is; the
server may run. The ticket keeps its number. Messages and notes that are here
already are left alone, nothing is sent, and answers to its mails come to it again.
A copy of the backup is made for that, and goes away again.`,
		Example: `  madoguchi restore /var/lib/madoguchi-backup --data /var/lib/madoguchi
  madoguchi restore /var/lib/madoguchi-backup --copy 20261122T183000Z --data /tmp/as-it-was
  madoguchi restore /mnt/usb/madoguchi-2026-11-22.db --data /var/lib/madoguchi
  zstd -dc madoguchi.db.zst | madoguchi restore - --force
  madoguchi restore /var/lib/madoguchi-backup --ticket 4711`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			directory, err := data.directory()
			if err != nil {
				return err
			}
			source, err := openBackup(args[0], copy, cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer source.Close()
			if cmd.Flags().Changed("ticket") {
				if scratch == "" {
					scratch = directory
				}
				return data.operateOnExisting(cmd, func(ctx context.Context, ops operations, _ string) error {
					r := ticketRestore{ops: ops, number: ticket, scratch: scratch, out: cmd.OutOrStdout(), show: newBytesShown(cmd.ErrOrStderr())}
					return r.run(ctx, source)
				})
			}
			ctx, stop := untilInterrupted(cmd.Context())
			defer stop()
			return restore(ctx, source, directory, force, cmd.OutOrStdout(), newBytesShown(cmd.ErrOrStderr()))
		},
	}
	data.register(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "replace data that is there already; it is kept under another name")
	cmd.Flags().Uint64Var(&ticket, "ticket", 0, "put back this ticket alone")
	cmd.Flags().StringVar(&scratch, "scratch", "", "with --ticket: where the copy of the backup is put (default: the data directory)")
	cmd.Flags().StringVar(&copy, "copy", "", "which backup of a directory, as madoguchi backup list names it (default: the newest)")
	return cmd
}

func restore(ctx context.Context, source backupSource, directory string, force bool, report io.Writer, show *bytesShown) (err error) {
	if err := prepareDirectory(directory); err != nil {
		return err
	}
	replaces, release, err := mayReplace(ctx, directory, force)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := spaceFor(source.size, directory, "restore beside what is there"); err != nil {
		return err
	}
	partial := storePath(directory) + ".partial"
	defer os.Remove(partial)
	if err := source.copyTo(ctx, partial, show, "restoring"); err != nil {
		return fmt.Errorf("copy the backup: %w; nothing was changed", err)
	}
	v, err := verifyFile(ctx, partial)
	if err != nil {
		return fmt.Errorf("verify the copy of %s: %w; nothing was changed", source.name, err)
	}
	if err := v.whole(source.name); err != nil {
		return fmt.Errorf("%w; nothing was changed", err)
	}
	if replaces {
		kept, err := setAside(directory, "before")
		if err != nil {
			return err
		}
		fmt.Fprintf(report, "the data that was there is now %s\n", kept)
	} else if _, err := os.Stat(storePath(directory)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("a server began new data in %s meanwhile: stop it, and what starts it (its systemd sockets), and restore again with --force; nothing was changed", directory)
	}
	if err := putInPlace(partial, directory); err != nil {
		return fmt.Errorf("put the backup in place: %w", err)
	}
	for _, line := range v.Summary {
		fmt.Fprintln(report, line)
	}
	fmt.Fprintf(report, "restored into %s, verified\n", directory)
	return nil
}

// mayReplace says whether there is data in directory that a restore replaces,
// or why it must not. Until release is called no server can begin to work on that data:
// mail that one accepted meanwhile would be in what was replaced.
func mayReplace(ctx context.Context, directory string, force bool) (replaces bool, release func() error, err error) {
	path := storePath(directory)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, func() error { return nil }, nil
	} else if err != nil {
		return false, nil, fmt.Errorf("look at the data: %w", err)
	}
	if server, err := dialControl(ctx, directory); err == nil {
		server.Close()
		return false, nil, fmt.Errorf("a server runs on %s: stop it first", directory)
	}
	if !force {
		return false, nil, fmt.Errorf("there is data in %s already: restore into another directory with --data DIR, or replace it with --force (it is kept as %s.before-…)", directory, filepath.Base(path))
	}
	old, err := store.Open(path, store.BoltOptions{}) // also takes over into the file what its logs have
	if err == nil {
		err = old.Close()
	}
	if err != nil && !errors.Is(err, store.ErrLocked) {
		err = nil // damaged data is the very thing that a restore replaces
	}
	if err == nil {
		release, err = holdStore(path)
	}
	if errors.Is(err, store.ErrLocked) {
		return false, nil, fmt.Errorf("another process works on the data in %s: stop it first", directory)
	}
	return true, release, err
}

// copyDurably writes source into a file, and stops when ctx ends.
func copyDurably(ctx context.Context, path string, source io.Reader) error {
	target, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, untilDone{ctx, source})
	return errors.Join(err, target.Sync(), target.Close())
}

// untilDone is a reader that ends with its context.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (r untilDone) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
