package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// Declared is what the configuration file says of aliases and pipelines. The
// file owns what it declares: the web shows it and does not change it.
type Declared struct {
	File      string // its name, for the log
	Pipelines []DeclaredPipeline
	Aliases   []DeclaredAlias
}

// DeclaredPipeline is a [[pipeline]] of the configuration file.
type DeclaredPipeline struct {
	Name        string
	Stages      []Stage // without ids
	Reopen      bool
	ReopenStage string // a stage's name; the first one where empty
}

// DeclaredAlias is an [[alias]] of the configuration file.
type DeclaredAlias struct {
	Address   string
	Name      string
	Brand     string // the shop or brand that it speaks for, or ""
	Pipeline  string // a pipeline's name; the first one where empty
	Owner     string // a user's address, or ""
	Team      string // a team's name, or ""
	Tags      []string
	Language  string
	Signature string
	ForwardTo string
	// Acknowledgement answers a person's first mail; "" for none.
	Acknowledgement string
	// Signatures and Acknowledgements are those for one language each.
	Signatures       map[string]string
	Acknowledgements map[string]string
	// Approval asks for a second person before a reply leaves.
	Approval bool
}

// ApplyFile makes the store agree with the configuration file, all of it or
// nothing. What the file no longer declares stays, and can be changed in the
// web from then on.
func (d *Desk) ApplyFile(ctx context.Context, declared Declared) error {
	return d.update(ctx, File(declared.File), func(c *command) error {
		keptPipelines, keptAliases := map[string]bool{}, map[string]bool{}
		for _, p := range declared.Pipelines {
			id, err := c.applyPipeline(p)
			if err != nil {
				return fmt.Errorf("[[pipeline]] %q: %w", p.Name, err)
			}
			keptPipelines[id] = true
		}
		for _, a := range declared.Aliases {
			id, err := c.applyAlias(a)
			if err != nil {
				return fmt.Errorf("[[alias]] %q: %w", a.Address, err)
			}
			keptAliases[id] = true
		}
		return c.release(keptPipelines, keptAliases)
	})
}

func (c *command) applyPipeline(p DeclaredPipeline) (string, error) {
	want := Pipeline{Name: strings.TrimSpace(p.Name), Stages: p.Stages, Reopen: p.Reopen, ReopenStage: p.ReopenStage}
	before, err := pipelines.First(c, "name", key(strings.ToLower(want.Name)))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	if err == nil {
		want.ID = before.ID
		want.Stages = make([]Stage, len(p.Stages))
		for i, stage := range p.Stages {
			for _, known := range before.Stages {
				if strings.EqualFold(known.Name, strings.TrimSpace(stage.Name)) {
					stage.ID = known.ID
				}
			}
			want.Stages[i] = stage
		}
		if same, err := before.sameAs(want); err != nil || same {
			return want.ID, err
		}
	}
	saved, err := c.savePipeline(want)
	if err != nil {
		return "", err
	}
	return saved.ID, nil
}

// sameAs reports whether saving want would change nothing, so that a reload
// leaves no trace in the log.
func (p *Pipeline) sameAs(want Pipeline) (bool, error) {
	if err := want.check(); err != nil {
		return false, err
	}
	return p.Managed && p.Name == want.Name && p.Reopen == want.Reopen && (!p.Reopen || p.ReopenStage == want.ReopenStage) &&
		fmt.Sprint(p.Stages) == fmt.Sprint(want.Stages), nil
}

func (c *command) applyAlias(a DeclaredAlias) (string, error) {
	want := Alias{Address: mailboxOf(a.Address), Name: a.Name, Brand: a.Brand, OwnerID: a.Owner, TeamID: a.Team, Tags: a.Tags,
		Language: a.Language, Signature: a.Signature, ForwardTo: a.ForwardTo, Acknowledgement: a.Acknowledgement,
		Signatures: localized(a.Signatures), Acknowledgements: localized(a.Acknowledgements), Approval: a.Approval}
	if a.Pipeline != "" {
		pipeline, err := pipelines.First(c, "name", key(strings.ToLower(strings.TrimSpace(a.Pipeline))))
		if errors.Is(err, store.ErrNotFound) {
			return "", invalid("pipeline", "pipeline_unknown", "there is no pipeline %q; declare it as [[pipeline]] or make it in the web", a.Pipeline)
		}
		if err != nil {
			return "", err
		}
		want.PipelineID = pipeline.ID
	}
	before, err := aliases.First(c, "address", key(want.Address))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	if err == nil {
		want.ID, want.Disabled = before.ID, before.Disabled && !before.Managed
		checked := want
		if err := c.checkAlias(&checked); err != nil {
			return "", err
		}
		checked.Managed, checked.CreatedAt, checked.Disabled, checked.Former = true, before.CreatedAt, before.Disabled, before.Former
		if fmt.Sprint(checked) == fmt.Sprint(*before) {
			return want.ID, nil
		}
	}
	saved, err := c.saveAlias(want)
	if err != nil {
		return "", err
	}
	return saved.ID, nil
}

// localized are the texts of a file's table of languages.
func localized(texts map[string]string) (list []Localized) {
	for _, language := range slices.Sorted(maps.Keys(texts)) {
		list = append(list, NewLocalized(language, texts[language]))
	}
	return list
}

// release gives back to the web what the file no longer declares.
func (c *command) release(keptPipelines, keptAliases map[string]bool) error {
	var freed []*Pipeline
	for p, err := range pipelines.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if p.Managed && !keptPipelines[p.ID] {
			freed = append(freed, p)
		}
	}
	for _, p := range freed {
		p.Managed = false
		if err := pipelines.Put(c, p); err != nil {
			return err
		}
		if _, err := c.record(Event{Kind: EventPipelineSaved, Data: map[string]string{"pipeline": p.Name}}); err != nil {
			return err
		}
	}
	var loose []*Alias
	for a, err := range aliases.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if a.Managed && !keptAliases[a.ID] {
			loose = append(loose, a)
		}
	}
	for _, a := range loose {
		a.Managed = false
		if err := aliases.Put(c, a); err != nil {
			return err
		}
		if _, err := c.record(Event{Kind: EventAliasSaved, Data: map[string]string{"alias": a.Address}}); err != nil {
			return err
		}
	}
	return nil
}
