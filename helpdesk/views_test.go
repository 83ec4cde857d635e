package helpdesk_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// crowded is a house with a mixture of tickets: brands, tags, stages, people,
// priorities, languages, spam, held mail.
func crowded(t *testing.T, tickets int, seed uint64) *house {
	h := newHouse(t)
	r := rand.New(rand.NewPCG(seed, 4))
	addresses := []string{"support@example.jp"}
	for address, brand := range map[string]string{"red@example.jp": "赤い店", "redder@example.jp": "赤い店", "blue@example.jp": "青い店"} {
		if _, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: address, Brand: brand, Language: []string{"ja", "en", ""}[r.IntN(3)]}); err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, address)
	}
	slices.Sort(addresses)
	agent, err := h.CreateUser(t.Context(), h.admin, helpdesk.NewUser{Email: "abe@example.jp", Name: "阿部", Password: "correct horse battery", Role: helpdesk.RoleAgent})
	if err != nil {
		t.Fatal(err)
	}
	for n := range tickets {
		to := addresses[r.IntN(len(addresses))]
		if r.IntN(5) == 0 {
			to += "," + addresses[r.IntN(len(addresses))]
		}
		receipt := h.post(to, fmt.Sprintf("From: c%d@customer.example", n%7), fmt.Sprintf("Subject: Matter %d", n), "", fmt.Sprintf("Words %d", n))
		h.pass(time.Duration(r.IntN(3)) * time.Second) // some at the same time
		change := helpdesk.Change{}
		if r.IntN(2) == 0 {
			assignee := []string{"", h.user.ID, agent.ID}[r.IntN(3)]
			change.Assignee = &assignee
		}
		if r.IntN(3) > 0 {
			tags := [][]string{{"vip"}, {"vip", "invoice"}, {"invoice"}, nil}[r.IntN(4)]
			change.Tags = &tags
		}
		if r.IntN(3) == 0 {
			stage := []string{"対応中", "完了"}[r.IntN(2)]
			change.Stage = &stage
		}
		priority := helpdesk.Priorities[r.IntN(len(helpdesk.Priorities))]
		change.Priority = &priority
		if _, err := h.Change(t.Context(), h.admin, receipt.Ticket, change); err != nil {
			t.Fatal(err)
		}
		switch r.IntN(9) {
		case 8:
			if row, err := h.TicketRow(t.Context(), h.admin, receipt.Ticket); err == nil && row.Ticket.Open {
				if _, err := h.Snooze(t.Context(), h.admin, receipt.Ticket, h.now.Add(100*time.Hour), ""); err != nil {
					t.Fatal(err)
				}
			}
		case 0:
			if _, err := h.MarkSpam(t.Context(), h.admin, receipt.Ticket, helpdesk.BlockNobody); err != nil {
				t.Fatal(err)
			}
		case 1:
			h.reply(receipt.Ticket, "An answer")
		case 2, 3:
			err := h.StoreAnalysis(t.Context(), helpdesk.Analysis{MessageID: receipt.MessageID, Model: "m", Language: "en",
				ReplyType: []string{"standard", "high_value", "needs_attention"}[r.IntN(3)]})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return h
}

// all pages through a query, whatever the size of its pages.
func (h *house) all(q helpdesk.TicketQuery) (rows []helpdesk.TicketRow) {
	h.t.Helper()
	for range 1000 {
		page, next, err := h.Tickets(h.t.Context(), h.admin, q)
		if err != nil {
			h.t.Fatalf("%+v: %v", q, err)
		}
		rows = append(rows, page...)
		if q.After = next; next == "" {
			return rows
		}
	}
	h.t.Fatalf("%+v has no end", q)
	return nil
}

// every is the state of all tickets, read one by one.
func (h *house) every(tickets int) (all []helpdesk.TicketRow) {
	h.t.Helper()
	for n := range tickets {
		row, err := h.TicketRow(h.t.Context(), h.admin, uint64(n+1))
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, *row)
	}
	return all
}

