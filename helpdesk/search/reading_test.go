package search_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

// readTicket is a ticket as somebody remembers it who has read all of them.
type readTicket struct {
	text   string
	tagged bool
}

// TestSearchFindsWhatReadingFinds has texts of few characters, so that each pair of them
// stands in many tickets and often, and a word that hardly any has. One goroutine searches,
// and several do.
func TestSearchFindsWhatReadingFinds(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the comparison with reading every mail")
	}
	h := newHouse(t)
	r := rand.New(rand.NewPCG(3, 4))
	tickets := map[uint64]*readTicket{}
	for i := range 260 {
		var text strings.Builder
		sentences := r.IntN(60)
		if i%50 == 7 { // so long that where a pair stands takes more than a byte to count
			sentences = 1500
		}
		for range sentences {
			for range 1 + r.IntN(12) {
				text.WriteString([]string{"山", "川", "空", "海"}[r.IntN(4)])
			}
			text.WriteString("。")
		}
		if i%170 == 3 {
			text.WriteString("珊瑚礁。")
		}
		h.now = h.now.Add(time.Minute)
		number := h.post(letter{subject: "Reading", text: text.String()}).Ticket
		tickets[number] = &readTicket{text: text.String()}
		if i%30 == 0 { // so that there are several segments
			h.follow()
		}
	}
	h.follow()
	h.compareWithReading(r, tickets)
	for number, ticket := range tickets { // what changed has documents that are dead
		if number%3 == 0 {
			ticket.tagged = true
			if _, err := h.Change(t.Context(), h.admin, number, helpdesk.Change{Tags: &[]string{"nature"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.follow()
	h.verify()
	h.compareWithReading(r, tickets)
}

func (h *house) compareWithReading(r *rand.Rand, tickets map[uint64]*readTicket) {
	h.t.Helper()
	shared := search.New(h.db, h.Desk)
	shared.ShareAlways()
	for range 150 {
		var words, without []string
		var typed []string
		for range 1 + r.IntN(3) {
			word := "珊瑚"
			if r.IntN(8) > 0 {
				word = ""
				for range 1 + r.IntN(7) {
					word += []string{"山", "川", "空", "海"}[r.IntN(4)]
				}
			}
			if r.IntN(5) == 0 {
				without, typed = append(without, word), append(typed, "-"+word)
			} else {
				words, typed = append(words, word), append(typed, word)
			}
		}
		tagged := r.IntN(2) == 0
		if tagged {
			typed = append(typed, "tag:nature")
		}
		want := 0
		for _, ticket := range tickets {
			has := func(word string) bool { return strings.Contains(ticket.text, word) }
			lacks := func(word string) bool { return !has(word) }
			if (ticket.tagged || !tagged) && !slices.ContainsFunc(words, lacks) && !slices.ContainsFunc(without, has) {
				want++
			}
		}
		q := search.Query{Text: strings.Join(typed, " ")}
		found := h.search(q)
		if found.Total != want {
			h.t.Errorf("%q finds %d tickets, reading finds %d", q.Text, found.Total, want)
		}
		together, err := shared.Search(h.t.Context(), h.admin, q)
		if err != nil {
			h.t.Fatal(err)
		}
		if fmt.Sprint(together) != fmt.Sprint(found) {
			h.t.Errorf("%q finds something else on several processors", q.Text)
		}
		if again := h.search(q); fmt.Sprint(again) != fmt.Sprint(found) {
			h.t.Errorf("%q finds something else when it is asked again", q.Text)
		}
	}
}
