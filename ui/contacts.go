package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// peoplePage is what the pages of contacts and companies share.
type peoplePage struct {
	page
	Heading  string
	Within   *navItem // the list that this is one of
	Section  string   // "contacts", "companies" or "import"
	Sections []navItem
}

func (s *Server) newPeoplePage(c echo.Context, section, heading string) (peoplePage, error) {
	v := visitOf(c)
	title := v.T("contact.section." + section)
	if heading != "" {
		title = heading
	}
	p, err := s.newPage(c.Request().Context(), v, title, "contacts")
	if err != nil {
		return peoplePage{}, err
	}
	view := peoplePage{page: p, Heading: title, Section: section}
	for _, entry := range []navItem{{URL: "/contacts"}, {URL: "/companies"}, {URL: "/contacts/import"}} {
		name := entry.URL[strings.LastIndexByte(entry.URL, '/')+1:]
		if name == "import" && !v.may(helpdesk.PermitContacts) {
			continue
		}
		entry.Label, entry.Current = v.T("contact.section."+name), name == section
		view.Sections = append(view.Sections, entry)
		if entry.Current && heading != "" {
			view.Within = &entry
		}
	}
	return view, nil
}

// contactsView is the list of contacts.
type contactsView struct {
	peoplePage
	Query     string
	Tags      []option
	Sorts     []option
	Company   *helpdesk.Company // that the list is narrowed to
	Companies []navItem         // whose name the query is in
	Filtered  bool
	Rows      []contactRow
	Cut       bool
	Erased    bool   // an erasure was just begun
	Next      string // address of the next page
	File      string // address of the list as a file, "" for who may not have it
}

type contactRow struct {
	customerView
	Tickets string
	Seen    moment
}

func contactQuery(c echo.Context) helpdesk.ContactQuery {
	return helpdesk.ContactQuery{Text: strings.TrimSpace(c.QueryParam("q")), Tag: c.QueryParam("tag"), Company: c.QueryParam("company"),
		Sort: helpdesk.ContactSort(c.QueryParam("sort")), After: c.QueryParam("after")}
}

func (s *Server) contactsPage(c echo.Context) error {
	ctx, v, q := c.Request().Context(), visitOf(c), contactQuery(c)
	p, err := s.newPeoplePage(c, "contacts", "")
	if err != nil {
		return err
	}
	page, err := s.desk.Contacts(ctx, v.actor(), q)
	if err != nil {
		return err
	}
	view := contactsView{peoplePage: p, Erased: c.QueryParam("erased") != "", Query: q.Text, Cut: page.Cut, Filtered: q.Text != "" || q.Tag != "" || q.Company != ""}
	for _, row := range page.Contacts {
		view.Rows = append(view.Rows, v.contactRow(row))
	}
	if page.Next != "" {
		view.Next = "/contacts?" + withValue(c.QueryParams(), "after", page.Next)
	}
	if v.may(helpdesk.PermitExport) {
		view.File = "/contacts.csv?" + withValue(c.QueryParams(), "after", "")
	}
	for _, sort := range []helpdesk.ContactSort{helpdesk.SortBySeen, helpdesk.SortByName} {
		view.Sorts = append(view.Sorts, option{string(sort), v.T("contact.sort." + string(sort)), sort == q.Sort})
	}
	tags, err := s.desk.ContactTags(ctx, v.actor(), 200)
	if err != nil {
		return err
	}
	view.Tags = []option{{"", v.T("contact.any_tag"), q.Tag == ""}}
	if q.Tag != "" && !slices.Contains(tags, q.Tag) {
		tags = append(tags, q.Tag)
	}
	for _, tag := range tags {
		view.Tags = append(view.Tags, option{tag, tag, tag == q.Tag})
	}
	if err := s.nameCompanies(c, q, &view); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "contacts", view)
}

// nameCompanies says which company the list is narrowed to, or which ones a
// search means besides people.
func (s *Server) nameCompanies(c echo.Context, q helpdesk.ContactQuery, view *contactsView) error {
	ctx, v := c.Request().Context(), visitOf(c)
	if q.Company != "" {
		company, err := s.desk.Company(ctx, v.actor(), q.Company)
		if err != nil {
			return err
		}
		view.Company = &company.Company
		return nil
	}
	if q.Text == "" || q.After != "" {
		return nil
	}
	list, _, err := s.desk.Companies(ctx, v.actor(), q.Text, 5, "")
	for _, company := range list {
		view.Companies = append(view.Companies, navItem{URL: "/companies/" + company.ID, Label: company.Name})
	}
	return err
}

