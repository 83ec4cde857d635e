package helpdesk

import (
	"cmp"
	"context"
	"html"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// TemplateOffer is a template as it is offered on a ticket: in the version that
// fits the customer's language best.
type TemplateOffer struct {
	Template Template
	Version  TemplateVersion
	Fits     bool // the version is in the customer's language
	// Words are how it begins, filled for the customer; … stands for what is not known.
	Words string
}

// TemplateOffers returns the templates for a mail on a matter, those in the
// customer's language first and of these the ones most used, and that language.
func (d *Desk) TemplateOffers(ctx context.Context, a Actor, on Matter) (offers []TemplateOffer, language string, err error) {
	if err := a.mayRead("templates"); err != nil {
		return nil, "", err
	}
	err = d.view(ctx, func(r store.Reader) error {
		offers = nil
		g, err := groundOf(r, on)
		if err != nil {
			return err
		}
		o, err := d.occasion(r, g, a.UserID)
		if err != nil {
			return err
		}
		language = o.language
		list, err := templatesOf(r, a)
		if err != nil {
			return err
		}
		for _, t := range list {
			if len(t.Aliases) > 0 && !slices.Contains(t.Aliases, g.ticket.AliasID) {
				continue
			}
			v := t.version(language, g.alias.language())
			o.language = v.Language
			words, _ := o.values().fill(v.Text, func(s string) string { return s }, func(string) string { return "…" })
			offers = append(offers, TemplateOffer{Template: t, Version: v, Fits: baseLanguage(v.Language) == baseLanguage(language), Words: snippet(words)})
		}
		return nil
	})
	slices.SortStableFunc(offers, func(a, b TemplateOffer) int {
		if a.Fits != b.Fits {
			if a.Fits {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Template.Uses, a.Template.Uses)
	})
	return offers, language, err
}

// version returns the text for the first of the languages that has one.
func (t *Template) version(wanted ...string) TemplateVersion {
	var languages []string
	for _, v := range t.Versions {
		languages = append(languages, v.Language)
	}
	i := chooseLanguage(languages, wanted...)
	if i < 0 {
		return TemplateVersion{}
	}
	return t.Versions[i]
}

// Filled is a text with its variables filled in.
type Filled struct {
	Language string
	Subject  string
	Text     string
	// HTML is safe to show in an editor. A variable that nothing is known for
	// stands in <mark class="unfilled">.
	HTML     string
	Files    []TemplateFile
	Unfilled []string // the variables that nothing is known for
}

// FillTemplate fills a template for a mail on a matter, in a language, "" for the
// customer's. at is the time in the zone in which its date is meant.
func (d *Desk) FillTemplate(ctx context.Context, a Actor, id string, on Matter, language string, at time.Time) (filled *Filled, err error) {
	if err := a.mayRead("a template"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		t, err := usableTemplate(r, a, id)
		if err != nil {
			return err
		}
		g, err := groundOf(r, on)
		if err != nil {
			return err
		}
		o, err := d.occasion(r, g, a.UserID)
		if err != nil {
			return err
		}
		v := t.version(cmp.Or(language, o.language), g.alias.language())
		o.language, o.at = v.Language, at
		filled = v.fill(o.values())
		return nil
	})
	return filled, err
}

func (v *TemplateVersion) fill(values values) *Filled {
	f := &Filled{Language: v.Language, Files: v.Files}
	var unfilled [2][]string
	f.Subject, unfilled[0] = values.fillText(v.Subject)
	f.Text, unfilled[1] = values.fillText(v.Text)
	f.HTML, _ = values.fillHTML(cmp.Or(v.HTML, linesHTML(v.Text)))
	f.Unfilled = appendNew(unfilled[0], unfilled[1]...)
	return f
}

// linesHTML writes plain text as the lines of an editor.
func linesHTML(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString("<div>" + cmp.Or(html.EscapeString(line), "<br>") + "</div>")
	}
	return b.String()
}

// TemplateDraft is a text with variables that is being written, to be shown filled
// before it is kept.
type TemplateDraft struct {
	Version TemplateVersion
	// Automatic is what is sent without an agent: an acknowledgement.
	Automatic bool
	Alias     string // its id, "" for any
	Ticket    uint64 // whose customer it is filled for; 0 for a sample
}

// PreviewDraft fills what is being written as it would be sent. What could not
// be kept is an error that says why.
func (d *Desk) PreviewDraft(ctx context.Context, a Actor, draft TemplateDraft, at time.Time) (filled *Filled, err error) {
	if err := a.mayRead("a template"); err != nil {
		return nil, err
	}
	v := draft.Version
	if err := v.check(); err != nil {
		return nil, err
	}
	if draft.Automatic {
		if err := checkVariables("text", v.Text, unattended); err != nil {
			return nil, err
		}
	}
	err = d.view(ctx, func(r store.Reader) error {
		on, err := d.draftOccasion(r, a, draft, at)
		if err != nil {
			return err
		}
		filled = v.fill(on.values())
		return nil
	})
	return filled, err
}

func (d *Desk) draftOccasion(r store.Reader, a Actor, draft TemplateDraft, at time.Time) (on occasion, err error) {
	userID := a.UserID
	if draft.Automatic {
		userID = ""
	}
	alias, err := optional(aliases.Get(r, key(draft.Alias)))
	if err != nil {
		return on, err
	}
	if draft.Ticket == 0 {
		if on, err = occasionOf(r, &Ticket{}, alias, userID, at); err != nil {
			return on, err
		}
		if alias == nil {
			for first, err := range aliases.ScanIndex(r, "address", store.Range{}) {
				if err != nil {
					return on, err
				}
				alias = first
				break
			}
		}
		return sampleOccasion(draft.Version.Language, alias, on.agent, on.company, at), nil
	}
	g, err := groundOf(r, Matter{Ticket: draft.Ticket})
	if err != nil {
		return on, err
	}
	if alias == nil {
		alias = g.alias
	}
	on, err = occasionOf(r, g.ticket, alias, userID, at)
	on.language = draft.Version.Language
	return on, err
}

// MailSignature returns the signature that a mail of the actor's on a matter
// gets, and the language that it is written in.
func (d *Desk) MailSignature(ctx context.Context, a Actor, on Matter) (signature Localized, language string, err error) {
	if err := a.mayRead("a signature"); err != nil {
		return Localized{}, "", err
	}
	err = d.view(ctx, func(r store.Reader) error {
		g, err := groundOf(r, on)
		if err != nil || g.alias == nil {
			return err
		}
		o, err := d.occasion(r, g, a.UserID)
		if err == nil {
			language, signature = o.language, o.signature()
		}
		return err
	})
	return signature, language, err
}
