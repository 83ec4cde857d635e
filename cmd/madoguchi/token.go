package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func newTokenCommand() *cobra.Command {
	token := &cobra.Command{
		Use:     "token",
		Short:   "Make tokens for programs that use the API",
		Example: `  madoguchi token create --user ops@example.com --scope read`,
	}
	token.AddCommand(newTokenCreateCommand())
	return token
}

func newTokenCreateCommand() *cobra.Command {
	var (
		data    dataFlags
		request newToken
	)
	cmd := &cobra.Command{
		Use:   "create --user EMAIL",
		Short: "Make a token and print it, alone, once",
		Long: `Makes a token that lets a program act for a user, within that user's role and
the token's scope: read, write (also answer and change tickets), or admin. It
is printed once and kept only as a hash.`,
		Example: `  TOKEN=$(madoguchi token create --user ops@example.com --scope read)
  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/api/v1/tickets`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operate(cmd, func(ops operations) error {
				created, err := ops.CreateToken(cmd.Context(), request)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), created.Token)
				return nil
			})
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&request.User, "user", "", "address of the user for whom the program acts")
	cmd.Flags().StringVar(&request.Scope, "scope", string(helpdesk.ScopeWrite), "read, write or admin")
	cmd.MarkFlagRequired("user")
	return cmd
}