func withValue(values url.Values, name, value string) string {
	changed := url.Values{}
	for key, list := range values {
		if list[0] != "" {
			changed[key] = list
		}
	}
	changed.Del(name)
	if value != "" {
		changed.Set(name, value)
	}
	return changed.Encode()
}

func (v *visit) contactRow(row helpdesk.ContactRow) contactRow {
	return contactRow{v.person(row.Contact, "/contacts"), v.Number(row.Tickets), shortMoment(v.Printer, row.Contact.LastSeenAt)}
}

// contactView is a person's own page.
type contactView struct {
	peoplePage
	Person     customerView
	Form       *personForm // instead of Person, where it was asked for
	Fields     *fieldsForm
	Figures    []personFigure
	Addresses  []addressView
	Mergings   []mergingView
	Merged     bool // that was just done
	Erases     bool // whoever looks may erase the person's data
	Tickets    []ticketLine
	MoreTicket string // address of the next page of tickets
	Files      filesView
	Cards      []cardPlace
}

type addressView struct {
	Email      string
	Main       bool
	Suppressed bool
}

type mergingView struct{ ID, Name, Email, When string }

// ticketLine is a ticket in a list on a page.
type ticketLine struct {
	URL, Subject, Stage string
	Open                bool
	Number              uint64
	Contact             string
	Time                moment
}

func (v *visit) ticketLine(row helpdesk.TicketRow) ticketLine {
	t := row.Ticket
	return ticketLine{URL: "/tickets/" + strconv.FormatUint(t.Number, 10), Subject: subjectOf(v.Printer, t.Subject), Stage: row.StageName, Open: t.Open, Number: t.Number,
		Contact: contactName(row.Contact), Time: shortMoment(v.Printer, t.UpdatedAt)}
}

func (s *Server) contactPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	person, err := s.desk.Contact(ctx, v.actor(), c.Param("id"))
	if err != nil {
		return err
	}
	if id := person.Contact.ID; id != c.Param("id") { // merged, or asked for by address
		return c.Redirect(http.StatusSeeOther, "/contacts/"+id)
	}
	if c.QueryParam("edit") == "" || !v.may(helpdesk.PermitContacts) {
		return s.showContact(c, http.StatusOK, person, nil)
	}
	form, err := s.newPersonForm(ctx, v, person, "/contacts/"+person.Contact.ID)
	if err != nil {
		return err
	}
	return s.showContact(c, http.StatusOK, person, &form)
}

// showContact answers with a person's page; form takes the place of what is known of them, nil for none.
func (s *Server) showContact(c echo.Context, status int, person *helpdesk.ContactView, form *personForm) (err error) {
	ctx, v, record := c.Request().Context(), visitOf(c), person.Contact
	view := contactView{Form: form, Figures: v.figures(person), Erases: v.may(helpdesk.PermitErase), Merged: c.QueryParam("merged") != "", Cards: s.cardPlaces(record.ID, "")}
	if view.peoplePage, err = s.newPeoplePage(c, "contacts", contactName(record)); err != nil {
		return err
	}
	back := "/contacts/" + record.ID
	view.Person = v.person(record, back)
	for _, address := range record.Addresses() {
		view.Addresses = append(view.Addresses, addressView{address, address == record.Email, slices.Contains(person.Suppressed, address)})
	}
	for _, m := range person.Mergings {
		view.Mergings = append(view.Mergings, mergingView{m.ID, m.Name, m.Email, v.Date(m.At)})
	}
	fields, err := s.desk.Fields(ctx, v.actor())
	if err != nil {
		return err
	}
	if view.Fields = newFieldsForm(v.Printer, fields, helpdesk.FieldOfContact, record.Fields); view.Fields != nil {
		view.Fields.Action, view.Fields.Back, view.Fields.Locked, view.Fields.Plain = back+"/fields", back, view.Person.Locked, true
	}
	rows, next, err := s.desk.ContactTickets(ctx, v.actor(), record.ID, 25, c.QueryParam("tickets_after"))
	if err != nil {
		return err
	}
	for _, row := range rows {
		view.Tickets = append(view.Tickets, v.ticketLine(row))
	}
	if next != "" {
		view.MoreTicket = back + "?" + url.Values{"tickets_after": {next}}.Encode() + "#tickets"
	}
	if view.Files, err = s.newFilesView(c, record.ID); err != nil {
		return err
	}
	return s.render(c, status, "contact", view)
}

