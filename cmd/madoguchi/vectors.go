package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk/similar"
)

func newVectorsCommand() *cobra.Command {
	var data dataFlags
	watch := false
	cmd := &cobra.Command{
		Use:   "vectors",
		Short: "Show how far the mails are read for similar tickets",
		Long: `Shows which model made vectors of customers' mails, by which similar tickets and
topics are found, of how many mails, and how far another model is that was named
in [ai.embedding] since. The running server makes them, the newest first.`,
		Example: `  madoguchi vectors
  madoguchi vectors --watch`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			directory, err := data.existingDirectory()
			if err != nil {
				return err
			}
			ctx, stop := untilInterrupted(cmd.Context())
			defer stop()
			return withOperations(ctx, cmd.ErrOrStderr(), directory, func(ops operations) error {
				if watch {
					return watchVectors(ctx, cmd.OutOrStdout(), ops)
				}
				state, err := ops.Vectors(ctx)
				if err == nil {
					describeVectors(cmd.OutOrStdout(), state)
				}
				return err
			})
		},
	}
	data.register(cmd)
	cmd.Flags().BoolVar(&watch, "watch", false, "go on showing the progress until all are made")
	return cmd
}

func describeVectors(w io.Writer, s similar.Status) {
	switch {
	case s.Model != "":
		fmt.Fprintf(w, "%s, %d dimensions: %s; %d of which it makes none\n", s.Model, s.Dimensions, amount(s.Vectors, "mail", "mails"), s.Refused)
	case s.Next == "":
		fmt.Fprintln(w, "no model has made vectors; name one in [ai.embedding] of the configuration, and start the server")
	}
	if s.Next != "" {
		fmt.Fprintf(w, "%s goes through the mails: %d of %s\n", s.Next, s.Done, amount(s.Total, "event", "events"))
	}
	if s.Trouble != "" {
		fmt.Fprintln(w, "it waits:", s.Trouble)
	}
}

// watchVectors shows the progress until nothing is left to do.
func watchVectors(ctx context.Context, w io.Writer, ops operations) error {
	show := newProgress(w, "events")
	for {
		state, err := ops.Vectors(ctx)
		if err != nil {
			show.abandon()
			return err
		}
		if state.Next == "" {
			show.abandon()
			describeVectors(w, state)
			return nil
		}
		show.step(state.Done, state.Total)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			show.abandon()
			return ctx.Err()
		}
	}
}
