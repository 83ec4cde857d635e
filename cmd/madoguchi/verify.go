package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newVerifyCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that the data is whole",
		Long: `Recomputes every index, reads every stored mail, and checks that each mail
that was accepted is accounted for. Prints what differs and fails when anything
does. It changes nothing, and works beside a running server.`,
		Example: `  madoguchi verify
  madoguchi verify --data /var/lib/madoguchi`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
	return cmd
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
		return fmt.Errorf("verify %s: %d differences", what, n)
	}
	fmt.Fprintf(w, "%s is whole\n", what)
	return nil
}
