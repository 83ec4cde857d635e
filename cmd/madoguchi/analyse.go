package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// readAgain asks for another reading of earlier mails, or how far one is.
type readAgain struct {
	From string `json:"from"` // 2006-01-02; "" asks how far the newest is
	To   string `json:"to"`
	All  bool   `json:"all"`
	Stop bool   `json:"stop"`
}

// readingAgain is how far it is; State is "" where there was none.
type readingAgain struct {
	State string `json:"state"`
	From  string `json:"from"`
	To    string `json:"to"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
	Read  int    `json:"read"`
}

func newAnalyseCommand() *cobra.Command {
	var data dataFlags
	var ask readAgain
	cmd := &cobra.Command{
		Use:   "analyse --from DAY [--to DAY]",
		Short: "Have the model read earlier mails again",
		Long: `Has the model read the mails of some days again, after a change of the model,
say. Mails that the model of today has read already are left out, unless --all
is given. New mail goes first, and what people corrected stays.

The server does the work: it goes on when this command is interrupted, and after
a restart. --stop ends it. Without --from it says how far it is.`,
		Example: `  madoguchi analyse --from 2026-11-01
  madoguchi analyse --from 2026-10-01 --to 2026-10-31 --all
  madoguchi analyse --stop`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ask.Stop && ask.From != "" {
				return errors.New("--stop ends what is under way; leave --from out")
			}
			directory, err := data.existingDirectory()
			if err != nil {
				return err
			}
			ctx, stop := untilInterrupted(cmd.Context())
			defer stop()
			return withOperations(ctx, cmd.ErrOrStderr(), directory, func(ops operations) error { return showReadingAgain(ctx, cmd, ops, ask) })
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&ask.From, "from", "", "the first `DAY`, such as 2026-11-01")
	cmd.Flags().StringVar(&ask.To, "to", "", "the last `DAY`; today where it is left out")
	cmd.Flags().BoolVar(&ask.All, "all", false, "read also what the model of today has read")
	cmd.Flags().BoolVar(&ask.Stop, "stop", false, "end what is under way")
	return cmd
}

// showReadingAgain asks, and shows the progress until it ends.
func showReadingAgain(ctx context.Context, cmd *cobra.Command, ops operations, ask readAgain) error {
	now, err := ops.ReadAgain(ctx, ask)
	if err != nil {
		return err
	}
	running, err := ops.Status(ctx)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if now.State == string(helpdesk.ReanalysisWorking) && !running.Running {
		fmt.Fprintf(out, "%s of %s to %s will be read again as soon as the server runs\n", amount(now.Total, "mail", "mails"), now.From, now.To)
		return nil
	}
	show := newProgress(out, "mails")
	for now.State == string(helpdesk.ReanalysisWorking) {
		show.step(uint64(now.Done), uint64(now.Total))
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			show.abandon()
			fmt.Fprintln(out, "the server goes on; madoguchi analyse says how far it is")
			return nil
		}
		if now, err = ops.ReadAgain(ctx, readAgain{}); err != nil {
			show.abandon()
			return err
		}
	}
	show.abandon()
	if now.State == "" {
		fmt.Fprintln(out, "no mails were read again so far")
		return nil
	}
	fmt.Fprintf(out, "%s to %s: %s; %d of %s looked at, %d read again\n", now.From, now.To, now.State, now.Done, amount(now.Total, "mail", "mails"), now.Read)
	return nil
}

// ReadAgain implements operations.
func (l *local) ReadAgain(ctx context.Context, ask readAgain) (readingAgain, error) {
	var run *helpdesk.Reanalysis
	var err error
	switch {
	case ask.Stop:
		run, err = l.desk.StopReanalysis(ctx, l.actor)
	case ask.From != "":
		run, err = l.desk.StartReanalysis(ctx, l.actor, ask.From, ask.To, ask.All)
	default:
		run, err = l.desk.LastReanalysis(ctx, l.actor)
	}
	if err != nil || run == nil {
		return readingAgain{}, err
	}
	return readingAgain{string(run.State), run.From, run.To, run.Done, run.Total, run.Read}, nil
}

// ReadAgain implements operations.
func (r *remote) ReadAgain(ctx context.Context, ask readAgain) (now readingAgain, err error) {
	err = r.call(ctx, "POST", "/read-again", ask, &now)
	return now, err
}
