package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Template is a prepared answer. It has one version for each language that it
// is written in.
type Template struct {
	ID     string
	Name   string // unique within its folder
	Folder string // "" for none
	// Shortcut is a word that finds the template at once, "" for none.
	Shortcut string
	OwnerID  string   // the user whose own it is, "" where it is everybody's
	Aliases  []string // ids of those on whose tickets it is offered; none is all
	Versions []TemplateVersion

	CreatedAt  time.Time
	ChangedAt  time.Time
	ChangedBy  string // a user's id
	Uses       int    // replies that it is in
	LastUsedAt time.Time
}

// TemplateVersion is a template in one language.
type TemplateVersion struct {
	Language string // ISO 639-1
	Subject  string // "" keeps that of the ticket
	Text     string
	HTML     string `cbor:",omitempty"` // "" where the text is all
	Files    []TemplateFile
}

// TemplateFile is a file that goes along with a template.
type TemplateFile struct {
	ID          string
	Filename    string
	ContentType string
	Size        int64
	Data        []byte `cbor:"-"` // only on the way in and out
}

// Limits of templates.
const (
	maxTemplateName  = 120       // characters
	maxTemplateText  = 256 << 10 // bytes, text and HTML each
	maxTemplateFiles = 10 << 20  // bytes, all files together
	maxVersions      = 20
)

// Templates returns everybody's templates and the actor's own, by folder and
// name.
func (d *Desk) Templates(ctx context.Context, a Actor) (list []Template, err error) {
	if err := a.mayRead("templates"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) (err error) {
		list, err = templatesOf(r, a)
		return err
	})
	return list, err
}

