package helpdesk_test

import (
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// mentions are the tickets in somebody's view of mentions, and how many of them
// they have not looked at.
func (h *house) mentions(a helpdesk.Actor) (numbers []uint64, unread int) {
	h.t.Helper()
	rows, _, err := h.Tickets(h.t.Context(), a, helpdesk.TicketQuery{View: helpdesk.ViewMentions})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, row := range rows {
		numbers = append(numbers, row.Ticket.Number)
	}
	counts, err := h.Counts(h.t.Context(), a)
	if err != nil {
		h.t.Fatal(err)
	}
	return numbers, counts.Views[helpdesk.ViewMentions]
}

func TestMentionsNameTheLongestThatFits(t *testing.T) {
	h := newHouse(t)
	ids := map[string]string{h.admin.UserID: "sato"}
	for _, u := range []struct{ email, name, short string }{
		{"satoshi@example.jp", "佐藤", "satoshi"}, {"hanako@example.jp", "Hanako Yamada", "hanako"}, {"yamada@example.jp", "山田　花子", "yamada"},
	} {
		ids[h.somebody(u.email, u.name, helpdesk.RoleAgent).UserID] = u.short
	}
	number := h.first().Ticket
	for text, want := range map[string][]string{
		"@佐藤 遥さん、お願いします":          {"sato"},
		"＠佐藤さんへ":                  {"satoshi"},
		"@sato, please":           {"sato"},
		"@SATOSHI.":               {"satoshi"},
		"@satosh":                 nil,
		"mail sato@example.jp":    nil,
		"@hanako yamada と @山田 花子": {"hanako", "yamada"},
		"@yamada@example.jp":      {"yamada"},
	} {
		note, err := h.AddNote(t.Context(), h.admin, number, text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, id := range note.Mentions {
			got = append(got, ids[id])
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%q mentions %v, want %v", text, got, want)
		}
	}
}

func TestMentionsAreUnreadUntilOneLooks(t *testing.T) {
	h := newHouse(t)
	hanako := h.somebody("hanako@example.jp", "花子", helpdesk.RoleAgent)
	first, second := h.first().Ticket, h.first().Ticket
	note := func(number uint64, text string) {
		t.Helper()
		h.pass(time.Second)
		if _, err := h.AddNote(t.Context(), h.admin, number, text); err != nil {
			t.Fatal(err)
		}
	}
	want := func(when string, numbers []uint64, unread int) {
		t.Helper()
		if got, n := h.mentions(hanako); !slices.Equal(got, numbers) || n != unread {
			t.Errorf("%s: %v with %d unread, want %v with %d", when, got, n, numbers, unread)
		}
		h.verify()
	}
	note(first, "@佐藤 遥 自分へのメモ")
	want("before", nil, 0)
	if _, n := h.mentions(h.admin); n != 0 {
		t.Error("who mentions themselves has something to read")
	}
	note(first, "@花子 見てください")
	note(second, "@hanako こちらも")
	want("mentioned twice", []uint64{second, first}, 2)
	if err := h.MarkSeen(t.Context(), hanako, first, h.ticket(first).LastSeq-1); err != nil {
		t.Fatal(err)
	}
	want("looked before the note", []uint64{second, first}, 2)
	if err := h.MarkSeen(t.Context(), hanako, first, h.ticket(first).LastSeq); err != nil {
		t.Fatal(err)
	}
	want("looked", []uint64{second, first}, 1)
	note(first, "@花子 もう一度")
	moving, err := h.Merge(t.Context(), h.admin, second, first)
	if err != nil {
		t.Fatal(err)
	}
	want("merged", []uint64{first}, 1)
	if _, err := h.UndoMerge(t.Context(), h.admin, moving.ID); err != nil {
		t.Fatal(err)
	}
	if got, n := h.mentions(hanako); len(got) != 2 || n != 2 {
		t.Errorf("merge undone: %v with %d unread", got, n)
	}
}
