package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

func newReplayCommand() *cobra.Command {
	var (
		data     dataFlags
		envelope inspectionEnvelope
		to       []string
		asJSON   bool
	)
	cmd := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Try what today's rules would do with mails, as a dry run",
		Long: `Reads mails (one a file, or many in an mbox; - is standard input) and says of
each what would become of it if it came in now: a new ticket, which ticket it
would join, whether it would be held, refused, or is here already. Nothing is
written, sent or learnt: each mail is tried alone, on the data as they are, so an
answer to another mail of the same mbox does not find it.

Recipients are those the header names (Delivered-To, To, Cc) or those given with
--to. Senders are authenticated where one session is given for all the mails
(--remote-ip, --helo, --mail-from), as of today's DNS. It works beside a running
server. What decided is told by madoguchi explain FILE, or by --json.`,
		Example: `  madoguchi replay archive.mbox
  madoguchi replay ~/mails/*.eml --to support@example.com
  madoguchi replay archive.mbox --json | jq -r 'select(.outcome == "held") | .subject'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return data.operateOnExisting(cmd, func(ctx context.Context, ops operations, directory string) error {
				if err := data.configure(ctx, ops); err != nil {
					return err
				}
				by, err := ops.Status(ctx)
				if err != nil {
					return err
				}
				session := func(raw []byte) (rehearsalSession, error) { return envelope.session(cmd, raw, by) }
				r := replay{ops: ops, session: session, to: to, asJSON: asJSON, out: cmd.OutOrStdout(), problems: cmd.ErrOrStderr(), counts: map[outcome]int{}}
				for _, name := range args {
					if err := r.file(ctx, name, cmd.InOrStdin()); err != nil {
						return err
					}
				}
				return r.finish()
			})
		},
	}
	data.register(cmd)
	envelope.register(cmd)
	cmd.Flags().StringSliceVar(&to, "to", nil, "envelope recipient of every mail (default: whom its header names)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a mail, for programs")
	return cmd
}

// replay tries mails one after the other and counts what would become of them.
type replay struct {
	ops           operations
	session       func(raw []byte) (rehearsalSession, error)
	to            []string
	asJSON        bool
	out, problems io.Writer
	counts        map[outcome]int
	mails, failed int
}

// file tries every mail of a file. One that cannot be read is named, and the
// others go on; only a broken connection to the data ends it.
func (r *replay) file(ctx context.Context, name string, stdin io.Reader) error {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return r.unreadable(err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return r.unreadable(fmt.Errorf("%s is a directory; name its files: %s/*", name, name))
		}
		in = f
	}
	mails := newMailReader(in)
	for n := 1; ; n++ {
		raw, err := mails.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return r.unreadable(fmt.Errorf("read %s: %w", name, err))
		}
		label := name
		if mails.mbox {
			label = fmt.Sprintf("%s:%d", name, n)
		}
		if err := r.try(ctx, label, raw); err != nil {
			return err
		}
	}
}

func (r *replay) unreadable(err error) error {
	r.failed++
	_, err = fmt.Fprintln(r.problems, "madoguchi:", err)
	return err
}

func (r *replay) try(ctx context.Context, label string, raw []byte) error {
	session, err := r.session(raw)
	if err != nil {
		return err
	}
	e, err := r.ops.Rehearse(ctx, rehearsal{To: r.to, Raw: raw, Session: session})
	if err != nil {
		return fmt.Errorf("try %s: %w", label, err)
	}
	e.File = label
	r.mails++
	r.counts[e.Outcome]++
	if r.asJSON {
		return json.NewEncoder(r.out).Encode(e)
	}
	_, err = fmt.Fprintf(r.out, "%s: %s (%s) from %s: %s\n", printable(label), e.summary(), printable(e.Why), printable(e.From), printable(e.Subject))
	return err
}

// finish prints the summary, and fails where something could not be read.
func (r *replay) finish() error {
	if !r.asJSON {
		fmt.Fprint(r.out, amount(r.mails, "mail", "mails"))
		separator := ": "
		for _, o := range []outcome{outcomeNew, outcomeJoins, outcomeHeld, outcomeSetAside, outcomeReport, outcomeRelayed, outcomeRefused, outcomeDuplicate} {
			if n := r.counts[o]; n > 0 {
				fmt.Fprintf(r.out, "%s%d %s", separator, n, counted[o])
				separator = ", "
			}
		}
		fmt.Fprintln(r.out, ". Nothing was changed.")
	}
	if r.failed > 0 {
		return fmt.Errorf("%d of the files could not be read", r.failed)
	}
	return nil
}

// counted are the words for many mails of an outcome.
var counted = map[outcome]string{
	outcomeNew: "would open new tickets", outcomeJoins: "would join tickets", outcomeHeld: "would be held",
	outcomeSetAside: "would be quarantined", outcomeReport: "would be kept as reports",
	outcomeRelayed: "would be sent on", outcomeRefused: "would be refused", outcomeDuplicate: "are here already",
}
