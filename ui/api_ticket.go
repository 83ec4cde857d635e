package ui

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) apiTickets(c echo.Context, a helpdesk.Actor) error {
	limit, err := listLimit(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	q, err := s.ticketQuery(c, a)
	if err != nil {
		return err
	}
	q.Limit, q.After = limit, c.QueryParam("after")
	house, err := s.desk.House(ctx) // programs have no zone of their own
	if err != nil {
		return err
	}
	found, err := s.tickets(ctx, a, q, house)
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	answer := struct {
		Tickets []apiFound `json:"tickets"`
		Next    *string    `json:"next"`
		Indexed *int       `json:"indexed_percent"`
	}{[]apiFound{}, orNull(found.next), found.indexed}
	for _, row := range found.rows {
		answer.Tickets = append(answer.Tickets, apiFound{users.ticket(row), highlights(found.snippets[row.Ticket.Number])})
	}
	return c.JSON(http.StatusOK, answer)
}

func (s *Server) apiTicket(c echo.Context, a helpdesk.Actor) error {
	number, err := pathNumber(c)
	if err != nil {
		return err
	}
	newest, err := wholeNumber(c, "messages", 0, 1, helpdesk.MaxMessagePage)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	v, err := s.desk.Ticket(ctx, a, number)
	if err != nil {
		return err
	}
	next := ""
	if older := len(v.Messages) - int(newest); newest > 0 && older > 0 {
		v.Messages = v.Messages[older:]
		next = v.Messages[0].Message.ID
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	fields, err := s.desk.Fields(ctx, a)
	if err != nil {
		return err
	}
	history := users.history(v, fields)
	history.Next = orNull(next)
	return c.JSON(http.StatusOK, history)
}

// apiTicketMessages pages through a thread, the newest message first.
func (s *Server) apiTicketMessages(c echo.Context, a helpdesk.Actor) error {
	number, err := pathNumber(c)
	if err != nil {
		return err
	}
	limit, err := listLimit(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	page, next, err := s.desk.TicketMessages(ctx, a, number, c.QueryParam("after"), limit)
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	answer := struct {
		Messages []apiMessage `json:"messages"`
		Next     *string      `json:"next"`
	}{[]apiMessage{}, orNull(next)}
	for _, m := range page {
		answer.Messages = append(answer.Messages, users.message(m))
	}
	return c.JSON(http.StatusOK, answer)
}

// apiChange changes what the body names and leaves the rest.
func (s *Server) apiChange(c echo.Context, a helpdesk.Actor) error {
	number, err := pathNumber(c)
	if err != nil {
		return err
	}
	var input struct {
		Stage    optional[string]         `json:"stage"`
		Assignee optional[string]         `json:"assignee"`
		Team     optional[string]         `json:"team"`
		Tags     optional[[]string]       `json:"tags"`
		Fields   map[string]apiFieldValue `json:"fields"`
		Priority optional[string]         `json:"priority"`
		Snooze   optional[struct {
			Until *string `json:"until"`
			Note  string  `json:"note"`
		}] `json:"snooze"`
	}
	if err := readBody(c, maxAPIBody, &input); err != nil {
		return err
	}
	var change helpdesk.Change
	switch {
	case input.Stage.Null:
		return invalid("stage", "", "stage is null; every ticket has a stage: name one of its pipeline")
	case input.Tags.Null:
		return invalid("tags", "", "tags is null; send [] to remove them all")
	}
	if input.Stage.Set {
		change.Stage = &input.Stage.Value
	}
	if input.Assignee.Set { // null is nobody, as the answers say it
		change.Assignee = &input.Assignee.Value
	}
	if input.Team.Set {
		change.Team = &input.Team.Value
	}
	change.Fields = fieldValues(input.Fields)
	if input.Tags.Set {
		change.Tags = &input.Tags.Value
	}
	if input.Priority.Set {
		priority, ok := helpdesk.ParsePriority(input.Priority.Value)
		if !ok {
			return invalid("priority", "", fmt.Sprintf("priority %q is not one of urgent, high, normal, low", input.Priority.Value))
		}
		change.Priority = &priority
	}
	if input.Snooze.Set {
		change.Wake = input.Snooze.Null
		if !change.Wake {
			change.Snooze = &helpdesk.Snooze{Note: input.Snooze.Value.Note}
			if until := input.Snooze.Value.Until; until != nil {
				if change.Snooze.Until, err = readTime("until", *until); err != nil {
					return err
				}
			}
		}
	}
	if _, err := s.desk.Change(c.Request().Context(), a, number, change); err != nil {
		return err
	}
	return s.answerTicket(c, a, number)
}

// answerTicket answers with a ticket as lists show it.
func (s *Server) answerTicket(c echo.Context, a helpdesk.Actor, number uint64) error {
	ctx := c.Request().Context()
	row, err := s.desk.TicketRow(ctx, a, number)
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]apiTicket{"ticket": users.ticket(*row)})
}

func (s *Server) apiNote(c echo.Context, a helpdesk.Actor) error {
	number, err := pathNumber(c)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	var input struct {
		Text string `json:"text"`
	}
	if err := readBody(c, maxAPIBody, &input); err != nil {
		return err
	}
	ctx := c.Request().Context()
	once := helpdesk.Once{Key: key, Digest: requestDigest(key, "note", number, input)}
	note, err := s.desk.AddNoteOnce(ctx, a, number, input.Text, once)
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]apiNote{"note": users.note(helpdesk.NoteView{Note: *note, AuthorName: a.Name})})
}

