package helpdesk_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

// busyYear is a house over some months, with everything that happens to tickets.
type busyYear struct {
	*house
	random   *rand.Rand
	actors   []helpdesk.Actor
	aliases  []helpdesk.Alias
	mails    []string // customers' messages, by id
	readings []string // of these, what a model has read
	moved    []*helpdesk.Moving
	tickets  uint64
	done     map[string]int
}

// newBusyYear has three addresses, two pipelines, agents, a team and due times.
func newBusyYear(t *testing.T, seed uint64) *busyYear {
	h, agents := newBusyHouse(t)
	y := &busyYear{house: h, random: rand.New(rand.NewPCG(seed, 7)), actors: []helpdesk.Actor{h.admin}, done: map[string]int{}}
	for _, u := range agents {
		y.actors = append(y.actors, u.Actor())
	}
	pipelines, err := h.Pipelines(t.Context(), h.admin)
	h.must(err)
	sales, err := h.SavePipeline(t.Context(), h.admin, helpdesk.Pipeline{Name: "営業", Stages: []helpdesk.Stage{{Name: "商談", Kind: helpdesk.StageOpen}, {Name: "終了", Kind: helpdesk.StageClosed}}})
	h.must(err)
	for _, alias := range []helpdesk.Alias{{Address: "sales@example.jp", PipelineID: sales.ID}, {Address: "parts+eu@example.jp", PipelineID: pipelines[0].ID}} {
		_, err := h.SaveAlias(t.Context(), h.admin, alias)
		h.must(err)
	}
	y.aliases, err = h.Aliases(t.Context(), h.admin)
	h.must(err)
	team, err := h.SaveTeam(t.Context(), h.admin, helpdesk.Team{Name: "一次対応", Members: []string{agents[0].ID}})
	h.must(err)
	h.rule(helpdesk.AssignmentRule{Name: "チームへ", When: helpdesk.RuleConditions{Keywords: []string{"urgent"}}, Then: helpdesk.RuleActions{TeamID: team.ID}})
	h.dueTimes(helpdesk.HouseScope, helpdesk.DuePolicy{Times: map[helpdesk.Priority]helpdesk.DueTimes{
		helpdesk.PriorityNormal: {First: 4 * time.Hour, Next: 6 * time.Hour, Resolution: 40 * time.Hour}, helpdesk.PriorityHigh: {First: time.Hour}}})
	return y
}

func (y *busyYear) one(numbers ...string) string { return numbers[y.random.IntN(len(numbers))] }

// somewhere is a ticket, perhaps one that is gone.
func (y *busyYear) somewhere() uint64 { return 1 + y.random.Uint64N(max(y.tickets, 1)) }

func (y *busyYear) somebody() helpdesk.Actor { return y.actors[y.random.IntN(len(y.actors))] }

func (y *busyYear) arrive() error {
	y.house.mails++
	n := y.house.mails
	var to []string
	for _, a := range y.aliases {
		if y.random.IntN(3) == 0 {
			to = append(to, a.Address)
		}
	}
	if len(to) == 0 {
		to = []string{"support@example.jp"}
	}
	in := incoming(to[0], fmt.Sprintf("Message-ID: <y%d@c.example>\r\nFrom: c%d@customer.example\r\nSubject: %s\r\n\r\nWords\r\n", n, y.random.IntN(60), y.one("Question", "urgent")), y.now)
	in.Envelope.Recipients = to
	receipt, err := y.Receive(y.t.Context(), in)
	y.tickets = max(y.tickets, receipt.Ticket)
	y.mails = append(y.mails, receipt.MessageID)
	return err
}

// answer has the customer of a ticket answer the newest mail that they were sent.
func (y *busyYear) answer() error {
	v := y.ticket(y.somewhere())
	for _, m := range slices.Backward(v.Messages) {
		if m.Message.ReplyAddress == "" || len(m.Message.To) == 0 || y.now.Sub(m.Message.At) > 80*24*time.Hour {
			continue
		}
		from := m.Message.To[0].Email
		if y.random.IntN(6) == 0 {
			from = "stranger@elsewhere.example"
		}
		receipt := y.post(m.Message.ReplyAddress, "From: "+from, "Subject: Re", "", "More")
		y.tickets = max(y.tickets, receipt.Ticket)
		y.mails = append(y.mails, receipt.MessageID)
		return nil
	}
	return nil
}

