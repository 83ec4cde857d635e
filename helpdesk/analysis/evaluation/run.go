package evaluation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
)

// Reader reads a mail; an analysis.Analyst does.
type Reader interface {
	Read(ctx context.Context, in *helpdesk.AnalysisInput) (*helpdesk.Analysis, error)
}

// Run asks about every mail, one after the other so that the times say
// something. progress hears how many are done. Where ctx ends, or the model
// cannot be asked any more, the report is of what was asked until then.
func Run(ctx context.Context, s *Set, reader Reader, matcher Matcher, progress func(done, total int)) (*Report, error) {
	r := newReport(s)
	started := time.Now()
	defer func() { r.Seconds = time.Since(started).Seconds() }()
	for i, m := range s.Mails {
		progress(i, len(s.Mails))
		if err := r.read(ctx, m, reader); err != nil {
			return r, fmt.Errorf("read mail %s: %w", m.ID, err)
		}
		if t, ok := s.Templates[m.Templates]; ok && m.Template != "" {
			if err := r.match(ctx, m, t, matcher); err != nil {
				return r, fmt.Errorf("match mail %s: %w", m.ID, err)
			}
		}
		r.Mails++
	}
	progress(len(s.Mails), len(s.Mails))
	return r, nil
}

// patience is how often a mail is asked about while Ollama has no room.
const patience = 5

// ask asks, and again while Ollama is busy. It returns an error only where the
// evaluation cannot go on; what failed for this mail alone is told apart.
func ask(ctx context.Context, what func(context.Context) error) (failed, err error) {
	for attempt := 1; ; attempt++ {
		err := what(ctx)
		var unavailable *analysis.Unavailable
		switch {
		case err == nil:
			return nil, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.As(err, &unavailable):
			return err, nil
		case unavailable.Problem != analysis.ProblemBusy || attempt == patience:
			return nil, err
		}
		select {
		case <-time.After(unavailable.RetryAfter()):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *Report) read(ctx context.Context, m Mail, reader Reader) error {
	in := &helpdesk.AnalysisInput{MessageID: m.ID, Subject: m.Subject, From: m.From, Text: m.Text}
	var result *helpdesk.Analysis
	usage, began := analysis.Usage{}, time.Now()
	failed, err := ask(ctx, func(ctx context.Context) (err error) {
		result, err = reader.Read(analysis.WithUsage(ctx, &usage), in)
		return err
	})
	if err != nil {
		return err
	}
	r.Reading.add(usage, time.Since(began))
	if failed != nil {
		r.Failed = append(r.Failed, Failure{m.ID, failed.Error()})
		result = nil
	}
	choices := Share{}
	for i := range r.Scores {
		f := r.Scores[i].Finding
		expected, judged := m.Expect[f]
		if !judged {
			continue
		}
		var got []string
		if result != nil {
			got = result.Values(f)
		}
		v := judge(f, expected, got)
		if result == nil {
			v = v.unanswered()
		}
		r.Scores[i].add(v, m.language())
		if f.Kind() == helpdesk.FindingChoice {
			choices.add(v.right)
		}
		if !v.right {
			r.Mistakes = append(r.Mistakes, Mistake{m.ID, string(f), strings.Join(expected, "; "), strings.Join(got, "; ")})
		}
	}
	for _, kind := range m.Kinds {
		of := r.ByKind[kind]
		of.Mails++
		of.Right, of.Judged = of.Right+choices.Right, of.Judged+choices.Judged
		r.ByKind[kind] = of
	}
	return nil
}

// language is that of the mail, where the set says it.
func (m *Mail) language() string {
	if l := m.Expect[helpdesk.FindingLanguage]; len(l) == 1 {
		return l[0]
	}
	return m.Templates
}
