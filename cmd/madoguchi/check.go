package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/smtpd/check"
	"github.com/madoguchi/madoguchi/ui"
	"github.com/madoguchi/madoguchi/ui/locale"
)

func newCheckCommand() *cobra.Command {
	var (
		data   dataFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look whether everything around the server is in order",
		Long: `Looks at the DNS records of every domain, the certificates, the ports, lists of bad
senders, the clock, the disk and the model, and says in a line each what is found,
with what to type where something is wrong. The exit status is 1 where something
is. Beside a running server it is that server which looks.`,
		Example: `  madoguchi check
  madoguchi check --json | jq '.[] | select(.state == "wrong")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operateConfigured(cmd, func(ops operations) error {
				list, err := ops.Check(cmd.Context())
				if err != nil {
					return err
				}
				return printFindings(cmd.OutOrStdout(), list, asJSON)
			})
		},
	}
	data.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	return cmd
}

// findingMarks are what stands before a line.
var findingMarks = map[string]string{string(check.Fine): "ok", string(check.Warning): "look", string(check.Wrong): "WRONG", string(check.Unknown): "?"}

func printFindings(out io.Writer, list []finding, asJSON bool) error {
	catalogues, err := locale.Load()
	if err != nil {
		return err
	}
	language := locale.English
	if terminalLanguage() == "ja" {
		language = locale.Japanese
	}
	p := catalogues.Printer(language, nil, time.Now())
	wrong := 0
	for i, f := range list {
		list[i].Text = ui.FindingText(p, ui.Finding{Key: f.Key, Args: f.Args})
		if f.State == string(check.Wrong) {
			wrong++
		}
	}
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(list); err != nil {
			return err
		}
	} else {
		for _, f := range list {
			fmt.Fprintf(out, "%-6s %s\n", findingMarks[f.State], f.Text)
			if f.Fix != "" {
				fmt.Fprintf(out, "       → %s\n", f.Fix)
			}
		}
	}
	if wrong == 0 {
		return nil
	}
	return errors.New(amount(wrong, "thing is wrong", "things are wrong"))
}
