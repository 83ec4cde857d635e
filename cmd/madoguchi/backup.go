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

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/store/backup"
)

func newBackupCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:   "backup DIR|FILE|-",
		Short: "Copy everything, while the server runs",
		Long: `Writes a consistent copy of all data, as of now; the server goes on meanwhile.

Into a directory (one that backups are in already, an empty one, or a name that
ends with a slash) it writes only what no earlier copy there has, reads it all
back, and keeps the earlier copies. One that was broken off is no backup; the
next goes on with what it had.

Into a FILE it writes one whole copy, verified like the data itself, which only then
takes the name, in place of an older one. With - it goes to standard output and is
not verified here; restore does it.

The configuration file and the keys it names are not part of the data.`,
		Example: `  madoguchi backup /var/lib/madoguchi-backup/
  madoguchi backup list /var/lib/madoguchi-backup
  madoguchi backup /mnt/usb/madoguchi-$(date +%F).db
  madoguchi backup - | zstd | ssh vault 'cat > madoguchi.db.zst'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return data.operateOnExisting(cmd, func(ctx context.Context, ops operations, directory string) error {
				b := backupRun{ops: ops, directory: directory, out: cmd.OutOrStdout(), show: newBytesShown(cmd.ErrOrStderr())}
				switch target := args[0]; {
				case target == "-":
					return b.toStream(ctx)
				case isBackupDirectory(target):
					return b.toDirectory(ctx, target)
				default:
					return b.toFile(ctx, target)
				}
			})
		},
	}
	data.register(cmd)
	cmd.AddCommand(newBackupListCommand())
	return cmd
}

// isBackupDirectory tells whether a target is meant as a directory of backups.
func isBackupDirectory(target string) bool {
	if strings.HasSuffix(target, string(filepath.Separator)) {
		return true
	}
	info, err := os.Stat(target)
	return err == nil && info.IsDir()
}

// backupRun is one backup that was asked for on the command line.
type backupRun struct {
	ops       operations
	directory string // of the data
	out       io.Writer
	show      *bytesShown
}

func (b backupRun) toStream(ctx context.Context) error {
	if isTerminal(b.out) {
		return errors.New("a backup is no reading for a terminal: write it to a file, or redirect the output")
	}
	return b.ops.Backup(ctx, b.out)
}

// toDirectory adds a copy to a directory of backups and reads it back.
func (b backupRun) toDirectory(ctx context.Context, target string) error {
	into, err := backup.Create(filepath.Clean(target))
	if err != nil {
		return err
	}
	b.show.begin("copying", storeSize(b.directory))
	made, err := into.Take(ctx, time.Now(), programVersion(), b.ops.Backup, b.show.set)
	b.show.end()
	if err != nil {
		return err
	}
	b.show.begin("reading back", made.Size)
	err = into.Check(ctx, made.ID, time.Now(), b.show.set)
	b.show.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "wrote %s into %s: %s, of which %s are new; read back and found whole\n",
		made.ID, into.Path(), formatBytes(made.Size), formatBytes(made.New))
	return nil
}

func (b backupRun) toFile(ctx context.Context, path string) error {
	b.show.begin("copying", storeSize(b.directory))
	v, size, err := backupToFile(ctx, b.ops, path, b.show)
	b.show.end()
	if err != nil {
		return err
	}
	for _, line := range v.Summary {
		fmt.Fprintln(b.out, line)
	}
	fmt.Fprintf(b.out, "wrote %s (%d bytes), verified\n", path, size)
	return nil
}

// backupToFile writes a copy beside path, verifies it and gives it the name.
func backupToFile(ctx context.Context, ops operations, path string, show *bytesShown) (v verification, size int64, err error) {
	partial, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".partial-*") // mode 0600
	if err != nil {
		return v, 0, fmt.Errorf("write backup: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(partial.Name())
		}
	}()
	err = errors.Join(ops.Backup(ctx, io.MultiWriter(partial, show)), partial.Sync(), partial.Close())
	if err != nil {
		return v, 0, fmt.Errorf("write backup: %w", err)
	}
	info, err := os.Stat(partial.Name())
	if err != nil {
		return v, 0, fmt.Errorf("write backup: %w", err)
	}
	if v, err = verifyFile(ctx, partial.Name()); err != nil {
		return v, 0, fmt.Errorf("verify the backup: %w", err)
	}
	if err := v.whole("the backup"); err != nil {
		return v, 0, fmt.Errorf("%w; madoguchi verify shows all, and madoguchi backup - copies the data as it is", err)
	}
	if err := errors.Join(os.Rename(partial.Name(), path), syncDirectory(filepath.Dir(path))); err != nil {
		return v, 0, fmt.Errorf("name the backup: %w", err)
	}
	return v, info.Size(), nil
}

// storeSize is about how large a copy of the data will be, 0 where it is not known.
func storeSize(directory string) int64 {
	info, err := os.Stat(storePath(directory))
	if err != nil {
		return 0
	}
	return info.Size()
}
