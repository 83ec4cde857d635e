package ui

import (
	"context"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
)

// Searcher finds tickets by their words.
type Searcher interface {
	Search(ctx context.Context, a helpdesk.Actor, q search.Query) (search.Results, error)
}

// found is a page of a list. Snippets are those of a search, by ticket.
type found struct {
	rows     []helpdesk.TicketRow
	snippets map[uint64][]search.Run
	places   map[uint64]string // the elements of the messages or notes that they are from
	next     string
	// indexed is how much of everything the search index knows, in percent, where that is
	// too little to be passed over in silence; otherwise nil.
	indexed *int
}

// searches tells whether q is for the index, and not for a list.
func (s *Server) searches(q helpdesk.TicketQuery) bool {
	return s.options.Search != nil && strings.TrimSpace(q.Text) != ""
}

// searchOrder is how what a search finds is sorted: of the lists' orders it
// knows the newest first.
func searchOrder(s helpdesk.Sort) search.Sort {
	if s == helpdesk.SortNewest {
		return search.Newest
	}
	return search.Relevance
}

// tickets returns a page of a list, or, where there is a text, of what a search
// within it finds. zone is where the days that the text names begin.
func (s *Server) tickets(ctx context.Context, a helpdesk.Actor, q helpdesk.TicketQuery, zone *time.Location) (f found, err error) {
	if !s.searches(q) {
		f.rows, f.next, err = s.desk.Tickets(ctx, a, q)
		return f, err
	}
	query := search.Query{Text: q.Text, Sort: searchOrder(q.Sort), Within: q, Limit: q.Limit, After: q.After, Zone: zone}
	results, err := s.options.Search.Search(ctx, a, query)
	if err != nil {
		return f, err
	}
	if results.Catching() {
		percent := int(results.Known * 100 / results.Events)
		f.indexed = &percent
	}
	f.next, f.snippets, f.places = results.Next, map[uint64][]search.Run{}, map[uint64]string{}
	for _, hit := range results.Hits {
		f.rows = append(f.rows, hit.Row)
		number := hit.Row.Ticket.Number
		f.snippets[number] = hit.Snippet
		switch {
		case hit.Message != "":
			f.places[number] = messageElement(hit.Message)
		case hit.Note != "":
			f.places[number] = noteElement(hit.Note)
		}
	}
	return f, nil
}
