// Package migrate reads what other systems leave behind (mail folders, exports of
// helpdesks) and hands it to the desk as tickets. It reads files alone: what an export
// only links to is left out, and said.
package migrate

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Source is the tickets of another system.
type Source interface {
	// Tickets yields them: mails by when their threads began, exports in the order of
	// their files. An error ends it.
	Tickets(ctx context.Context) iter.Seq2[helpdesk.ImportedTicket, error]
	// Progress is how many bytes of how many are read.
	Progress() (done, total int64)
	// Left are what could not be read, and why. It is whole after Tickets.
	Left() []Left
}

// PeopleSource is a source that also has people without tickets, and all that is known of them.
type PeopleSource interface {
	Source
	// People yields them, some hundreds at a time. An error ends it.
	People(ctx context.Context) iter.Seq2[helpdesk.ImportedPeople, error]
}

// Left is something that was left out.
type Left struct {
	What string // where it stands in the source
	Why  string
}

// leftOut gathers what is left out; sources embed it.
type leftOut struct{ list []Left }

func (l *leftOut) leave(what, why string, args ...any) {
	l.list = append(l.list, Left{what, fmt.Sprintf(why, args...)})
}

// Left implements Source.
func (l *leftOut) Left() []Left { return l.list }

// Importer writes a ticket; a helpdesk.Desk is one, with an actor.
type Importer func(ctx context.Context, t helpdesk.ImportedTicket, o helpdesk.ImportOptions) (helpdesk.ImportOutcome, error)

// PeopleImporter writes companies and contacts.
type PeopleImporter func(ctx context.Context, people helpdesk.ImportedPeople) (helpdesk.PeopleOutcome, error)

// Report says what an import did, or, of a dry run, would do.
type Report struct {
	DryRun   bool // for the summary
	Tickets  int  // that were opened
	Joined   int  // that were there already and got something more
	Same     int  // that were there already wholly
	Messages int
	Notes    int
	Contacts int
	// People are the companies and contacts that were made before the tickets.
	People helpdesk.PeopleOutcome
	Known  int // messages and notes that were there already
	Left   []Left
}

// RunPeople imports the companies and contacts of a source, which go before its tickets.
func RunPeople(ctx context.Context, source PeopleSource, write PeopleImporter) (sum helpdesk.PeopleOutcome, err error) {
	for people, err := range source.People(ctx) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return sum, err
		}
		done, err := write(ctx, people)
		if err != nil {
			return sum, err
		}
		sum.Companies, sum.Contacts, sum.Known = sum.Companies+done.Companies, sum.Contacts+done.Contacts, sum.Known+done.Known
		sum.Left = append(sum.Left, done.Left...)
	}
	return sum, nil
}

// AddPeople notes what became of a source's companies and contacts.
func (r *Report) AddPeople(done helpdesk.PeopleOutcome) {
	r.People = done
	for _, left := range done.Left {
		what, why, _ := strings.Cut(left, ": ")
		r.Left = append(r.Left, Left{what, why})
	}
}

// Run imports a source. A ticket that the desk refuses is left out, with the reason;
// other errors end the run, and the next goes on where it was. progress may be nil.
func Run(ctx context.Context, source Source, write Importer, o helpdesk.ImportOptions, progress func(done, total int64)) (Report, error) {
	var report Report
	for t, err := range source.Tickets(ctx) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			report.Left = append(report.Left, source.Left()...)
			return report, err
		}
		done, err := write(ctx, t, o)
		if err != nil && helpdesk.CodeOf(err) == helpdesk.CodeInternal {
			return report, err
		}
		report.add(t, done, err)
		if progress != nil {
			progress(source.Progress())
		}
	}
	report.Left = append(report.Left, source.Left()...)
	return report, nil
}

func (r *Report) add(t helpdesk.ImportedTicket, done helpdesk.ImportOutcome, err error) {
	what := fmt.Sprintf("ticket %s %q", t.ID, t.Subject)
	if err != nil {
		r.Left = append(r.Left, Left{what, err.Error()})
		return
	}
	switch {
	case done.Opened:
		r.Tickets++
	case done.Messages+done.Notes > 0:
		r.Joined++
	default:
		r.Same++
	}
	if done.Contact {
		r.Contacts++
	}
	r.Messages, r.Notes, r.Known = r.Messages+done.Messages, r.Notes+done.Notes, r.Known+done.Known
	for _, left := range done.Left {
		r.Left = append(r.Left, Left{what, left})
	}
}

// WriteSummary writes what was done in a few lines.
func (r Report) WriteSummary(w io.Writer) {
	did := "imported"
	if r.DryRun {
		did = "would import"
	}
	fmt.Fprintf(w, "%s %d tickets with %d messages and %d notes, from %d new contacts\n", did, r.Tickets, r.Messages, r.Notes, r.Contacts)
	if made := r.People; made.Companies+made.Contacts+made.Known > 0 {
		fmt.Fprintf(w, "before them %d contacts and %d companies; %d were here already\n", made.Contacts, made.Companies, made.Known)
	}
	if r.Joined+r.Same+r.Known > 0 {
		fmt.Fprintf(w, "%d tickets were here already, %d of them got something more; %d messages and notes were here already\n", r.Joined+r.Same, r.Joined, r.Known)
	}
	fmt.Fprintf(w, "%d things are left out\n", len(r.Left))
}

// WriteLeft writes what was left out and why, a line each.
func (r Report) WriteLeft(w io.Writer) {
	for _, l := range r.Left {
		fmt.Fprintf(w, "%s: %s\n", l.What, l.Why)
	}
}
