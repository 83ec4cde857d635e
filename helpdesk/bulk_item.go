package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// changeItem changes one ticket of a bulk change, or says why not. What can
// refuse is asked before anything is written.
func (c *command) changeItem(b *Bulk, item *BulkItem) error {
	t, err := workable(c, item.Ticket)
	if err != nil {
		return item.refuse(err)
	}
	item.Was = b.factsOf(t)
	pipeline, err := pipelines.Get(c, key(t.PipelineID))
	if err != nil {
		return err
	}
	stage, err := b.Change.stageIn(pipeline)
	if err != nil {
		return item.refuse(err)
	}
	tags, err := b.Change.tagsOf(t)
	if err != nil {
		return item.refuse(err)
	}
	assignee := t.AssigneeID
	if b.Change.Assignee != nil {
		if assignee, err = c.activeUser(*b.Change.Assignee); err != nil {
			return err
		}
		if assignee != *b.Change.Assignee {
			return item.refuse(invalid("assignee", "user_disabled", "user %s is disabled and cannot be given tickets", *b.Change.Assignee))
		}
	}
	if b.Change.Hold != nil {
		if err := b.Change.Hold.check(t, c.now); err != nil {
			return item.refuse(err)
		}
	}
	if b.Change.Close && !t.Open { // into which closed stage is not asked
		stage = nil
	}
	if stage != nil {
		if err := c.mayClose(t, *stage); err != nil {
			return item.refuse(err)
		}
	}
	if stage != nil && stage.ID != t.StageID {
		if err := c.moveTo(t, pipeline, *stage); err != nil {
			return err
		}
		item.Settled = c.last
	}
	if err := c.assign(t, assignee); err != nil {
		return err
	}
	if err := c.retag(t, tags); err != nil {
		return err
	}
	if b.Change.Priority != nil {
		if err := c.prioritise(t, *b.Change.Priority); err != nil {
			return err
		}
	}
	if err := c.bulkSpam(t, b.Change.Spam); err != nil {
		return err
	}
	if err := c.bulkRest(t, &b.Change); err != nil {
		return err
	}
	if b.Change.Follow != nil {
		if err := c.follow(t, *b.Change.Follow); err != nil {
			return err
		}
	}
	if item.Is = b.factsOf(t); item.Is.equal(item.Was) {
		item.Outcome, item.Was, item.Is = BulkSame, nil, nil
		return nil
	}
	item.Outcome, t.UpdatedAt = BulkChanged, c.now
	return tickets.Put(c, t)
}

func (c *command) bulkSpam(t *Ticket, spam *bool) error {
	switch {
	case spam == nil:
		return nil
	case *spam:
		return c.markSpam(t, "")
	}
	return c.rescue(t)
}

func (c *command) bulkRest(t *Ticket, change *BulkChange) error {
	switch {
	case change.Wake:
		return c.wakeTicket(t, WokenByHand)
	case change.Hold != nil && !change.Hold.same(t.Snooze):
		return c.snooze(t, *change.Hold)
	}
	return nil
}

// restAgain lets a ticket rest as it did before, as far as that time is still
// to come.
func (c *command) restAgain(t *Ticket, was *Snooze) error {
	if was == nil || was.check(t, c.now) != nil {
		return c.wakeTicket(t, WokenByHand)
	}
	return c.snooze(t, *was)
}

// refuse keeps a refusal with the item; any other error is the command's.
func (item *BulkItem) refuse(err error) error {
	var refusal *Error
	if !errors.As(err, &refusal) {
		return err
	}
	item.Outcome, item.Problem, item.Args, item.Message = BulkRefused, refusal.Key, refusal.Args, refusal.Message
	return nil
}

// stageIn is the stage of a pipeline that the change leads to, nil for none.
func (ch *BulkChange) stageIn(p *Pipeline) (*Stage, error) {
	switch {
	case ch.Stage != nil:
		return p.stageNamed(*ch.Stage)
	case ch.Close:
		stage, ok := p.FirstOf(StageClosed)
		if !ok {
			return nil, invalid("close", "no_closed_stage", "pipeline %q has no closed stage; add one in the settings", p.Name)
		}
		return &stage, nil
	}
	return nil, nil
}

func (ch *BulkChange) tagsOf(t *Ticket) ([]string, error) {
	if len(ch.Tag)+len(ch.Untag) == 0 {
		return t.Tags, nil
	}
	return retagged(t.Tags, ch.Tag, ch.Untag)
}

