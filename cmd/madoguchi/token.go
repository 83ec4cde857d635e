package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func newTokenCommand() *cobra.Command {
	token := &cobra.Command{
		Use:   "token",
		Short: "Make tokens for programs that use the API, list them, revoke one",
		Example: `  madoguchi token create --user ops@example.com --scope read
  madoguchi token list
  madoguchi token revoke 3fa9c81b02d4`,
	}
	token.AddCommand(newTokenCreateCommand(), newTokenListCommand(), newTokenRevokeCommand())
	return token
}

func newTokenCreateCommand() *cobra.Command {
	var (
		data    dataFlags
		request newToken
		life    string
	)
	cmd := &cobra.Command{
		Use:   "create --user EMAIL",
		Short: "Make a token and print it, alone, once",
		Long: `Makes a token that lets a program act for a user, within that user's role and
the token's scope: read, write (also answer and change tickets), admin, or inbound
(a relay that hands in mail, and nothing else). It
is printed once and kept only as a hash.`,
		Example: `  TOKEN=$(madoguchi token create --user ops@example.com --scope read)
  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/api/v1/tickets`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if request.User == "" {
				return errors.New("say for whom the program acts: --user EMAIL")
			}
			if life != "" {
				lives, err := parseDuration(life)
				if err != nil {
					return fmt.Errorf("--expires: %w", err)
				}
				request.Ends = time.Now().Add(lives)
			}
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
	cmd.Flags().StringVar(&request.Scope, "scope", string(helpdesk.ScopeWrite), "read, write, admin or inbound")
	cmd.Flags().StringVar(&request.Name, "name", "", "what it is for, as lists show it")
	cmd.Flags().StringVar(&life, "expires", "", `how long it lives, such as "90d"; without it, it does not end`)
	return cmd
}

func newTokenListCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens by their IDs; the tokens themselves are kept nowhere",
		Example: `  madoguchi token list
  madoguchi token list | grep ops@example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operate(cmd, func(ops operations) error {
				tokens, err := ops.Tokens(cmd.Context())
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, t := range tokens {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.User, t.Scope, t.CreatedAt.Local().Format(time.DateTime),
						tokenTime("ends", t.Ends), tokenTime("used", t.UsedAt), t.Name)
				}
				return table.Flush()
			})
		},
	}
	data.register(cmd)
	return cmd
}

func newTokenRevokeCommand() *cobra.Command {
	var (
		data    dataFlags
		request namedToken
	)
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "Make a token useless at once",
		Long: `Revokes a token, named by its ID as "madoguchi token list" shows it, or by the
first characters of that, at least 4, where they are enough. The next request
that comes with the token is refused.`,
		Example: `  madoguchi token revoke 3fa9c81b02d4
  madoguchi token revoke 3fa9`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request.ID = args[0]
			return data.operate(cmd, func(ops operations) error {
				revoked, err := ops.RevokeToken(cmd.Context(), request)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "revoked %s of %s (%s)\n", revoked.ID, revoked.User, revoked.Scope)
				return nil
			})
		},
	}
	data.register(cmd)
	return cmd
}

// tokenTime says when something of a token is, "-" for never.
func tokenTime(what string, at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return what + " " + at.Local().Format(time.DateTime)
}
