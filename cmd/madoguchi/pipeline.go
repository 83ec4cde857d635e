package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newPipelineCommand() *cobra.Command {
	pipeline := &cobra.Command{
		Use:   "pipeline",
		Short: "Add queues of tickets with their stages, list them",
		Example: `  madoguchi pipeline add Repairs --stage New --stage "In progress" --stage Done:closed
  madoguchi pipeline list`,
	}
	pipeline.AddCommand(newPipelineAddCommand(), newPipelineListCommand())
	return pipeline
}

func newPipelineAddCommand() *cobra.Command {
	var (
		data     dataFlags
		request  newPipeline
		stages   []string
		noReopen bool
	)
	cmd := &cobra.Command{
		Use:   "add NAME --stage STAGE …",
		Short: "Add a pipeline",
		Long: `Adds a pipeline: a queue of tickets and the stages they go through, in the order
given. New tickets enter the first stage. A stage that ends in ":closed" is one in
which the matter is over.

When the customer of a closed ticket answers, the ticket is reopened into the
stage named by --reopen, else into the first one. With --no-reopen the answer
becomes a new ticket that links to the old one.

Pipelines can also be made in the web, or declared in the configuration file as
[[pipeline]].`,
		Example: `  madoguchi pipeline add Repairs --stage New --stage "In progress" --stage Done:closed
  madoguchi pipeline add 修理 --stage 受付 --stage 対応中 --stage 完了:closed --reopen 対応中
  madoguchi pipeline add Applications --stage New --stage Hired:closed --stage Declined:closed --no-reopen`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			request.Name, request.Reopen = args[0], !noReopen
			if request.Stages, err = parseStages(stages); err != nil {
				return err
			}
			return data.operateOrBegin(cmd, func(ops operations) error {
				added, err := ops.AddPipeline(cmd.Context(), request)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "added pipeline %q: %s\n", added.Name, added.describe())
				return nil
			})
		},
	}
	data.register(cmd)
	cmd.Flags().StringArrayVar(&stages, "stage", nil, `name of a stage, with ":closed" after it where the matter is over; once for each stage`)
	cmd.Flags().StringVar(&request.ReopenStage, "reopen", "", "stage to which an answer to a closed ticket brings it back (default: the first)")
	cmd.Flags().BoolVar(&noReopen, "no-reopen", false, "make a new ticket of an answer to a closed one")
	cmd.MarkFlagsMutuallyExclusive("reopen", "no-reopen")
	return cmd
}

// parseStages reads "NAME", "NAME:open" and "NAME:closed". Other colons belong
// to the name.
func parseStages(list []string) ([]stageInfo, error) {
	if len(list) == 0 {
		return nil, errors.New(`name its stages, in order: --stage New --stage "In progress" --stage Done:closed`)
	}
	stages := make([]stageInfo, 0, len(list))
	for _, text := range list {
		name, closed := strings.CutSuffix(text, ":closed")
		if !closed {
			name = strings.TrimSuffix(text, ":open")
		}
		stages = append(stages, stageInfo{Name: name, Closed: closed})
	}
	return stages, nil
}

// describe says the stages in a line, closed ones in brackets.
func (p *pipelineInfo) describe() string {
	names := make([]string, 0, len(p.Stages))
	for _, s := range p.Stages {
		if s.Closed {
			names = append(names, "["+s.Name+"]")
		} else {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, " → ")
}

func newPipelineListCommand() *cobra.Command {
	var data dataFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the pipelines with their stages; closed ones are in brackets",
		Example: `  madoguchi pipeline list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return data.operate(cmd, func(ops operations) error {
				pipelines, err := ops.Pipelines(cmd.Context())
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, p := range pipelines {
					reopens := "an answer makes a new ticket"
					if p.Reopen {
						reopens = "reopens into " + p.ReopenStage
					}
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", p.Name, p.describe(), reopens, mark(p.Managed, "from the file"))
				}
				return table.Flush()
			})
		},
	}
	data.register(cmd)
	return cmd
}
