package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/store/backup"
)

func newBackupListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list DIR",
		Short: "Show the backups in a directory",
		Long: `Shows each backup of a directory, the oldest first: its name, which restore and
verify take with --copy, when it was begun, how large the data was, how much was
written for it, and when it was last read wholly and found whole.`,
		Example: `  madoguchi backup list /var/lib/madoguchi-backup`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			directory, err := backup.Open(args[0])
			if err != nil {
				return err
			}
			list, err := directory.List()
			if err != nil {
				return err
			}
			return printBackups(cmd.OutOrStdout(), list)
		},
	}
}

func printBackups(w io.Writer, list []backup.Copy) error {
	if len(list) == 0 {
		fmt.Fprintln(w, "no backup yet")
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(table, strings.Join(cells, "\t")) }
	row("COPY", "BEGUN", "DATA", "WRITTEN", "VERIFIED", "BY")
	for _, c := range list {
		const layout = "2006-01-02 15:04"
		verified := "never"
		if !c.Verified.IsZero() {
			verified = c.Verified.In(time.Local).Format(layout)
		}
		if c.Fault != nil {
			row(c.ID, c.At.In(time.Local).Format(layout), "-", "-", "cannot be used", c.Fault.Error())
			continue
		}
		row(c.ID, c.At.In(time.Local).Format(layout), formatBytes(c.Size), formatBytes(c.New), verified, c.Program)
	}
	return table.Flush()
}
