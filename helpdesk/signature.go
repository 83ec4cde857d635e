package helpdesk

import (
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// unattended are the variables of what is sent without an agent.
var unattended = slices.DeleteFunc(slices.Clone(Variables), func(name string) bool { return slices.Contains(agentVariables, name) })

// checkTexts makes the alias's signatures and acknowledgements fit to be kept.
func (a *Alias) checkTexts() (err error) {
	signature, acknowledgement := NewLocalized("", a.Signature), NewLocalized("", a.Acknowledgement)
	if err := signature.check("signature", Variables); err != nil {
		return err
	}
	a.Signature = signature.Written()
	if a.Signatures, err = checkLocalized("signatures", a.Signatures, Variables); err != nil {
		return err
	}
	if err := acknowledgement.check("acknowledgement", unattended); err != nil {
		return err
	}
	a.Acknowledgement = acknowledgement.Written()
	a.Acknowledgements, err = checkLocalized("acknowledgements", a.Acknowledgements, unattended)
	return err
}

// forLanguage chooses among the texts of an alias: the one in a language, else
// the one for any language, else that of the alias's own language or another.
func (a *Alias) forLanguage(texts []Localized, whole, language string) (Localized, bool) {
	fits := func(l Localized) bool { return baseLanguage(l.Language) == baseLanguage(language) }
	if whole != "" && !slices.ContainsFunc(texts, fits) {
		return a.whole(whole), true
	}
	return chooseLocalized(texts, language, a.Language)
}

// whole is a text of the alias's for any language: HTML where it begins so.
func (a *Alias) whole(written string) Localized {
	l := NewLocalized("", written)
	if l.HTML != "" {
		l.Text = mail.TextFromHTML(l.HTML)
	}
	return l
}

// acknowledgement is the text that answers a first mail in a language.
func (a *Alias) acknowledgement(language string) (Localized, bool) {
	return a.forLanguage(a.Acknowledgements, a.Acknowledgement, language)
}

// acknowledges reports whether first mails are answered at all.
func (a *Alias) acknowledges() bool {
	return a.Acknowledgement != "" || len(a.Acknowledgements) > 0
}

// signature is what stands below a text on an occasion, with every variable
// filled: the alias's in the customer's language, else the agent's own.
func (o *occasion) signature() Localized {
	if l, ok := o.alias.forLanguage(o.alias.Signatures, o.alias.Signature, o.language); ok {
		return o.values().complete(l)
	}
	if o.agent != nil {
		return Localized{Text: o.agent.Signature}
	}
	return Localized{}
}

// below writes the signature l below a text and its HTML, which is "" where
// there is none.
func (l Localized) below(text, html string) (string, string) {
	if strings.TrimSpace(l.Text) == "" && l.HTML == "" {
		return text, html
	}
	if html == "" && l.HTML != "" && strings.TrimSpace(text) != "" {
		html = mail.HTMLFromText(text) // what is formatted can be shown only so
	}
	if html != "" {
		if l.HTML != "" {
			html += "<p>-- </p>" + l.HTML
		} else {
			html += mail.HTMLFromText("-- \n" + l.Text)
		}
	}
	return text + "\n\n-- \n" + l.Text, html
}

// signature is the one that a mail of a user's gets.
func (d *Desk) signature(r store.Reader, g ground, userID string) (Localized, error) {
	o, err := d.occasion(r, g, userID)
	if err != nil {
		return Localized{}, err
	}
	return o.signature(), nil
}
