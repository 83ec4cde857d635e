package ui

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiWebhook is a webhook; its secrets are told once, when they are made.
type apiWebhook struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	URL          string     `json:"url"`
	Kinds        []string   `json:"kinds"`
	State        string     `json:"state"` // "working", "failing", "paused" or "parked"
	Cursor       uint64     `json:"cursor"`
	Failures     int        `json:"failures"`
	FailingSince *time.Time `json:"failing_since"`
	NextAt       *time.Time `json:"next_at"`
	CreatedAt    *time.Time `json:"created_at"`
}

func newAPIWebhook(w helpdesk.Webhook) apiWebhook {
	state := "working"
	switch {
	case w.Parked:
		state = "parked"
	case w.Paused:
		state = "paused"
	case w.Failures > 0:
		state = "failing"
	}
	answer := apiWebhook{w.ID, w.Name, w.URL, []string{}, state, w.Cursor, w.Failures, timeOrNull(w.FailingSince), timeOrNull(w.NextAt), timeOrNull(w.CreatedAt)}
	for _, k := range w.Kinds {
		answer.Kinds = append(answer.Kinds, string(k))
	}
	return answer
}

// apiWebhookDelivery is one event on its way to a webhook.
type apiWebhookDelivery struct {
	ID        string              `json:"id"`
	MessageID string              `json:"message_id"`
	Seq       *uint64             `json:"seq"` // null for a test
	Kind      string              `json:"kind"`
	State     string              `json:"state"`
	Once      bool                `json:"once"`
	Tries     int                 `json:"tries"`
	At        *time.Time          `json:"at"`
	Attempts  []apiWebhookAttempt `json:"attempts"`
}

type apiWebhookAttempt struct {
	At           *time.Time `json:"at"`
	Milliseconds int64      `json:"milliseconds"`
	Status       *int       `json:"status"` // null where there was no answer
	Head         string     `json:"head"`
	Error        string     `json:"error"`
}

func newAPIWebhookDelivery(d helpdesk.WebhookDelivery) apiWebhookDelivery {
	answer := apiWebhookDelivery{ID: d.ID, MessageID: d.MessageID, Kind: string(d.Kind), State: string(d.State), Once: d.Once, Tries: d.Tries, At: timeOrNull(d.At), Attempts: []apiWebhookAttempt{}}
	if d.Seq != 0 {
		answer.Seq = &d.Seq
	}
	for _, a := range d.Attempts {
		attempt := apiWebhookAttempt{At: timeOrNull(a.At), Milliseconds: a.Took.Milliseconds(), Head: a.Head, Error: a.Error}
		if a.Status != 0 {
			attempt.Status = &a.Status
		}
		answer.Attempts = append(answer.Attempts, attempt)
	}
	return answer
}

type webhookInput struct {
	Name   *string   `json:"name"`
	URL    *string   `json:"url"`
	Kinds  *[]string `json:"kinds"`
	Paused *bool     `json:"paused"`
}

// into writes what the input names into a webhook.
func (in webhookInput) into(w *helpdesk.Webhook) {
	if in.Name != nil {
		w.Name = *in.Name
	}
	if in.URL != nil {
		w.URL = *in.URL
	}
	if in.Kinds != nil {
		w.Kinds = nil
		for _, k := range *in.Kinds {
			w.Kinds = append(w.Kinds, helpdesk.EventKind(k))
		}
	}
}

const maxAPIWebhookBody = 64 << 10

// apiWebhooks lists the webhooks and what they can be told.
func (s *Server) apiWebhooks(c echo.Context, a helpdesk.Actor) error {
	list, err := s.desk.Webhooks(c.Request().Context(), a)
	if err != nil {
		return err
	}
	answer := struct {
		Webhooks []apiWebhook `json:"webhooks"`
		Kinds    []string     `json:"kinds"`
	}{[]apiWebhook{}, []string{}}
	for _, w := range list {
		answer.Webhooks = append(answer.Webhooks, newAPIWebhook(w))
	}
	for _, group := range helpdesk.WebhookGroups {
		for _, k := range group.Kinds {
			answer.Kinds = append(answer.Kinds, string(k))
		}
	}
	slices.Sort(answer.Kinds)
	return c.JSON(http.StatusOK, answer)
}

