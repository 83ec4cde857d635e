package similar

import (
	"context"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// sameTopic is how much of the smaller of two topics' tickets is in both, where
// they are the same topic a day later.
const sameTopic = 0.3

// keepNames lets a topic be called as it was the day before. It orders the topics
// too: those that rise first, then the larger ones.
func (t *Topics) keepNames(ctx context.Context, report *helpdesk.TopicReport, found *foundTopics) error {
	order := make([]int, 0, len(report.Topics))
	for i := range report.Topics {
		if report.Topics[i].Count() >= leastTickets {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := report.Topics[a], report.Topics[b]
		if x.Rising != y.Rising {
			if x.Rising {
				return -1
			}
			return 1
		}
		return y.Count() - x.Count()
	})
	sorted, middles := make([]helpdesk.Topic, len(order)), make([]vector, len(order))
	for i, from := range order {
		sorted[i], middles[i] = report.Topics[from], found.middles[from]
	}
	report.Topics, found.middles = sorted, middles
	last, err := t.desk.LastTopics(ctx)
	if err != nil || last == nil {
		return err
	}
	taken := map[string]bool{}
	for i := range report.Topics {
		topic := &report.Topics[i]
		for _, old := range last.Topics {
			if !taken[old.ID] && shared(topic.Tickets, old.Tickets) >= sameTopic {
				taken[old.ID] = true
				topic.ID = old.ID
				if old.NamedBy != "" {
					topic.Name, topic.NamedBy = old.Name, old.NamedBy
				}
				break
			}
		}
	}
	return nil
}

func shared(a, b []uint64) float64 {
	in := map[uint64]bool{}
	for _, n := range a {
		in[n] = true
	}
	both := 0
	for _, n := range b {
		if in[n] {
			both++
		}
	}
	return float64(both) / float64(max(1, min(len(a), len(b))))
}

// name asks the model for the names that are not known yet; a topic without one
// is called by its words, and asked for again the next day.
func (t *Topics) name(ctx context.Context, report *helpdesk.TopicReport, found *foundTopics, mails []mail) {
	ctx, cancel := context.WithTimeout(ctx, namingTime)
	defer cancel()
	asking := t.namer != nil
	for i := range report.Topics {
		topic := &report.Topics[i]
		if topic.NamedBy != "" {
			continue
		}
		topic.Name = strings.Join(topic.Terms, "・")
		if !asking {
			continue
		}
		texts := nearestTexts(found.middles[i], topic.Tickets, mails)
		name, model, err := t.namer.Name(ctx, texts, languageOf(texts))
		if err == nil && len(topic.Terms) == 0 {
			topic.Terms = []string{name}
		}
		if err != nil {
			t.log.Warn("a topic has no name of the model", "terms", topic.Name, "error", err)
			asking = ctx.Err() == nil && !isLater(err)
			continue
		}
		if slices.ContainsFunc(report.Topics, func(other helpdesk.Topic) bool { return other.Name == name }) {
			name += "（" + topic.Terms[0] + "）"
		}
		topic.Name, topic.NamedBy = name, model
	}
}

// nearestTexts are the mails of a topic that are nearest to its middle, one a
// ticket.
func nearestTexts(middle vector, tickets []uint64, mails []mail) (texts []string) {
	type near struct {
		score float32
		at    int
	}
	var list []near
	for i := range mails {
		if mails[i].topic >= 0 && mails[i].vector.steps != nil && slices.Contains(tickets, mails[i].Ticket) {
			list = append(list, near{product(middle, mails[i].vector), i})
		}
	}
	slices.SortStableFunc(list, func(a, b near) int {
		if a.score > b.score {
			return -1
		}
		return 1
	})
	taken := map[uint64]bool{}
	for _, n := range list {
		if m := mails[n.at]; !taken[m.Ticket] && len(texts) < namingTexts {
			taken[m.Ticket] = true
			texts = append(texts, m.text)
		}
	}
	return texts
}