func (s *Server) apiLogReply(c echo.Context, a helpdesk.Actor) error {
	number, err := pathNumber(c)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	var input struct {
		Text       string  `json:"text"`
		Channel    string  `json:"channel"`
		ReceivedAt *string `json:"received_at"`
	}
	if err := readBody(c, maxAPIBody, &input); err != nil {
		return err
	}
	logged := helpdesk.LoggedReply{Ticket: number, Text: input.Text, Channel: input.Channel,
		Once: helpdesk.Once{Key: key, Digest: requestDigest(key, "logged reply", number, input)}}
	if input.ReceivedAt != nil {
		if logged.ReceivedAt, err = s.pastTime("received_at", *input.ReceivedAt); err != nil {
			return err
		}
	}
	m, err := s.desk.LogReply(c.Request().Context(), a, logged)
	if err != nil {
		return err
	}
	return s.answerMessage(c, a, m.ID)
}

// clockDifference is how far a client's clock may be ahead of ours.
const clockDifference = 5 * time.Minute

func readTime(field, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, invalid(field, "", fmt.Sprintf("%s %q is not a time; write it like 2026-11-21T09:30:00+09:00", field, text))
	}
	return t, nil
}

// pastTime reads a time that cannot lie in the future.
func (s *Server) pastTime(field, text string) (time.Time, error) {
	t, err := readTime(field, text)
	if err != nil {
		return t, err
	}
	if now := s.now(); t.After(now.Add(clockDifference)) {
		return t, invalid(field, "", fmt.Sprintf("%s %q lies in the future; it is %s here", field, text, now.UTC().Format(time.RFC3339)))
	}
	return t, nil
}

// roster is the users by id; the API names them by address.
type roster map[string]*helpdesk.User

func (s *Server) roster(ctx context.Context, a helpdesk.Actor) (roster, error) {
	list, err := s.desk.Users(ctx, a)
	if err != nil {
		return nil, err
	}
	users := roster{}
	for i := range list {
		users[list[i].ID] = &list[i]
	}
	return users, nil
}

// email is a user's address, nil for nobody.
func (r roster) email(id string) *string {
	if u := r[id]; u != nil {
		return &u.Email
	}
	return nil
}