func (s *Server) apiWebhook(c echo.Context, a helpdesk.Actor) error {
	w, err := s.desk.Webhook(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	setVersion(c, w.Version())
	return c.JSON(http.StatusOK, map[string]apiWebhook{"webhook": newAPIWebhook(*w)})
}

// apiCreateWebhook answers with the webhook and, this once, with its secret.
func (s *Server) apiCreateWebhook(c echo.Context, a helpdesk.Actor) error {
	var input webhookInput
	if err := readBody(c, maxAPIWebhookBody, &input); err != nil {
		return err
	}
	var w helpdesk.Webhook
	input.into(&w)
	saved, secret, err := s.desk.SaveWebhook(c.Request().Context(), a, w)
	if err != nil {
		return err
	}
	setVersion(c, saved.Version())
	return c.JSON(http.StatusCreated, map[string]any{"webhook": newAPIWebhook(*saved), "secret": secret})
}

// apiChangeWebhook changes what the body names; "paused": false also resumes one
// that was given up.
func (s *Server) apiChangeWebhook(c echo.Context, a helpdesk.Actor) error {
	ctx, id := c.Request().Context(), c.Param("id")
	var input webhookInput
	if err := readBody(c, maxAPIWebhookBody, &input); err != nil {
		return err
	}
	seen, err := ifMatch(c, a)
	if err != nil {
		return err
	}
	w, err := s.desk.Webhook(ctx, a, id)
	if err != nil {
		return err
	}
	if input.Name != nil || input.URL != nil || input.Kinds != nil {
		input.into(w)
		if _, _, err := s.desk.SaveWebhook(ctx, seen, *w); err != nil {
			return refuseVersion(c, err)
		}
		seen = a
	}
	switch {
	case input.Paused != nil && *input.Paused && w.Works():
		err = s.desk.PauseWebhook(ctx, seen, id)
	case input.Paused != nil && !*input.Paused && !w.Works():
		err = s.desk.ResumeWebhook(ctx, seen, id, false)
	}
	if err != nil {
		return refuseVersion(c, err)
	}
	return s.apiWebhook(c, a)
}

func (s *Server) apiDeleteWebhook(c echo.Context, a helpdesk.Actor) error {
	ctx, id := c.Request().Context(), c.Param("id")
	w, err := s.desk.Webhook(ctx, a, id)
	if err != nil {
		return err
	}
	if err := s.desk.DeleteWebhook(ctx, a, id); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]apiWebhook{"webhook": newAPIWebhook(*w)})
}

func (s *Server) apiRotateWebhook(c echo.Context, a helpdesk.Actor) error {
	secret, err := s.desk.RotateWebhookSecret(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]string{"secret": secret})
}

func (s *Server) apiTestWebhook(c echo.Context, a helpdesk.Actor) error {
	made, err := s.desk.TestWebhook(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]apiWebhookDelivery{"delivery": newAPIWebhookDelivery(*made)})
}

func (s *Server) apiWebhookDeliveries(c echo.Context, a helpdesk.Actor) error {
	ctx := c.Request().Context()
	if _, err := s.desk.Webhook(ctx, a, c.Param("id")); err != nil {
		return err
	}
	limit, err := wholeNumber(c, "limit", webhookLines, 1, 200)
	if err != nil {
		return err
	}
	list, err := s.desk.WebhookDeliveries(ctx, a, c.Param("id"), int(limit))
	if err != nil {
		return err
	}
	answer := []apiWebhookDelivery{}
	for _, d := range list {
		answer = append(answer, newAPIWebhookDelivery(d))
	}
	return c.JSON(http.StatusOK, map[string][]apiWebhookDelivery{"deliveries": answer})
}

func (s *Server) apiRepeatWebhook(c echo.Context, a helpdesk.Actor) error {
	made, err := s.desk.RepeatWebhook(c.Request().Context(), a, c.Param("id"), c.Param("delivery"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]apiWebhookDelivery{"delivery": newAPIWebhookDelivery(*made)})
}
