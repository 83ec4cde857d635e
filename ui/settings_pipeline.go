package ui

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type pipelinesView struct {
	settingsPage
	Pipelines []pipelineRow
}

type pipelineRow struct {
	helpdesk.Pipeline
	URL    string
	Colour int
}

func (s *Server) pipelinesPage(c echo.Context) error {
	sp, err := s.newSettingsPage(c, "pipelines", "")
	if err != nil {
		return err
	}
	pipelines, err := s.desk.Pipelines(c.Request().Context(), visitOf(c).actor())
	if err != nil {
		return err
	}
	view := pipelinesView{settingsPage: sp}
	for _, p := range pipelines {
		view.Pipelines = append(view.Pipelines, pipelineRow{p, "/settings/pipelines/" + p.ID, colourOf(p.Position)})
	}
	return s.render(c, http.StatusOK, "settings-pipelines", view)
}

type pipelineView struct {
	settingsPage
	Pipeline helpdesk.Pipeline
	Stages   []stageRow
	Changed  bool // the stages shown are not saved yet
	// Leaving are the stages that were taken out and still have tickets: the
	// form asks where those go.
	Leaving []leavingStage
}

// stageRow is a stage in its form. Ref is how the reopening stage is chosen:
// the stage's id, or its place while it has none.
type stageRow struct {
	helpdesk.Stage
	Index       int
	Ref         string
	First, Last bool
	Reopens     bool
}

// leavingStage is a stage to be removed. Saved is what may take its tickets.
type leavingStage struct {
	ID, Name string
	Count    int
	Tickets  string
	Targets  []option
}

// pipelineByID returns the pipeline that the path names; a new one begins with
// the three stages that most need.
func (s *Server) pipelineByID(c echo.Context) (helpdesk.Pipeline, error) {
	v, id := visitOf(c), c.Param("id")
	if id == newRecord {
		return helpdesk.Pipeline{Reopen: true, Stages: []helpdesk.Stage{
			{Name: v.T("settings.pipeline.first"), Kind: helpdesk.StageOpen},
			{Name: v.T("settings.pipeline.second"), Kind: helpdesk.StageOpen},
			{Name: v.T("settings.pipeline.third"), Kind: helpdesk.StageClosed},
		}}, nil
	}
	pipelines, err := s.desk.Pipelines(c.Request().Context(), v.actor())
	if err != nil {
		return helpdesk.Pipeline{}, err
	}
	i := slices.IndexFunc(pipelines, func(p helpdesk.Pipeline) bool { return p.ID == id })
	if i < 0 {
		return helpdesk.Pipeline{}, echo.ErrNotFound
	}
	return pipelines[i], nil
}

func (s *Server) newPipelineView(c echo.Context, p helpdesk.Pipeline) (pipelineView, error) {
	v := visitOf(c)
	heading := p.Name
	if p.ID == "" {
		heading = v.T("settings.pipeline.new")
	}
	sp, err := s.newSettingsPage(c, "pipelines", heading)
	if err != nil {
		return pipelineView{}, err
	}
	sp.seen(c, p.ID, p)
	view := pipelineView{settingsPage: sp, Pipeline: p}
	if p.Managed {
		view.Locked = v.T("settings.managed")
	}
	for i, stage := range p.Stages {
		row := stageRow{Stage: stage, Index: i, Ref: stage.ID, First: i == 0, Last: i == len(p.Stages)-1}
		if row.Ref == "" {
			row.Ref = strconv.Itoa(i)
		}
		row.Reopens = row.Ref == p.ReopenStage
		view.Stages = append(view.Stages, row)
	}
	return view, nil
}

