package ui

import (
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// fateView is how one recipient's delivery stands.
type fateView struct {
	ID    string
	State helpdesk.DeliveryState
	Text  string
	Note  string
	Time  moment
	Retry bool
}

// unfoldedFates is how many fates are shown of a mail to many.
const unfoldedFates = 6

// fates are how a mail's deliveries stand, but for copies: what is shown, and what is folded. Folding begins where it hides
// several; then what failed comes first, and after that what is tried again.
func (r reader) fates(deliveries []helpdesk.Delivery) (shown, folded []fateView) {
	list := slices.DeleteFunc(slices.Clone(deliveries), func(d helpdesk.Delivery) bool { return d.Copy })
	keep := len(list)
	if keep > unfoldedFates+2 {
		slices.SortStableFunc(list, func(a, b helpdesk.Delivery) int { return trouble(a.State) - trouble(b.State) })
		keep = unfoldedFates
	}
	for i, d := range list {
		if i < keep {
			shown = append(shown, r.fate(d))
		} else {
			folded = append(folded, r.fate(d))
		}
	}
	return shown, folded
}

// trouble puts states of deliveries in the order in which they matter.
func trouble(state helpdesk.DeliveryState) int {
	return slices.Index([]helpdesk.DeliveryState{helpdesk.DeliveryFailed, helpdesk.DeliveryDeferred, helpdesk.DeliverySending, helpdesk.DeliveryWaiting,
		helpdesk.DeliveryCancelled, helpdesk.DeliverySent}, state)
}

func (r reader) fate(d helpdesk.Delivery) fateView {
	f := fateView{ID: d.ID, State: d.State, Text: r.T("delivery."+string(d.State), d.Recipient)}
	var last helpdesk.Attempt
	if len(d.Attempts) > 0 {
		last = d.Attempts[len(d.Attempts)-1]
	}
	switch d.State {
	case helpdesk.DeliverySent:
		f.Time = longMoment(r.Printer, d.DoneAt)
	case helpdesk.DeliveryDeferred:
		f.Note = strings.TrimSpace(r.T("delivery.next", r.Long(d.NextAt), len(d.Attempts)+1) + " " + whyUndelivered(r.Printer, last))
		f.Retry = true
	case helpdesk.DeliveryFailed:
		f.Note = whyUndelivered(r.Printer, last)
		f.Time = longMoment(r.Printer, d.DoneAt)
		f.Retry = true
	}
	f.Retry = f.Retry && r.may(helpdesk.PermitReply)
	return f
}