// steps are what can happen. What a ticket that is gone refuses is no failure.
func (y *busyYear) steps() map[string]func() error {
	ctx := y.t.Context()
	change := func(c helpdesk.Change) error {
		_, err := y.Change(ctx, y.admin, y.somewhere(), c)
		return err
	}
	return map[string]func() error{
		"mail": y.arrive, "another mail": y.arrive, "answer": y.answer, "another answer": y.answer,
		"reply": func() error {
			_, err := y.Reply(ctx, y.somebody(), helpdesk.Reply{Ticket: y.somewhere(), Text: "Here.", Close: y.random.IntN(3) == 0})
			return err
		},
		"undo": func() error {
			if v := y.ticket(y.somewhere()); len(v.Messages) > 0 {
				if last := v.Messages[len(v.Messages)-1]; last.Undoable {
					_, err := y.Undo(ctx, y.admin, last.Message.ID)
					return err
				}
			}
			return nil
		},
		"close":    func() error { s := y.one("完了", "終了"); return change(helpdesk.Change{Stage: &s}) },
		"reopen":   func() error { s := y.one("対応中", "商談"); return change(helpdesk.Change{Stage: &s}) },
		"assign":   func() error { id := y.one("", y.somebody().UserID); return change(helpdesk.Change{Assignee: &id}) },
		"tag":      func() error { tags := []string{y.one("a", "b")}; return change(helpdesk.Change{Tags: &tags}) },
		"priority": func() error { p := helpdesk.Priorities[y.random.IntN(4)]; return change(helpdesk.Change{Priority: &p}) },
		"rest": func() error {
			until := y.now.Add(time.Duration(1+y.random.IntN(90)) * time.Hour)
			if y.random.IntN(3) == 0 {
				until = time.Time{}
			}
			return change(helpdesk.Change{Snooze: &helpdesk.Snooze{Until: until}})
		},
		"spam":    func() error { _, err := y.MarkSpam(ctx, y.admin, y.somewhere(), helpdesk.BlockNobody); return err },
		"no spam": func() error { _, err := y.MarkNotSpam(ctx, y.admin, y.somewhere()); return err },
		"follow":  func() error { _, err := y.Follow(ctx, y.somebody(), y.somewhere(), y.random.IntN(3) > 0); return err },
		"mention": func() error { _, err := y.AddNote(ctx, y.somebody(), y.somewhere(), "@agent0 @sato look"); return err },
		"look":    func() error { n := y.somewhere(); return y.MarkSeen(ctx, y.somebody(), n, y.ticket(n).LastSeq) },
		"schedule": func() error {
			_, err := y.Send(ctx, y.somebody(), helpdesk.Reply{Ticket: y.somewhere(), Text: "Later"}, helpdesk.Sending{At: y.now.Add(30 * time.Hour)})
			return err
		},
		"log": func() error {
			_, err := y.LogReply(ctx, y.admin, helpdesk.LoggedReply{Ticket: y.somewhere(), Text: "By phone", Channel: "phone"})
			return err
		},
		"held": func() error {
			if v := y.ticket(y.somewhere()); len(v.Held) > 0 {
				how := []helpdesk.Resolution{helpdesk.ResolveJoin, helpdesk.ResolveSplit, helpdesk.ResolveRefuse}[y.random.IntN(3)]
				n, err := y.ResolveHeld(ctx, y.admin, v.Held[0].Message.ID, how)
				y.tickets = max(y.tickets, n)
				return err
			}
			return nil
		},
		"merge": func() error {
			moving, err := y.Merge(ctx, y.admin, y.somewhere(), y.somewhere())
			if err == nil {
				y.moved = append(y.moved, moving)
			}
			return err
		},
		"move": func() error {
			into := y.somewhere() * y.random.Uint64N(2) // 0 is a new one
			if v := y.ticket(y.somewhere()); len(v.Messages) > 1 {
				moving, err := y.Move(ctx, y.admin, v.Messages[y.random.IntN(len(v.Messages))].Message.ID, into)
				if err == nil {
					y.tickets = max(y.tickets, moving.Into)
				}
				return err
			}
			return nil
		},
		"undo merge": func() error {
			if len(y.moved) == 0 {
				return nil
			}
			last := y.moved[len(y.moved)-1]
			y.moved = y.moved[:len(y.moved)-1]
			_, err := y.UndoMerge(ctx, y.admin, last.ID)
			return err
		},
		"read": y.analyse, "read another": y.analyse, "correct": func() error {
			if len(y.readings) == 0 {
				return nil
			}
			_, err := y.CorrectAnalysis(ctx, y.admin, y.one(y.readings...), map[helpdesk.Finding][]string{replyType: {y.one("standard", "high_value", "needs_attention")}})
			return err
		},
		"erase": func() error {
			if y.random.IntN(8) > 0 {
				return nil
			}
			who := y.ticket(y.somewhere()).Row.Contact
			e, err := y.EraseContact(ctx, y.admin, who.ID, who.Email)
			if err != nil {
				return err
			}
			if err := y.EraseRecords(ctx, e.ID); err != nil {
				return err
			}
			return y.FinishErasure(ctx, e.ID)
		},
		"import": func() error {
			y.tickets++
			t := bought()
			t.ID, t.Open = fmt.Sprint(y.tickets, y.now), y.random.IntN(2) == 0
			for i := range t.Entries {
				t.Entries[i].ID, t.Entries[i].MessageID = fmt.Sprint(t.ID, i), ""
			}
			out, err := y.ImportTicket(ctx, y.admin, t, helpdesk.ImportOptions{Alias: "support@example.jp"})
			if err != nil {
				y.tickets--
			} else {
				y.tickets = max(y.tickets-1, out.Ticket)
			}
			return err
		},
	}
}

// analyse stores what a model says of a mail.
func (y *busyYear) analyse() error {
	if len(y.mails) == 0 {
		return nil
	}
	a := helpdesk.Analysis{MessageID: y.mails[y.random.IntN(len(y.mails))], Model: "m", ReplyType: y.one("standard", "high_value", "needs_attention"),
		Sentiment: y.one("positive", "negative"), Opportunity: 1 + y.random.IntN(5), Language: y.one("ja", "en"), FollowUp: true, ActionItems: []string{"Call"}}
	if y.random.IntN(5) == 0 {
		a = helpdesk.Analysis{MessageID: a.MessageID, Error: "broken"}
	}
	y.readings = append(y.readings, a.MessageID)
	return y.StoreAnalysis(y.t.Context(), a)
}

// tick lets time pass and does what is due.
func (y *busyYear) tick() {
	y.pass(time.Duration(y.random.IntN(300)) * time.Minute)
	y.work(helpdesk.TimerWake, y.WakeDue)
	y.work(helpdesk.TimerSend, y.SendScheduled)
	y.deliver(func(string) (helpdesk.Attempt, bool) {
		if y.random.IntN(8) == 0 {
			return helpdesk.Attempt{Code: 552, Enhanced: "5.2.2", Text: "mailbox full"}, true
		}
		return taken("")
	})
	y.work(helpdesk.TimerOverdue, y.MarkOverdue) // also of those whom a failure has just woken
}

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