func templatesOf(r store.Reader, a Actor) (list []Template, err error) {
	for _, owner := range slices.Compact([]string{"", a.UserID}) {
		for t, err := range templates.ScanIndex(r, "name", store.Prefix(key(owner))) {
			if err != nil {
				return nil, err
			}
			list = append(list, *t)
		}
	}
	slices.SortStableFunc(list, func(a, b Template) int {
		return cmp.Or(cmp.Compare(a.Folder, b.Folder), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// Template returns one template that the actor may use.
func (d *Desk) Template(ctx context.Context, a Actor, id string) (t *Template, err error) {
	if err := a.mayRead("a template"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) (err error) {
		t, err = usableTemplate(r, a, id)
		return err
	})
	return t, err
}

// usableTemplate returns a template that is the actor's or everybody's. That of
// somebody else is not there.
func usableTemplate(r store.Reader, a Actor, id string) (*Template, error) {
	t, err := templates.Get(r, key(id))
	if err == nil && t.OwnerID != "" && t.OwnerID != a.UserID {
		err = store.ErrNotFound
	}
	return found(t, err, "template", id)
}

// mayWrite checks who may change a template: who answers their own, everybody's
// who has the permission.
func (t *Template) mayWrite(a Actor) error {
	if t.OwnerID != "" && t.OwnerID == a.UserID {
		return a.may("change their own templates", PermitReply)
	}
	return a.may("change everybody's templates", PermitTemplates)
}

// SaveTemplate creates a template, or replaces the one with the same ID. Files
// with Data are new; those with an ID alone are kept.
func (d *Desk) SaveTemplate(ctx context.Context, a Actor, t Template) (*Template, error) {
	if err := t.mayWrite(a); err != nil {
		return nil, err
	}
	blobs, err := t.prepare(d)
	if err != nil {
		return nil, err
	}
	var saved *Template
	err = d.update(ctx, a, func(c *command) (err error) {
		saved, err = c.saveTemplate(t, blobs)
		return err
	})
	return saved, err
}

// prepare checks what can be checked without the store, cleans what is written
// and compresses new files, which takes time.
func (t *Template) prepare(d *Desk) (map[string]store.Blob, error) {
	t.Versions = slices.Clone(t.Versions)
	if err := t.check(); err != nil {
		return nil, err
	}
	blobs := map[string]store.Blob{}
	for i := range t.Versions {
		v := &t.Versions[i]
		if err := v.check(); err != nil {
			return nil, err
		}
		v.Files = slices.Clone(v.Files)
		for j := range v.Files {
			f := &v.Files[j]
			if f.Data == nil {
				continue
			}
			f.ID, f.Size = d.newID(), int64(len(f.Data))
			f.Filename, f.ContentType = oneLine(f.Filename), cmp.Or(f.ContentType, "application/octet-stream")
			blobs[f.ID] = store.Compress(f.Data)
			f.Data = nil
		}
	}
	return blobs, nil
}

func (c *command) saveTemplate(t Template, blobs map[string]store.Blob) (*Template, error) {
	var before *Template
	if t.ID != "" {
		var err error
		if before, err = usableTemplate(c, c.actor, t.ID); err != nil {
			return nil, err
		}
		if err := before.mayWrite(c.actor); err != nil {
			return nil, err
		}
		if err := c.unchanged("template", before.Version()); err != nil {
			return nil, err
		}
		t.CreatedAt, t.Uses, t.LastUsedAt = before.CreatedAt, before.Uses, before.LastUsedAt
	} else {
		t.ID, t.CreatedAt, t.Uses, t.LastUsedAt = c.desk.newID(), c.now, 0, time.Time{}
	}
	if t.OwnerID != "" && t.OwnerID != c.actor.UserID {
		return nil, invalid("owner", "template_owner", "a template is everybody's or your own")
	}
	if err := t.mayWrite(c.actor); err != nil {
		return nil, err
	}
	t.ChangedAt, t.ChangedBy = c.now, c.actor.UserID
	if err := c.checkReferences(&t); err != nil {
		return nil, err
	}
	if err := c.putTemplateFiles(&t, before, blobs); err != nil {
		return nil, err
	}
	if err := templates.Put(c, &t); err != nil {
		if errors.Is(err, store.ErrConflict) {
			return nil, conflict("template_taken", "there is a template %q in this folder, or one with the shortcut %q, already", t.Name, t.Shortcut)
		}
		return nil, err
	}
	_, err := c.record(Event{Kind: EventTemplateSaved, Data: map[string]string{"template": t.ID, "name": t.Name}})
	return &t, err
}

// DeleteTemplate removes a template and its files.
func (d *Desk) DeleteTemplate(ctx context.Context, a Actor, id string) error {
	if err := a.may("delete a template", PermitReply); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		t, err := usableTemplate(c, a, id)
		if err != nil {
			return err
		}
		if err := t.mayWrite(a); err != nil {
			return err
		}
		if err := c.putTemplateFiles(&Template{ID: id}, t, nil); err != nil {
			return err
		}
		if err := templates.Delete(c, key(id)); err != nil {
			return err
		}
		if err := c.forgetInServices(id); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventTemplateDeleted, Data: map[string]string{"template": id, "name": t.Name}})
		return err
	})
}

// forgetAlias takes an alias that is deleted out of the templates that are
// offered on it, and out of the services.
func (c *command) forgetAlias(id string) error {
	if err := c.forgetInServices(id); err != nil {
		return err
	}
	var changed []*Template
	for t, err := range templates.Scan(c, store.Range{}) {
		if err != nil {
			return err
		}
		if slices.Contains(t.Aliases, id) {
			t.Aliases = without(t.Aliases, []string{id})
			changed = append(changed, t)
		}
	}
	for _, t := range changed {
		if err := templates.Put(c, t); err != nil {
			return err
		}
	}
	return nil
}

// countUse adds to how often templates were used: by n replies, which is -1
// where one was taken back. Templates that are gone are left out.
func (c *command) countUse(ids []string, n int) error {
	for _, id := range ids {
		t, err := optional(templates.Get(c, key(id)))
		if err != nil {
			return err
		}
		if t == nil {
			continue
		}
		if t.Uses = max(t.Uses+n, 0); n > 0 {
			t.LastUsedAt = c.now
		}
		if err := templates.Put(c, t); err != nil {
			return err
		}
	}
	return nil
}
