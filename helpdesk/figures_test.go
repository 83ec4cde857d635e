package helpdesk_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

func (y *busyYear) every() (all []helpdesk.TicketRow) {
	for n := range y.tickets {
		row, err := y.TicketRow(y.t.Context(), y.admin, n+1)
		y.must(err)
		all = append(all, *row)
	}
	return all
}

func (y *busyYear) rows(a helpdesk.Actor, q helpdesk.TicketQuery) (n int) {
	for {
		page, next, err := y.Tickets(y.t.Context(), a, q)
		y.must(err)
		n += len(page)
		if q.After = next; next == "" {
			return n
		}
	}
}

// compare holds each figure against the list that it leads to, and against the tickets.
func (y *busyYear) compare() {
	y.t.Helper()
	ctx := y.t.Context()
	for _, a := range y.actors {
		counts, err := y.Counts(ctx, a)
		y.must(err)
		for view, n := range counts.Views {
			want := y.rows(a, helpdesk.TicketQuery{View: view})
			if view == helpdesk.ViewMentions {
				want = 0
				for _, row := range y.every() {
					if slices.Contains(row.Ticket.UnreadMentions, a.UserID) && row.Ticket.State() != "" && row.Ticket.State() != helpdesk.StateSpam {
						want++
					}
				}
			}
			if n != want {
				y.t.Errorf("%s of %s counts %d; its list has %d", view, a.UserID, n, want)
			}
		}
		for id, n := range counts.Pipelines {
			if want := y.rows(a, helpdesk.TicketQuery{Filter: helpdesk.Filter{Pipelines: []string{id}}}); n != want {
				y.t.Errorf("pipeline %s counts %d; its list has %d", id, n, want)
			}
		}
	}
	y.compareSituation()
	y.compareInsights()
	y.verify()
}

func (y *busyYear) compareSituation() {
	y.t.Helper()
	s, err := y.Situation(y.t.Context(), y.admin)
	y.must(err)
	same := func(what string, n int, q helpdesk.TicketQuery) {
		y.t.Helper()
		if want := y.rows(y.admin, q); n != want {
			y.t.Errorf("the situation says %d %s; the list %+v has %d", n, what, q, want)
		}
	}
	office, err := hours.New(hours.Office("Asia/Tokyo"), time.LoadLocation)
	y.must(err)
	same("waiting", s.Waiting.Waiting, helpdesk.TicketQuery{View: helpdesk.ViewWaiting})
	same("open", s.Open, helpdesk.TicketQuery{View: helpdesk.ViewOpen})
	same("unassigned", s.Unassigned.Waiting, helpdesk.TicketQuery{View: helpdesk.ViewWaiting, Filter: helpdesk.Filter{Assignees: []string{helpdesk.AssigneeNone}}})
	for _, l := range s.Pipelines {
		same("of a pipeline", l.Waiting, helpdesk.TicketQuery{View: helpdesk.ViewWaiting, Filter: helpdesk.Filter{Pipelines: []string{l.ID}}})
	}
	for _, l := range s.Aliases {
		same("of an alias", l.Waiting, helpdesk.TicketQuery{View: helpdesk.ViewWaiting, Filter: helpdesk.Filter{Aliases: []string{l.Name}}})
	}
	for _, l := range s.Teams {
		same("of a team", l.Waiting, helpdesk.TicketQuery{View: helpdesk.ViewWaiting, Filter: helpdesk.Filter{Teams: []string{l.ID}}})
	}
	for _, p := range s.People {
		same("of a person, open", p.Open, helpdesk.TicketQuery{View: helpdesk.ViewOpen, Filter: helpdesk.Filter{Assignees: []string{p.User.ID}}})
		same("of a person, waiting", p.Waiting, helpdesk.TicketQuery{View: helpdesk.ViewWaiting, Filter: helpdesk.Filter{Assignees: []string{p.User.ID}}})
	}
	bands, overdue := 0, 0
	for _, b := range s.Bands {
		bands += b.Count
	}
	work := time.Duration(0)
	for _, row := range y.every() {
		if t := row.Ticket; t.State() == helpdesk.StateOpen && !t.WaitingSince.IsZero() {
			work = max(work, office.Between(t.WaitingSince, y.now))
			if t.Overdue {
				overdue++
			}
		}
		if t := row.Ticket; t.Overdue != (!t.DueAt.IsZero() && !t.DueAt.After(y.now)) {
			y.t.Errorf("ticket %d is due %s and overdue: %t at %s", t.Number, t.DueAt, t.Overdue, y.now)
		}
	}
	if bands != s.Waiting.Waiting || overdue != s.Waiting.Overdue || work != s.Waiting.Work {
		y.t.Errorf("of %+v bands have %d, overdue are %d, work is %s", s.Waiting, bands, overdue, work)
	}
}

func (y *busyYear) compareInsights() {
	y.t.Helper()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	y.must(err)
	to := y.now.In(tokyo)
	q := helpdesk.InsightQuery{From: to.AddDate(0, 0, -60).Format(time.DateOnly), To: to.Format(time.DateOnly)}
	in, err := y.Insights(y.t.Context(), y.admin, q)
	y.must(err)
	days, types := map[string]int{}, map[string]int{}
	actions := 0
	for n := range y.tickets {
		v := y.ticket(n + 1)
		for _, m := range slices.Concat(v.Messages, v.Held) {
			day := m.Message.At.In(tokyo).Format(time.DateOnly)
			if m.Analysis == nil || !m.Analysis.Found() || v.Row.Ticket.Spam != nil || day < q.From {
				continue
			}
			days[day]++
			types[m.Analysis.Effective().ReplyType]++
			if v.Row.Ticket.Open && v.Row.Ticket.State() != "" {
				actions += len(m.Analysis.OpenActions())
			}
		}
	}
	got := map[string]int{}
	for _, d := range in.Days {
		if d.Mails > 0 {
			got[d.Day] = d.Mails
		}
	}
	if !maps.Equal(got, days) || !maps.Equal(in.Total.Counts[replyType], types) || len(in.Actions) != min(actions, 50) {
		y.t.Errorf("insights\n%v %v, %d actions\nwant\n%v %v, %d actions", got, in.Total.Counts[replyType], len(in.Actions), days, types, actions)
	}
}

// Whatever happened, in whatever order, each figure is as large as its list is long.
func TestFiguresAreThoseOfTheirLists(t *testing.T) {
	y := newBusyYear(t, 1)
	steps := y.steps()
	names := slices.Sorted(maps.Keys(steps))
	for range 50 {
		y.must(y.arrive())
		y.tick()
	}
	for round := range 6 {
		y.random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			err := steps[name]()
			if err == nil {
				y.done[name]++
			} else if helpdesk.CodeOf(err) == helpdesk.CodeInternal {
				t.Fatalf("%s: %v", name, err)
			}
			y.tick()
		}
		if round%3 == 2 {
			y.compare()
		}
	}
	if len(y.done) < len(steps)-2 {
		t.Errorf("only %v happened: the test proves little", y.done)
	}
}
