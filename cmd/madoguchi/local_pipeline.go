package main

import (
	"context"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (l *local) Pipelines(ctx context.Context) ([]pipelineInfo, error) {
	pipelines, err := l.desk.Pipelines(ctx, l.actor)
	if err != nil {
		return nil, err
	}
	list := make([]pipelineInfo, 0, len(pipelines))
	for _, p := range pipelines {
		list = append(list, describePipeline(&p))
	}
	return list, nil
}

func describePipeline(p *helpdesk.Pipeline) pipelineInfo {
	info := pipelineInfo{Name: p.Name, Reopen: p.Reopen, Managed: p.Managed}
	for _, s := range p.Stages {
		info.Stages = append(info.Stages, stageInfo{Name: s.Name, Closed: s.Kind == helpdesk.StageClosed})
	}
	if s, ok := p.Stage(p.ReopenStage); ok {
		info.ReopenStage = s.Name
	}
	return info
}

func (l *local) AddPipeline(ctx context.Context, p newPipeline) (pipelineInfo, error) {
	pipeline := helpdesk.Pipeline{Name: p.Name, Reopen: p.Reopen, ReopenStage: p.ReopenStage}
	for _, s := range p.Stages {
		kind := helpdesk.StageOpen
		if s.Closed {
			kind = helpdesk.StageClosed
		}
		pipeline.Stages = append(pipeline.Stages, helpdesk.Stage{Name: s.Name, Kind: kind})
	}
	saved, err := l.desk.SavePipeline(ctx, l.actor, pipeline)
	if err != nil {
		return pipelineInfo{}, err
	}
	return describePipeline(saved), nil
}