// A list has exactly the tickets that fit, each once, in its order, and its
// count says how many: judged by looking at every ticket, for random queries.
func TestListsAreWhatLookingAtEveryTicketFinds(t *testing.T) {
	const tickets = 150
	seeds := uint64(2)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		h := crowded(t, tickets, seed)
		every := h.every(tickets)
		aliases, _ := h.Aliases(t.Context(), h.admin)
		pipelines, _ := h.Pipelines(t.Context(), h.admin)
		r := rand.New(rand.NewPCG(seed, 8))
		some := func(values ...string) (chosen []string) {
			for _, v := range values {
				if r.IntN(3) == 0 {
					chosen = append(chosen, v)
				}
			}
			return chosen
		}
		found := 0
		for range 400 {
			q := helpdesk.TicketQuery{View: helpdesk.Views[r.IntN(len(helpdesk.Views))], Sort: helpdesk.Sorts[r.IntN(len(helpdesk.Sorts))], Limit: 1 + r.IntN(30)}
			fields := []func(){
				func() { q.Tags = some("vip", "invoice", "nobody has it") },
				func() { q.Assignees = some(helpdesk.AssigneeMe, helpdesk.AssigneeNone) },
				func() { q.Brands = some("赤い店", "青い店", "no such brand") },
				func() { q.Aliases = some("support@example.jp", "RED@example.jp") },
				func() { q.Languages = some("ja", "en", "") },
				func() { q.ReplyTypes = some("high_value", "needs_attention", "") },
				func() { q.Priorities = []helpdesk.Priority{helpdesk.Priorities[r.IntN(4)], helpdesk.PriorityUrgent} },
				func() { q.Stages = some(pipelines[0].Stages[1].ID, pipelines[0].Stages[2].ID) },
				func() { q.Pipelines = some(pipelines[0].ID) },
				func() { q.Waiting = true },
				func() { q.Only = some("赤い店", "blue@example.jp") },
				func() { q.Contact = every[r.IntN(tickets)].Contact.ID },
				func() { q.Text = []string{"matter", "1", "c3@"}[r.IntN(3)] },
			}
			for range r.IntN(4) {
				fields[r.IntN(len(fields))]()
			}
			want := map[uint64]bool{}
			for _, row := range every {
				if inView(q.View, row.Ticket, h.user.ID) && fitsFilter(q, row, aliases, h.user.ID) {
					want[row.Ticket.Number] = true
				}
			}
			rows := h.all(q)
			got := map[uint64]bool{}
			for i, row := range rows {
				if got[row.Ticket.Number] {
					t.Fatalf("%+v has ticket %d twice", q, row.Ticket.Number)
				}
				got[row.Ticket.Number] = true
				if i > 0 && !inOrder(q.Sort, rows[i-1].Ticket, row.Ticket) {
					t.Fatalf("%+v: ticket %d before %d", q, rows[i-1].Ticket.Number, row.Ticket.Number)
				}
			}
			if !maps.Equal(got, want) {
				t.Fatalf("%+v\nfinds %v\nwant  %v", q, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
			if n, err := h.CountTickets(t.Context(), h.admin, q); err != nil || n != len(want) {
				t.Fatalf("%+v counts %d, %v; want %d", q, n, err, len(want))
			}
			found += len(want)
		}
		if found < 2000 {
			t.Errorf("only %d tickets found in all: the test proves little", found)
		}
	}
}

// inView tells from the ticket's fields alone whether a view has it.
func inView(v helpdesk.View, t helpdesk.Ticket, me string) bool {
	spam := t.Spam != nil
	switch v {
	case helpdesk.ViewMine:
		return t.Open && !spam && t.Snooze == nil && t.AssigneeID == me
	case helpdesk.ViewUnassigned:
		return t.Open && !spam && t.Snooze == nil && t.AssigneeID == ""
	case helpdesk.ViewFollowing:
		return t.Open && !spam && slices.Contains(t.Followers, me)
	case helpdesk.ViewSnoozed:
		return t.Open && !spam && t.Snooze != nil
	case helpdesk.ViewWaiting:
		return t.Open && !spam && t.Snooze == nil && !t.WaitingSince.IsZero()
	case helpdesk.ViewDrafts:
		return !spam && slices.Contains(t.Drafters, me)
	case helpdesk.ViewApproval:
		return !spam && t.Reviews > 0
	case helpdesk.ViewPlanned:
		return t.Open && !spam && t.AutoReply != nil && t.AutoReply.State == helpdesk.AutoReplyPlanned
	case helpdesk.ViewUnmatched:
		return t.Open && !spam && t.AutoReply != nil && t.AutoReply.State == helpdesk.AutoReplyUnmatched
	case helpdesk.ViewMentions:
		return !spam && slices.Contains(t.Mentioned, me)
	case helpdesk.ViewOverdue:
		return t.Open && !spam && t.Overdue
	case helpdesk.ViewClosed:
		return !t.Open && !spam
	case helpdesk.ViewSpam:
		return spam
	case helpdesk.ViewHeld:
		return t.Held > 0 && !spam
	case helpdesk.ViewFailed:
		return t.DeliveryFailed && !spam
	case helpdesk.ViewAll:
		return !spam
	}
	return t.Open && !spam
}

func fitsFilter(q helpdesk.TicketQuery, row helpdesk.TicketRow, aliases []helpdesk.Alias, me string) bool {
	t := row.Ticket
	among := func(wanted []string, is ...string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(is, func(v string) bool { return slices.Contains(wanted, v) })
	}
	var assignees []string
	for _, id := range q.Assignees {
		assignees = append(assignees, map[string]string{helpdesk.AssigneeMe: me, helpdesk.AssigneeNone: ""}[id])
	}
	through := slices.Clone(t.Aliases) // addresses and brands
	for _, a := range aliases {
		if slices.Contains(t.Aliases, a.Address) {
			through = append(through, a.Brand)
		}
	}
	addresses := []string{}
	for _, a := range q.Aliases {
		addresses = append(addresses, map[string]string{"RED@example.jp": "red@example.jp"}[a])
		addresses[len(addresses)-1] = cmpOr(addresses[len(addresses)-1], a)
	}
	priorities := len(q.Priorities) == 0 || slices.Contains(q.Priorities, t.Priority)
	text := q.Text == "" || slices.Contains([]string{"matter"}, q.Text) || q.Text == "1" && hasDigit(row) || q.Text == "c3@" && row.Contact.Email == "c3@customer.example"
	return among(q.Tags, t.Tags...) && among(assignees, t.AssigneeID) && among(q.Brands, through...) && among(addresses, t.Aliases...) &&
		among(q.Languages, t.Language) && among(q.ReplyTypes, t.ReplyType) && priorities && among(q.Stages, t.StageID) &&
		among(q.Pipelines, t.PipelineID) && (!q.Waiting || !t.WaitingSince.IsZero()) && among(q.Only, through...) &&
		(q.Contact == "" || t.ContactID == q.Contact) && text
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func hasDigit(row helpdesk.TicketRow) bool {
	return slices.ContainsFunc([]rune(row.Ticket.Subject+row.Contact.Email+row.Ticket.Snippet+fmt.Sprint(row.Ticket.Number)), func(r rune) bool { return r == '1' })
}

func inOrder(sort helpdesk.Sort, a, b helpdesk.Ticket) bool {
	rank := func(t helpdesk.Ticket) int {
		switch sort {
		case helpdesk.SortAttention:
			return slices.Index([]string{"needs_attention", "high_value"}, t.ReplyType) & 3 // -1 is the last
		case helpdesk.SortDue:
			if t.DueAt.IsZero() {
				return 1
			}
		case helpdesk.SortPriority:
			return slices.Index(helpdesk.Priorities, t.Priority)
		case helpdesk.SortWaiting:
			if t.WaitingSince.IsZero() {
				return 1
			}
		}
		return 0
	}
	if rank(a) != rank(b) {
		return rank(a) < rank(b)
	}
	if sort == helpdesk.SortWaiting && rank(a) == 0 {
		return !a.WaitingSince.After(b.WaitingSince)
	}
	return !a.UpdatedAt.Before(b.UpdatedAt)
}

func TestViewIsSharedWithATeam(t *testing.T) {
	h := newHouse(t)
	ito, mori, kato := h.colleague("Ito", helpdesk.RoleAgent), h.colleague("Mori", helpdesk.RoleAgent), h.colleague("Kato", helpdesk.RoleAgent)
	team, err := h.SaveTeam(t.Context(), h.admin, helpdesk.Team{Name: "Returns", Members: []string{ito.UserID, mori.UserID}})
	h.must(err)
	v, err := h.SaveView(t.Context(), ito, helpdesk.SavedView{Name: "Broken", View: helpdesk.ViewOpen, TeamID: team.ID})
	h.must(err)
	sees := func(a helpdesk.Actor) bool {
		list, err := h.SavedViews(t.Context(), a)
		h.must(err)
		_, err = h.SavedView(t.Context(), a, v.ID)
		if (err == nil) != (len(list) == 1) {
			t.Errorf("%s lists %d views and reads it with %v", a.Name, len(list), err)
		}
		return err == nil
	}
	if !sees(ito) || !sees(mori) || sees(kato) {
		t.Error("not exactly the team has the view")
	}
	changed := *v
	changed.Name = "Mine now"
	_, err = h.SaveView(t.Context(), mori, changed)
	wantCode(t, err, helpdesk.CodeNotFound, "")
	_, err = h.SaveView(t.Context(), kato, helpdesk.SavedView{Name: "x", TeamID: team.ID})
	wantCode(t, err, helpdesk.CodeForbidden, "team")
	_, err = h.SaveView(t.Context(), ito, helpdesk.SavedView{Name: "x", TeamID: "nothing"})
	wantCode(t, err, helpdesk.CodeNotFound, "team")
	team.Members = []string{mori.UserID}
	_, err = h.SaveTeam(t.Context(), h.admin, *team)
	h.must(err)
	if !sees(ito) || !sees(mori) {
		t.Error("who made it, and who is in the team, keep the view")
	}
	h.must(h.DeleteTeam(t.Context(), h.admin, team.ID))
	if !sees(ito) || sees(mori) {
		t.Error("without its team the view is its owner's alone")
	}
	h.must(h.DeleteView(t.Context(), ito, v.ID))
}
