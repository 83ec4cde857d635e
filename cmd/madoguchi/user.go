package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func newUserCommand() *cobra.Command {
	user := &cobra.Command{
		Use:   "user",
		Short: "Add users, list them, set a password, reset a second factor",
		Example: `  madoguchi user add hana@example.com --name "Hana Mori" --role agent --password-file -
  madoguchi user list`,
	}
	user.AddCommand(newUserAddCommand(), newUserListCommand(), newUserPasswordCommand(), newUserResetCommand())
	return user
}

func newUserAddCommand() *cobra.Command {
	var (
		data     dataFlags
		request  newUser
		password string
	)
	cmd := &cobra.Command{
		Use:   "add EMAIL",
		Short: "Add a user who can log in to the web inbox",
		Long: `Adds a user. An agent works tickets, a supervisor also sees and steers all
work, an admin also changes aliases, pipelines and users. The password is read
from a file, or from standard input, so that it is never seen in a list of
processes.`,
		Example: `  madoguchi user add hana@example.com --role agent --name "Hana Mori" --password-file hana.txt
  echo "$PASSWORD" | madoguchi user add ops@example.com --role admin --name Operations --password-file -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			request.Email = args[0]
			if request.Password, err = readPassword(cmd, password); err != nil {
				return err
			}
			return data.operateOrBegin(cmd, func(ops operations) error {
				added, err := ops.AddUser(cmd.Context(), request)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "added %s (%s)\n", added.Email, added.Role)
				return nil
			})
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&request.Role, "role", string(helpdesk.RoleAgent), "agent, supervisor, admin, or the name of a role of your own")
	cmd.Flags().StringVar(&request.Name, "name", "", "name that colleagues and customers see")
	cmd.Flags().StringVar(&password, "password-file", "", "file with the password, or - for standard input")
	return cmd
}

func newUserListCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the users",
		Example: `  madoguchi user list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operate(cmd, func(ops operations) error {
				users, err := ops.Users(cmd.Context())
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, u := range users {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", u.Email, u.Role, u.Name, mark(u.Disabled, "disabled"))
				}
				return table.Flush()
			})
		},
	}
	data.register(cmd)
	return cmd
}

func newUserPasswordCommand() *cobra.Command {
	var (
		data     dataFlags
		password string
	)
	cmd := &cobra.Command{
		Use:     "password EMAIL",
		Short:   "Set a user's password anew",
		Example: `  madoguchi user password hana@example.com --password-file -`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			secret, err := readPassword(cmd, password)
			if err != nil {
				return err
			}
			return data.operate(cmd, func(ops operations) error {
				changed, err := ops.SetPassword(cmd.Context(), newPassword{Email: args[0], Password: secret})
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "changed the password of %s\n", changed.Email)
				return nil
			})
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&password, "password-file", "", "file with the password, or - for standard input")
	return cmd
}

func newUserResetCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:   "reset-2fa EMAIL",
		Short: "Take away a user's second factors",
		Long: `Takes away the authenticator app, the recovery codes and the passkeys of a
user who has lost them, and logs them out everywhere. Where their role needs a
second factor, they set up a new one at their next login. The audit log says it.`,
		Example: `  madoguchi user reset-2fa hana@example.com`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return data.operate(cmd, func(ops operations) error {
				changed, err := ops.ResetSecondFactor(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "took away the second factors of %s\n", changed.Email)
				return nil
			})
		},
	}
	data.register(cmd)
	return cmd
}

// mark is word where set holds, and nothing otherwise.
func mark(set bool, word string) string {
	if set {
		return word
	}
	return ""
}
