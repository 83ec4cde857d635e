package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk/analysis"
	"github.com/madoguchi/madoguchi/helpdesk/analysis/evaluation"
)

// evalFlags are the flags of madoguchi eval.
type evalFlags struct {
	data           dataFlags
	address, model string
	set, export    string
	limit          int
	json, mistakes bool
}

func newEvalCommand() *cobra.Command {
	var f evalFlags
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Measure how well a model reads mails, and how fast",
		Long: `Asks the model about mails that people have labelled, one after the other, and
prints where it agrees: for each finding in each language, what is taken for
what, how well templates are picked (and what a smart service would have sent at
several thresholds), and how long answers take on this machine. Nothing is
stored, and no server has to run; only Ollama is asked.

The program brings a set of mails of its own, half of them Japanese. Your agents'
corrections make another one: --export writes it, and --set reads it. Such a
file holds customers' mails; keep it as you keep those.

The whole set takes long on a small machine; --limit takes some mails evenly from
it. Interrupted, it prints what it found until then.`,
		Example: `  madoguchi eval --model qwen3.5:4b
  madoguchi eval --model gemma4:e2b --limit 40 --json > gemma4.json
  madoguchi eval --data /var/lib/madoguchi --export corrections.jsonl
  madoguchi eval --model qwen3.5:4b --set corrections.jsonl --mistakes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := untilInterrupted(cmd.Context())
			defer stop()
			if f.export != "" {
				return f.exportCorrections(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return f.evaluate(ctx, cmd)
		},
	}
	f.data.register(cmd)
	cmd.Flags().Lookup("config").Usage = "configuration file that says which model, where, and how patiently"
	cmd.Flags().StringVar(&f.address, "address", "", "of Ollama (default what the configuration says)")
	cmd.Flags().StringVar(&f.model, "model", "", "name of the model in Ollama (default what the configuration says)")
	cmd.Flags().StringVar(&f.set, "set", "", "file of labelled mails, - for standard input (default the built-in set)")
	cmd.Flags().StringVar(&f.export, "export", "", "write the mails whose analysis was corrected to this file, - for standard output, and ask no model")
	cmd.Flags().IntVar(&f.limit, "limit", 0, "ask about this many mails, taken evenly from the set (default all)")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&f.mistakes, "mistakes", false, "print a line for each thing that the model did not find as expected")
	cmd.MarkFlagsMutuallyExclusive("export", "set")
	cmd.MarkFlagsMutuallyExclusive("export", "model")
	cmd.MarkFlagsMutuallyExclusive("json", "mistakes")
	return cmd
}

func (f *evalFlags) evaluate(ctx context.Context, cmd *cobra.Command) error {
	if f.limit < 0 {
		return fmt.Errorf("--limit %d: give a number of mails, or leave it out for all", f.limit)
	}
	set, err := f.readSet(cmd.InOrStdin())
	if err != nil {
		return err
	}
	set = set.Part(f.limit)
	c, err := readConfig(f.data.config)
	if err != nil {
		return err
	}
	c.AI.Address, c.AI.Model = cmp.Or(f.address, c.AI.Address), cmp.Or(f.model, c.AI.Model)
	// Nothing is stored, so neither needs a desk.
	analyst, err := analysis.New(nil, analysisOptions(c.AI), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	matching := matcherOptions(c.AI)
	matching.Model = cmp.Or(f.model, matching.Model)
	matcher, err := analysis.NewMatcher(analyst, nil, matching)
	if err != nil {
		return err
	}
	status := analyst.Check(ctx)
	if err := explainProblem(status); err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), "mails")
	report, err := evaluation.Run(ctx, set, analyst, matcher, func(done, total int) { bar.step(uint64(done), uint64(total)) })
	bar.abandon()
	report.Model, report.Digest, report.PromptVersion = status.Model, status.Digest, analysis.PromptVersion
	if err != nil && report.Mails == 0 {
		return err
	}
	return errors.Join(f.print(cmd.OutOrStdout(), report), stopped(ctx, report, set, err))
}

// stopped says that a report is not of the whole set.
func stopped(ctx context.Context, r *evaluation.Report, s *evaluation.Set, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted after %d of %s", r.Mails, amount(len(s.Mails), "mail", "mails"))
	}
	return fmt.Errorf("stopped after %d of %s: %w", r.Mails, amount(len(s.Mails), "mail", "mails"), err)
}

func (f *evalFlags) print(w io.Writer, r *evaluation.Report) error {
	if f.json {
		return printJSON(w, r)
	}
	if err := r.Print(w); err != nil {
		return err
	}
	if !f.mistakes || len(r.Mistakes) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	return r.PrintMistakes(w)
}

func (f *evalFlags) readSet(stdin io.Reader) (*evaluation.Set, error) {
	switch f.set {
	case "":
		return evaluation.Builtin()
	case "-":
		return evaluation.Read(stdin, "standard input")
	}
	file, err := os.Open(f.set)
	if err != nil {
		return nil, fmt.Errorf("read the labelled mails: %w", err)
	}
	defer file.Close()
	return evaluation.Read(file, f.set)
}

// explainProblem says what to do where the model cannot be asked.
func explainProblem(s analysis.Status) error {
	switch s.Problem {
	case analysis.ProblemNone:
		return nil
	case analysis.ProblemNoModel:
		return errors.New("no model is named: give one with --model NAME; ollama list shows those that are there")
	case analysis.ProblemUnreachable:
		return fmt.Errorf("no Ollama answers at %s: start it with ollama serve, or name another address with --address (%s)", s.Address, s.Detail)
	case analysis.ProblemMissing:
		return fmt.Errorf("Ollama does not have the model %q: get it with ollama pull %s", s.Model, s.Model)
	case analysis.ProblemWrongKind:
		return fmt.Errorf("%s: name a model that chats with --model", s.Detail)
	}
	return fmt.Errorf("Ollama at %s cannot be asked: %s", s.Address, s.Detail)
}
