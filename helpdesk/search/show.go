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
	for _, r := range s.page {
		row, err := ix.desk.TicketRow(ctx, a, uint64(r.Ticket))
		if helpdesk.CodeOf(err) == helpdesk.CodeNotFound {
			continue
		}
		if err != nil {
			return Results{}, fmt.Errorf("show ticket %d: %w", r.Ticket, err)
		}
		hit := Hit{Row: *row, Subject: s.highlight(row.Ticket.Subject, fieldSubject)}
		if err := ix.excerpt(ctx, a, s, &hit, s.best[r.Ticket]); err != nil {
			return Results{}, fmt.Errorf("show ticket %d: %w", r.Ticket, err)
		}
		results.Hits = append(results.Hits, hit)
	}
	results.Next, err = s.next()
	return results, err
}

// excerpt fills in the snippet of a hit from the piece that fits best.
func (ix *Index) excerpt(ctx context.Context, a helpdesk.Actor, s *searching, hit *Hit, piece string) error {
	var texts []fieldText
	switch {
	case strings.HasPrefix(piece, string(rune(pieceMessage))):
		v, err := ix.desk.Message(ctx, a, piece[1:])
		if err != nil && helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
			return err
		}
		if err == nil && v.Message.Ticket == hit.Row.Ticket.Number {
			hit.Message, texts = v.Message.ID, shownTexts(v)
		}
	case strings.HasPrefix(piece, string(rune(pieceNote))):
		v, err := ix.desk.Ticket(ctx, a, hit.Row.Ticket.Number)
		if err != nil {
			return err
		}
		for _, n := range v.Notes {
			if n.Note.ID == piece[1:] {
				hit.Note, texts = n.Note.ID, []fieldText{{fieldNote, n.Note.Text}}
			}
		}
	}
	for _, t := range texts {
		if hit.Snippet = s.cut(bound(t.text, maxFieldText), t.field); hit.Snippet != nil {
			return nil
		}
	}
	hit.Message, hit.Note = "", ""
	hit.Snippet = s.highlight(hit.Row.Ticket.Snippet, fieldBody)
	return nil
}

func shownTexts(v *helpdesk.MessageView) []fieldText {
	body, rest := bodyTexts(&v.Body)
	texts := []fieldText{{fieldBody, body}, {fieldRest, rest}}
	for _, a := range v.Message.Attachments {
		texts = append(texts, fieldText{fieldAttachment, a.Filename})
	}
	from := v.Message.From
	texts = append(texts, fieldText{fieldFrom, strings.TrimSpace(from.Name + " <" + from.Email + ">")})
	for _, to := range slices.Concat(v.Message.To, v.Message.Cc, v.Message.Bcc) {
		texts = append(texts, fieldText{fieldTo, strings.TrimSpace(to.Name + " <" + to.Email + ">")})
	}
	return append(texts, fieldText{fieldSubject, v.Message.Subject})
}
