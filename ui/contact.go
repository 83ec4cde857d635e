package ui

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) contactRoutes(g *echo.Group) {
	g.GET("/contacts", s.contactsPage)
	g.GET("/contacts.csv", takenOut(s.contactsFile, helpdesk.PermitRead, helpdesk.PermitExport))
	g.GET("/contacts/import", s.importPage)
	g.POST("/contacts/import", s.importContacts)
	g.POST("/contacts/mergings/:id/undo", s.undoContactMerge)
	g.GET("/contacts/:id", s.contactPage)
	g.POST("/contacts/:id", s.saveContact)
	g.GET("/contacts/:id/person", s.contactPerson)
	g.GET("/contacts/:id/edit", s.contactForm)
	g.GET("/contacts/:id/erase", s.erasePage)
	g.POST("/contacts/:id/erase", s.eraseContact)
	g.GET(personFilePath, s.personFile)
	g.POST("/contacts/:id/addresses", s.changeAddresses)
	g.GET("/contacts/:id/history", s.contactHistory)
	g.GET("/contacts/:id/files", s.contactFiles)
	g.GET("/messages/:id/attachments/:index/thumbnail", s.thumbnail)
	s.companyRoutes(g)
	s.cardRoutes(g)
}

// customerView is who somebody is, as the panel and the person's own page show it.
type customerView struct {
	ID, Name, Reading, Email string
	Avatar                   avatar
	URL                      string // of the person's own page, "" there
	Back                     string // where the form returns to
	Others                   []string
	Company, CompanyURL      string
	Phone, Tel               string
	Language                 string
	Zone, There              string // the time zone, and what time it is there
	Notes                    string
	Tags                     []tagLink
	Badges                   []badge
	Locked                   bool
	WriteURL                 string // where a mail to them is begun, "" for who may not
}

type tagLink struct{ Name, URL string }

// person shows a contact. back is the page that shows it.
func (v *visit) person(c helpdesk.Contact, back string) customerView {
	p := customerView{ID: c.ID, Name: contactName(c), Reading: c.Reading, Email: c.Email, Avatar: newAvatar(c.Email, contactName(c)), Back: back,
		URL: "/contacts/" + c.ID, Others: c.Others, Company: c.Company, Phone: c.Phone, Tel: telephone(c.Phone), Notes: c.Notes,
		Language: v.languageName(c.Language), Locked: !v.may(helpdesk.PermitContacts)}
	if strings.HasPrefix(back, "/contacts/") {
		p.URL = ""
	}
	if c.Email != "" && v.may(helpdesk.PermitReply) {
		p.WriteURL = openingPath + "?" + url.Values{"to": {c.Email}}.Encode()
	}
	if c.Company != "" {
		p.CompanyURL = "/companies/of/" + c.ID
	}
	for _, tag := range c.Tags {
		p.Tags = append(p.Tags, tagLink{tag, "/contacts?" + url.Values{"tag": {tag}}.Encode()})
	}
	if zone, err := time.LoadLocation(c.TimeZone); c.TimeZone != "" && err == nil {
		there := v.Printer
		there.Zone = zone
		p.Zone, p.There = c.TimeZone, v.T("contact.there", there.Clock(v.Now))
	}
	if c.Blocked {
		p.Badges = append(p.Badges, badge{"bad", v.T("contact.blocked_badge")})
	}
	if c.NeverAnswer {
		p.Badges = append(p.Badges, badge{"plain", v.T("contact.never_answer_badge")})
	}
	return p
}

// telephone is a number as a tel: link wants it (RFC 3966), "" for what is none.
func telephone(number string) string {
	var b strings.Builder
	for _, r := range number {
		if r >= '0' && r <= '9' || r == '+' && b.Len() == 0 {
			b.WriteRune(r)
		}
	}
	if b.Len() < 3 {
		return ""
	}
	return b.String()
}

func (v *visit) languageName(code string) string {
	base, _, _ := strings.Cut(code, "-")
	if base == "" || !v.Has("language."+base) {
		return code
	}
	return v.T("language." + base)
}

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
}

// byDomain is the value of the choice that leaves the company to the domain;
// the empty one is what a browser sends for nothing chosen.
const byDomain = "domain"

// maxCompanyOptions is how many companies a person's form offers.
const maxCompanyOptions = 200

func (s *Server) newPersonForm(ctx context.Context, v *visit, view *helpdesk.ContactView, back string) (personForm, error) {
	c := view.Contact
	form := personForm{customerView: v.person(c, back), Contact: c, Tags: strings.Join(c.Tags, ", "), Domain: view.Domain, Zones: suggestedZones, MayBlock: v.may(helpdesk.PermitSpam)}
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

// contactPerson answers with the person as it was before its form.
func (s *Server) contactPerson(c echo.Context) error {
	v := visitOf(c)
	view, err := s.desk.Contact(c.Request().Context(), v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "person", v.person(view.Contact, localPath(c.QueryParam("back"), "/contacts/"+view.Contact.ID)))
}

func (s *Server) saveContact(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	change, err := s.readContactForm(ctx, v, form)
	if err != nil {
		return err
	}
	changed, err := s.desk.ChangeContact(ctx, v.actor(), c.Param("id"), change)
	if err != nil {
		return err
	}
	back := localPath(form.Get("back"), "/contacts/"+changed.ID)
	if target(c.Request()) == "" {
		return c.Redirect(http.StatusSeeOther, back)
	}
	return s.render(c, http.StatusOK, "person", v.person(*changed, back))
}

func (s *Server) readContactForm(ctx context.Context, v *visit, form url.Values) (change helpdesk.ContactChange, err error) {
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
	name := strings.TrimSpace(form.Get("new_company"))
	if name == "" {
		return change, nil
	}
	made := helpdesk.Company{Name: name}
	if domain := form.Get("new_domain"); domain != "" {
		made.Domains = []string{domain}
	}
	company, err := s.desk.SaveCompany(ctx, v.actor(), made)
	if err != nil {
		return change, err
	}
	change.Company = &company.ID
	if len(made.Domains) > 0 { // the domain says it from now on
		*change.Company = helpdesk.CompanyByDomain
	}
	return change, nil
}

// changeAddresses adds an address to a person, merging them with whoever has it,
// takes one off, or makes one the main address.
func (s *Server) changeAddresses(c echo.Context) error {
	ctx, v, id := c.Request().Context(), visitOf(c), c.Param("id")
	done, address := "", strings.ToLower(strings.TrimSpace(c.FormValue("address")))
	var change helpdesk.ContactChange
	switch c.FormValue("action") {
	case "main":
		change.Email = &address
	case "remove":
		change.Remove = []string{address}
	default:
		other, err := s.desk.Contact(ctx, v.actor(), cmp.Or(address, "@"))
		if err == nil && other.Contact.ID != id {
			merging, err := s.desk.MergeContacts(ctx, v.actor(), other.Contact.ID, id)
			if err != nil {
				return err
			}
			return c.Redirect(http.StatusSeeOther, "/contacts/"+id+"?merged="+merging.ID)
		}
		if err != nil && helpdesk.CodeOf(err) != helpdesk.CodeNotFound {
			return err
		}
		change.Add = []string{address}
	}
	if _, err := s.desk.ChangeContact(ctx, v.actor(), id, change); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/contacts/"+id+done)
}

func (s *Server) undoContactMerge(c echo.Context) error {
	merging, err := s.desk.UndoMergeContacts(c.Request().Context(), visitOf(c).actor(), c.Param("id"))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/contacts/"+merging.Into)
}
