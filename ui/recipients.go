package ui

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// suggestion is somebody who may be written to, for the script that completes
// what is typed.
type suggestion struct {
	Name      string `json:"name"`
	Email     string `json:"email"`
	Company   string `json:"company,omitempty"`
	TakesPart bool   `json:"takes_part,omitempty"`
}

// suggestRecipients answers with those whom the letters typed fit. A mail that is forwarded is
// not for the customer's side, which has it.
func (s *Server) suggestRecipients(c echo.Context) error {
	found, err := s.desk.SuggestRecipients(c.Request().Context(), visitOf(c).actor(), ticketNumber(c), c.QueryParam("q"))
	if err != nil {
		return err
	}
	list := []suggestion{}
	for _, r := range found {
		if c.QueryParam("forward") != "" && r.TakesPart && !r.ThirdParty {
			continue
		}
		list = append(list, suggestion{r.Name, r.Email, r.Company, r.TakesPart})
	}
	c.Response().Header().Set("Cache-Control", "private, no-store")
	return c.JSON(http.StatusOK, list)
}

// personOrAddress is whom an answer to a mail goes to, with their name where
// that is the mail's author.
func personOrAddress(m helpdesk.Message) string {
	if m.ReplyTo != "" && !strings.EqualFold(m.ReplyTo, m.From.Email) {
		return m.ReplyTo
	}
	return addresses([]helpdesk.Address{m.From})
}

// parseRecipients reads a list of addresses as it is typed or pasted: parted by
// commas, semicolons or lines, also Japanese ones, with or without names.
func parseRecipients(field, typed string) ([]helpdesk.Address, error) {
	var parsed []helpdesk.Address
	for _, one := range splitRecipients(typed) {
		a, ok := helpdesk.ParseAddress(one)
		if !ok {
			return nil, invalid(field, "error.recipients", "cannot read the recipient \""+one+"\": write it like tamura@example.com", one)
		}
		parsed = append(parsed, a)
	}
	return parsed, nil
}

// splitRecipients parts a list at its separators, except within quotes and
// angle brackets.
func splitRecipients(typed string) (list []string) {
	var one strings.Builder
	quoted, bracketed, escaped := false, false, false
	end := func() {
		if text := strings.TrimSpace(strings.ReplaceAll(one.String(), "　", " ")); text != "" {
			list = append(list, text)
		}
		one.Reset()
		quoted, bracketed, escaped = false, false, false
	}
	for _, c := range typed {
		switch {
		case c == '\n' || !quoted && !bracketed && strings.ContainsRune(",;、，；", c):
			end()
			continue
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && c == '<':
			bracketed = true
		case !quoted && c == '>':
			bracketed = false
		}
		one.WriteRune(c)
	}
	end()
	return list
}
