package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/madoguchi/madoguchi/smtpd/mail"
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

func (t *Template) check() error {
	t.Name, t.Folder, t.Shortcut = oneLine(t.Name), oneLine(t.Folder), strings.TrimPrefix(strings.TrimSpace(t.Shortcut), "/")
	switch {
	case t.Name == "":
		return invalid("name", "name_empty", "the template has no name")
	case utf8.RuneCountInString(t.Name) > maxTemplateName:
		return invalid("name", "template_name_long", "the name has more than %d characters", maxTemplateName)
	case utf8.RuneCountInString(t.Folder) > maxTemplateName:
		return invalid("folder", "template_name_long", "the folder's name has more than %d characters", maxTemplateName)
	case utf8.RuneCountInString(t.Shortcut) > 40 || strings.ContainsFunc(t.Shortcut, func(r rune) bool { return unicode.IsSpace(r) || r == '/' }):
		return invalid("shortcut", "shortcut_invalid", "%q is no shortcut; write one word of up to 40 characters, such as order", clip(t.Shortcut))
	case len(t.Versions) == 0:
		return invalid("versions", "template_empty", "the template has no text; write one in at least one language")
	case len(t.Versions) > maxVersions:
		return invalid("versions", "template_versions", "the template has %d languages; the limit is %d", len(t.Versions), maxVersions)
	}
	seen := map[string]bool{}
	for _, v := range t.Versions {
		if seen[v.Language] {
			return invalid("versions", "language_twice", "there are two texts for language %q; keep one", v.Language)
		}
		seen[v.Language] = true
	}
	return nil
}

func (v *TemplateVersion) check() (err error) {
	v.Subject = oneLine(v.Subject)
	v.Text = strings.Trim(strings.ReplaceAll(v.Text, "\r\n", "\n"), "\n")
	size := 0
	for _, f := range v.Files {
		size += len(f.Data)
	}
	switch {
	case !languageCode.MatchString(v.Language):
		return invalid("versions", "language_code", "%q is no language; write its code, such as ja, en, zh or ko", v.Language)
	case max(len(v.Text), len(v.HTML)) > maxTemplateText:
		return invalid("text", "localized_too_long", "the text has %d bytes; the limit is %d", max(len(v.Text), len(v.HTML)), maxTemplateText)
	case size > maxTemplateFiles:
		return invalid("attachments", "files_too_large", "the files have %d bytes together; the limit is %d", size, maxTemplateFiles)
	}
	if err := checkVariables("subject", v.Subject, Variables); err != nil {
		return err
	}
	if v.HTML != "" {
		v.HTML, v.Text, err = checkHTML("text", v.HTML, Variables)
	} else {
		err = checkVariables("text", v.Text, Variables)
	}
	if err == nil && strings.TrimSpace(v.Text) == "" {
		err = invalid("text", "template_text_empty", "the text in %s is empty; write one, or take the language out", v.Language)
	}
	return err
}

// checkHTML makes what was written safe and checks its variables, and returns
// it, "" where nothing is formatted, with the plain words that say the same.
func checkHTML(field, written string, allowed []string) (clean, text string, err error) {
	letter := mail.ReadLetter(written)
	clean, text = letter.HTML, letter.Text
	if strings.Contains(clean, "<img") || strings.Contains(written, "<img") && strings.Contains(written, "data:image/") {
		return "", "", invalid(field, "template_image", "the text holds a picture; attach it as a file instead")
	}
	if err := checkVariables(field, text, allowed); err != nil {
		return "", "", err
	}
	for tokens := html.NewTokenizer(strings.NewReader(clean)); tokens.Next() != html.ErrorToken; {
		for _, a := range tokens.Token().Attr {
			if strings.Contains(a.Val, "{{") || strings.Contains(strings.ToLower(a.Val), "%7b%7b") {
				return "", "", invalid(field, "variable_in_link", "the link %s holds a variable; variables stand in the text only", clip(a.Val))
			}
		}
	}
	if a, b := Unfilled(text), Unfilled(clean); clean != "" && !slices.Equal(a, b) {
		return "", "", invalid(field, "variable_split", "a variable is formatted in part (%s); format it as a whole", inBraces(missing(b, a)))
	}
	return clean, text, nil
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

// checkReferences resolves the aliases, given by id or address.
func (c *command) checkReferences(t *Template) error {
	var ids []string
	for _, ref := range t.Aliases {
		alias, err := optional(aliases.Get(c, key(ref)))
		if err == nil && alias == nil {
			alias, err = optional(aliases.First(c, "address", key(strings.ToLower(strings.TrimSpace(ref)))))
		}
		if err != nil {
			return err
		}
		if alias == nil {
			return invalid("aliases", "alias_unknown", "there is no alias %q; use the address of an alias", ref)
		}
		ids = appendNew(ids, alias.ID)
	}
	t.Aliases = ids
	return nil
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

// verifyTemplates follows the references of templates, and reads their files.
func verifyTemplates(_ context.Context, r store.Reader) (problems []string, err error) {
	kept := map[string]bool{}
	for t, err := range readable(r, templates.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		for _, id := range t.Aliases {
			if has, err := aliases.Has(r, key(id)); err != nil || !has {
				problems = append(problems, fmt.Sprintf("template %s is offered on alias %s, which does not exist (%v)", t.ID, id, err))
			}
		}
		for _, f := range t.files() {
			kept[string(key(f.ID))] = true
			if data, err := templateFiles.Get(r, key(f.ID)); err != nil || int64(len(data)) != f.Size {
				problems = append(problems, fmt.Sprintf("the file %q of template %s has %d bytes, should have %d (%v)", f.Filename, t.ID, len(data), f.Size, err))
			}
		}
	}
	for id, err := range templateFiles.IDs(r) {
		if err != nil {
			return problems, err
		}
		if !kept[string(id)] {
			problems = append(problems, fmt.Sprintf("a stored file %q is of no template", id))
		}
	}
	return problems, nil
}
