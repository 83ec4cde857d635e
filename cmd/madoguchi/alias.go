package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newAliasCommand() *cobra.Command {
	alias := &cobra.Command{
		Use:   "alias",
		Short: "Add addresses that take mail, list them",
		Example: `  madoguchi alias add support@example.com --name "Example Support"
  madoguchi alias list`,
	}
	alias.AddCommand(newAliasAddCommand(), newAliasListCommand())
	return alias
}

func newAliasAddCommand() *cobra.Command {
	var (
		data    dataFlags
		request newAlias
	)
	cmd := &cobra.Command{
		Use:   "add ADDRESS",
		Short: "Add an address that takes mail from anyone",
		Long: `Adds an alias: an address to which anyone may write. Its mail becomes tickets
of a pipeline; where there is none yet, one is made. Aliases can also be made in the web, or declared in the
configuration file as [[alias]].`,
		Example: `  madoguchi alias add support@example.com --name "Example Support"
  madoguchi alias add billing@example.com --name Billing --pipeline Invoices --owner hana@example.com`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if request.Language != "" && request.Language != "ja" && request.Language != "en" {
				return fmt.Errorf("--language: %q is none that this program speaks; write ja or en", request.Language)
			}
			request.Address, request.Terminal = args[0], terminalLanguage()
			return data.operateOrBegin(cmd, func(ops operations) error {
				if err := data.configure(cmd.Context(), ops); err != nil {
					return err
				}
				added, err := ops.AddAlias(cmd.Context(), request)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s takes mail for pipeline %q\n", added.Address, added.Pipeline)
				return nil
			})
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&request.Name, "name", "", "display name of mail that leaves from it")
	cmd.Flags().StringVar(&request.Pipeline, "pipeline", "", "name of the pipeline its tickets enter (default: the first)")
	cmd.Flags().StringVar(&request.Language, "language", "", "language of its mail, ja or en; in a new house it names the first pipeline and its stages too (default there: this terminal's)")
	cmd.Flags().StringVar(&request.Owner, "owner", "", "address of the user to whom its new tickets are assigned")
	return cmd
}

func newAliasListCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the aliases",
		Example: `  madoguchi alias list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operate(cmd, func(ops operations) error {
				aliases, err := ops.Aliases(cmd.Context())
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, a := range aliases {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s%s\n", a.Address, a.Name, a.Pipeline, a.Owner,
						mark(a.Managed, "from the file "), mark(a.Disabled, "disabled"))
				}
				return table.Flush()
			})
		},
	}
	data.register(cmd)
	return cmd
}
