package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func newBackupCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:   "backup FILE|-",
		Short: "Copy everything into one file, while the server runs",
		Long: `Writes a consistent copy of all data, as of now, into one file; the server goes
on meanwhile. The copy is verified like the data itself, and only then takes the
name FILE, in place of an older one. With - it goes to standard output and is
not verified here; restore does it.

The configuration file and the keys it names are not part of the data.`,
		Example: `  madoguchi backup /var/backups/madoguchi-$(date +%F).db
  madoguchi backup - | zstd | ssh vault 'cat > madoguchi.db.zst'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return data.operateOnExisting(cmd, func(ctx context.Context, ops operations, directory string) error {
				if args[0] == "-" {
					return backupToStream(ctx, ops, cmd.OutOrStdout())
				}
				v, size, err := backupToFile(ctx, ops, args[0])
				if err != nil {
					return err
				}
				for _, line := range v.Summary {
					fmt.Fprintln(cmd.OutOrStdout(), line)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "wrote %s (%d bytes), verified\n", args[0], size)
				return nil
			})
		},
	}
	data.register(cmd)
	return cmd
}

func backupToStream(ctx context.Context, ops operations, w io.Writer) error {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return errors.New("a backup is no reading for a terminal: write it to a file, or redirect the output")
		}
	}
	return ops.Backup(ctx, w)
}

// backupToFile writes a copy beside path, verifies it and gives it the name.
func backupToFile(ctx context.Context, ops operations, path string) (v verification, size int64, err error) {
	partial, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".partial-*") // mode 0600
	if err != nil {
		return v, 0, fmt.Errorf("write backup: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(partial.Name())
		}
	}()
	err = errors.Join(ops.Backup(ctx, partial), partial.Sync(), partial.Close())
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
