package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiService is a smart service.
type apiService struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Language    string           `json:"language"`
	Aliases     []string         `json:"aliases"` // addresses
	Templates   []apiServiceText `json:"templates"`
	Delay       int              `json:"delay_minutes"`
	Calendar    *string          `json:"calendar"` // id of the working hours; null is always
	Threshold   int              `json:"threshold"`
	SenderLimit int              `json:"sender_limit"`
	Enabled     bool             `json:"enabled"`
	CreatedAt   *time.Time       `json:"created_at"`
	ChangedAt   *time.Time       `json:"changed_at"`
}

type apiServiceText struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (s *Server) apiServices(c echo.Context, a helpdesk.Actor) error {
	ctx := c.Request().Context()
	list, err := s.desk.Services(ctx, a)
	if err != nil {
		return err
	}
	addresses, err := s.templateNames(ctx, a)
	if err != nil {
		return err
	}
	templates, err := s.desk.Templates(ctx, a)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, t := range templates {
		names[t.ID] = t.Name
	}
	answer := struct {
		Services []apiService `json:"services"`
	}{[]apiService{}}
	for _, x := range list {
		out := apiService{ID: x.ID, Name: x.Name, Language: x.Language, Aliases: []string{}, Templates: []apiServiceText{}, Delay: int(x.Delay.Minutes()),
			Calendar: orNull(x.CalendarID), Threshold: x.Threshold, SenderLimit: x.SenderLimit, Enabled: !x.Disabled,
			CreatedAt: timeOrNull(x.CreatedAt), ChangedAt: timeOrNull(x.ChangedAt)}
		for _, id := range x.Aliases {
			out.Aliases = append(out.Aliases, addresses[id])
		}
		for _, id := range x.Templates {
			out.Templates = append(out.Templates, apiServiceText{id, names[id]})
		}
		answer.Services = append(answer.Services, out)
	}
	return c.JSON(http.StatusOK, answer)
}

// apiAutoReply is where a ticket stands with a smart service.
type apiAutoReply struct {
	Service       string     `json:"service"` // its id
	State         string     `json:"state"`
	Reason        *string    `json:"reason"`
	Template      *string    `json:"template"`   // its id
	Confidence    *int       `json:"confidence"` // percent
	DueAt         *time.Time `json:"due_at"`
	Message       *string    `json:"message"` // the id of the answer, once it is sent
	Model         *string    `json:"model"`
	Digest        *string    `json:"digest"`
	PromptVersion *string    `json:"prompt_version"`
	MatchedAt     *time.Time `json:"matched_at"`
}

func autoReplyJSON(a *helpdesk.AutoReply) *apiAutoReply {
	if a == nil {
		return nil
	}
	return &apiAutoReply{Service: a.ServiceID, State: string(a.State), Reason: orNull(string(a.Reason)), Template: orNull(a.TemplateID),
		Confidence: orNull(a.Confidence), DueAt: timeOrNull(a.Due), Message: orNull(a.Message), Model: orNull(a.Model), Digest: orNull(a.Digest),
		PromptVersion: orNull(a.PromptVersion), MatchedAt: timeOrNull(a.MatchedAt)}
}
