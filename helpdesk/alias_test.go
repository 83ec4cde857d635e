package helpdesk_test

import (
	"slices"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// An alias that gets another address keeps its tickets: they are found by its new
// one and by its brand, and it cannot be deleted from under them.
func TestAnAliasWithANewAddressKeepsItsTickets(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	n := h.first().Ticket
	h.alias.Brand, h.alias.Address = "赤い店", "help@example.jp"
	renamed, err := h.SaveAlias(ctx, h.admin, h.alias)
	if err != nil {
		t.Fatal(err)
	}
	for what, q := range map[string]helpdesk.TicketQuery{
		"its new address":    {Filter: helpdesk.Filter{Aliases: []string{"help@example.jp"}}},
		"its brand":          {Filter: helpdesk.Filter{Brands: []string{"赤い店"}}},
		"only its brand":     {Only: []string{"赤い店"}},
		"only its address":   {Only: []string{"help@example.jp"}},
		"its former address": {Filter: helpdesk.Filter{Aliases: []string{"support@example.jp"}}},
	} {
		rows, _, err := h.Tickets(ctx, h.admin, q)
		if err != nil || !slices.Contains(numbers(rows), n) {
			t.Errorf("by %s: %v, %v", what, numbers(rows), err)
		}
	}
	if err := h.DeleteAlias(ctx, h.admin, renamed.ID); err != nil {
		t.Fatal(err)
	}
	list, err := h.Aliases(ctx, h.admin)
	i := slices.IndexFunc(list, func(a helpdesk.Alias) bool { return a.ID == renamed.ID })
	if err != nil || i < 0 || !list[i].Disabled {
		t.Fatalf("an alias with tickets is to be kept, disabled: %+v, %v", list, err)
	}
	back := list[i]
	back.Disabled, back.Address = false, "support@example.jp"
	if back, err := h.SaveAlias(ctx, h.admin, back); err != nil || !slices.Equal(back.Ways(), []string{"support@example.jp", "help@example.jp"}) {
		t.Errorf("with its first address again: %+v, %v", back, err)
	}
	h.reply(n, "Here it is.")
	h.verify()
}
