package helpdesk_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// bulk starts a change and works on it until it is done.
func (h *house) bulk(change helpdesk.BulkChange, numbers ...uint64) *helpdesk.Bulk {
	h.t.Helper()
	b, err := h.StartBulk(h.t.Context(), h.admin, numbers, change)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.FinishBulk(h.t.Context(), b.ID); err != nil {
		h.t.Fatal(err)
	}
	b, _, err = h.Bulk(h.t.Context(), h.admin, b.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// A change of many tickets takes several transactions, says what it could not
// do, and is undone as one, save what somebody changed since.
func TestManyTicketsAreChangedAndGivenBack(t *testing.T) {
	h := newHouse(t)
	var numbers []uint64
	for n := range 120 {
		numbers = append(numbers, h.post("support@example.jp", fmt.Sprintf("From: c%d@customer.example", n), "Subject: x", "", fmt.Sprint("Words ", n)).Ticket)
	}
	if _, err := h.Merge(t.Context(), h.admin, 7, 8); err != nil {
		t.Fatal(err)
	}
	urgent := helpdesk.PriorityUrgent
	b := h.bulk(helpdesk.BulkChange{Close: true, Assignee: &h.user.ID, Tag: []string{"sale"}, Priority: &urgent}, append(numbers, 999)...)
	if b.State != helpdesk.BulkDone || b.Changed != 119 || b.Refused != 2 {
		t.Fatalf("%+v", b)
	}
	_, refused, err := h.Bulk(t.Context(), h.admin, b.ID)
	if err != nil || len(refused) != 2 || refused[0].Ticket != 7 || refused[0].Problem != "error.ticket_merged" || refused[1].Ticket != 999 {
		t.Errorf("refused: %+v, %v", refused, err)
	}
	row := h.ticket(1).Row.Ticket
	if row.Open || row.AssigneeID != h.user.ID || row.Priority != urgent || !slices.Contains(row.Tags, "sale") || !row.WaitingSince.IsZero() {
		t.Errorf("ticket 1: %+v", row)
	}

	h.change(2, helpdesk.Change{Assignee: new(string)}) // somebody changed their mind meanwhile
	if _, err := h.UndoBulk(t.Context(), h.admin, b.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.FinishBulk(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	b, _, _ = h.Bulk(t.Context(), h.admin, b.ID)
	if b.State != helpdesk.BulkUndone || b.Returned != 118 || b.Kept != 1 {
		t.Errorf("undone: %+v", b)
	}
	row = h.ticket(1).Row.Ticket
	if !row.Open || row.AssigneeID != "" || row.Priority != helpdesk.PriorityNormal || slices.Contains(row.Tags, "sale") || row.WaitingSince.IsZero() {
		t.Errorf("ticket 1 has not what it had: %+v", row)
	}
	if row := h.ticket(2).Row.Ticket; !row.Open || row.AssigneeID != "" {
		t.Errorf("ticket 2: %+v", row)
	}
	_, err = h.UndoBulk(t.Context(), h.admin, b.ID)
	wantCode(t, err, helpdesk.CodeConflict, "undone already")
	_, err = h.StartBulk(t.Context(), h.admin, nil, helpdesk.BulkChange{Close: true})
	wantCode(t, err, helpdesk.CodeInvalid, "no ticket")
}

// Mail of a blocked sender is kept, in spam, and nothing answers it; spam is in
// no other list, and comes back whole.
func TestSpamIsSetAsideAndBlockedSendersStayOut(t *testing.T) {
	h := newHouse(t)
	h.alias.Acknowledgement = "We have your mail."
	if _, err := h.SaveAlias(t.Context(), h.admin, h.alias); err != nil {
		t.Fatal(err)
	}
	post := func(from string) helpdesk.Receipt {
		return h.post("support@example.jp", "From: "+from, "Subject: Win now", "Test-DMARC: pass", "", fmt.Sprint("Money ", h.mails))
	}
	count := func(view helpdesk.View) int {
		n, err := h.CountTickets(t.Context(), h.admin, helpdesk.TicketQuery{View: view})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	acknowledgements := func() int {
		due, _, err := h.ClaimDue(t.Context(), helpdesk.TimerAcknowledge, 100, 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(due)
	}
	first := post("win@spam.example")
	if _, err := h.MarkSpam(t.Context(), h.admin, first.Ticket, helpdesk.BlockDomain); err != nil {
		t.Fatal(err)
	}
	second := post("other@mail.spam.example") // the domain and all below it
	if r := h.ticket(second.Ticket).Row.Ticket; r.Spam == nil || r.Spam.Pattern != "spam.example" || second.Reason != helpdesk.ReasonBlocked {
		t.Errorf("the blocked sender's ticket: %+v, %+v", r.Spam, second)
	}
	if a, b, c := count(helpdesk.ViewSpam), count(helpdesk.ViewOpen), acknowledgements(); a != 2 || b != 0 || c != 0 {
		t.Errorf("%d in spam, %d open, %d to be acknowledged", a, b, c)
	}
	if _, err := h.MarkNotSpam(t.Context(), h.admin, first.Ticket); err != nil || count(helpdesk.ViewWaiting) != 1 {
		t.Errorf("not spam: %v, %d wait", err, count(helpdesk.ViewWaiting))
	}
	wantCode(t, h.Block(t.Context(), h.admin, "example.jp"), helpdesk.CodeConflict, "of this house")
	wantCode(t, h.Block(t.Context(), h.admin, "no address"), helpdesk.CodeInvalid, "neither")
	if err := h.Unblock(t.Context(), h.admin, "spam.example"); err != nil {
		t.Fatal(err)
	}
	if third := post("win@spam.example"); h.ticket(third.Ticket).Row.Ticket.Spam != nil || acknowledgements() != 1 {
		t.Error("an unblocked sender's mail went to spam, or was not acknowledged")
	}
}
