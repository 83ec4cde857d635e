package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newReindexCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:   "reindex",
		Short: "Make the search index anew",
		Long: `Makes the search index anew from the event log and puts it in the place of the
old one, which goes on answering until then. Nothing else is touched. It works
beside a running server, and is only needed when madoguchi verify says that the
search index differs.`,
		Example: `  madoguchi reindex
  madoguchi reindex --data /var/lib/madoguchi`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operateOnExisting(cmd, func(ctx context.Context, ops operations, directory string) error {
				show := newProgress(cmd.OutOrStdout(), "events")
				if err := ops.Reindex(ctx, show.step); err != nil {
					show.abandon()
					return err
				}
				show.finish()
				return nil
			})
		},
	}
	data.register(cmd)
	return cmd
}

// progress shows how far something is: a bar on a terminal, elsewhere a line now
// and then.
type progress struct {
	out         io.Writer
	terminal    bool
	what        string
	begun, last time.Time
	done, total uint64
}

func newProgress(out io.Writer, what string) *progress {
	return &progress{out: out, terminal: isTerminal(out), what: what, begun: time.Now()}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// step shows that done of total are done.
func (p *progress) step(done, total uint64) {
	p.done, p.total = done, total
	pause := 5 * time.Second
	if p.terminal {
		pause = 100 * time.Millisecond
	}
	if now := time.Now(); now.Sub(p.last) >= pause {
		p.last = now
		p.draw()
	}
}

func (p *progress) draw() {
	if !p.terminal {
		fmt.Fprintf(p.out, "%d of %d %s\n", p.done, p.total, p.what)
		return
	}
	const width = 40
	filled := width
	if p.total > 0 {
		filled = int(min(p.done, p.total) * width / p.total)
	}
	fmt.Fprintf(p.out, "\r[%s%s] %d of %d %s ", strings.Repeat("#", filled), strings.Repeat(".", width-filled), p.done, p.total, p.what)
}

func (p *progress) finish() {
	if p.terminal {
		p.draw()
		fmt.Fprintln(p.out)
	}
	fmt.Fprintf(p.out, "indexed %d %s in %s\n", p.done, p.what, time.Since(p.begun).Round(time.Millisecond))
}

// abandon leaves the line of the bar to what went wrong.
func (p *progress) abandon() {
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}

// Reindex implements operations.
func (l *local) Reindex(ctx context.Context, progress func(done, total uint64)) error {
	return l.index.Rebuild(ctx, progress)
}
