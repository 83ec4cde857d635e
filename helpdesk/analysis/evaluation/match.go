package evaluation

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/analysis"
)

// Matcher picks a template; an analysis.Matcher does.
type Matcher interface {
	Pick(ctx context.Context, q helpdesk.MatchQuestion) (helpdesk.MatchChoice, error)
}

// Matching is how well templates were picked.
type Matching struct {
	Share
	// Misses are mails that a template answers and that got none, Wrong those that
	// got one that does not answer them.
	Misses int `json:"misses"`
	Wrong  int `json:"wrong"`
	// AlwaysNone is how many would be right if nothing were ever picked.
	AlwaysNone int                       `json:"always_none"`
	ByLanguage map[string]Share          `json:"by_language"`
	Confusion  map[string]map[string]int `json:"confusion"`
	Thresholds []Threshold               `json:"thresholds"`
	Speed      Speed                     `json:"speed"`
}

// Threshold is what a smart service with this threshold would have sent.
type Threshold struct {
	Percent int `json:"percent"`
	Right   int `json:"right"`
	Wrong   int `json:"wrong"`
}

func newMatching() Matching {
	return Matching{ByLanguage: map[string]Share{}, Confusion: map[string]map[string]int{},
		Thresholds: []Threshold{{Percent: 50}, {Percent: 60}, {Percent: 70}, {Percent: 80}, {Percent: 90}, {Percent: 95}}}
}

func (m *Matching) add(accepted []string, got string, confidence int, language string) {
	right, expected := slices.Contains(accepted, got), accepted[0]
	if slices.Contains(accepted, None) {
		m.AlwaysNone++
	}
	m.Share.add(right)
	of := m.ByLanguage[language]
	of.add(right)
	m.ByLanguage[language] = of
	if right {
		expected = got
	}
	if m.Confusion[expected] == nil {
		m.Confusion[expected] = map[string]int{}
	}
	m.Confusion[expected][got]++
	switch {
	case !right && (got == None || got == noAnswer):
		m.Misses++
	case !right:
		m.Wrong++
	}
	if got == None || got == noAnswer {
		return
	}
	for i := range m.Thresholds {
		switch t := &m.Thresholds[i]; {
		case confidence < t.Percent:
		case right:
			t.Right++
		default:
			t.Wrong++
		}
	}
}

func (r *Report) match(ctx context.Context, m Mail, t Templates, matcher Matcher) error {
	q := helpdesk.MatchQuestion{Subject: m.Subject, Text: m.Text, Language: t.Language}
	for _, c := range t.Choices {
		q.Templates = append(q.Templates, helpdesk.MatchTemplate{ID: c.ID, Name: c.Name, Text: c.Text})
	}
	var choice helpdesk.MatchChoice
	usage, began := analysis.Usage{}, time.Now()
	failed, err := ask(ctx, func(ctx context.Context) (err error) {
		choice, err = matcher.Pick(analysis.WithUsage(ctx, &usage), q)
		return err
	})
	if err != nil {
		return err
	}
	r.Matching.Speed.add(usage, time.Since(began))
	got := cmp.Or(choice.Template, None)
	if failed != nil {
		r.Failed = append(r.Failed, Failure{m.ID, failed.Error()})
		got = noAnswer
	}
	accepted := alternatives(m.Template)
	r.Matching.add(accepted, got, choice.Confidence, m.language())
	if !slices.Contains(accepted, got) {
		r.Mistakes = append(r.Mistakes, Mistake{m.ID, "template", m.Template, fmt.Sprintf("%s (%d%%)", got, choice.Confidence)})
	}
	return nil
}

func (p *printer) matching(m *Matching) {
	if m.Judged == 0 {
		return
	}
	p.line("\ntemplates\tright\tof\t%s\talways none\t", strings.Join(p.languages, "\t"))
	p.line("\t%s\t%d\t%s\t%s\t%d without one that fits, %d with a wrong one", percent(m.Share), m.Judged, p.byLanguage(m.ByLanguage),
		percent(Share{m.AlwaysNone, m.Judged}), m.Misses, m.Wrong)
	p.line("\nwith a threshold of\tright ones sent\twrong ones sent")
	for _, t := range m.Thresholds {
		p.line("%d%%\t%d\t%d", t.Percent, t.Right, t.Wrong)
	}
	for _, is := range slices.Sorted(maps.Keys(m.Confusion)) {
		for _, got := range slices.Sorted(maps.Keys(m.Confusion[is])) {
			if is != got {
				p.line("%s\ttaken for %s\t%d", is, got, m.Confusion[is][got])
			}
		}
	}
}
