package helpdesk

import (
	"context"
	"fmt"
	"maps"

	"github.com/madoguchi/madoguchi/store"
)

// Counted says where the insights count an analysis. It is fixed when it is
// first counted, so that it can be taken out again.
type Counted struct {
	Day        string // on which the mail came, 2006-01-02, where the house works
	PipelineID string // of its ticket then
	AliasID    string
	Out        bool // it is not counted: there is no result, or the ticket is spam
}

// InsightDay is what the analyses of one day's mails say, for one pipeline and
// alias. It is kept in the transaction of each analysis, so that a year is read
// without reading mails.
type InsightDay struct {
	Day        string
	PipelineID string
	AliasID    string
	Mails      int
	Corrected  int // mails of which people corrected something
	// Counts are how often each value of a choice, and each language, was found.
	Counts map[Finding]map[string]int
}

var insightDays = store.NewTable(store.Spec[InsightDay]{Name: "insightday", Version: 1,
	Key: func(d *InsightDay) []byte { return key(d.Day, d.PipelineID, d.AliasID) }})

// add counts an analysis once more, or, with -1, once less.
func (d *InsightDay) add(a *Analysis, n int) {
	d.Mails += n
	if len(a.Corrections) > 0 {
		d.Corrected += n
	}
	said := a.Effective()
	for _, row := range findingTable {
		if row.kind != FindingChoice && row.name != FindingLanguage {
			continue
		}
		for _, value := range row.get(said) {
			d.count(row.name, value, n)
		}
	}
}

func (d *InsightDay) count(f Finding, value string, n int) {
	if d.Counts == nil {
		d.Counts = map[Finding]map[string]int{}
	}
	if d.Counts[f] == nil {
		d.Counts[f] = map[string]int{}
	}
	if d.Counts[f][value] += n; d.Counts[f][value] == 0 {
		delete(d.Counts[f], value)
	}
}

// Merge adds what another record counts.
func (d *InsightDay) Merge(other *InsightDay) {
	d.Mails += other.Mails
	d.Corrected += other.Corrected
	for f, values := range other.Counts {
		for value, n := range values {
			d.count(f, value, n)
		}
	}
}

// same compares what two records count.
func (d *InsightDay) same(other *InsightDay) bool {
	if d.Mails != other.Mails || d.Corrected != other.Corrected {
		return false
	}
	for _, row := range findingTable {
		if !maps.Equal(d.Counts[row.name], other.Counts[row.name]) {
			return false
		}
	}
	return true
}

// putAnalysis writes an analysis of a message, and counts it in the place of the
// one before.
func (c *command) putAnalysis(m *Message, a *Analysis) error {
	ticket, err := tickets.Get(c, key(m.Ticket))
	if err != nil {
		return err
	}
	return c.countAnalysis(ticket, m, a)
}

// countAnalysis is putAnalysis on a ticket that is not written yet.
func (c *command) countAnalysis(t *Ticket, m *Message, a *Analysis) error {
	before, err := optional(analyses.Get(c, key(m.ID)))
	if err != nil {
		return err
	}
	if before != nil && before.Counted != nil && !before.Counted.Out {
		if err := c.countDay(before, -1); err != nil {
			return err
		}
	}
	if a.Counted == nil {
		day, err := c.clock().dayOf(m)
		if err != nil {
			return err
		}
		a.Counted = &Counted{Day: day, PipelineID: t.PipelineID, AliasID: t.AliasID}
	}
	a.Counted.Out = !a.Found() || t.Spam != nil
	if !a.Counted.Out {
		if err := c.countDay(a, 1); err != nil {
			return err
		}
	}
	return analyses.Put(c, a)
}

func (c *command) countDay(a *Analysis, n int) error {
	at := a.Counted
	id := key(at.Day, at.PipelineID, at.AliasID)
	day, err := optional(insightDays.Get(c, id))
	if err != nil {
		return err
	}
	if day == nil {
		day = &InsightDay{Day: at.Day, PipelineID: at.PipelineID, AliasID: at.AliasID}
	}
	if day.add(a, n); day.Mails == 0 {
		return insightDays.Delete(c, id)
	}
	return insightDays.Put(c, day)
}

// dayOf is the day on which a mail came, where the house works.
func (k *clocks) dayOf(m *Message) (string, error) {
	schedule, err := k.schedule("")
	if err != nil {
		return "", err
	}
	return m.At.In(schedule.Zone()).Format(dayLayout), nil
}

const dayLayout = "2006-01-02"

// recountTicket counts the analyses of a ticket that became spam, or is none any
// more.
func (c *command) recountTicket(t *Ticket) error {
	list, err := messagesOf(c, t.Number)
	if err != nil {
		return err
	}
	for _, m := range list {
		analysis, err := optional(analyses.Get(c, key(m.ID)))
		if err != nil {
			return err
		}
		if analysis == nil {
			continue
		}
		if err := c.countAnalysis(t, m, analysis); err != nil {
			return err
		}
	}
	return nil
}

// countChunk is how many analyses are counted in one transaction.
const countChunk = 200

// CountAnalyses counts those analyses that a version without insights stored.
// It returns when all are counted; the next start goes on where it was broken off.
func (d *Desk) CountAnalyses(ctx context.Context) error {
	for {
		counted := 0
		err := d.update(ctx, System("insights"), func(c *command) error {
			counted = 0
			var list []*Analysis
			for a, err := range analyses.ScanIndex(c, "uncounted", store.Range{}) {
				if err != nil {
					return err
				}
				if list = append(list, a); len(list) == countChunk {
					break
				}
			}
			for _, a := range list {
				m, err := messages.Get(c, key(a.MessageID))
				if err != nil {
					return err
				}
				if err := c.putAnalysis(m, a); err != nil {
					return err
				}
				counted++
			}
			return nil
		})
		if err != nil || counted < countChunk {
			return err
		}
	}
}

// verifyInsights counts every analysis anew.
func verifyInsights(ctx context.Context, r store.Reader) (problems []string, err error) {
	days := map[string]*InsightDay{}
	for a, err := range readable(r, analyses.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		t, err := tickets.Get(r, key(a.Ticket))
		if err != nil {
			problems = append(problems, fmt.Sprintf("the analysis of message %s is of ticket %d, which cannot be read: %v", a.MessageID, a.Ticket, err))
			continue
		}
		if a.Counted == nil {
			continue
		}
		if out := !a.Found() || t.Spam != nil; out != a.Counted.Out {
			problems = append(problems, fmt.Sprintf("the analysis of message %s is left out of the insights: %t; it should be: %t", a.MessageID, a.Counted.Out, out))
		}
		if a.Counted.Out {
			continue
		}
		id := string(key(a.Counted.Day, a.Counted.PipelineID, a.Counted.AliasID))
		if days[id] == nil {
			days[id] = &InsightDay{}
		}
		days[id].add(a, 1)
	}
	for kept, err := range readable(r, insightDays.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		id := string(key(kept.Day, kept.PipelineID, kept.AliasID))
		if days[id] == nil || !days[id].same(kept) {
			problems = append(problems, fmt.Sprintf("the insights of %s (pipeline %s, alias %s) count %d mails, which is not what their analyses say", kept.Day, kept.PipelineID, kept.AliasID, kept.Mails))
		}
		delete(days, id)
	}
	for id := range days {
		problems = append(problems, fmt.Sprintf("the insights lack the analyses at %q", id))
	}
	return problems, nil
}
