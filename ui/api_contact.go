package ui

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type apiContact struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Email      string     `json:"email"`
	Company    string     `json:"company"`
	CreatedAt  *time.Time `json:"created_at"`
	LastSeenAt *time.Time `json:"last_seen_at"`
}

func contactJSON(c helpdesk.Contact) apiContact {
	return apiContact{c.ID, c.Name, c.Email, c.Company, timeOrNull(c.CreatedAt), timeOrNull(c.LastSeenAt)}
}

// apiContactInFull is a contact with its profile.
type apiContactInFull struct {
	apiContact
	Reading     string         `json:"reading"`
	Others      []string       `json:"other_addresses"`
	CompanyID   *string        `json:"company_id"`
	Phone       string         `json:"phone"`
	Language    string         `json:"language"`
	TimeZone    string         `json:"time_zone"`
	Notes       string         `json:"notes"`
	Tags        []string       `json:"tags"`
	Fields      map[string]any `json:"fields"`
	Blocked     bool           `json:"blocked"`
	NeverAnswer bool           `json:"never_answer"`
}

func (s *Server) apiContacts(c echo.Context, a helpdesk.Actor) error {
	limit, err := listLimit(c)
	if err != nil {
		return err
	}
	page, err := s.desk.Contacts(c.Request().Context(), a, helpdesk.ContactQuery{Text: c.QueryParam("q"), Tag: c.QueryParam("tag"), Company: c.QueryParam("company"),
		Sort: helpdesk.ContactSort(c.QueryParam("sort")), Limit: limit, After: c.QueryParam("after")})
	if err != nil {
		return err
	}
	answer := struct {
		Contacts []apiContact `json:"contacts"`
		Next     *string      `json:"next"`
	}{[]apiContact{}, orNull(page.Next)}
	for _, row := range page.Contacts {
		answer.Contacts = append(answer.Contacts, contactJSON(row.Contact))
	}
	return c.JSON(http.StatusOK, answer)
}

func (s *Server) apiContact(c echo.Context, a helpdesk.Actor) error {
	return s.answerContact(c, a, c.Param("id"))
}

func (s *Server) answerContact(c echo.Context, a helpdesk.Actor, id string) error {
	ctx := c.Request().Context()
	view, err := s.desk.Contact(ctx, a, id)
	if err != nil {
		return err
	}
	fields, err := s.desk.Fields(ctx, a)
	if err != nil {
		return err
	}
	p := view.Contact
	answer := struct {
		Contact apiContactInFull `json:"contact"`
	}{apiContactInFull{apiContact: contactJSON(p), Reading: p.Reading, Others: orEmpty(p.Others), Phone: p.Phone, Language: p.Language, TimeZone: p.TimeZone,
		Notes: p.Notes, Tags: orEmpty(p.Tags), Fields: fieldsJSON(fields, helpdesk.FieldOfContact, p.Fields), Blocked: p.Blocked, NeverAnswer: p.NeverAnswer}}
	if view.Company != nil {
		answer.Contact.CompanyID = &view.Company.ID
	}
	setVersion(c, p.Version())
	return c.JSON(http.StatusOK, answer)
}

// apiChangeContact changes what the body names and leaves the rest.
func (s *Server) apiChangeContact(c echo.Context, a helpdesk.Actor) error {
	var input struct {
		Name        *string                  `json:"name"`
		Reading     *string                  `json:"reading"`
		Email       *string                  `json:"email"`
		Others      *[]string                `json:"other_addresses"`
		Company     optional[string]         `json:"company"`
		Phone       *string                  `json:"phone"`
		Language    *string                  `json:"language"`
		TimeZone    *string                  `json:"time_zone"`
		Notes       *string                  `json:"notes"`
		Tags        *[]string                `json:"tags"`
		Fields      map[string]apiFieldValue `json:"fields"`
		Blocked     *bool                    `json:"blocked"`
		NeverAnswer *bool                    `json:"never_answer"`
	}
	if err := readBody(c, maxAPIBody, &input); err != nil {
		return err
	}
	change := helpdesk.ContactChange{Name: input.Name, Reading: input.Reading, Phone: input.Phone, Notes: input.Notes, Language: input.Language,
		TimeZone: input.TimeZone, Tags: input.Tags, Fields: fieldValues(input.Fields), Blocked: input.Blocked, NeverAnswer: input.NeverAnswer, Email: input.Email}
	if input.Company.Set { // null is empty: the domain decides
		change.Company = &input.Company.Value
	}
	seen, err := ifMatch(c, a)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	view, err := s.desk.Contact(ctx, a, c.Param("id"))
	if err != nil {
		return err
	}
	if input.Others != nil {
		change.Add, change.Remove = addressChanges(view.Contact, input.Email, *input.Others)
	}
	if _, err := s.desk.ChangeContact(ctx, seen, view.Contact.ID, change); err != nil {
		return refuseVersion(c, err)
	}
	return s.answerContact(c, a, view.Contact.ID)
}

// addressChanges are what makes others the further addresses of a contact
// besides its main one.
func addressChanges(c helpdesk.Contact, main *string, others []string) (add, remove []string) {
	keeps := slices.Clone(others)
	if main != nil {
		keeps = append(keeps, *main)
	} else {
		keeps = append(keeps, c.Email)
	}
	for i := range keeps {
		keeps[i] = strings.ToLower(strings.TrimSpace(keeps[i]))
	}
	for _, address := range c.Addresses() {
		if !slices.Contains(keeps, address) {
			remove = append(remove, address)
		}
	}
	return others, remove
}
