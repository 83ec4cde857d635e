package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/auth"
)

func newDNSCommand() *cobra.Command {
	var (
		data         dataFlags
		zone, asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "dns [DOMAIN]",
		Short: "Print the DNS records that a domain needs, and how each is now",
		Long: `Prints every record that the DNS should hold for a domain, so that mail arrives
here and what leaves is believed: MX, SPF, DKIM, DMARC, MTA-STS, TLS-RPT and PTR,
each with its state. Without a domain it speaks of every one that mail leaves from.

A domain that is named gets DKIM keys if it has none. New keys are used as soon as
their records are found; a server looks every ten minutes, and this command at once.`,
		Example: `  madoguchi dns
  madoguchi dns example.com
  madoguchi dns example.com --zone >> db.example.com
  madoguchi dns rotate example.com`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return data.operateConfigured(cmd, func(ops operations) error {
				list, err := ops.Domains(cmd.Context(), strings.Join(args, ""))
				if err != nil {
					return err
				}
				if len(list) == 0 {
					return &helpdesk.Error{Code: helpdesk.CodeNotFound, Message: "there is no domain yet that mail leaves from: name one, as in madoguchi dns example.com, or add an alias"}
				}
				return printDomains(cmd.OutOrStdout(), list, zone, asJSON)
			})
		},
	}
	data.register(cmd)
	cmd.Flags().BoolVar(&zone, "zone", false, "print what is missing or wrong as lines of a zone file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	cmd.MarkFlagsMutuallyExclusive("zone", "json")
	cmd.AddCommand(newDNSRotateCommand())
	return cmd
}

func newDNSRotateCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:   "rotate DOMAIN",
		Short: "Make new DKIM keys for a domain, to replace those in use",
		Long: `Makes a new pair of DKIM keys under new names and prints their records. The keys
in use go on signing until the new records are found; theirs must then stay for
14 days, for mail that is still on its way. "madoguchi dns" says when they can go.`,
		Example: `  madoguchi dns rotate example.com`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return data.operateConfigured(cmd, func(ops operations) error {
				list, err := ops.RotateKeys(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return printDomains(cmd.OutOrStdout(), list, false, false)
			})
		},
	}
	data.register(cmd)
	return cmd
}

func printDomains(out io.Writer, list []domainInfo, zone, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(list)
	}
	for i, domain := range list {
		if zone {
			printZone(out, domain)
			continue
		}
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintln(out, domain.Domain)
		if said := domain.unfound(); said != "" {
			fmt.Fprintf(out, "  %-10s  %s\n", "first", said)
		}
		for _, r := range domain.Records {
			r.print(out)
		}
	}
	return nil
}

// recordNames are the kinds of records as people call them.
var recordNames = map[string]string{"mx": "MX", "host": "address", "spf": "SPF", "dkim": "DKIM", "dmarc": "DMARC",
	"mta_sts": "MTA-STS", "mta_sts_host": "MTA-STS host", "tls_rpt": "TLS-RPT", "ptr": "PTR"}

// recordStates are what is said of a record that is not fine.
var recordStates = map[auth.SetupState]string{
	auth.SetupFine:    "ok",
	auth.SetupMissing: "create",
	auth.SetupWrong:   "change",
	auth.SetupUnsure:  "check",
	auth.SetupUnknown: "no answer",
	auth.SetupUnset:   "not set up",
	auth.SetupSurplus: "delete",
}

// dkimPhases say where in its life a key is.
var dkimPhases = map[string]string{"first": "signs once published", "new": "replaces the one in use once published",
	"used": "signs", "retired": "replaced; keep the record for now", "withdrawn": "no longer needed"}

// print writes a record: its state in a line, and the record where there is
// something to do.
func (r recordInfo) print(out io.Writer) {
	name := recordNames[r.Kind]
	if r.Key != "" {
		name += " " + r.Key
	}
	if phase := dkimPhases[r.Phase]; phase != "" {
		name += " (" + phase + ")"
	}
	state := auth.SetupState(r.State)
	fmt.Fprintf(out, "  %-10s  %s\n", recordStates[state], name)
	if r.Detail != "" {
		fmt.Fprintf(out, "              %s\n", r.Detail)
	}
	for _, found := range r.Found {
		if state != auth.SetupFine {
			fmt.Fprintf(out, "              now: %s\n", found)
		}
	}
	switch {
	case r.Name == "":
	case r.Type == "PTR": // an address, not a name
		fmt.Fprintf(out, "              %s %s %s\n", r.Name, r.Type, r.Value)
	case state == auth.SetupSurplus:
		fmt.Fprintf(out, "              %s. %s\n", r.Name, r.Type)
	case r.Value != "":
		fmt.Fprintf(out, "              %s. %s %s\n", r.Name, r.Type, r.Value)
	case state != auth.SetupFine:
		fmt.Fprintf(out, "              %s. %s (the address of this server)\n", r.Name, r.Type)
	}
}

// unfound says what is wrong with a server's name that no other server can look up,
// since most records bear it; "" where nothing is.
func (d domainInfo) unfound() string {
	if strings.Contains(d.Server, ".") {
		return ""
	}
	return fmt.Sprintf("%q, as this server is called, is no name that others can find: set [server] hostname = \"mail.%s\" or the like, and restart", d.Server, d.Domain)
}

// printZone writes what is to be done in the form of a zone file (RFC 1035,
// section 5).
func printZone(out io.Writer, domain domainInfo) {
	fmt.Fprintf(out, "; %s\n", domain.Domain)
	if said := domain.unfound(); said != "" {
		fmt.Fprintf(out, "; first: %s\n", said)
	}
	for _, r := range domain.Records {
		switch state := auth.SetupState(r.State); {
		case r.Name == "" || r.Type == "PTR" || state != auth.SetupMissing && state != auth.SetupWrong:
		case r.Value == "":
			fmt.Fprintf(out, "; %s. 3600 IN %s (the address of this server)\n", r.Name, r.Type)
		case r.Type == "TXT":
			fmt.Fprintf(out, "%s. 3600 IN TXT %s\n", r.Name, quoteTXT(r.Value))
		default:
			fmt.Fprintf(out, "%s. 3600 IN %s %s\n", r.Name, r.Type, r.Value)
		}
	}
}

// quoteTXT cuts a text into strings of at most 255 bytes (RFC 1035, section 3.3).
func quoteTXT(value string) string {
	const longest = 255
	var parts []string
	for len(value) > longest {
		parts, value = append(parts, value[:longest]), value[longest:]
	}
	parts = append(parts, value)
	for i, part := range parts {
		parts[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(part) + `"`
	}
	return strings.Join(parts, " ")
}
