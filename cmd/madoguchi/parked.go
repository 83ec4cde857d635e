package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// parkedInfo is the work that is no longer tried, as it crosses the control socket
// and as --json prints it. Fields may be added, never renamed.
type parkedInfo struct {
	Total int          `json:"total"`
	Work  []parkedWork `json:"work"`
}

type parkedWork struct {
	Kind    string    `json:"kind"`
	ID      string    `json:"id"`      // what it is about: a delivery, a message, a ticket's number, a domain
	Problem string    `json:"problem"` // at the last time; "" where the program ended in the work each time
	Since   time.Time `json:"since"`   // when it was given up
	Tries   int       `json:"tries"`
}

// why says in one column what the work failed of.
func (w parkedWork) why() string {
	return cmp.Or(w.Problem, "never finished: the program ended, or took too long, each time")
}

// parkedQuestion asks for a part of the list.
type parkedQuestion struct {
	Limit int `json:"limit"`
}

func newParkedCommand() *cobra.Command {
	var (
		data     dataFlags
		question parkedQuestion
		asJSON   bool
	)
	cmd := &cobra.Command{
		Use:   "parked",
		Short: "Show the work that failed so often that it is no longer tried; try it again",
		Long: `Lists the work that was given up after it had failed 20 times in a row, with since when
and what it failed of: mail to be signed, copies, notices, analyses. An alarm tells of it. Mend the
cause, then have all of it tried again with madoguchi parked resume.`,
		Example: `  madoguchi parked
  madoguchi parked resume`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operate(cmd, func(ops operations) error {
				found, err := ops.Parked(cmd.Context(), question)
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				if asJSON {
					encoder := json.NewEncoder(out)
					encoder.SetIndent("", "  ")
					return encoder.Encode(found)
				}
				if found.Total == 0 {
					fmt.Fprintln(out, "no work is parked")
					return nil
				}
				table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
				for _, w := range found.Work {
					fmt.Fprintf(table, "%s\t%s\tsince %s\t%s\t%s\n", w.Kind, w.ID, w.Since.Local().Format(time.DateTime), amount(w.Tries, "try", "tries"), w.why())
				}
				if err := table.Flush(); err != nil {
					return err
				}
				if more := found.Total - len(found.Work); more > 0 {
					fmt.Fprintf(out, "and %d more\n", more)
				}
				return nil
			})
		},
	}
	data.register(cmd)
	cmd.Flags().IntVar(&question.Limit, "limit", 200, "how much to list, at most 1000")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	cmd.AddCommand(newParkedResumeCommand())
	return cmd
}

func newParkedResumeCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use: "resume", Short: "Have all parked work tried again, and end its alarms", Example: "  madoguchi parked resume", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operate(cmd, func(ops operations) error {
				resumed, err := ops.ResumeParked(cmd.Context())
				if err != nil {
					return err
				}
				if resumed == 0 {
					fmt.Fprintln(cmd.OutOrStdout(), "no work was parked")
					return nil
				}
				fmt.Fprintf(cmd.OutOrStdout(), "resumed: %d\n", resumed)
				return nil
			})
		},
	}
	data.register(cmd)
	return cmd
}

// Parked lists the work that is no longer tried.
func (l *local) Parked(ctx context.Context, question parkedQuestion) (parkedInfo, error) {
	found, total, err := l.desk.Parked(ctx, l.actor, question.Limit)
	info := parkedInfo{Total: total, Work: []parkedWork{}}
	for _, t := range found {
		info.Work = append(info.Work, parkedWork{Kind: string(t.Kind), ID: t.ID, Problem: t.Problem, Since: t.ParkedSince().UTC(), Tries: t.Tries()})
	}
	return info, err
}

// ResumeParked has all of it tried again.
func (l *local) ResumeParked(ctx context.Context) (int, error) {
	return l.desk.ResumeParked(ctx, l.actor)
}
