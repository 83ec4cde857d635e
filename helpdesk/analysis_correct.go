package helpdesk

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// Limits of what people say in the place of the model.
const (
	maxFindingItems = 10
	maxFindingText  = 400 // characters
)

// CorrectAnalysis says what is right in the place of what the model found. An
// empty list of values says that there is nothing, nil gives the model's back.
// What the model said stays beside it, and a new analysis does not undo it.
func (d *Desk) CorrectAnalysis(ctx context.Context, a Actor, messageID string, changes map[Finding][]string) (*Analysis, error) {
	if err := a.may("correct an analysis", PermitEdit); err != nil {
		return nil, err
	}
	clean := map[Finding][]string{}
	for f, values := range changes {
		kept, err := f.clean(values)
		if err != nil {
			return nil, err
		}
		clean[f] = kept
	}
	var analysis *Analysis
	err := d.update(ctx, a, func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if m, err = found(m, err, "message", messageID); err != nil {
			return err
		}
		analysis, err = optional(analyses.Get(c, key(messageID)))
		if err != nil {
			return err
		}
		if analysis == nil {
			return conflict("not_analysed", "message %s was not analysed yet; correct its analysis once it is there", messageID)
		}
		changed, err := c.correct(m, analysis, clean)
		if err != nil || !changed {
			return err
		}
		return c.keepAnalysis(m, analysis)
	})
	return analysis, err
}

// correct changes the corrections of a, with an event for each that differs.
func (c *command) correct(m *Message, a *Analysis, changes map[Finding][]string) (changed bool, err error) {
	corrections := maps.Clone(a.Corrections)
	if corrections == nil {
		corrections = map[Finding]Correction{}
	}
	before := a.Effective()
	for _, f := range Findings() {
		values, asked := changes[f]
		if !asked {
			continue
		}
		if values == nil || slices.Equal(values, a.Values(f)) && a.Error == "" {
			delete(corrections, f)
			values = a.Values(f)
		} else if old, is := corrections[f]; !is || !slices.Equal(old.Values, values) {
			corrections[f] = Correction{Values: values, By: c.actor.UserID, At: c.now}
		}
		_, was := a.Corrections[f]
		if _, is := corrections[f]; was == is && slices.Equal(before.Values(f), values) {
			continue
		}
		changed = true
		if _, err := c.record(Event{Kind: EventAnalysisCorrected, Ticket: m.Ticket, Message: m.ID, Data: map[string]string{
			"finding": string(f), "from": strings.Join(before.Values(f), " / "), "to": strings.Join(values, " / ")}}); err != nil {
			return false, err
		}
	}
	a.Corrections = corrections
	return changed, nil
}

// clean checks the values of a correction and returns them as they are kept; nil
// stays nil.
func (f Finding) clean(values []string) ([]string, error) {
	row, ok := f.row()
	if !ok {
		var names []string
		for _, f := range Findings() {
			names = append(names, string(f))
		}
		return nil, invalid(string(f), "finding_unknown", "there is no finding %q; the findings are %s", f, strings.Join(names, ", "))
	}
	if values == nil {
		return nil, nil
	}
	kept := []string{}
	for _, v := range values {
		v = strings.Join(strings.Fields(strings.ToValidUTF8(v, "")), " ")
		if utf8.RuneCountInString(v) > maxFindingText {
			return nil, invalid(string(f), "finding_long", "a value of %s has more than %d characters", f, maxFindingText)
		}
		if v != "" && !slices.Contains(kept, v) {
			kept = append(kept, v)
		}
	}
	switch {
	case row.kind == FindingChoice && (len(kept) != 1 || !slices.Contains(row.choices, kept[0])):
		return nil, invalid(string(f), "finding_choice", "%s is %q; it is one of %s", f, strings.Join(kept, ", "), strings.Join(row.choices, ", "))
	case row.kind == FindingText && len(kept) > 1:
		return nil, invalid(string(f), "finding_one", "%s has %d values; give one", f, len(kept))
	case len(kept) > maxFindingItems:
		return nil, invalid(string(f), "finding_many", "%s has %d items; the limit is %d", f, len(kept), maxFindingItems)
	case f == FindingLanguage && len(kept) == 1:
		kept[0] = strings.ToLower(kept[0])
		if len(kept[0]) != 2 || strings.ContainsFunc(kept[0], func(r rune) bool { return r < 'a' || r > 'z' }) {
			return nil, invalid(string(f), "finding_language", "language is %q; write two letters, such as ja or en", kept[0])
		}
	}
	return kept, nil
}

// TickAction ticks an action item of a message's analysis off, or opens it again.
func (d *Desk) TickAction(ctx context.Context, a Actor, messageID, item string, done bool) error {
	if err := a.may("tick an action item off", PermitEdit); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		m, err := messages.Get(c, key(messageID))
		if m, err = found(m, err, "message", messageID); err != nil {
			return err
		}
		analysis, err := optional(analyses.Get(c, key(messageID)))
		if err != nil {
			return err
		}
		if analysis == nil || !slices.Contains(analysis.Effective().ActionItems, item) {
			return notFound("action item", item)
		}
		if analysis.ticked(item) == done {
			return nil
		}
		if done {
			analysis.Ticked = append(analysis.Ticked, Ticked{Text: item, By: a.UserID, At: c.now})
		} else {
			analysis.Ticked = slices.DeleteFunc(analysis.Ticked, func(t Ticked) bool { return foldWords(t.Text) == foldWords(item) })
		}
		if err := c.putAnalysis(m, analysis); err != nil {
			return err
		}
		says := map[bool]string{true: "done", false: "open"}[done]
		_, err = c.record(Event{Kind: EventActionTicked, Ticket: m.Ticket, Message: m.ID, Data: map[string]string{"text": item, "state": says}})
		return err
	})
}

// CorrectedMail is a mail whose analysis people corrected: what a model was
// given, and what is right.
type CorrectedMail struct {
	Input    AnalysisInput
	Analysis Analysis // as the model said it, with the corrections
}

// Corrections calls write with every mail whose analysis was corrected, in the
// order of their ids, and says in the log that mails were taken out of the house.
func (d *Desk) Corrections(ctx context.Context, a Actor, write func(CorrectedMail) error) error {
	if err := a.may("take corrected mails out of the house", PermitExport); err != nil {
		return err
	}
	if err := d.update(ctx, a, func(c *command) error {
		_, err := c.record(Event{Kind: EventExported, Data: map[string]string{"what": "corrections"}})
		return err
	}); err != nil {
		return err
	}
	return d.view(ctx, func(r store.Reader) error {
		for analysis, err := range analyses.ScanIndex(r, "corrected", store.Range{}) {
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			m, err := messages.Get(r, key(analysis.MessageID))
			if err != nil {
				return err
			}
			in, err := inputOf(r, m)
			if err != nil {
				return err
			}
			if err := write(CorrectedMail{*in, *analysis}); err != nil {
				return err
			}
		}
		return nil
	})
}

// inputOf is what the model is given of a message.
func inputOf(r store.Reader, m *Message) (*AnalysisInput, error) {
	body, err := bodies.Get(r, key(m.ID))
	if err != nil {
		return nil, err
	}
	return &AnalysisInput{MessageID: m.ID, Subject: m.Subject, From: m.From.Name, Text: body.forModel()}, nil
}