// contactsFile sends the list as CSV, with the columns that an import reads.
func (s *Server) contactsFile(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	all, err := s.desk.Fields(ctx, v.actor())
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(f helpdesk.Field) bool { return f.Owner != helpdesk.FieldOfContact })
	heading := slices.Concat(helpdesk.ContactColumns, []string{"first_seen", "last_seen"})
	for _, f := range all {
		heading = append(heading, f.Name)
	}
	file := newSheet(c, "contacts.csv", heading...)
	err = s.desk.ExportContacts(ctx, v.actor(), contactQuery(c), func(contact helpdesk.Contact) error {
		return file.add(contactLine(contact, all)...)
	})
	if err != nil {
		return err
	}
	return file.end()
}

func contactLine(c helpdesk.Contact, fields []helpdesk.Field) []string {
	yes := map[bool]string{true: "yes", false: "no"}
	line := []string{c.Email, c.Name, c.Reading, c.Company, c.Phone, c.Language, c.TimeZone, strings.Join(c.Tags, ", "), c.Notes,
		strings.Join(c.Others, ", "), yes[c.NeverAnswer], c.CreatedAt.Format(time.RFC3339), c.LastSeenAt.Format(time.RFC3339)}
	for _, f := range fields {
		line = append(line, strings.Join(f.Shown(c.Fields[f.ID]), ", "))
	}
	return line
}

// importView is the page that takes a file in, and says what became of it.
type importView struct {
	peoplePage
	Columns []string
	Report  *helpdesk.ImportReport
	Faults  []importFault
	Ignored string
	Error   string
}

type importFault struct {
	Line        int
	Email, Text string
}

func (s *Server) importPage(c echo.Context) error {
	return s.showImport(c, http.StatusOK, importView{})
}

func (s *Server) showImport(c echo.Context, status int, view importView) error {
	v := visitOf(c)
	if !v.may(helpdesk.PermitContacts) {
		return &helpdesk.Error{Code: helpdesk.CodeForbidden, Key: "error.forbidden", Message: "importing contacts needs the permission " + string(helpdesk.PermitContacts)}
	}
	fields, err := s.desk.Fields(c.Request().Context(), v.actor())
	if err != nil {
		return err
	}
	view.Columns = slices.Clone(helpdesk.ContactColumns)
	for _, f := range fields {
		if f.Owner == helpdesk.FieldOfContact {
			view.Columns = append(view.Columns, f.Name)
		}
	}
	if view.peoplePage, err = s.newPeoplePage(c, "import", ""); err != nil {
		return err
	}
	return s.render(c, status, "contacts-import", view)
}

func (s *Server) importContacts(c echo.Context) error {
	v := visitOf(c)
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, helpdesk.MaxImport+1<<20)
	header, err := c.FormFile("file")
	if err != nil {
		return s.showImport(c, http.StatusUnprocessableEntity, importView{Error: v.T("contact.import.no_file")})
	}
	file, err := header.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	report, err := s.desk.ImportContacts(c.Request().Context(), v.actor(), file)
	if helpdesk.CodeOf(err) == helpdesk.CodeInvalid {
		return s.showImport(c, http.StatusUnprocessableEntity, importView{Error: explain(v.Printer, err)})
	}
	if err != nil {
		return err
	}
	view := importView{Report: report, Ignored: strings.Join(report.Ignored, v.T("field.comma"))}
	for _, f := range report.Faults {
		view.Faults = append(view.Faults, importFault{f.Line, f.Email, explain(v.Printer, f.Err)})
	}
	return s.showImport(c, http.StatusOK, view)
}
