package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/migrate"
)

// importLimit bounds one ticket on its way to the server, in bytes.
const importLimit = 1 << 30

// importFormats are what can be imported as tickets.
var importFormats = map[string]func(context.Context, string) (migrate.Source, error){
	"mbox": migrate.OpenMbox, "maildir": migrate.OpenMaildir, "zendesk": migrate.OpenZendesk, "zammad": migrate.OpenZammad, "freescout": migrate.OpenFreeScout,
	"madoguchi": migrate.OpenMadoguchi,
}

// importFlags are what an importer chooses.
type importFlags struct {
	data   dataFlags
	alias  string
	report string
	dryRun bool
}

func newImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Take over tickets, mail and contacts from another system",
		Long: `Takes over what another system has, with its dates. Nothing of it is answered,
acknowledged, told to anybody or read by the model, and nothing is due by its old
dates. Try --dry-run first: it says what would come, and what is left out and why.

What was imported is known by its id there: a run that was broken off, or one with
a newer export, goes on with what is not here yet. It works beside a running server.
docs/import.md says how to get each export, and what becomes of what.`,
		Example: `  madoguchi import zendesk export/ --alias support@example.com --dry-run
  madoguchi import zammad export/ --alias support@example.com
  madoguchi import mbox archive.mbox --alias support@example.com
  madoguchi import contacts customers.csv --dry-run`,
	}
	for _, format := range []struct{ name, takes, short string }{
		{"mbox", "FILE|DIR", "mbox files: threads become closed tickets"},
		{"maildir", "DIR", "A Maildir and its folders: threads become closed tickets"},
		{"zendesk", "FILE|DIR", "A JSON export of Zendesk"},
		{"zammad", "DIR", "What Zammad's API answers, as JSON files"},
		{"freescout", "FILE|DIR", "What FreeScout's API answers, as JSON files"},
		{"madoguchi", "DIR", "What madoguchi export wrote, of another house"},
	} {
		var f importFlags
		command := &cobra.Command{
			Use: format.name + " " + format.takes, Short: format.short, Args: cobra.ExactArgs(1),
			Example: "  madoguchi import " + format.name + " export --alias support@example.com --dry-run",
			RunE: func(cmd *cobra.Command, args []string) error {
				return f.data.operateOnExisting(cmd, func(ctx context.Context, ops operations, _ string) error {
					return f.importTickets(ctx, cmd, ops, format.name, args[0])
				})
			},
		}
		f.register(command)
		command.Flags().StringVar(&f.alias, "alias", "", "the address that tickets belong to which were written to none of yours")
		cmd.AddCommand(command)
	}
	cmd.AddCommand(newImportContactsCommand())
	return cmd
}

func (f *importFlags) register(cmd *cobra.Command) {
	f.data.register(cmd)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "change nothing; say what would be imported")
	cmd.Flags().StringVar(&f.report, "report", "", "file that says what was left out and why (default: madoguchi-import-TIME.txt here, if anything was)")
}

func (f *importFlags) importTickets(ctx context.Context, cmd *cobra.Command, ops operations, format, path string) error {
	source, err := importFormats[format](ctx, path)
	if err != nil {
		return err
	}
	show := newBytesShown(cmd.ErrOrStderr())
	_, total := source.Progress()
	show.begin("importing", total)
	var report migrate.Report
	err = f.on(ctx, ops, func(into importer) (err error) {
		var made helpdesk.PeopleOutcome
		if people, ok := source.(migrate.PeopleSource); ok {
			if made, err = migrate.RunPeople(ctx, people, into.ImportPeople); err != nil {
				return err
			}
		}
		report, err = migrate.Run(ctx, source, into.ImportTicket, helpdesk.ImportOptions{Alias: f.alias}, func(done, _ int64) { show.set(done) })
		report.AddPeople(made)
		return err
	})
	show.end()
	report.DryRun = f.dryRun
	report.WriteSummary(cmd.OutOrStdout())
	if err == nil && !f.dryRun {
		_, err = ops.NoteImport(ctx, importNote{Source: format, Tickets: report.Tickets, Messages: report.Messages, Left: len(report.Left)})
	}
	if err != nil && !f.dryRun {
		err = fmt.Errorf("%w; what was imported stays, and the same command goes on", err)
	}
	return errors.Join(err, f.writeReport(cmd.OutOrStdout(), len(report.Left), report.WriteLeft))
}

// on imports, or only rehearses it.
func (f *importFlags) on(ctx context.Context, ops operations, do func(importer) error) error {
	if f.dryRun {
		return ops.RehearseImport(ctx, do)
	}
	return do(ops)
}

// writeReport writes what was left out into a file, where anything was.
func (f *importFlags) writeReport(out io.Writer, left int, write func(io.Writer)) error {
	if left == 0 {
		return nil
	}
	path := f.report
	if path == "" {
		path = "madoguchi-import-" + time.Now().Format("20060102-150405") + ".txt"
	}
	var text bytes.Buffer
	write(&text)
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write what was left out: %w", err)
	}
	fmt.Fprintf(out, "what was left out, and why: %s\n", path)
	return nil
}

func newImportContactsCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "contacts FILE.csv|-",
		Short: "Contacts from CSV",
		Long: `Adds and changes contacts from a CSV file whose first line names the columns:
` + strings.Join(helpdesk.ContactColumns, ", ") + `, and your own fields. A row is known by its
address; an empty cell changes nothing.`,
		Example: `  madoguchi import contacts customers.csv --dry-run`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.data.operateOnExisting(cmd, func(ctx context.Context, ops operations, _ string) error {
				return f.importContacts(ctx, cmd, ops, args[0])
			})
		},
	}
	f.register(cmd)
	return cmd
}

func (f *importFlags) importContacts(ctx context.Context, cmd *cobra.Command, ops operations, path string) error {
	var data []byte
	var err error
	if path == "-" {
		data, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), helpdesk.MaxImport+1))
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return fmt.Errorf("read contacts: %w", err)
	}
	var done contactOutcome
	if err := f.on(ctx, ops, func(into importer) (err error) {
		done, err = into.ImportContacts(ctx, contactFile{Data: data})
		return err
	}); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if f.dryRun {
		fmt.Fprintln(out, "nothing is changed; this would be:")
	}
	fmt.Fprintf(out, "%s: %s added, %d changed, %d as they were, %s made, %s left out\n",
		amount(done.Rows, "row", "rows"), amount(done.Added, "contact", "contacts"), done.Changed, done.Same, amount(done.Companies, "company", "companies"), amount(done.Left, "row", "rows"))
	if len(done.Ignored) > 0 {
		fmt.Fprintf(out, "columns without a meaning here: %s\n", strings.Join(done.Ignored, ", "))
	}
	return f.writeReport(out, len(done.Faults), func(w io.Writer) {
		for _, fault := range done.Faults {
			fmt.Fprintln(w, fault)
		}
	})
}

// importRequest is a ticket on its way to the server.
type importRequest struct {
	Ticket  helpdesk.ImportedTicket
	Options helpdesk.ImportOptions
}

// importNote is what an import brought.
type importNote struct {
	Source                  string
	Tickets, Messages, Left int
}

// contactFile is a CSV file of contacts.
type contactFile struct{ Data []byte }

// contactOutcome is what became of one.
type contactOutcome struct {
	Rows, Added, Changed, Same, Companies, Left int
	Faults, Ignored                             []string
}

// ImportTicket implements operations.
func (l *local) ImportTicket(ctx context.Context, t helpdesk.ImportedTicket, o helpdesk.ImportOptions) (helpdesk.ImportOutcome, error) {
	return l.desk.ImportTicket(ctx, l.actor, t, o)
}

// ImportPeople implements operations.
func (l *local) ImportPeople(ctx context.Context, people helpdesk.ImportedPeople) (helpdesk.PeopleOutcome, error) {
	return l.desk.ImportPeople(ctx, l.actor, people)
}

// NoteImport implements operations.
func (l *local) NoteImport(ctx context.Context, n importNote) (struct{}, error) {
	return struct{}{}, l.desk.NoteImport(ctx, l.actor, n.Source, n.Tickets, n.Messages, n.Left)
}

// ImportContacts implements operations.
func (l *local) ImportContacts(ctx context.Context, file contactFile) (contactOutcome, error) {
	report, err := l.desk.ImportContacts(ctx, l.actor, bytes.NewReader(file.Data))
	return contactsDone(report, err)
}

func contactsDone(report *helpdesk.ImportReport, err error) (out contactOutcome, _ error) {
	if err != nil {
		return out, err
	}
	out = contactOutcome{Rows: report.Rows, Added: report.Added, Changed: report.Changed, Same: report.Same, Companies: report.Companies, Left: report.Left, Ignored: report.Ignored}
	for _, fault := range report.Faults {
		out.Faults = append(out.Faults, fmt.Sprintf("line %d (%s): %v", fault.Line, fault.Email, fault.Err))
	}
	return out, nil
}

// ImportTicket implements operations.
func (r *remote) ImportTicket(ctx context.Context, t helpdesk.ImportedTicket, o helpdesk.ImportOptions) (out helpdesk.ImportOutcome, err error) {
	err = r.call(ctx, http.MethodPost, "/import", importRequest{t, o}, &out)
	return out, err
}

// ImportPeople implements operations.
func (r *remote) ImportPeople(ctx context.Context, people helpdesk.ImportedPeople) (out helpdesk.PeopleOutcome, err error) {
	err = r.call(ctx, http.MethodPost, "/import-people", people, &out)
	return out, err
}

// NoteImport implements operations.
func (r *remote) NoteImport(ctx context.Context, n importNote) (out struct{}, err error) {
	err = r.call(ctx, http.MethodPost, "/note-import", n, &out)
	return out, err
}

// ImportContacts implements operations.
func (r *remote) ImportContacts(ctx context.Context, file contactFile) (out contactOutcome, err error) {
	err = r.call(ctx, http.MethodPost, "/import-contacts", file, &out)
	return out, err
}
