package helpdesk_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
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
