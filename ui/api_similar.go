package ui

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
)

// apiSimilarTicket is a ticket that is alike, with what was asked and answered.
type apiSimilarTicket struct {
	Ticket   apiTicket `json:"ticket"`
	Score    *float64  `json:"score"` // cosine, null by words
	Question string    `json:"question"`
	Answer   *string   `json:"answer"`
}

type apiSame struct {
	Number uint64 `json:"number"`
	Why    string `json:"why"`
}

// apiSimilar answers with what is about the same as a ticket.
func (s *Server) apiSimilar(c echo.Context, a helpdesk.Actor) error {
	number, err := pathNumber(c)
	if err != nil {
		return err
	}
	limit, err := wholeNumber(c, "limit", similarShown, 1, similar.MaxSimilar)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	answer := struct {
		By      string             `json:"by"`
		Tickets []apiSimilarTicket `json:"tickets"`
		Same    []apiSame          `json:"same"`
	}{string(similar.ByWords), []apiSimilarTicket{}, []apiSame{}}
	if s.options.Similar == nil {
		if _, err := s.desk.TicketRow(ctx, a, number); err != nil {
			return err
		}
		return c.JSON(http.StatusOK, answer)
	}
	found, err := s.options.Similar.Similar(ctx, a, number, int(limit))
	if err != nil {
		return err
	}
	answer.By = string(found.By)
	scores := map[uint64]float64{}
	for _, m := range found.Tickets {
		scores[m.Ticket] = m.Score
	}
	tickets, err := s.desk.AnsweredTickets(ctx, a, found.Numbers())
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	for _, t := range tickets {
		one := apiSimilarTicket{Ticket: users.ticket(t.Row), Question: t.Question, Answer: orNull(t.Answer)}
		if score := scores[t.Row.Ticket.Number]; found.By == similar.ByMeaning {
			one.Score = &score
		}
		answer.Tickets = append(answer.Tickets, one)
	}
	same, err := s.options.Similar.Same(ctx, a, number)
	if err != nil {
		return err
	}
	for _, one := range same {
		answer.Same = append(answer.Same, apiSame{one.Ticket, string(one.Why)})
	}
	return c.JSON(http.StatusOK, answer)
}
