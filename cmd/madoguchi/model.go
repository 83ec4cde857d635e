package main

import (
	"context"
	"fmt"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
	"github.com/madoguchi/madoguchi/helpdesk/run"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
	"github.com/madoguchi/madoguchi/ui"
)

// openModel connects the model that reads along, unless it is switched off.
func (s *server) openModel() ([]run.Worker, error) {
	c := s.config.AI
	s.similar = similar.New(s.store, s.desk, nil, s.log)
	s.topics = similar.NewTopics(s.similar, s.desk, nil, s.log)
	if !c.Enabled {
		return nil, nil
	}
	analyst, err := analysis.New(s.desk, analysisOptions(c), s.log)
	if err != nil {
		return nil, fmt.Errorf("ai: %w", err)
	}
	s.analyst = analyst
	if s.writer, err = analysis.NewWriter(analyst, writerOptions(c), c.Writing.Concurrency); err != nil {
		return nil, fmt.Errorf("ai: %w", err)
	}
	if s.matcher, err = analysis.NewMatcher(analyst, s.desk, matcherOptions(c)); err != nil {
		return nil, fmt.Errorf("ai.service: %w", err)
	}
	if c.Embedding.Model != "" {
		embedder := analysis.NewEmbedder(analyst, analysis.EmbedderOptions{
			Model: c.Embedding.Model, Context: c.Embedding.Context, Timeout: c.Embedding.Timeout.Duration, KeepAlive: c.Embedding.KeepAlive.Duration,
		})
		s.similar = similar.New(s.store, s.desk, embedder, s.log)
		s.background = append(s.background, s.similar.Run)
	}
	s.topics = similar.NewTopics(s.similar, s.desk, analysis.NewNamer(analyst), s.log)
	s.background = append(s.background, analyst.Watch, func(ctx context.Context) {
		run.Follow(ctx, s.desk, run.Follower{Name: helpdesk.CursorAnalysis, Handle: s.desk.EnqueueAnalyses,
			Gather: &run.Gather{Rest: analysisRest, Most: analysisMost, Events: analysisEvents}}, s.log)
	})
	worker := func(kind helpdesk.TimerKind, atOnce int, timeout time.Duration, do func(context.Context, string) error) run.Worker {
		return run.Worker{Kind: kind, Concurrency: atOnce, Lease: timeout + deskWorkLease, Do: do, NotBefore: analyst.NotBefore}
	}
	return []run.Worker{
		worker(helpdesk.TimerMatch, 1, c.Service.Timeout.Duration, s.matcher.Match),
		worker(helpdesk.TimerAnalyse, c.Concurrency, c.Timeout.Duration, analyst.Analyse),
		worker(helpdesk.TimerReanalyse, 1, c.Timeout.Duration, analyst.Reanalyse), // a step reads several
		worker(helpdesk.TimerTrial, 1, c.Service.Timeout.Duration, s.matcher.Try),
	}, nil
}

func analysisOptions(c aiConfig) analysis.Options {
	return analysis.Options{Address: c.Address, Model: c.Model, Timeout: c.Timeout.Duration, Context: c.Context, KeepAlive: c.KeepAlive.Duration, Concurrency: c.Concurrency}
}

func matcherOptions(c aiConfig) analysis.MatcherOptions {
	return analysis.MatcherOptions{Model: c.Service.Model, Context: c.Service.Context, Timeout: c.Service.Timeout.Duration, KeepAlive: c.Service.KeepAlive.Duration}
}

// writerOptions gives each task the model that the file names for its kind.
func writerOptions(c aiConfig) map[helpdesk.WritingTask]analysis.WriterOptions {
	options := map[helpdesk.WritingTask]analysis.WriterOptions{}
	for _, task := range helpdesk.WritingTasks() {
		of := c.Rewrite
		switch task {
		case helpdesk.WriteDraft, helpdesk.WriteKeywords:
			of = c.Draft
		case helpdesk.WriteTranslate, helpdesk.WriteMailTranslation:
			of = c.Translate
		case helpdesk.WriteSummary, helpdesk.WriteWants:
			of = c.Summary
		}
		options[task] = analysis.WriterOptions{Model: of.Model, Context: of.Context, Timeout: of.Timeout.Duration, KeepAlive: of.KeepAlive.Duration}
	}
	return options
}

// textWriter is the writer for the web, nil where there is none.
func (s *server) textWriter() ui.TextWriter {
	if s.writer == nil {
		return nil
	}
	return s.writer
}

// templateMatcher tries smart services out for the web, nil where there is none.
func (s *server) templateMatcher() ui.TemplateMatcher {
	if s.matcher == nil {
		return nil
	}
	return s.matcher
}

// analysisStatus is what the web shows of the model. It asks nobody.
func (s *server) analysisStatus(ctx context.Context) ui.AnalysisStatus {
	status := ui.AnalysisStatus{Enabled: s.config.AI.Enabled, Address: s.config.AI.Address, Model: s.config.AI.Model}
	if s.analyst != nil {
		known := s.analyst.Status()
		status.Reachable, status.ModelPresent = known.Reachable, known.ModelPresent
		status.Problem, status.Detail = string(known.Problem), known.Detail
	}
	var err error
	if status.Waiting, status.Failed, err = s.desk.AnalysisQueue(ctx); err != nil {
		s.log.WarnContext(ctx, "count analyses", "error", err)
	}
	return status
}
