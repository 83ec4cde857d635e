package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// InsightQuery asks what customers' mails of some days said.
type InsightQuery struct {
	// From and To are days, 2006-01-02, where the house works, both included; the
	// last 14 days where empty.
	From, To   string
	PipelineID string // "" is all
	AliasID    string
	CompanyID  string
}

// Insights are what the analyses of a time say together.
type Insights struct {
	From, To string
	Days     []InsightDay // one a day, days without mail too
	Total    InsightDay
	Before   InsightDay // the same number of days before them
	// Challenges and Topics are those named most often, in Sampled mails, the newest
	// of the time; Partial says that there were more.
	Challenges []InsightWord
	Topics     []InsightWord
	Sampled    int
	Partial    bool
	Actions    []OpenAction
	MoreOpen   bool // there are more action items
	FollowUps  []FollowUp
	MoreDue    bool
}

// InsightWord is something that several mails name, in the words of the first.
type InsightWord struct {
	Text    string
	Mails   int
	Tickets []uint64 // the newest first, at most 5
}

// OpenAction is an action item that nobody ticked off, of an open ticket.
type OpenAction struct {
	MessageID string
	Text      string
	Ticket    uint64
	Subject   string
	Customer  string
	ReplyType string
	At        time.Time // of the mail
}

// FollowUp is a customer of high value who waits for us.
type FollowUp struct {
	Row TicketRow
	Due time.Time // a day after the customer began to wait
}

// Bounds of an answer, whatever the store's size.
const (
	maxInsightDays  = 3 * 366
	insightSample   = 2000 // mails read for challenges and topics
	maxInsightWords = 10
	maxOpenActions  = 50
	maxFollowUps    = 20
	insightLooks    = 2000   // records looked at for a list
	companyMails    = 20_000 // mails read of one company
	followUpWithin  = 24 * time.Hour
)

// Insights returns what customers' mails of some days said.
func (d *Desk) Insights(ctx context.Context, a Actor, q InsightQuery) (*Insights, error) {
	if err := a.may("read insights", PermitInsights); err != nil {
		return nil, err
	}
	var in *Insights
	err := d.view(ctx, func(r store.Reader) error {
		clocks := newClocks(r, d.zones)
		schedule, err := clocks.schedule("")
		if err != nil {
			return err
		}
		query, err := q.days(d.now().In(schedule.Zone()))
		if err != nil {
			return err
		}
		in = &Insights{From: query.From, To: query.To}
		return in.fill(ctx, r, query, newNames(r, a), d.now())
	})
	return in, err
}

// days checks the days of q and fills in those that are missing.
func (q InsightQuery) days(now time.Time) (InsightQuery, error) {
	q.To = cmp.Or(q.To, now.Format(dayLayout))
	to, err := time.Parse(dayLayout, q.To)
	if err != nil {
		return q, invalid("to", "insight_day", "%q is no day; write it like 2026-11-21", q.To)
	}
	q.From = cmp.Or(q.From, to.AddDate(0, 0, -13).Format(dayLayout))
	from, err := time.Parse(dayLayout, q.From)
	if err != nil {
		return q, invalid("from", "insight_day", "%q is no day; write it like 2026-11-21", q.From)
	}
	switch length := to.Sub(from) / (24 * time.Hour); {
	case length < 0:
		return q, invalid("from", "insight_order", "the first day, %s, is after the last, %s", q.From, q.To)
	case length >= maxInsightDays:
		return q, invalid("from", "insight_long", "%s to %s is longer than %d days; ask for less", q.From, q.To, maxInsightDays)
	}
	return q, nil
}

// before is the same number of days before q.
func (q InsightQuery) before() InsightQuery {
	from, _ := time.Parse(dayLayout, q.From) // checked by days
	to, _ := time.Parse(dayLayout, q.To)
	length := int(to.Sub(from)/(24*time.Hour)) + 1
	q.From, q.To = from.AddDate(0, 0, -length).Format(dayLayout), from.AddDate(0, 0, -1).Format(dayLayout)
	return q
}

func (in *Insights) fill(ctx context.Context, r store.Reader, q InsightQuery, n *names, now time.Time) error {
	company, err := newCompanyAnalyses(ctx, r, q)
	if err != nil {
		return err
	}
	byDay, err := q.count(r, company)
	if err != nil {
		return err
	}
	from, _ := time.Parse(dayLayout, q.From)
	for at := from; at.Format(dayLayout) <= q.To; at = at.AddDate(0, 0, 1) {
		day := InsightDay{Day: at.Format(dayLayout)}
		if counted := byDay[day.Day]; counted != nil {
			day = *counted
		}
		in.Total.Merge(&day)
		in.Days = append(in.Days, day)
	}
	before, err := q.before().count(r, company)
	if err != nil {
		return err
	}
	for _, day := range before {
		in.Before.Merge(day)
	}
	if err := in.words(ctx, q.analyses(r, company)); err != nil {
		return err
	}
	if err := in.actions(r, q, company); err != nil {
		return err
	}
	return in.followUps(r, q, n, now)
}

