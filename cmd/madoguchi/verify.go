package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

func newVerifyCommand() *cobra.Command {
	var (
		data          dataFlags
		copy, scratch string
	)
	cmd := &cobra.Command{
		Use:   "verify [BACKUP]",
		Short: "Check that the data, or a backup, is whole",
		Long: `Recomputes every index, reads every stored mail, and checks that each mail
that was accepted is accounted for. Prints what differs and fails when anything
does. It changes nothing, and works beside a running server. Data of an older
version is upgraded first, as by every command, with a copy of it as it was.

Of a BACKUP, a file or a directory of them, it checks the same without restoring
it: every checksum, and then all that can be recomputed, in a copy beside the backup
that goes away again.`,
		Example: `  madoguchi verify
  madoguchi verify --data /var/lib/madoguchi
  madoguchi verify /var/lib/madoguchi-backup
  madoguchi verify /var/lib/madoguchi-backup --copy 20261122T183000Z --scratch /var/tmp`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return verifyNamedBackup(cmd, args[0], copy, scratch)
			}
			return data.operateOnExisting(cmd, func(ctx context.Context, ops operations, directory string) error {
				found, err := ops.Verify(ctx)
				if err != nil {
					return err
				}
				return found.report(cmd.OutOrStdout(), directory)
			})
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&copy, "copy", "", "which backup of a directory, as madoguchi backup list names it (default: the newest)")
	cmd.Flags().StringVar(&scratch, "scratch", "", "where the copy of the backup is put (default: beside it)")
	return cmd
}

// verifyNamedBackup verifies a backup, and notes in its directory that it is whole.
func verifyNamedBackup(cmd *cobra.Command, name, copy, scratch string) error {
	ctx, stop := untilInterrupted(cmd.Context())
	defer stop()
	source, err := openBackup(name, copy, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defer source.Close()
	if scratch == "" {
		scratch = filepath.Dir(filepath.Clean(name))
	}
	v, err := verifyBackup(ctx, source, scratch, newBytesShown(cmd.ErrOrStderr()))
	if err != nil {
		return fmt.Errorf("verify %s: %w", name, err)
	}
	if err := v.report(cmd.OutOrStdout(), source.name); err != nil {
		return err
	}
	return source.note(time.Now())
}

// report prints v, and fails when something differs.
func (v verification) report(w io.Writer, what string) error {
	for _, line := range v.Summary {
		fmt.Fprintln(w, line)
	}
	for _, difference := range v.Differences {
		fmt.Fprintln(w, "differs:", difference)
	}
	if n := len(v.Differences); n > 0 {
		fmt.Fprintln(w, "What is not listed here is whole and can be used. To have the rest again, stop the server and put the newest backup that is whole in place:")
		fmt.Fprintln(w, "  madoguchi verify BACKUP && madoguchi restore BACKUP --force")
		fmt.Fprintln(w, "What is in place now is kept under another name, so mail that came since can still be read there.")
		fmt.Fprintln(w, "Without such a backup, what can still be read is saved by:  madoguchi recover")
		return fmt.Errorf("verify %s: %s", what, amount(n, "difference", "differences"))
	}
	fmt.Fprintf(w, "%s is whole\n", what)
	return nil
}
