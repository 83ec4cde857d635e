package helpdesk

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// words finds what the newest mails name most often.
func (in *Insights) words(ctx context.Context, list func(func(*Analysis, error) bool)) error {
	challenges, topics := newWordCount(), newWordCount()
	for a, err := range list {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if in.Sampled == insightSample {
			in.Partial = true
			break
		}
		in.Sampled++
		said := a.Effective()
		challenges.add(said.Challenges, a.Ticket)
		topics.add(said.Topics, a.Ticket)
	}
	in.Challenges, in.Topics = challenges.most(maxInsightWords, true), topics.most(maxInsightWords, false)
	return nil
}

// actions lists the open action items of open tickets, the newest mail first.
func (in *Insights) actions(r store.Reader, q InsightQuery, company *companyAnalyses) error {
	list := q.analyses(r, company)
	if company == nil {
		rng := q.rangeOf()
		rng.Reverse = true
		list = analyses.ScanIndex(r, "actions+day", rng)
	}
	looked := 0
	for a, err := range list {
		if err != nil {
			return err
		}
		if looked++; looked > insightLooks {
			in.MoreOpen = true
			return nil
		}
		if !q.fits(a.Counted) {
			continue
		}
		items := a.OpenActions()
		if len(items) == 0 {
			continue
		}
		t, err := tickets.Get(r, key(a.Ticket))
		if err != nil {
			return err
		}
		if !t.Open || t.Spam != nil || t.MergedInto != 0 {
			continue
		}
		m, err := messages.Get(r, key(a.MessageID))
		if err != nil {
			return err
		}
		for _, item := range items {
			if len(in.Actions) == maxOpenActions {
				in.MoreOpen = true
				return nil
			}
			in.Actions = append(in.Actions, OpenAction{MessageID: a.MessageID, Text: item, Ticket: t.Number, Subject: t.Subject,
				Customer: cmp.Or(m.From.Name, m.From.Email), ReplyType: a.Effective().ReplyType, At: m.At})
		}
	}
	return nil
}

// followUps lists the customers of high value who wait for us and expect
// something, whoever is late or has least time first. It is about now, whatever
// days are asked for.
func (in *Insights) followUps(r store.Reader, q InsightQuery, n *names, now time.Time) error {
	type due struct {
		ticket *Ticket
		at     time.Time
	}
	var list []due
	looked := 0
	for t, err := range tickets.ScanIndex(r, "replytype+state", store.Prefix(key("high_value", string(StateOpen)))) {
		if err != nil {
			return err
		}
		if looked++; looked > insightLooks {
			in.MoreDue = true
			break
		}
		if t.WaitingSince.IsZero() || (q.PipelineID != "" && q.PipelineID != t.PipelineID) || (q.AliasID != "" && q.AliasID != t.AliasID) {
			continue
		}
		list = append(list, due{t, t.WaitingSince.Add(followUpWithin)})
	}
	slices.SortFunc(list, func(a, b due) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.ticket.Number, b.ticket.Number)) })
	for _, w := range list {
		if len(in.FollowUps) == maxFollowUps {
			in.MoreDue = true
			return nil
		}
		wanted, err := expectsAnswer(r, w.ticket, q)
		if err != nil {
			return err
		}
		if !wanted {
			continue
		}
		row, err := n.row(w.ticket)
		if err != nil {
			return err
		}
		in.FollowUps = append(in.FollowUps, FollowUp{row, w.at})
	}
	return nil
}

// expectsAnswer says whether the newest mail of a ticket asks for a follow-up, of
// the company that is asked for.
func expectsAnswer(r store.Reader, t *Ticket, q InsightQuery) (bool, error) {
	m, err := newestCustomerMessage(r, t.Number)
	if err != nil || m == nil {
		return false, err
	}
	a, err := optional(analyses.Get(r, key(m.ID)))
	if err != nil || a == nil || !a.Effective().FollowUp || q.CompanyID == "" {
		return err == nil && a != nil && a.Effective().FollowUp, err
	}
	contact, err := contactByID(r, t.ContactID)
	if err != nil {
		return false, err
	}
	company, err := companyOf(r, contact)
	return company != nil && company.ID == q.CompanyID, err
}

// wordCount counts what mails name; what is said in nearly the same words counts
// together.
type wordCount struct {
	by    map[string]*InsightWord // folded
	order []string
}

func newWordCount() *wordCount { return &wordCount{by: map[string]*InsightWord{}} }

const maxWordTickets = 5

func (w *wordCount) add(list []string, ticket uint64) {
	seen := map[string]bool{}
	for _, text := range list {
		folded := foldWords(text)
		if folded == "" || seen[folded] {
			continue
		}
		seen[folded] = true
		word := w.by[folded]
		if word == nil {
			word = &InsightWord{Text: text}
			w.by[folded], w.order = word, append(w.order, folded)
		}
		word.take(1, ticket)
	}
}

func (word *InsightWord) take(mails int, list ...uint64) {
	word.Mails += mails
	for _, number := range list {
		if len(word.Tickets) < maxWordTickets && !slices.Contains(word.Tickets, number) {
			word.Tickets = append(word.Tickets, number)
		}
	}
}

// most are the words named most often. Sentences are joined to one that was named
// more often and shares most of its pairs of characters.
func (w *wordCount) most(limit int, sentences bool) (list []InsightWord) {
	slices.SortStableFunc(w.order, func(a, b string) int { return cmp.Compare(w.by[b].Mails, w.by[a].Mails) })
	var groups []*InsightWord
	near := newNearness()
	for n, folded := range w.order {
		word := *w.by[folded]
		if n == maxCompared {
			break // what was named once, among thousands, is not named most often
		}
		if sentences {
			if i, ok := near.find(folded); ok {
				groups[i].take(word.Mails, word.Tickets...)
				continue
			}
		}
		groups = append(groups, &word)
	}
	slices.SortStableFunc(groups, func(a, b *InsightWord) int { return cmp.Compare(b.Mails, a.Mails) })
	for _, g := range groups[:min(len(groups), limit)] {
		list = append(list, *g)
	}
	return list
}

// nearness finds the text before that is most like another, by the pairs of
// characters that they share (the coefficient of Dice).
type nearness struct {
	sizes []int
	texts map[[2]rune][]int
}

func newNearness() *nearness { return &nearness{texts: map[[2]rune][]int{}} }

const (
	nearEnough  = 0.6
	maxCompared = 3000
)

// find returns the number of a text like this one; where there is none, this one
// gets the next number.
func (n *nearness) find(text string) (int, bool) {
	runes := []rune(text)
	pairs := map[[2]rune]bool{}
	for i := range len(runes) - 1 {
		pairs[[2]rune{runes[i], runes[i+1]}] = true
	}
	shared := map[int]int{}
	for pair := range pairs {
		for _, i := range n.texts[pair] {
			shared[i]++
		}
	}
	best, most := 0, 0.0
	for i, both := range shared {
		like := 2 * float64(both) / float64(len(pairs)+n.sizes[i])
		if like > most || like == most && i < best {
			best, most = i, like
		}
	}
	if most >= nearEnough {
		return best, true
	}
	for pair := range pairs {
		n.texts[pair] = append(n.texts[pair], len(n.sizes))
	}
	n.sizes = append(n.sizes, len(pairs))
	return 0, false
}
