package helpdesk

import (
	"context"
	"fmt"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

func (t *Template) files() (list []TemplateFile) {
	for _, v := range t.Versions {
		list = append(list, v.Files...)
	}
	return list
}

// putTemplateFiles stores the new files of a template and removes those that it
// no longer has. What is said of a file that is kept comes from the store.
func (c *command) putTemplateFiles(t, before *Template, blobs map[string]store.Blob) error {
	had := map[string]TemplateFile{}
	if before != nil {
		for _, f := range before.files() {
			had[f.ID] = f
		}
	}
	kept, size := map[string]bool{}, int64(0)
	for i := range t.Versions {
		for j, f := range t.Versions[i].Files {
			if blob, isNew := blobs[f.ID]; isNew {
				if strings.TrimSpace(f.Filename) == "" {
					return invalid("attachments", "file_name_empty", "a file has no name")
				}
				if err := templateFiles.Put(c, key(f.ID), blob); err != nil {
					return err
				}
			} else if old, ok := had[f.ID]; ok && !kept[f.ID] {
				t.Versions[i].Files[j] = old
			} else {
				return notFound("file of the template", f.ID)
			}
			kept[f.ID] = true
			size += t.Versions[i].Files[j].Size
		}
	}
	if size > maxTemplateFiles {
		return invalid("attachments", "files_too_large", "the files have %d bytes together; the limit is %d", Bytes(size), Bytes(maxTemplateFiles))
	}
	for id := range had {
		if kept[id] {
			continue
		}
		if err := templateFiles.Delete(c, key(id)); err != nil {
			return err
		}
	}
	return nil
}

// TemplateFile returns a file of a template, with its Data.
func (d *Desk) TemplateFile(ctx context.Context, a Actor, templateID, fileID string) (f TemplateFile, err error) {
	if err := a.mayRead("a template"); err != nil {
		return f, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		t, err := usableTemplate(r, a, templateID)
		if err != nil {
			return err
		}
		for _, f = range t.files() {
			if f.ID == fileID {
				f.Data, err = templateFiles.Get(r, key(fileID))
				return err
			}
		}
		return notFound("file of the template", fileID)
	})
	return f, err
}

// CopyTemplate makes a template of the actor's own, or everybody's where the
// actor may, from another, with its files.
func (d *Desk) CopyTemplate(ctx context.Context, a Actor, id, name string) (*Template, error) {
	if err := a.may("copy a template", PermitReply); err != nil {
		return nil, err
	}
	t, err := d.Template(ctx, a, id)
	if err != nil {
		return nil, err
	}
	if err := d.loadFiles(ctx, a, t); err != nil {
		return nil, err
	}
	t.ID, t.Name, t.Shortcut = "", name, "" // a shortcut leads to one template
	if t.mayWrite(a) != nil {
		t.OwnerID = a.UserID
	}
	return d.SaveTemplate(ctx, a, *t)
}

func (d *Desk) loadFiles(ctx context.Context, a Actor, t *Template) error {
	for i := range t.Versions {
		for j, f := range t.Versions[i].Files {
			loaded, err := d.TemplateFile(ctx, a, t.ID, f.ID)
			if err != nil {
				return err
			}
			t.Versions[i].Files[j] = loaded
		}
	}
	return nil
}

// ExportTemplates returns everybody's templates, or with own the actor's, with
// the data of their files.
func (d *Desk) ExportTemplates(ctx context.Context, a Actor, own bool) (exported []Template, err error) {
	all, err := d.Templates(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if own != (t.OwnerID != "") {
			continue
		}
		if err := d.loadFiles(ctx, a, &t); err != nil {
			return nil, err
		}
		exported = append(exported, t)
	}
	return exported, nil
}

// ImportTemplates creates the templates, or replaces those with the same folder
// and name, all or none. own makes them the actor's, else they are everybody's.
// Aliases that are not here are left out.
func (d *Desk) ImportTemplates(ctx context.Context, a Actor, list []Template, own bool) (created, replaced int, err error) {
	owner := ""
	if own {
		owner = a.UserID
	}
	if err := (&Template{OwnerID: owner}).mayWrite(a); err != nil {
		return 0, 0, err
	}
	prepared := make([]map[string]store.Blob, len(list))
	for i := range list {
		list[i].ID, list[i].OwnerID = "", owner
		if prepared[i], err = list[i].prepare(d); err != nil {
			return 0, 0, fmt.Errorf("template %d (%q): %w", i+1, list[i].Name, err)
		}
	}
	err = d.update(ctx, a, func(c *command) error {
		created, replaced = 0, 0
		for i, t := range list {
			before, err := optional(templates.First(c, "name", key(owner, strings.ToLower(t.Folder), strings.ToLower(t.Name))))
			if err != nil {
				return err
			}
			if before != nil {
				t.ID = before.ID
				replaced++
			} else {
				created++
			}
			if t.Aliases, err = c.knownAliases(t.Aliases); err != nil {
				return err
			}
			if _, err := c.saveTemplate(t, prepared[i]); err != nil {
				return fmt.Errorf("template %d (%q): %w", i+1, t.Name, err)
			}
		}
		return nil
	})
	return created, replaced, err
}

func (c *command) knownAliases(addresses []string) (known []string, err error) {
	for _, address := range addresses {
		alias, err := optional(aliases.First(c, "address", key(mailboxOf(address))))
		if err != nil {
			return nil, err
		}
		if alias != nil {
			known = append(known, alias.ID)
		}
	}
	return known, nil
}
