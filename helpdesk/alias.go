package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// Aliases returns every alias, by address.
func (d *Desk) Aliases(ctx context.Context, a Actor) ([]Alias, error) {
	if err := a.mayRead("aliases"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, aliases, func(a, b Alias) int { return cmp.Compare(a.Address, b.Address) })
}

// SaveAlias creates an alias, or replaces the one with the same ID. Only the
// configuration file changes what it manages.
func (d *Desk) SaveAlias(ctx context.Context, a Actor, alias Alias) (*Alias, error) {
	if err := a.may("change aliases", PermitAliases); err != nil {
		return nil, err
	}
	var saved *Alias
	err := d.update(ctx, a, func(c *command) (err error) {
		saved, err = c.saveAlias(alias)
		return err
	})
	return saved, err
}

func (c *command) saveAlias(alias Alias) (*Alias, error) {
	if err := c.checkAlias(&alias); err != nil {
		return nil, err
	}
	before := &Alias{}
	if alias.ID == "" {
		if err := c.checkTakesReports(alias.Address); err != nil {
			return nil, err
		}
		alias.ID, alias.CreatedAt = c.desk.newID(), c.now
	} else {
		known, err := aliases.Get(c, key(alias.ID))
		if before, err = found(known, err, "alias", alias.ID); err != nil {
			return nil, err
		}
		if before.Managed && c.actor.Kind != ActorFile {
			return nil, conflict("managed_alias", "alias %s is declared in the configuration file; change it there and reload", before.Address)
		}
		if err := c.unchanged("alias", before.Version()); err != nil {
			return nil, err
		}
		if alias.Address != before.Address { // one that became such since may still be disabled
			if err := c.checkTakesReports(alias.Address); err != nil {
				return nil, err
			}
		}
		alias.CreatedAt, alias.Former = before.CreatedAt, slices.Clone(before.Former)
		if alias.Address != before.Address {
			alias.Former = without(appendNew(alias.Former, before.Address), []string{alias.Address})
		}
	}
	alias.Managed = c.actor.Kind == ActorFile
	if err := aliases.Put(c, &alias); err != nil {
		if errors.Is(err, store.ErrConflict) {
			return nil, conflict("alias_taken", "alias %s exists already", alias.Address)
		}
		return nil, err
	}
	if err := c.tendDomain(alias.Address); err != nil {
		return nil, err
	}
	data, err := c.aliasChanges(before, &alias)
	if err != nil {
		return nil, err
	}
	_, err = c.record(Event{Kind: EventAliasSaved, Data: data.with("alias", alias.Address)})
	return &alias, err
}

// checkTakesReports refuses an address whose mail never becomes a ticket, since it takes
// reports. What the file says of both was compared as it was read, and only one of them may
// be in force yet.
func (c *command) checkTakesReports(address string) error {
	if c.actor.Kind != ActorFile && c.desk.policy.Load().toReports([]string{address}) {
		return invalid("address", "alias_reports", "%s takes reports on your domains ([reports] in the configuration file), so mail to it makes no tickets; choose another, or change it there and reload", address)
	}
	return nil
}

// maxBrand is in characters.
const maxBrand = 60