func (s *Server) savePipeline(c echo.Context) error {
	p, form, err := submitted(c, s.pipelineByID)
	if err != nil {
		return err
	}
	p.Name, p.Reopen, p.ReopenStage = strings.TrimSpace(form.Get("name")), form.Get("reopen") != "", form.Get("reopen_stage")
	p.Stages = formStages(form["stage_id"], form["stage_name"], form["stage_kind"])
	action, at, _ := strings.Cut(form.Get("action"), ":")
	if action != "save" {
		index, _ := strconv.Atoi(at)
		p.Stages = rearrange(p.Stages, action, index)
		view, err := s.newPipelineView(c, p)
		if err != nil {
			return err
		}
		view.Changed = true
		return s.render(c, http.StatusOK, "settings-pipeline", view)
	}
	// A stage that is new has no id yet; the desk also takes its name.
	chosen := slices.Index(form["stage_ref"], p.ReopenStage) // rows may have been dragged since they were numbered
	if n, err := strconv.Atoi(p.ReopenStage); chosen < 0 && err == nil {
		chosen = n
	}
	if chosen >= 0 && chosen < len(p.Stages) && p.Stages[chosen].ID == "" {
		p.ReopenStage = p.Stages[chosen].Name
	}
	leaving, err := s.leavingStages(c, p)
	if err == nil && len(leaving) == 0 {
		var saved *helpdesk.Pipeline
		if saved, err = s.desk.SavePipeline(c.Request().Context(), visitOf(c).having(c), p); err == nil {
			return c.Redirect(http.StatusSeeOther, "/settings/pipelines/"+saved.ID+"?saved=1")
		}
	}
	view, failed := s.newPipelineView(c, p)
	if failed != nil {
		return failed
	}
	view.Changed, view.Leaving = true, leaving
	status := http.StatusUnprocessableEntity
	if err != nil {
		if status, err = view.refuseForm(err); err != nil {
			return err
		}
	}
	return s.render(c, status, "settings-pipeline", view)
}

// leavingStages moves the tickets of stages that p leaves out to where the form
// says, and returns those for which it does not say yet.
func (s *Server) leavingStages(c echo.Context, p helpdesk.Pipeline) (leaving []leavingStage, err error) {
	ctx, v := c.Request().Context(), visitOf(c)
	if p.ID == "" {
		return nil, nil
	}
	before, err := s.pipelineByID(c)
	if err != nil {
		return nil, err
	}
	var targets []option
	for _, stage := range before.Stages {
		if _, kept := p.Stage(stage.ID); kept {
			targets = append(targets, option{Value: stage.ID, Label: stage.Name})
		}
	}
	for _, stage := range before.Stages {
		if _, kept := p.Stage(stage.ID); kept || len(targets) == 0 {
			continue
		}
		n, err := s.desk.StageTickets(ctx, v.having(c), p.ID, stage.ID)
		if err != nil {
			return nil, err
		}
		into := c.FormValue("into:" + stage.ID)
		switch {
		case n == 0:
		case into == "":
			leaving = append(leaving, leavingStage{stage.ID, stage.Name, n, v.Number(n), targets})
		default:
			if _, err := s.desk.EmptyStage(ctx, v.having(c), p.ID, stage.ID, into); err != nil {
				return nil, err
			}
		}
	}
	return leaving, nil
}

func formStages(ids, names, kinds []string) (stages []helpdesk.Stage) {
	for i := range min(len(ids), len(names), len(kinds)) {
		stages = append(stages, helpdesk.Stage{ID: ids[i], Name: names[i], Kind: helpdesk.StageKind(kinds[i])})
	}
	return stages
}

// rearrange adds, moves or removes a stage of the form.
func rearrange(stages []helpdesk.Stage, action string, i int) []helpdesk.Stage {
	if action == "add" {
		return append(stages, helpdesk.Stage{Kind: helpdesk.StageOpen})
	}
	if i < 0 || i >= len(stages) {
		return stages
	}
	switch {
	case action == "remove" && len(stages) > 1:
		return slices.Delete(stages, i, i+1)
	case action == "up" && i > 0:
		stages[i-1], stages[i] = stages[i], stages[i-1]
	case action == "down" && i < len(stages)-1:
		stages[i], stages[i+1] = stages[i+1], stages[i]
	}
	return stages
}
