package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func newExportCommand() *cobra.Command {
	var (
		data         dataFlags
		alias        string
		since, until string
	)
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write all mail and all tickets into open formats",
		Long: `Writes everything that others can read into a directory: the mails as mbox files
(mboxrd), one a month, with their attachments in them, and tickets, messages, notes,
contacts, companies, users and events as JSON, one a line. A message says in which mbox file its mail
is, and at which byte.

It works beside a running server. One that was broken off is gone on with by the
same command; manifest.json, with the checksums, is written when all is there.
To come back to the same state use backup and restore instead; to take it over into
another house, import madoguchi.`,
		Example: `  madoguchi export /var/tmp/everything
  madoguchi export /var/tmp/shop-2026 --alias shop@example.com --since 2026-01-01 --until 2027-01-01`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := helpdesk.ExportQuery{Alias: strings.ToLower(alias)}
			for _, limit := range []struct {
				flag, text string
				at         *time.Time
			}{{"--since", since, &query.From}, {"--until", until, &query.To}} {
				if limit.text == "" {
					continue
				}
				at, err := time.ParseInLocation(time.DateOnly, limit.text, time.Local)
				if err != nil {
					return fmt.Errorf("%s %q is no day: write it like 2026-11-22", limit.flag, limit.text)
				}
				*limit.at = at
			}
			return data.operateOnExisting(cmd, func(ctx context.Context, ops operations, _ string) error {
				show := newBytesShown(cmd.ErrOrStderr())
				e, err := beginExport(args[0], query, ops, show)
				if err != nil {
					return err
				}
				err = e.run(ctx)
				show.end()
				if err != nil {
					return fmt.Errorf("export: %w; the same command goes on", err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "exported into %s: %s\n", args[0], e.summary())
				return nil
			})
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&alias, "alias", "", "only the tickets of this address, and what is on them")
	cmd.Flags().StringVar(&since, "since", "", "only from this day on, such as 2026-01-01, by the clock of this machine (TZ)")
	cmd.Flags().StringVar(&until, "until", "", "only before this day")
	return cmd
}

// Export implements operations. The first page writes into the audit log that data
// leaves the house.
func (l *local) Export(ctx context.Context, q helpdesk.ExportQuery) (helpdesk.ExportPage, error) {
	if q.Part == helpdesk.ExportParts[0] && q.After == "" {
		if err := l.desk.RecordExport(ctx, l.actor, "all"); err != nil {
			return helpdesk.ExportPage{}, err
		}
	}
	return l.desk.ExportPage(ctx, l.actor, q)
}

// Export implements operations.
func (r *remote) Export(ctx context.Context, q helpdesk.ExportQuery) (page helpdesk.ExportPage, err error) {
	err = r.call(ctx, http.MethodPost, "/export", q, &page)
	return page, err
}