func (c *command) checkAlias(alias *Alias) error {
	alias.Address = mailboxOf(alias.Address)
	if err := checkAddress("address", alias.Address); err != nil {
		return err
	}
	for _, reserved := range []string{replyPrefix, bouncePrefix, selfTestPrefix} {
		if strings.HasPrefix(alias.Address, reserved) {
			return invalid("address", "alias_reserved", "addresses that begin with %s are made by the program; choose another", reserved)
		}
	}
	alias.ForwardTo = strings.ToLower(strings.TrimSpace(alias.ForwardTo))
	if alias.ForwardTo != "" {
		if err := checkAddress("forward_to", alias.ForwardTo); err != nil {
			return err
		}
	}
	if strings.ContainsFunc(alias.Name, func(r rune) bool { return r < ' ' }) {
		return invalid("name", "name_invalid", "the name %q holds control characters", alias.Name)
	}
	alias.Brand = strings.Join(strings.Fields(alias.Brand), " ")
	if utf8.RuneCountInString(alias.Brand) > maxBrand || strings.Contains(alias.Brand, "@") {
		return invalid("brand", "brand_invalid", "the brand %q has more than %d characters or an @", alias.Brand, maxBrand)
	}
	err := alias.checkTexts()
	if err != nil {
		return err
	}
	if alias.Tags, err = cleanTags(alias.Tags); err != nil {
		return err
	}
	if alias.PipelineID == "" {
		first, err := firstPipeline(c)
		if err != nil {
			return err
		}
		alias.PipelineID = first.ID
	} else if has, err := pipelines.Has(c, key(alias.PipelineID)); err != nil || !has {
		if err != nil {
			return err
		}
		return invalid("pipeline", "pipeline_unknown", "there is no pipeline %q", alias.PipelineID)
	}
	if alias.TeamID, err = teamIDOf(c, alias.TeamID); err != nil {
		return err
	}
	alias.OwnerID, err = userIDOf(c, alias.OwnerID)
	return err
}

// DeleteAlias removes an alias. One that has tickets is only disabled: it
// takes and sends no mail, and its tickets keep their history.
func (d *Desk) DeleteAlias(ctx context.Context, a Actor, id string) error {
	if err := a.may("delete aliases", PermitAliases); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		alias, err := aliases.Get(c, key(id))
		if alias, err = found(alias, err, "alias", id); err != nil {
			return err
		}
		if alias.Managed && c.actor.Kind != ActorFile {
			return conflict("managed_alias", "alias %s is declared in the configuration file; remove it there and reload", alias.Address)
		}
		used, err := hasTickets(c, alias)
		if err != nil {
			return err
		}
		if used {
			alias.Disabled = true
			err = aliases.Put(c, alias)
		} else {
			err = errors.Join(aliases.Delete(c, key(id)), c.forgetAlias(id))
		}
		if err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventAliasDeleted, Data: map[string]string{"alias": alias.Address}})
		return err
	})
}

// hasTickets reports whether tickets came by an alias, under whatever address it had.
func hasTickets(r store.Reader, alias *Alias) (bool, error) {
	for _, address := range alias.Ways() {
		for _, err := range tickets.ScanIndexKeys(r, "alias+state", store.Prefix(key(address))) {
			return err == nil, err
		}
	}
	return false, nil
}

// Pipelines returns every pipeline, in their order.
func (d *Desk) Pipelines(ctx context.Context, a Actor) ([]Pipeline, error) {
	if err := a.mayRead("pipelines"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, pipelines, func(a, b Pipeline) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID))
	})
}

func firstPipeline(r store.Reader) (*Pipeline, error) {
	for p, err := range pipelines.ScanIndex(r, "position", store.Range{}) {
		return p, err
	}
	return nil, invalid("pipeline", "no_pipeline", "there is no pipeline yet; make one first")
}

// SavePipeline creates a pipeline, or replaces the one with the same ID. Stages
// without an ID are new; a stage that still has tickets cannot be left out.
func (d *Desk) SavePipeline(ctx context.Context, a Actor, p Pipeline) (*Pipeline, error) {
	if err := a.may("change pipelines", PermitPipelines); err != nil {
		return nil, err
	}
	var saved *Pipeline
	err := d.update(ctx, a, func(c *command) (err error) {
		saved, err = c.savePipeline(p)
		return err
	})
	return saved, err
}

