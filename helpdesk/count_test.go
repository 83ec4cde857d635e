package helpdesk_test

import (
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestCountsFollowWhatHappens(t *testing.T) {
	h := newHouse(t)
	want := func(when string, view helpdesk.View, n int) {
		t.Helper()
		for range 2 { // the second time nothing has happened since
			counts, err := h.Counts(t.Context(), h.admin)
			if err != nil || counts.Views[view] != n {
				t.Errorf("%s, %s counts %d, %v; want %d", when, view, counts.Views[view], err, n)
			}
			counts.Views[view] = 99 // the caller's own
		}
	}
	want("in an empty house", helpdesk.ViewOpen, 0)
	number := h.first().Ticket
	want("after a mail", helpdesk.ViewOpen, 1)
	want("after a mail", helpdesk.ViewWaiting, 1)
	want("before it is taken", helpdesk.ViewMine, 0)
	h.change(number, helpdesk.Change{Assignee: &h.user.ID})
	want("when it is taken", helpdesk.ViewMine, 1)
	want("when it is taken", helpdesk.ViewUnassigned, 0)
	h.reply(number, "Here it is.")
	want("after the answer", helpdesk.ViewWaiting, 0)
}