// count adds up the days of q.
func (q InsightQuery) count(r store.Reader, company *companyAnalyses) (map[string]*InsightDay, error) {
	days := map[string]*InsightDay{}
	of := func(day string) *InsightDay {
		if days[day] == nil {
			days[day] = &InsightDay{Day: day}
		}
		return days[day]
	}
	if company != nil {
		for _, a := range company.list {
			if q.fits(a.Counted) {
				of(a.Counted.Day).add(a, 1)
			}
		}
		return days, nil
	}
	for day, err := range insightDays.Scan(r, q.rangeOf()) {
		if err != nil {
			return nil, err
		}
		if q.fits(&Counted{Day: day.Day, PipelineID: day.PipelineID, AliasID: day.AliasID}) {
			of(day.Day).Merge(day)
		}
	}
	return days, nil
}

// rangeOf is that of keys which begin with a day.
func (q InsightQuery) rangeOf(prefix ...any) store.Range {
	return store.Range{Start: key(append(slices.Clone(prefix), q.From)...), End: store.Prefix(key(append(slices.Clone(prefix), q.To)...)).End}
}

func (q InsightQuery) fits(at *Counted) bool {
	return q.From <= at.Day && at.Day <= q.To && (q.PipelineID == "" || q.PipelineID == at.PipelineID) && (q.AliasID == "" || q.AliasID == at.AliasID)
}

// analyses are those that q asks for, the newest day first.
func (q InsightQuery) analyses(r store.Reader, company *companyAnalyses) iter.Seq2[*Analysis, error] {
	if company != nil {
		return company.fitting(q)
	}
	index, rng := "day", q.rangeOf()
	switch {
	case q.AliasID != "":
		index, rng = "alias+day", q.rangeOf(q.AliasID)
	case q.PipelineID != "":
		index, rng = "pipeline+day", q.rangeOf(q.PipelineID)
	}
	rng.Reverse = true
	return func(yield func(*Analysis, error) bool) {
		for a, err := range analyses.ScanIndex(r, index, rng) {
			if err == nil && !q.fits(a.Counted) {
				continue
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

// companyAnalyses are the counted analyses of a company's mails. Who belongs to a
// company follows from its domains, so nothing is counted for it beforehand.
type companyAnalyses struct{ list []*Analysis }

// newCompanyAnalyses returns nil where no company is asked for.
func newCompanyAnalyses(ctx context.Context, r store.Reader, q InsightQuery) (*companyAnalyses, error) {
	if q.CompanyID == "" {
		return nil, nil
	}
	if _, err := companies.Get(r, key(q.CompanyID)); errors.Is(err, store.ErrNotFound) {
		return nil, notFound("company", q.CompanyID)
	} else if err != nil {
		return nil, err
	}
	c := &companyAnalyses{}
	people := ContactQuery{Company: q.CompanyID}
	for contact, err := range people.fitting(r) {
		if err != nil {
			return nil, err
		}
		for t, err := range tickets.ScanIndex(r, "contact", store.Prefix(key(contact.ID))) {
			if err != nil {
				return nil, err
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := c.add(r, t.Number); err != nil {
				return nil, err
			}
			if len(c.list) >= companyMails {
				return nil, conflict("insight_company", "company %s has more than %d analysed mails; leave the company out", q.CompanyID, companyMails)
			}
		}
	}
	slices.SortFunc(c.list, func(a, b *Analysis) int {
		return cmp.Or(cmp.Compare(b.Counted.Day, a.Counted.Day), cmp.Compare(b.MessageID, a.MessageID))
	})
	return c, nil
}

func (c *companyAnalyses) add(r store.Reader, ticket uint64) error {
	list, err := messagesOf(r, ticket)
	if err != nil {
		return err
	}
	for _, m := range list {
		a, err := optional(analyses.Get(r, key(m.ID)))
		if err != nil {
			return err
		}
		if a != nil && a.Counted != nil && !a.Counted.Out {
			c.list = append(c.list, a)
		}
	}
	return nil
}

func (c *companyAnalyses) fitting(q InsightQuery) iter.Seq2[*Analysis, error] {
	return func(yield func(*Analysis, error) bool) {
		for _, a := range c.list {
			if q.fits(a.Counted) && !yield(a, nil) {
				return
			}
		}
	}
}
