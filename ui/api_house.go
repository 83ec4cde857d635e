package ui

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type apiAlias struct {
	ID        string     `json:"id"`
	Address   string     `json:"address"`
	Name      string     `json:"name"`
	Pipeline  string     `json:"pipeline"` // its name
	Owner     *string    `json:"owner"`    // a user's address
	Team      *string    `json:"team"`     // its name
	Tags      []string   `json:"tags"`
	Language  string     `json:"language"`
	Signature string     `json:"signature"`
	ForwardTo string     `json:"forward_to"`
	Managed   bool       `json:"managed"`
	Disabled  bool       `json:"disabled"`
	CreatedAt *time.Time `json:"created_at"`
}

func (s *Server) apiAliases(c echo.Context, a helpdesk.Actor) error {
	ctx := c.Request().Context()
	list, err := s.desk.Aliases(ctx, a)
	if err != nil {
		return err
	}
	pipelines, err := s.desk.Pipelines(ctx, a)
	if err != nil {
		return err
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	teams, err := s.desk.Teams(ctx, a)
	if err != nil {
		return err
	}
	teamNames := map[string]string{}
	for _, t := range teams {
		teamNames[t.ID] = t.Name
	}
	names := map[string]string{}
	for _, p := range pipelines {
		names[p.ID] = p.Name
	}
	answer := struct {
		Aliases []apiAlias `json:"aliases"`
	}{[]apiAlias{}}
	for _, alias := range list {
		answer.Aliases = append(answer.Aliases, apiAlias{alias.ID, alias.Address, alias.Name, names[alias.PipelineID], users.email(alias.OwnerID), orNull(teamNames[alias.TeamID]),
			orEmpty(alias.Tags), alias.Language, alias.Signature, alias.ForwardTo, alias.Managed, alias.Disabled, timeOrNull(alias.CreatedAt)})
	}
	return c.JSON(http.StatusOK, answer)
}

type apiPipeline struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Stages      []apiStage `json:"stages"`
	Reopen      bool       `json:"reopen"`
	ReopenStage *string    `json:"reopen_stage"` // its name
	Managed     bool       `json:"managed"`
	CreatedAt   *time.Time `json:"created_at"`
}

type apiStage struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}

func (s *Server) apiPipelines(c echo.Context, a helpdesk.Actor) error {
	list, err := s.desk.Pipelines(c.Request().Context(), a)
	if err != nil {
		return err
	}
	answer := struct {
		Pipelines []apiPipeline `json:"pipelines"`
	}{[]apiPipeline{}}
	for _, p := range list {
		pipeline := apiPipeline{p.ID, p.Name, []apiStage{}, p.Reopen, nil, p.Managed, timeOrNull(p.CreatedAt)}
		for _, stage := range p.Stages {
			pipeline.Stages = append(pipeline.Stages, apiStage{stage.ID, stage.Name, string(stage.Kind)})
		}
		if stage, ok := p.Stage(p.ReopenStage); ok {
			pipeline.ReopenStage = &stage.Name
		}
		answer.Pipelines = append(answer.Pipelines, pipeline)
	}
	return c.JSON(http.StatusOK, answer)
}

// apiEvents answers with the log behind an event. Next is always where to go
// on, so that whoever follows the log asks with it again and misses nothing.
func (s *Server) apiEvents(c echo.Context, a helpdesk.Actor) error {
	after, err := wholeNumber(c, "after", 0, 0, math.MaxInt64)
	if err != nil {
		return err
	}
	limit, err := wholeNumber(c, "limit", 100, 1, 1000)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	list, err := s.desk.Events(ctx, a, after, int(limit))
	if err != nil {
		return err
	}
	if len(list) == 0 && after > 0 {
		if err := s.withinLog(ctx, after); err != nil {
			return err
		}
	}
	users, err := s.roster(ctx, a)
	if err != nil {
		return err
	}
	answer := struct {
		Events []apiEvent `json:"events"`
		Next   uint64     `json:"next"`
	}{[]apiEvent{}, after}
	for _, e := range list {
		answer.Events, answer.Next = append(answer.Events, users.event(e)), e.Seq
	}
	return c.JSON(http.StatusOK, answer)
}

// withinLog refuses a place that the log has not come to: whoever has it read another
// store's log, or this one's before a backup was restored, and would silently miss all
// events until there.
func (s *Server) withinLog(ctx context.Context, after uint64) error {
	last, err := s.desk.LastSeq(ctx)
	if err != nil || after <= last {
		return err
	}
	return invalid("after", "", fmt.Sprintf("after=%d is ahead of this log, where the newest event is %d: it is from another store, or from before a backup was restored. Read again from after=0, or go on from after=%d", after, last, last))
}
