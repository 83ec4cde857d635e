package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/acme"
)

// certificateInfo is a certificate that is obtained by ACME, as it crosses the
// control socket and as --json prints it. Fields may be added, never renamed.
type certificateInfo struct {
	Name   string    `json:"name"`
	Phase  string    `json:"phase"` // "valid", "asking", "absent" or "failing"
	Issuer string    `json:"issuer"`
	Ends   time.Time `json:"ends"` // zero where there is none
	// Failure is what the newest attempt failed with, Tried when that was.
	Failure string    `json:"failure,omitempty"`
	Tried   time.Time `json:"tried,omitzero"`
}

func describeCertificates(states []acme.State) []certificateInfo {
	list := []certificateInfo{}
	for _, s := range states {
		list = append(list, certificateInfo{Name: s.Name, Phase: string(s.Phase), Issuer: s.Issuer, Ends: s.NotAfter, Failure: s.Failure, Tried: s.At})
	}
	return list
}

func newCertificateCommand() *cobra.Command {
	var (
		data   dataFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "certificate",
		Short: "Show the certificates that are obtained by ACME; renew them",
		Long: `Lists the names that a certificate is obtained for ([acme] in the configuration
file), with who gave it, until when it is good, and what was said where none could
be had. They are renewed by themselves when a third of their time is left.`,
		Example: `  madoguchi certificate
  madoguchi certificate renew mail.example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operateConfigured(cmd, func(ops operations) error {
				list, err := ops.Certificates(cmd.Context())
				if err != nil {
					return err
				}
				return printCertificates(cmd.OutOrStdout(), list, asJSON)
			})
		},
	}
	data.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	cmd.AddCommand(newCertificateRenewCommand())
	return cmd
}

func newCertificateRenewCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:   "renew [NAME]",
		Short: "Obtain new certificates now",
		Long: `Has the running server obtain a new certificate for a name, or for all of them, and
use it at once. What was to be tried again later is tried now: after you have mended
a DNS record or opened a port, there is no need to wait. Authorities limit how many
certificates they give for a name (Let's Encrypt: 5 in a week).`,
		Example: `  madoguchi certificate renew
  madoguchi certificate renew mail.example.com`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return data.operate(cmd, func(ops operations) error {
				list, err := ops.RenewCertificates(cmd.Context(), strings.Join(args, ""))
				if err != nil {
					return err
				}
				return printCertificates(cmd.OutOrStdout(), list, false)
			})
		},
	}
	data.register(cmd)
	return cmd
}

// phaseWords say how far a certificate is.
var phaseWords = map[string]string{string(acme.Valid): "valid", string(acme.Asking): "asked for, not there yet",
	string(acme.Absent): "not asked for: the DNS has no address for the name", string(acme.Failing): "FAILING"}

func printCertificates(out io.Writer, list []certificateInfo, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(list)
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "no certificate is obtained by ACME ([acme] in the configuration file begins it)")
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tENDS\tISSUER\tSTATE")
	for _, c := range list {
		ends, issuer := "-", "-"
		if !c.Ends.IsZero() {
			ends, issuer = c.Ends.Local().Format(time.DateTime), c.Issuer
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", c.Name, ends, issuer, phaseWords[c.Phase])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, c := range list {
		if c.Failure != "" {
			fmt.Fprintf(out, "%s, %s: %s\n", c.Name, c.Tried.Local().Format(time.DateTime), c.Failure)
		}
	}
	return nil
}

// Certificates says which are stored; only a running server knows more.
func (l *local) Certificates(context.Context) ([]certificateInfo, error) {
	return describeCertificates(acme.Stored(acmeStorage(l.config.Server.Data))), nil
}

// RenewCertificates needs a running server: the authority comes to see it.
func (l *local) RenewCertificates(context.Context, string) ([]certificateInfo, error) {
	return nil, &helpdesk.Error{Code: helpdesk.CodeConflict, Message: "the authority comes to see the server that asks, and none is running: start it with madoguchi serve"}
}

// Certificates says how each is.
func (o *served) Certificates(context.Context) ([]certificateInfo, error) {
	if o.server.certificates.obtaining == nil {
		return []certificateInfo{}, nil
	}
	return describeCertificates(o.server.certificates.states()), nil
}

// RenewCertificates obtains new ones now, of one name, or of all for "".
func (o *served) RenewCertificates(ctx context.Context, name string) ([]certificateInfo, error) {
	obtaining := o.server.certificates.obtaining
	if obtaining == nil {
		return nil, &helpdesk.Error{Code: helpdesk.CodeConflict, Message: "no certificate is obtained by ACME: write agreed = true under [acme] in the configuration file, and start the server again"}
	}
	if err := obtaining.renew(ctx, name); err != nil {
		return nil, &helpdesk.Error{Code: helpdesk.CodeTemporary, Message: err.Error()}
	}
	return o.Certificates(ctx)
}
