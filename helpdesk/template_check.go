package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

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
		return invalid("attachments", "files_too_large", "the files have %d bytes together; the limit is %d", Bytes(size), Bytes(maxTemplateFiles))
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

// checkReferences resolves the aliases, given by id or address.
func (c *command) checkReferences(t *Template) error {
	var ids []string
	for _, ref := range t.Aliases {
		alias, err := optional(aliases.Get(c, key(ref)))
		if err == nil && alias == nil {
			alias, err = optional(aliases.First(c, "address", key(mailboxOf(ref))))
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
