package ui

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) companyRoutes(g *echo.Group) {
	g.GET("/companies", s.companiesPage)
	g.GET("/companies/:id", s.companyPage)
	g.POST("/companies/:id", s.saveCompany)
	g.GET("/companies/of/:contact", s.companyOfContact)
}

type companiesView struct {
	peoplePage
	Query  string
	Rows   []companyRow
	Next   string
	Locked bool
}

type companyRow struct{ URL, Name, Domains string }

func (s *Server) companiesPage(c echo.Context) error {
	v, q := visitOf(c), strings.TrimSpace(c.QueryParam("q"))
	p, err := s.newPeoplePage(c, "companies", "")
	if err != nil {
		return err
	}
	list, next, err := s.desk.Companies(c.Request().Context(), v.actor(), q, 50, c.QueryParam("after"))
	if err != nil {
		return err
	}
	view := companiesView{peoplePage: p, Query: q, Locked: !v.may(helpdesk.PermitContacts)}
	for _, company := range list {
		view.Rows = append(view.Rows, companyRow{"/companies/" + company.ID, company.Name, strings.Join(company.Domains, v.T("field.comma"))})
	}
	if next != "" {
		view.Next = "/companies?" + url.Values{"q": {q}, "after": {next}}.Encode()
	}
	return s.render(c, http.StatusOK, "companies", view)
}

// companyView is a company's page: its form, its people and their tickets.
type companyView struct {
	peoplePage
	Company  helpdesk.Company
	Domains  string
	Contacts []contactRow
	More     string // address of the whole list of its contacts
	Tickets  []ticketLine
	Error    string
	Version  string // as of settingsPage, and so is Newer
	Newer    string
	Locked   bool
}

func (s *Server) companyPage(c echo.Context) error {
	if c.Param("id") == newRecord {
		return s.showCompany(c, http.StatusOK, companyView{Domains: c.QueryParam("domain")})
	}
	v := visitOf(c)
	company, err := s.desk.Company(c.Request().Context(), v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	view := companyView{Company: company.Company, Version: company.Company.Version(), Domains: strings.Join(company.Company.Domains, "\n")}
	for _, row := range company.Contacts[:min(len(company.Contacts), 50)] {
		view.Contacts = append(view.Contacts, v.contactRow(row))
	}
	if company.More || len(company.Contacts) > 50 {
		view.More = "/contacts?company=" + company.Company.ID
	}
	for _, row := range company.Tickets {
		view.Tickets = append(view.Tickets, v.ticketLine(row))
	}
	return s.showCompany(c, http.StatusOK, view)
}

func (s *Server) showCompany(c echo.Context, status int, view companyView) (err error) {
	v := visitOf(c)
	heading := view.Company.Name
	if view.Company.ID == "" {
		heading = v.T("company.new")
	}
	view.Locked = !v.may(helpdesk.PermitContacts)
	if view.peoplePage, err = s.newPeoplePage(c, "companies", heading); err != nil {
		return err
	}
	return s.render(c, status, "company", view)
}

func (s *Server) saveCompany(c echo.Context) error {
	ctx, v, id := c.Request().Context(), visitOf(c), c.Param("id")
	if id == newRecord {
		id = ""
	}
	if c.FormValue("action") == "delete" {
		if err := s.desk.DeleteCompany(ctx, v.actor(), id); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/companies")
	}
	company := helpdesk.Company{ID: id, Name: c.FormValue("name"), Domains: strings.Fields(strings.Join(splitList(c.FormValue("domains")), " ")), Notes: c.FormValue("notes")}
	saved, err := s.desk.SaveCompany(ctx, v.having(c), company)
	if code := helpdesk.CodeOf(err); code == helpdesk.CodeInvalid || code == helpdesk.CodeConflict {
		view := companyView{Company: company, Domains: c.FormValue("domains"), Error: explain(v.Printer, err), Version: c.Request().PostFormValue(versionField)}
		if now := versionNow(err); now != "" {
			view.Version, view.Newer = now, c.Request().URL.Path
		}
		return s.showCompany(c, statusOf(code), view)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/companies/"+saved.ID)
}

// companyOfContact leads to the company that a person belongs to now.
func (s *Server) companyOfContact(c echo.Context) error {
	view, err := s.desk.Contact(c.Request().Context(), visitOf(c).actor(), c.Param("contact"))
	if err != nil {
		return err
	}
	if view.Company == nil {
		return c.Redirect(http.StatusSeeOther, "/contacts/"+view.Contact.ID)
	}
	return c.Redirect(http.StatusSeeOther, "/companies/"+view.Company.ID)
}
