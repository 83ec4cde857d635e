package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type apiQueued struct {
	ID       string     `json:"id"`
	Ticket   uint64     `json:"ticket"`
	To       string     `json:"to"`
	State    string     `json:"state"`
	Attempts int        `json:"attempts"`
	QueuedAt *time.Time `json:"queued_at"`
	NextAt   *time.Time `json:"next_at"`
	Said     string     `json:"said"`
}

// apiQueue lists what is yet to leave.
func (s *Server) apiQueue(c echo.Context, a helpdesk.Actor) error {
	limit, err := wholeNumber(c, "limit", 200, 1, 1000)
	if err != nil {
		return err
	}
	q, err := s.desk.Queue(c.Request().Context(), a, helpdesk.QueueQuery{Domain: c.QueryParam("domain"), Limit: int(limit), After: c.QueryParam("after")})
	if err != nil {
		return err
	}
	answer := struct {
		Total        int            `json:"total"`
		Destinations map[string]int `json:"destinations"`
		Paused       []string       `json:"paused"`
		Deliveries   []apiQueued    `json:"deliveries"`
		Next         *string        `json:"next"`
	}{q.Total, q.Destinations, []string{}, []apiQueued{}, orNull(q.Next)}
	for _, p := range q.Pauses {
		answer.Paused = append(answer.Paused, p.Domain)
	}
	for _, d := range q.Deliveries {
		answer.Deliveries = append(answer.Deliveries, apiQueued{d.ID, d.Ticket, d.Recipient, string(d.State), len(d.Attempts), timeOrNull(d.CreatedAt), timeOrNull(d.NextAt), d.Said()})
	}
	return c.JSON(http.StatusOK, answer)
}
