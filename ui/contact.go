package ui

import (
	"cmp"
	"net/http"
	"net/url"
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

// contactPerson answers with the person as it was before its form.
func (s *Server) contactPerson(c echo.Context) error {
	v := visitOf(c)
	view, err := s.desk.Contact(c.Request().Context(), v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "person", v.person(view.Contact, localPath(c.QueryParam("back"), "/contacts/"+view.Contact.ID)))
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
