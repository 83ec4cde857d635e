package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func newExplainCommand() *cobra.Command {
	var (
		data     dataFlags
		envelope inspectionEnvelope
		to       []string
		asJSON   bool
	)
	cmd := &cobra.Command{
		Use:   "explain MESSAGE-ID|TICKET|FILE",
		Short: "Say why a mail is where it is, decision by decision",
		Long: `Prints every decision taken about a mail and its reason: how it came, what kind
of mail it is, which recipients, references and participants were looked up, why
it joined a ticket, opened one or is held, and what happened since.

The mail is named by its Message-ID, with or without brackets, by its ID here, or
by the number of its ticket, for all mails of that ticket. The name of a file
(or - for standard input) is a mail to be tried: what today's rules would do with
it, as a dry run, its sender authenticated where the session is given (--remote-ip,
--helo, --mail-from), with the trusted forwarders of the running server, or of the
file given by --config. It works beside a running server and changes nothing.`,
		Example: `  madoguchi explain 1042
  madoguchi explain '<20261121.4711@customer.example>'
  madoguchi explain mail.eml --to support@example.com
  madoguchi explain 1042 --json | jq '.[].steps[].text'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			directory, err := data.existingDirectory()
			if err != nil {
				return err
			}
			raw, isFile, err := mailToTry(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			return withOperations(cmd.Context(), cmd.ErrOrStderr(), directory, func(ops operations) error {
				if err := data.configure(cmd.Context(), ops); err != nil {
					return err
				}
				var list []explanation
				if isFile {
					list, err = explainFile(cmd, ops, args[0], raw, to, envelope)
				} else {
					list, err = explainStored(cmd.Context(), ops, args[0])
				}
				if err != nil {
					return err
				}
				return printExplanations(cmd.OutOrStdout(), list, asJSON)
			})
		},
	}
	data.register(cmd)
	envelope.register(cmd)
	cmd.Flags().StringSliceVar(&to, "to", nil, "envelope recipient of the file (default: whom its header names)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	return cmd
}

// explainStored explains a mail or a ticket that is here.
func explainStored(ctx context.Context, ops operations, name string) ([]explanation, error) {
	list, err := ops.Explain(ctx, name)
	if helpdesk.CodeOf(err) == helpdesk.CodeNotFound && !isTicketNumber(strings.TrimPrefix(name, "#")) {
		return nil, fmt.Errorf("there is no message and no file %s", name)
	}
	return list, err
}

// mailToTry reads the mail in the named file; isFile is false where name is the
// name of no file.
func mailToTry(name string, stdin io.Reader) (raw []byte, isFile bool, err error) {
	if name != "-" {
		info, err := os.Stat(name)
		if err != nil || isTicketNumber(name) {
			return nil, false, nil
		}
		if info.IsDir() {
			return nil, true, fmt.Errorf("%s is a directory; name one mail file, or try many with madoguchi replay %s/*", name, name)
		}
	}
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, true, fmt.Errorf("read mail: %w", err)
		}
		defer f.Close()
		in = f
	}
	mails := newMailReader(in)
	if raw, err = mails.next(); err != nil {
		return nil, true, fmt.Errorf("read mail %s: %w", name, err)
	}
	if _, err := mails.next(); err == nil {
		return nil, true, fmt.Errorf("%s holds many mails; try them with madoguchi replay %s", name, name)
	}
	return raw, true, nil
}

// isTicketNumber says that a name is rather a ticket's than a file's, which
// can be written as ./1042.
func isTicketNumber(name string) bool {
	for _, c := range name {
		if c < '0' || c > '9' {
			return false
		}
	}
	return name != ""
}

// explainFile rehearses a mail, and where it is here already tells of that too.
func explainFile(cmd *cobra.Command, ops operations, name string, raw []byte, to []string, envelope inspectionEnvelope) ([]explanation, error) {
	ctx := cmd.Context()
	by, err := ops.Status(ctx)
	if err != nil {
		return nil, err
	}
	session, err := envelope.session(cmd, raw, by)
	if err != nil {
		return nil, err
	}
	tried, err := ops.Rehearse(ctx, rehearsal{To: to, Raw: raw, Session: session})
	if err != nil {
		return nil, err
	}
	tried.File = name
	list := []explanation{tried}
	if tried.Outcome != outcomeDuplicate {
		return list, nil
	}
	stored, err := ops.Explain(ctx, tried.Message)
	return append(list, stored...), err
}

func printExplanations(w io.Writer, list []explanation, asJSON bool) error {
	if asJSON {
		return printJSON(w, list)
	}
	for i, e := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		e.print(w)
	}
	return nil
}
