package helpdesk_test

import (
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// undoBulk gives back what a bulk change changed.
func (h *house) undoBulk(id string) *helpdesk.Bulk {
	h.t.Helper()
	if _, err := h.UndoBulk(h.t.Context(), h.admin, id); err != nil {
		h.t.Fatal(err)
	}
	h.must(h.FinishBulk(h.t.Context(), id))
	b, _, err := h.Bulk(h.t.Context(), h.admin, id)
	h.must(err)
	return b
}

func TestManyTicketsRestAreFollowedAndComeBack(t *testing.T) {
	h := newHouse(t)
	for range 4 {
		h.first()
	}
	monday := h.now.Add(48 * time.Hour)
	earlier := h.now.Add(time.Hour)
	h.change(2, helpdesk.Change{Snooze: &helpdesk.Snooze{Until: earlier, Note: "部品待ち"}})
	h.change(3, helpdesk.Change{Stage: h.closedStage(3)})
	h.markSpam(4)

	yes := true
	held := h.bulk(helpdesk.BulkChange{Hold: &helpdesk.Snooze{Until: monday}, Follow: &yes}, 1, 2, 3, 4)
	if held.Changed != 2 || held.Refused != 2 {
		t.Fatalf("held %+v; a closed one and spam cannot rest", held)
	}
	for _, n := range []uint64{1, 2} {
		if rest := h.ticket(n).Row.Ticket.Snooze; rest == nil || !rest.Until.Equal(monday) || !slices.Contains(h.ticket(n).Row.Ticket.Followers, h.admin.UserID) {
			t.Errorf("ticket %d rests %+v", n, rest)
		}
	}
	if same := h.bulk(helpdesk.BulkChange{Hold: &helpdesk.Snooze{Until: monday}}, 1); same.Same != 1 {
		t.Errorf("again: %+v", same)
	}
	undone := h.undoBulk(held.ID)
	first, second := h.ticket(1).Row.Ticket, h.ticket(2).Row.Ticket
	if undone.Returned != 2 || first.Snooze != nil || len(first.Followers) > 0 || second.Snooze == nil || !second.Snooze.Until.Equal(earlier) || second.Snooze.Note != "部品待ち" {
		t.Errorf("undone: %+v; %+v, %+v", undone, first.Snooze, second.Snooze)
	}
	h.verify()

	// A rest that closing ended comes back with the stage.
	closed := h.bulk(helpdesk.BulkChange{Close: true}, 2)
	if h.undoBulk(closed.ID); h.ticket(2).Row.Ticket.Snooze == nil || !h.ticket(2).Row.Ticket.Open {
		t.Error("the undo of closing did not give the rest back")
	}
	// One whose time has passed meanwhile stays awake.
	woken := h.bulk(helpdesk.BulkChange{Wake: true}, 2)
	h.pass(2 * time.Hour)
	if h.undoBulk(woken.ID); h.ticket(2).Row.Ticket.Snooze != nil {
		t.Error("it rests until a time that has passed")
	}
	_, err := h.StartBulk(t.Context(), h.admin, []uint64{1}, helpdesk.BulkChange{Hold: &helpdesk.Snooze{Until: h.now.Add(-time.Hour)}})
	wantCode(t, err, helpdesk.CodeInvalid, "passed")
	h.verify()
}

func TestWhatIsShownAfterClosingIsChosen(t *testing.T) {
	h := newHouse(t)
	next, nonsense := helpdesk.AfterCloseNext, helpdesk.AfterClose("moon")
	h.must(h.ChangePreference(t.Context(), h.admin, helpdesk.PreferenceChange{AfterClose: &next}))
	wantCode(t, h.ChangePreference(t.Context(), h.admin, helpdesk.PreferenceChange{AfterClose: &nonsense}), helpdesk.CodeInvalid, "moon")
	if p, err := h.Preference(t.Context(), h.admin); err != nil || p.AfterClose != next {
		t.Errorf("chosen: %+v, %v", p, err)
	}
}
