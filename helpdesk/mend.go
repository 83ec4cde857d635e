package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// Mended is what Mend put right.
type Mended struct {
	Tickets    int // that say again what their messages are
	Rebuilt    int // whose record was lost, made anew from their messages
	Contacts   int // whose record was lost, made anew from the log and their mails
	Companies  int // whose record was lost, made anew from the log and their contacts
	Hours      int // of the ledger, counted anew
	Deliveries int // that wait and had no timer, so that they would never have left
}

// mendAtOnce is how many tickets or deliveries are put right in one transaction.
const mendAtOnce = 100

// Mend puts right what follows from the records of a store of which some were lost
// (store.Recover): every index, companies, contacts, the records of tickets whose messages are there, what
// tickets say of their messages, the timers of replies that wait to leave, and the hours of the
// ledger. An alarm about damage ends. What nothing can be made from, Verify still names.
func (d *Desk) Mend(ctx context.Context, a Actor) (done Mended, err error) {
	if err := a.mayAdminister("mend the data"); err != nil {
		return done, err
	}
	for _, table := range allTables() {
		if _, err := d.reindex(ctx, table); err != nil {
			return done, err
		}
	}
	if err := d.EnsurePipeline(ctx, ""); err != nil {
		return done, fmt.Errorf("make a pipeline: %w", err)
	}
	if err := d.update(ctx, a, (*command).mendAliases); err != nil {
		return done, fmt.Errorf("give addresses a pipeline: %w", err)
	}
	if done.Companies, err = d.mendCompanies(ctx, a); err != nil {
		return done, err
	}
	if done.Contacts, err = d.mendContacts(ctx, a); err != nil {
		return done, err
	}
	without, differing, waiting, err := d.mendable(ctx)
	if err != nil {
		return done, fmt.Errorf("look for what can be mended: %w", err)
	}
	for part := range slices.Chunk(without, mendAtOnce) {
		if err := d.update(ctx, a, func(c *command) error { return c.each(part, c.rebuild) }); err != nil {
			return done, fmt.Errorf("make lost tickets anew: %w", err)
		}
		done.Rebuilt += len(part)
	}
	for part := range slices.Chunk(differing, mendAtOnce) {
		if err := d.update(ctx, a, func(c *command) error { return c.each(part, c.countAnew) }); err != nil {
			return done, fmt.Errorf("compute tickets anew: %w", err)
		}
		done.Tickets += len(part)
	}
	for part := range slices.Chunk(waiting, mendAtOnce) {
		if err := d.update(ctx, a, func(c *command) error {
			for _, id := range part {
				if err := c.setTimer(TimerDeliver, id, c.now); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return done, fmt.Errorf("set the timers of replies anew: %w", err)
		}
		done.Deliveries += len(part)
	}
	if done.Hours, err = d.mendLedger(ctx, a); err != nil {
		return done, err
	}
	return done, d.endDamage(ctx, a, done)
}

// mendable lists the tickets that messages are on and that are not there, those that say
// something else than their messages do, and the deliveries that nothing will try.
func (d *Desk) mendable(ctx context.Context) (without, differing []uint64, waiting []string, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		without, differing, waiting = nil, nil, nil
		for m, err := range readable(r, messages.Scan(r, store.Range{})) {
			if err != nil {
				return err
			}
			has, err := tickets.Has(r, key(m.Ticket))
			if err != nil {
				return err
			}
			if !has && m.Ticket != 0 {
				without = appendNew(without, m.Ticket)
			}
		}
		for t, err := range readable(r, tickets.Scan(r, store.Range{})) {
			if err != nil {
				return err
			}
			found, err := tallyOf(r, t.Number)
			if err != nil {
				return err
			}
			placed, err := pipelines.Has(r, key(t.PipelineID))
			if err != nil {
				return err
			}
			if !placed || len(found.differences(t)) > 0 {
				differing = append(differing, t.Number)
			}
		}
		for delivery, err := range readable(r, deliveries.Scan(r, store.Range{})) {
			if err != nil {
				return err
			}
			has, err := timers.Has(r, key(string(TimerDeliver), delivery.ID))
			if err != nil {
				return err
			}
			if !has && !delivery.State.done() {
				waiting = append(waiting, delivery.ID)
			}
		}
		return nil
	})
	return without, differing, waiting, err
}

func (c *command) each(numbers []uint64, do func(number uint64) error) error {
	for _, number := range numbers {
		if err := do(number); err != nil {
			return fmt.Errorf("ticket %d: %w", number, err)
		}
	}
	return nil
}

