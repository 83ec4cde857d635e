package helpdesk

import (
	"context"

	"github.com/madoguchi/madoguchi/store"
)

// emptyBatch is how many tickets one transaction moves.
const emptyBatch = 200

// StageTickets returns how many tickets are in a stage, up to 1,000. Who asks in order to change the pipeline says so with
// its version (Actor.Having), and is told where it was changed meanwhile.
func (d *Desk) StageTickets(ctx context.Context, a Actor, pipelineID, stageID string) (n int, err error) {
	if err := a.mayRead("tickets"); err != nil {
		return 0, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		if a.having != "" {
			pipeline, err := pipelines.Get(r, key(pipelineID))
			if pipeline, err = found(pipeline, err, "pipeline", pipelineID); err != nil {
				return err
			}
			if err := a.unchanged("pipeline", pipeline.Version()); err != nil {
				return err
			}
		}
		n, err = countUpTo(tickets, r, "stage+state", key(pipelineID, stageID))
		return err
	})
	return n, err
}

// EmptyStage moves every ticket of a stage into another of the same pipeline,
// in transactions of 200, and returns how many it moved. When it is broken off,
// those that were moved stay moved, and the next call goes on.
func (d *Desk) EmptyStage(ctx context.Context, a Actor, pipelineID, from, into string) (moved int, err error) {
	if err := a.may("empty a stage", PermitPipelines); err != nil {
		return 0, err
	}
	if from == into {
		return 0, invalid("into", "stage_itself", "tickets cannot be moved into the stage that they are in")
	}
	for {
		var n int
		err := d.update(ctx, a, func(c *command) error {
			n, err = c.emptyStage(pipelineID, from, into)
			return err
		})
		if err != nil {
			return moved, err
		}
		if moved += n; n < emptyBatch {
			return moved, nil
		}
	}
}

func (c *command) emptyStage(pipelineID, from, into string) (int, error) {
	pipeline, err := pipelines.Get(c, key(pipelineID))
	if pipeline, err = found(pipeline, err, "pipeline", pipelineID); err != nil {
		return 0, err
	}
	if err := c.unchanged("pipeline", pipeline.Version()); err != nil {
		return 0, err
	}
	to, ok := pipeline.Stage(into)
	if !ok {
		return 0, invalid("into", "stage_unknown", "pipeline %q has no stage %q; it has %s", pipeline.Name, into, stageNames(pipeline))
	}
	var batch []*Ticket
	for t, err := range tickets.ScanIndex(c, "stage+state", store.Prefix(key(pipelineID, from))) {
		if err != nil {
			return 0, err
		}
		if batch = append(batch, t); len(batch) == emptyBatch {
			break
		}
	}
	for _, t := range batch {
		if err := c.moveTo(t, pipeline, to); err != nil {
			return 0, err
		}
		if err := tickets.Put(c, t); err != nil {
			return 0, err
		}
	}
	return len(batch), nil
}
