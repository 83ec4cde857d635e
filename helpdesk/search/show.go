package search

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// show reads what is shown of the tickets on the page, as they are now.
func (ix *Index) show(ctx context.Context, a helpdesk.Actor, s *searching) (results Results, err error) {
	results.Total = s.total
	matches := make([]helpdesk.Match, len(s.page))
	for i, r := range s.page {
		matches[i].Ticket = uint64(r.Ticket)
		switch piece := s.best[r.Ticket]; {
		case strings.HasPrefix(piece, string(rune(pieceMessage))):
			matches[i].Message = piece[1:]
		case strings.HasPrefix(piece, string(rune(pieceNote))):
			matches[i].Note = piece[1:]
		}
	}
	views, err := ix.desk.Matches(ctx, a, matches)
	if err != nil {
		return Results{}, fmt.Errorf("show what was found: %w", err)
	}
	for i := range views {
		results.Hits = append(results.Hits, s.hit(&views[i]))
	}
	results.Next, err = s.next()
	return results, err
}

// hit is a match with what was searched for marked in it.
func (s *searching) hit(v *helpdesk.MatchView) Hit {
	hit := Hit{Row: v.Row, Subject: s.highlight(v.Row.Ticket.Subject, fieldSubject)}
	var texts []fieldText
	switch {
	case v.Message != nil:
		hit.Message, texts = v.Message.ID, shownTexts(v.Message, v.Body)
	case v.Note != nil:
		hit.Note, texts = v.Note.ID, []fieldText{{fieldNote, v.Note.Text}}
	}
	for _, t := range texts {
		if hit.Snippet = s.cut(bound(t.text, maxFieldText), t.field); hit.Snippet != nil {
			return hit
		}
	}
	hit.Message, hit.Note = "", ""
	hit.Snippet = s.highlight(v.Row.Ticket.Snippet, fieldBody)
	return hit
}

func shownTexts(m *helpdesk.Message, b *helpdesk.Body) []fieldText {
	body, rest := bodyTexts(b)
	texts := []fieldText{{fieldBody, body}, {fieldRest, rest}}
	for _, a := range m.Attachments {
		texts = append(texts, fieldText{fieldAttachment, a.Filename})
	}
	from := m.From
	texts = append(texts, fieldText{fieldFrom, strings.TrimSpace(from.Name + " <" + from.Email + ">")})
	for _, to := range slices.Concat(m.To, m.Cc, m.Bcc) {
		texts = append(texts, fieldText{fieldTo, strings.TrimSpace(to.Name + " <" + to.Email + ">")})
	}
	return append(texts, fieldText{fieldSubject, m.Subject})
}
