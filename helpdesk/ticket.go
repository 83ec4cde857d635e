package helpdesk

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// Change is what an agent changes of a ticket; nil fields stay as they are.
type Change struct {
	Stage    *string   // id or name of a stage of the ticket's pipeline
	Assignee *string   // id or address of a user, "" for nobody
	Team     *string   // id or name of a team, "" for none
	Tags     *[]string // the whole new list
	Tag      []string  // tags to add to those that it has
	Untag    []string  // and to take away from them
	Priority *Priority
	Fields   FieldValues // by id or name; an empty list takes a value away
	Snooze   *Snooze     // its Until and Note: lays the ticket aside
	Wake     bool        // brings it back
}

// Change changes of a ticket what change names, and returns it changed.
func (d *Desk) Change(ctx context.Context, a Actor, number uint64, change Change) (*Ticket, error) {
	if err := a.may("change a ticket", PermitRead); err != nil {
		return nil, err
	}
	for _, p := range change.needs() {
		if err := a.may("change this of a ticket", p); err != nil {
			return nil, err
		}
	}
	return d.changeTicket(ctx, a, number, func(c *command, t *Ticket) error {
		before := c.last
		if err := c.apply(t, change); err != nil {
			return err
		}
		if c.last != before {
			t.UpdatedAt = c.now
		}
		return nil
	})
}

// needs are the permissions for what changes.
func (ch *Change) needs() (list []Permission) {
	if ch.Stage != nil {
		list = append(list, PermitStage)
	}
	if ch.Assignee != nil || ch.Team != nil {
		list = append(list, PermitAssign)
	}
	if ch.changesTags() || len(ch.Fields) > 0 || ch.Priority != nil || ch.Snooze != nil || ch.Wake {
		list = append(list, PermitEdit)
	}
	return list
}

func (ch *Change) changesTags() bool { return ch.Tags != nil || len(ch.Tag) > 0 || len(ch.Untag) > 0 }

// tagged are the tags that a ticket with old ones has after the change.
func (ch *Change) tagged(old []string) ([]string, error) {
	if ch.Tags != nil {
		old = *ch.Tags
	}
	return retagged(old, ch.Tag, ch.Untag)
}

// retagged are old tags without some and with others.
func retagged(old, add, remove []string) ([]string, error) {
	return cleanTags(appendNew(without(old, remove), add...))
}

func (c *command) apply(t *Ticket, change Change) error {
	if len(change.Fields) > 0 { // before the stage, which may require them
		if err := c.fillIn(t, change.Fields); err != nil {
			return err
		}
	}
	if change.Stage != nil {
		if err := c.changeStage(t, *change.Stage); err != nil {
			return err
		}
	}
	if change.Team != nil {
		id, err := teamIDOf(c, *change.Team)
		if err != nil {
			return err
		}
		if err := c.assignTeam(t, id); err != nil {
			return err
		}
	}
	if change.Assignee != nil {
		id, err := userIDOf(c, *change.Assignee)
		if err != nil {
			return err
		}
		if err := c.assign(t, id); err != nil {
			return err
		}
	}
	if change.changesTags() {
		tags, err := change.tagged(t.Tags)
		if err != nil {
			return err
		}
		if err := c.retag(t, tags); err != nil {
			return err
		}
	}
	if change.Priority != nil {
		if err := c.prioritise(t, *change.Priority); err != nil {
			return err
		}
	}
	switch {
	case change.Snooze != nil:
		return c.snooze(t, *change.Snooze)
	case change.Wake:
		return c.wakeTicket(t, WokenByHand)
	}
	return nil
}

// changeStage moves a ticket to a stage of its pipeline, by id or name.
func (c *command) changeStage(t *Ticket, named string) error {
	pipeline, err := pipelines.Get(c, key(t.PipelineID))
	if err != nil {
		return err
	}
	stage, err := pipeline.stageNamed(named)
	if err != nil {
		return err
	}
	if err := c.mayClose(t, *stage); err != nil {
		return err
	}
	return c.moveTo(t, pipeline, *stage)
}

// stageNamed is the stage that an id or a name, in any letter case, stands for.
func (p *Pipeline) stageNamed(named string) (*Stage, error) {
	i := slices.IndexFunc(p.Stages, func(s Stage) bool { return s.ID == named || strings.EqualFold(s.Name, named) })
	if i < 0 {
		return nil, invalid("stage", "stage_unknown", "pipeline %q has no stage %q; it has %s", p.Name, named, stageNames(p))
	}
	return &p.Stages[i], nil
}

func stageNames(p *Pipeline) string {
	var names []string
	for _, s := range p.Stages {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// userIDOf resolves an id or an address; "" stays "".
func userIDOf(r store.Reader, idOrEmail string) (string, error) {
	if idOrEmail == "" {
		return "", nil
	}
	if has, err := users.Has(r, key(idOrEmail)); err != nil || has {
		return idOrEmail, err
	}
	user, err := users.First(r, "email", key(strings.ToLower(idOrEmail)))
	if errors.Is(err, store.ErrNotFound) {
		return "", invalid("assignee", "user_unknown", "there is no user %q; use an id or a mail address of a user", idOrEmail)
	}
	if err != nil {
		return "", err
	}
	return user.ID, nil
}

// Limits of tags.
const (
	maxTags      = 50
	maxTagLength = 60 // characters
)

func cleanTags(list []string) ([]string, error) {
	tags := []string{}
	for _, tag := range list {
		tag = strings.Join(strings.FieldsFunc(tag, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == ',' }), " ")
		if tag == "" {
			continue
		}
		if utf8.RuneCountInString(tag) > maxTagLength {
			return nil, invalid("tags", "tag_too_long", "tag %q has more than %d characters", tag, maxTagLength)
		}
		tags = appendNew(tags, tag)
	}
	if len(tags) > maxTags {
		return nil, invalid("tags", "too_many_tags", "%d tags; the limit is %d", len(tags), maxTags)
	}
	return tags, nil
}

func joinTags(tags []string) string { return strings.Join(tags, ", ") }

func formatNumber(n uint64) string { return strconv.FormatUint(n, 10) }

// MarkSeen records that the actor has looked at a ticket up to the event seq.
// It is no event itself, since nobody else needs to know, unless it reads a
// mention.
func (d *Desk) MarkSeen(ctx context.Context, a Actor, number, seq uint64) error {
	if err := a.mayRead("a ticket"); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		if _, err := c.readNotices(a.UserID, number); err != nil {
			return err
		}
		before, err := seens.Get(c, key(a.UserID, number))
		if err == nil && before.Seq >= seq {
			return nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := c.readMentions(number, seq); err != nil {
			return err
		}
		return seens.Put(c, &seen{UserID: a.UserID, Ticket: number, Seq: seq})
	})
}

// MarkUnread lets a ticket be new again to the actor: as before the newest that
// its customer wrote.
func (d *Desk) MarkUnread(ctx context.Context, a Actor, number uint64) error {
	if err := a.mayRead("a ticket"); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		t, err := tickets.Get(c, key(number))
		if t, err = found(t, err, "ticket", number); err != nil {
			return err
		}
		if t.CustomerSeq == 0 {
			return conflict("nothing_unread", "no customer wrote on ticket %d, so there is nothing to mark as unread", number)
		}
		return seens.Put(c, &seen{UserID: a.UserID, Ticket: number, Seq: t.CustomerSeq - 1})
	})
}