func (c *command) savePipeline(p Pipeline) (*Pipeline, error) {
	p.Stages = slices.Clone(p.Stages)
	for i := range p.Stages {
		if p.Stages[i].ID == "" {
			p.Stages[i].ID = c.desk.newID()
		}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	before, err := &Pipeline{}, error(nil)
	if p.ID == "" {
		list := 0
		for _, err := range pipelines.Scan(c, store.Range{}) {
			if err != nil {
				return nil, err
			}
			list++
		}
		p.ID, p.CreatedAt, p.Position = c.desk.newID(), c.now, list
	} else if before, err = c.replacePipeline(&p); err != nil {
		return nil, err
	}
	p.Managed = c.actor.Kind == ActorFile
	if err := pipelines.Put(c, &p); err != nil {
		if errors.Is(err, store.ErrConflict) {
			return nil, conflict("pipeline_taken", "pipeline %q exists already", p.Name)
		}
		return nil, err
	}
	_, err = c.record(Event{Kind: EventPipelineSaved, Data: pipelineChanges(before, &p).with("pipeline", p.Name)})
	return &p, err
}

func (p *Pipeline) check() error {
	p.Name = strings.TrimSpace(p.Name)
	if p.Name == "" {
		return invalid("name", "name_empty", "the pipeline has no name")
	}
	if len(p.Stages) == 0 || p.Stages[0].Kind != StageOpen {
		return invalid("stages", "first_stage_open", "pipeline %q needs a first stage of kind open: that is where new tickets go", p.Name)
	}
	seen := map[string]bool{}
	for i := range p.Stages {
		s := &p.Stages[i]
		s.Name = strings.TrimSpace(s.Name)
		switch {
		case s.Name == "":
			return invalid("stages", "stage_name_empty", "stage %d of pipeline %q has no name", i+1, p.Name)
		case s.Kind != StageOpen && s.Kind != StageClosed:
			return invalid("stages", "stage_kind", "stage %q has kind %q; it is either open or closed", s.Name, s.Kind)
		case seen[strings.ToLower(s.Name)]:
			return invalid("stages", "stage_twice", "pipeline %q has stage %q twice", p.Name, s.Name)
		}
		seen[strings.ToLower(s.Name)] = true
	}
	if !p.Reopen {
		return nil
	}
	i := slices.IndexFunc(p.Stages, func(s Stage) bool { return s.ID == p.ReopenStage || strings.EqualFold(s.Name, p.ReopenStage) })
	if p.ReopenStage == "" {
		i = 0
	}
	if i < 0 || p.Stages[i].Kind != StageOpen {
		return invalid("reopen_stage", "reopen_stage", "pipeline %q reopens into %q, which is no open stage of it", p.Name, p.ReopenStage)
	}
	p.ReopenStage = p.Stages[i].ID
	return nil
}

// replacePipeline checks what a changed pipeline must keep.
func (c *command) replacePipeline(p *Pipeline) (*Pipeline, error) {
	before, err := pipelines.Get(c, key(p.ID))
	if before, err = found(before, err, "pipeline", p.ID); err != nil {
		return nil, err
	}
	if before.Managed && c.actor.Kind != ActorFile {
		return nil, conflict("managed_pipeline", "pipeline %q is declared in the configuration file; change it there and reload", before.Name)
	}
	if err := c.unchanged("pipeline", before.Version()); err != nil {
		return nil, err
	}
	p.CreatedAt, p.Position = before.CreatedAt, before.Position
	for _, stage := range before.Stages {
		now, kept := p.Stage(stage.ID)
		if kept && now.Kind == stage.Kind {
			continue
		}
		for _, err := range tickets.ScanIndexKeys(c, "stage+state", store.Prefix(key(p.ID, stage.ID))) {
			if err != nil {
				return nil, err
			}
			return nil, conflict("stage_in_use", "stage %q still has tickets; move them first", stage.Name)
		}
	}
	return before, nil
}

func pipelineChanges(before, now *Pipeline) details {
	stages := func(p *Pipeline) string {
		var list []string
		for _, s := range p.Stages {
			list = append(list, s.Name+" ("+string(s.Kind)+")")
		}
		return strings.Join(list, " → ")
	}
	reopens := func(p *Pipeline) string {
		stage, ok := p.Stage(p.ReopenStage)
		if !p.Reopen || !ok {
			return ""
		}
		return stage.Name
	}
	return changesOf(change{"name", before.Name, now.Name}, change{"stages", stages(before), stages(now)},
		change{"reopen_stage", reopens(before), reopens(now)}, change{"managed", yesNo(before.Managed), yesNo(now.Managed)})
}
