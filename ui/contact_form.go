package ui

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// personForm edits a person in place. The template is "person-form".
type personForm struct {
	customerView
	Contact   helpdesk.Contact
	Tags      string
	Companies []option
	More      bool   // there are more companies than are offered
	Domain    string // of which a company can be made
	Languages []option
	Zones     []string
	MayBlock  bool
	// NewCompany is the name of a company to be made with it, and OwnDomain whether Domain is to be its.
	NewCompany string
	OwnDomain  bool
	Version    string // as of settingsPage, and so are Error and Newer
	Error      formError
	Newer      string
}

// byDomain is the value of the choice that leaves the company to the domain;
// the empty one is what a browser sends for nothing chosen.
const byDomain = "domain"

// maxCompanyOptions is how many companies a person's form offers.
const maxCompanyOptions = 200

// newPersonForm shows the contact of view; back is the page that shows it.
func (s *Server) newPersonForm(ctx context.Context, v *visit, view *helpdesk.ContactView, back string) (personForm, error) {
	c := view.Contact
	form := personForm{customerView: v.person(c, back), Contact: c, Tags: strings.Join(c.Tags, ", "), Domain: view.Domain, Zones: suggestedZones, MayBlock: v.may(helpdesk.PermitSpam),
		OwnDomain: true, Version: c.Version()}
	list, next, err := s.desk.Companies(ctx, v.actor(), "", maxCompanyOptions, "")
	if err != nil {
		return form, err
	}
	form.More = next != ""
	automatic := v.T("contact.company_by_domain")
	if !c.CompanyKept && c.Company != "" {
		automatic = v.T("contact.company_is_by_domain", c.Company)
	}
	form.Companies = []option{{byDomain, automatic, !c.CompanyKept}, {helpdesk.NoCompany, v.T("contact.company_none"), c.CompanyKept && c.CompanyID == ""}}
	if c.CompanyKept && view.Company != nil && !slices.ContainsFunc(list, func(o helpdesk.Company) bool { return o.ID == c.CompanyID }) {
		list = append(list, *view.Company)
	}
	for _, company := range list {
		form.Companies = append(form.Companies, option{company.ID, company.Name, c.CompanyKept && company.ID == c.CompanyID})
	}
	form.Languages = []option{{"", v.T("contact.unknown"), c.Language == ""}}
	known := c.Language == ""
	for _, code := range spokenLanguages {
		form.Languages = append(form.Languages, option{code, v.T("language." + code), code == c.Language})
		known = known || code == c.Language
	}
	if !known {
		form.Languages = append(form.Languages, option{c.Language, v.languageName(c.Language), true})
	}
	return form, nil
}

// spokenLanguages are those that a form offers.
var spokenLanguages = []string{"ja", "en", "zh", "ko", "de", "fr", "es", "it", "pt", "nl", "ru", "vi", "th", "id"}

// suggestedZones are suggested; any other of the tz database can be typed.
var suggestedZones = []string{"Asia/Tokyo", "Asia/Seoul", "Asia/Shanghai", "Asia/Taipei", "Asia/Singapore", "Asia/Bangkok", "Asia/Jakarta", "Asia/Kolkata",
	"Australia/Sydney", "Europe/London", "Europe/Paris", "Europe/Berlin", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "UTC"}

// contactForm answers with the form that takes the person's place.
func (s *Server) contactForm(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	view, err := s.desk.Contact(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	if target(c.Request()) == "" {
		return c.Redirect(http.StatusSeeOther, "/contacts/"+view.Contact.ID+"?edit=1#person")
	}
	form, err := s.newPersonForm(ctx, v, view, localPath(c.QueryParam("back"), "/contacts/"+view.Contact.ID))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "person-form", form)
}

// saveContact changes a person as the form says; where that is refused, the form is shown again with what was typed.
func (s *Server) saveContact(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	changed, err := s.desk.ChangeContact(ctx, v.having(c), c.Param("id"), readContactForm(form))
	if err != nil {
		return s.refuseContact(c, err)
	}
	back := localPath(form.Get("back"), "/contacts/"+changed.ID)
	if target(c.Request()) == "" {
		return c.Redirect(http.StatusSeeOther, back)
	}
	return s.render(c, http.StatusOK, "person", v.person(*changed, back))
}

// refuseContact shows the form as it was filled in, with what is wrong with it.
func (s *Server) refuseContact(c echo.Context, cause error) error {
	ctx, v := c.Request().Context(), visitOf(c)
	said, ok := refusal(v.Printer, cause)
	if !ok {
		return cause
	}
	view, err := s.desk.Contact(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	if view.Contact.ID != c.Param("id") { // it has become part of another meanwhile
		return cause
	}
	typed, posted := *view, c.Request().PostForm
	fillIn(&typed.Contact, readContactForm(posted))
	form, err := s.newPersonForm(ctx, v, &typed, localPath(posted.Get("back"), "/contacts/"+view.Contact.ID))
	if err != nil {
		return err
	}
	form.Tags, form.NewCompany, form.OwnDomain = posted.Get("tags"), posted.Get("new_company"), posted.Has("new_domain")
	form.Error, form.Version = said, posted.Get(versionField)
	if now := versionNow(cause); now != "" {
		form.Version, form.Newer = now, "/contacts/"+view.Contact.ID
	}
	status := statusOf(codeOf(cause))
	if target(c.Request()) == "" {
		return s.showContact(c, status, view, &form)
	}
	return s.render(c, status, "person-form", form)
}

// fillIn writes into a contact what a form says of it, as it was typed.
func fillIn(contact *helpdesk.Contact, change helpdesk.ContactChange) {
	for typed, into := range map[*string]*string{change.Name: &contact.Name, change.Reading: &contact.Reading, change.Phone: &contact.Phone,
		change.Notes: &contact.Notes, change.Language: &contact.Language, change.TimeZone: &contact.TimeZone} {
		if typed != nil {
			*into = *typed
		}
	}
	if change.NeverAnswer != nil {
		contact.NeverAnswer = *change.NeverAnswer
	}
	if change.Blocked != nil {
		contact.Blocked = *change.Blocked
	}
	if change.Company == nil {
		return
	}
	contact.CompanyID, contact.CompanyKept = *change.Company, *change.Company != helpdesk.CompanyByDomain
	if contact.CompanyID == helpdesk.NoCompany {
		contact.CompanyID = ""
	}
}

// readContactForm returns what the form changes.
func readContactForm(form url.Values) (change helpdesk.ContactChange) {
	for name, into := range map[string]**string{"name": &change.Name, "reading": &change.Reading, "phone": &change.Phone, "notes": &change.Notes,
		"language": &change.Language, "time_zone": &change.TimeZone, "company": &change.Company} {
		if form.Has(name) {
			text := form.Get(name)
			*into = &text
		}
	}
	if change.Company != nil && *change.Company == byDomain {
		*change.Company = helpdesk.CompanyByDomain
	}
	if form.Has("tags") {
		tags := splitList(form.Get("tags"))
		change.Tags = &tags
	}
	if form.Has("whole") { // an unchecked box sends nothing
		never := form.Has("never_answer")
		change.NeverAnswer = &never
	}
	if form.Has("may_block") {
		blocked := form.Has("blocked")
		change.Blocked = &blocked
	}
	if name := strings.TrimSpace(form.Get("new_company")); name != "" {
		change.NewCompany = &helpdesk.Company{Name: name}
		if domain := form.Get("new_domain"); domain != "" {
			change.NewCompany.Domains = []string{domain}
		}
	}
	return change
}
