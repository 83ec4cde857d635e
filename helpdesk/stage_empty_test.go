package helpdesk_test

import (
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func TestAStageIsEmptiedBeforeItGoes(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	for range 3 {
		h.first()
	}
	list, err := h.Pipelines(ctx, h.admin)
	if err != nil {
		t.Fatal(err)
	}
	p := list[0]
	first, second := p.Stages[0], p.Stages[1]
	without := p
	without.Stages = p.Stages[1:]
	_, err = h.SavePipeline(ctx, h.admin, without)
	wantCode(t, err, helpdesk.CodeConflict, "still has tickets")
	if n, err := h.StageTickets(ctx, h.admin, p.ID, first.ID); err != nil || n != 3 {
		t.Errorf("%d tickets, %v", n, err)
	}
	_, err = h.EmptyStage(ctx, h.admin, p.ID, first.ID, "nowhere")
	wantCode(t, err, helpdesk.CodeInvalid, "no stage")
	if n, err := h.EmptyStage(ctx, h.admin, p.ID, first.ID, second.ID); err != nil || n != 3 {
		t.Errorf("moved %d, %v", n, err)
	}
	if _, err := h.SavePipeline(ctx, h.admin, without); err != nil {
		t.Error(err)
	}
	if v := h.ticket(1); v.Row.StageName != second.Name || kinds(v.Events[len(v.Events)-1:]) != "ticket.stage" {
		t.Errorf("stage %q, last event %s", v.Row.StageName, kinds(v.Events))
	}
}