// UndoBulk gives every ticket back what it had, unless somebody changed it
// since. WorkBulk carries it out.
func (d *Desk) UndoBulk(ctx context.Context, a Actor, id string) (*Bulk, error) {
	if err := a.may("undo a change of many tickets", PermitBulk); err != nil {
		return nil, err
	}
	var bulk *Bulk
	err := d.update(ctx, a, func(c *command) (err error) {
		bulk, err = bulks.Get(c, key(id))
		if bulk, err = found(bulk, err, "bulk change", id); err != nil {
			return err
		}
		if bulk.State == BulkUndoing || bulk.State == BulkUndone {
			return conflict("bulk_undone", "this change is undone already")
		}
		bulk.State = BulkUndoing // one that is under way stops here
		if err := c.setTimer(TimerBulk, id, c.now.Add(bulkTimer)); err != nil {
			return err
		}
		return bulks.Put(c, bulk)
	})
	return bulk, err
}

func (c *command) undoBulk(b *Bulk) error {
	for end := max(b.Next-bulkChunk, 0); b.Next > end; b.Next-- {
		item, err := bulkItems.Get(c, key(b.ID, uint64(b.Next-1)))
		if err != nil {
			return err
		}
		if item.Outcome != BulkChanged {
			continue
		}
		if err := c.returnItem(b, item); err != nil {
			return err
		}
		if item.Outcome == BulkKept {
			b.Kept++
		} else {
			b.Returned++
		}
		if err := bulkItems.Put(c, item); err != nil {
			return err
		}
	}
	if b.Next > 0 {
		return bulks.Put(c, b)
	}
	return c.endBulk(b, BulkUndone)
}

// returnItem gives one ticket back what it had. What somebody changed since
// stays, and the item says so.
func (c *command) returnItem(b *Bulk, item *BulkItem) error {
	t, err := workable(c, item.Ticket)
	if err != nil {
		if CodeOf(err) == CodeInternal {
			return err
		}
		item.Outcome = BulkKept
		return nil
	}
	was, is, now := item.Was, item.Is, b.factsOf(t)
	item.Outcome = BulkReturned
	kept := func(changed, touched bool) bool {
		if changed && touched {
			item.Outcome = BulkKept
		}
		return changed && !touched
	}
	if kept(was.StageID != is.StageID, now.StageID != is.StageID) {
		if err := c.moveBack(t, was.StageID); err != nil {
			return err
		}
		if t.Open && item.Settled > 0 {
			if err := c.unsettle(t, item.Settled); err != nil {
				return err
			}
			if err := c.recount(t); err != nil {
				return err
			}
		}
	}
	if kept(was.AssigneeID != is.AssigneeID, now.AssigneeID != is.AssigneeID) {
		before, err := c.activeUser(was.AssigneeID)
		if err != nil {
			return err
		}
		if err := c.assign(t, before); err != nil {
			return err
		}
	}
	if kept(was.Priority != is.Priority, now.Priority != is.Priority) {
		if err := c.prioritise(t, was.Priority); err != nil {
			return err
		}
	}
	if kept(was.Spam != is.Spam, now.Spam != is.Spam) {
		if err := c.bulkSpam(t, &was.Spam); err != nil {
			return err
		}
	}
	if kept(!was.Rest.same(is.Rest), !now.Rest.same(is.Rest)) {
		if err := c.restAgain(t, was.Rest); err != nil {
			return err
		}
	}
	if kept(was.Followed != is.Followed, now.Followed != is.Followed) {
		if err := c.follow(t, was.Followed); err != nil {
			return err
		}
	}
	tags := appendNew(without(slices.Clone(now.Tags), missing(was.Tags, is.Tags)), missing(is.Tags, was.Tags)...)
	if slices.Equal(now.Tags, is.Tags) { // in the order that they had
		tags = was.Tags
	}
	if err := c.retag(t, tags); err != nil {
		return err
	}
	t.UpdatedAt = c.now
	return tickets.Put(c, t)
}

// verifyBulks checks that exactly the bulk changes that are under way have a
// timer, and that every one has its items.
func verifyBulks(_ context.Context, r store.Reader) (problems []string, err error) {
	for b, err := range readable(r, bulks.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		items := 0
		for _, err := range readable(r, bulkItems.Scan(r, store.Prefix(key(b.ID)))) {
			if err != nil {
				return problems, err
			}
			items++
		}
		has, err := timers.Has(r, key(string(TimerBulk), b.ID))
		if err != nil {
			return problems, err
		}
		if working := b.State == BulkWorking || b.State == BulkUndoing; has != working || items != b.Total {
			problems = append(problems, fmt.Sprintf("bulk change %s of %d tickets is %s; has %d items, a timer: %t", b.ID, b.Total, b.State, items, has))
		}
	}
	return problems, nil
}