// mendAliases gives addresses whose pipeline was lost the first one: without any they take
// no mail.
func (c *command) mendAliases() error {
	for a, err := range aliases.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if placed, err := pipelines.Has(c, key(a.PipelineID)); err != nil || placed {
			if err != nil {
				return err
			}
			continue
		}
		first, err := c.firstPipeline()
		if err != nil {
			return err
		}
		a.PipelineID = first.ID
		if err := aliases.Put(c, a); err != nil {
			return err
		}
	}
	return nil
}

func (c *command) firstPipeline() (*Pipeline, error) {
	for p, err := range pipelines.Scan(c, store.Range{}) {
		return p, err
	}
	return nil, notFound("pipeline", "")
}

// countAnew lets a ticket say what its messages are, in a pipeline that is there.
func (c *command) countAnew(number uint64) error {
	t, err := tickets.Get(c, key(number))
	if err != nil {
		return err
	}
	if placed, err := pipelines.Has(c, key(t.PipelineID)); err != nil {
		return err
	} else if !placed {
		if err := c.placeRebuilt(t); err != nil {
			return err
		}
	}
	if err := errors.Join(c.recount(t), c.recountMentions(t), c.setDue(t)); err != nil {
		return err
	}
	return tickets.Put(c, t)
}

// rebuild makes the record of a ticket from its messages, as a mail that opens one would,
// but without what is caused by that. It begins open, where its alias says.
func (c *command) rebuild(number uint64) error {
	thread, err := messagesOf(c, number)
	if err != nil || len(thread) == 0 {
		return err
	}
	slices.SortStableFunc(thread, func(a, b *Message) int { return cmp.Compare(a.Seq, b.Seq) })
	first, last := thread[0], thread[len(thread)-1]
	customer := first.From
	if first.Direction == Outbound && len(first.To) > 0 {
		customer = first.To[0]
	}
	contact, err := contactOf(c, customer.Email)
	if err == nil && contact == nil {
		contact = &Contact{ID: c.desk.newID(), Email: strings.ToLower(customer.Email), Name: customer.Name, CreatedAt: first.At, LastSeenAt: first.At}
		err = contacts.Put(c, contact)
	}
	if err != nil {
		return err
	}
	t := &Ticket{Number: number, Subject: first.Subject, ContactID: contact.ID, CreatedAt: first.At, OpenedAt: first.At, UpdatedAt: last.At, RulesDone: true}
	for _, m := range thread {
		t.Aliases = appendNew(t.Aliases, m.Paths...)
	}
	if err := c.placeRebuilt(t); err != nil {
		return err
	}
	if err := errors.Join(c.recount(t), c.recountMentions(t), c.setDue(t)); err != nil {
		return err
	}
	if _, err := c.record(Event{Kind: EventTicketRecovered, Ticket: number, Data: map[string]string{"subject": t.Subject}}); err != nil {
		return err
	}
	return tickets.Put(c, t)
}

// placeRebuilt puts a ticket where the first of its aliases that is there says, or else
// into the first pipeline.
func (c *command) placeRebuilt(t *Ticket) error {
	for _, address := range t.Aliases {
		alias, err := optional(aliases.First(c, "address", key(address)))
		if err != nil {
			return err
		}
		if alias != nil {
			t.AliasID, t.PipelineID, t.Language, t.Tags = alias.ID, alias.PipelineID, alias.Language, slices.Clone(alias.Tags)
			break
		}
	}
	pipeline, err := optional(pipelines.Get(c, key(t.PipelineID)))
	if err != nil {
		return err
	}
	if pipeline == nil {
		if pipeline, err = c.firstPipeline(); err != nil {
			return err
		}
	}
	t.PipelineID, t.StageID, t.Open = pipeline.ID, pipeline.Stages[0].ID, pipeline.Stages[0].Kind == StageOpen
	return nil
}

// endDamage ends the alarms of damage and writes down that the data was mended.
func (d *Desk) endDamage(ctx context.Context, a Actor, done Mended) error {
	list, err := d.Alarms(ctx, a)
	if err != nil {
		return err
	}
	for _, alarm := range list {
		if alarm.Kind != AlarmStore {
			continue
		}
		if err := d.EndAlarm(ctx, a, alarm.Kind, alarm.Subject); err != nil {
			return err
		}
	}
	return d.update(ctx, a, func(c *command) error {
		_, err := c.record(Event{Kind: EventDataRecovered, Data: map[string]string{"tickets": fmt.Sprint(done.Tickets + done.Rebuilt)}})
		return err
	})
}
