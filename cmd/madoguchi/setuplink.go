package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func newSetupLinkCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:   "setup-link",
		Short: "Print a new link for the first account",
		Long: `Prints a new one-time link to the first-run page of the running server, for when
the one that it printed at its start is lost. Earlier links stop working. Once
somebody can log in there is no such link: add people with "madoguchi user add",
or in the web.`,
		Example: `  madoguchi setup-link
  sudo madoguchi setup-link --config /etc/madoguchi.toml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			directory, err := data.existingDirectory()
			if err != nil {
				return err
			}
			return withOperations(cmd.Context(), cmd.ErrOrStderr(), directory, func(ops operations) error {
				link, err := ops.SetupLink(cmd.Context())
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), link.URL)
				return nil
			})
		},
	}
	data.register(cmd)
	return cmd
}

// errAlreadySetUp refuses a link that could only do harm.
var errAlreadySetUp = &helpdesk.Error{Code: helpdesk.CodeConflict,
	Message: "this server is set up already: log in, or add an account with madoguchi user add EMAIL --role admin --name NAME --password-file FILE"}

// SetupLink refuses: where nothing serves the link's page it leads nowhere, and
// a server that starts makes a link of its own.
func (l *local) SetupLink(ctx context.Context) (setupLink, error) {
	needs, err := l.desk.NeedsSetup(ctx)
	if err != nil {
		return setupLink{}, err
	}
	if !needs {
		return setupLink{}, errAlreadySetUp
	}
	return setupLink{}, &helpdesk.Error{Code: helpdesk.CodeConflict,
		Message: "no server runs on this data, so there is no page to link to: start it with madoguchi serve, which prints the link"}
}
