package ui

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// maxCompletions is how many are offered under the search box.
const maxCompletions = 9

// completion is something that completes a search.
type completion struct {
	ID    string
	Shown string
	Hint  string
	Text  string // the search with it
	Whole bool   // it is a search of its own, to be run at once
}

// completeSearch completes the word of a search at the caret: the filters by their
// names, then their values. An empty box offers what was searched for lately.
func (s *Server) completeSearch(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	typed := c.QueryParam("q")
	var list []completion
	for _, text := range c.QueryParams()["recent"] {
		list = append(list, completion{Shown: text, Hint: v.T("find.recent"), Text: text, Whole: true})
	}
	at := len(typed)
	if caret, err := strconv.Atoi(c.QueryParam("caret")); err == nil { // in UTF-16 units
		at = byteOffset(typed, caret)
	}
	start := strings.LastIndexFunc(typed[:at], unicode.IsSpace)
	if start >= 0 {
		_, size := utf8.DecodeRuneInString(typed[start:])
		start += size
	}
	start = max(start, 0)
	before, word, after := typed[:start], typed[start:at], typed[at:]
	offered, err := s.completions(ctx, v, word)
	if err != nil {
		return err
	}
	for _, o := range offered {
		text := before + o.Value + after
		if !strings.HasSuffix(o.Value, ":") && after == "" {
			text += " "
		}
		list = append(list, completion{Shown: o.Value, Hint: o.Label, Text: text})
	}
	for i := range list {
		list[i].ID = "completion-" + strconv.Itoa(i)
	}
	return s.render(c, http.StatusOK, "find-completions", list[:min(len(list), maxCompletions)])
}

// byteOffset is where a caret counted in UTF-16 units, as browsers do, stands.
func byteOffset(text string, caret int) int {
	for i, r := range text {
		if caret <= 0 {
			return i
		}
		caret--
		if r > 0xffff {
			caret--
		}
	}
	return len(text)
}

// completions are the filters or values that begin as a word does.
func (s *Server) completions(ctx context.Context, v *visit, word string) (list []option, err error) {
	name, value, isFilter := strings.Cut(word, ":")
	if !isFilter {
		for _, filter := range []string{"from", "to", "subject", "alias", "tag", "assignee", "field", "is", "has", "before", "after"} {
			if strings.HasPrefix(filter, strings.ToLower(word)) {
				list = append(list, option{Value: filter + ":", Label: v.T("find." + filter)})
			}
		}
		return list, nil
	}
	values, err := s.filterValues(ctx, v, strings.ToLower(name))
	for _, o := range values {
		if strings.Contains(strings.ToLower(o.Value), strings.ToLower(strings.Trim(value, `"`))) && !strings.EqualFold(o.Value, value) {
			if strings.ContainsAny(o.Value, " 　") {
				o.Value = `"` + o.Value + `"`
			}
			list = append(list, option{Value: name + ":" + o.Value, Label: o.Label})
		}
	}
	return list, err
}

// filterValues are the values that a filter of the search can have.
func (s *Server) filterValues(ctx context.Context, v *visit, name string) (list []option, err error) {
	switch name {
	case "is":
		for _, state := range []helpdesk.View{"open", "closed", "waiting", "unassigned", "snoozed", "held", "failed", "spam"} {
			list = append(list, option{Value: string(state), Label: v.T("view." + string(state))})
		}
	case "has":
		list = []option{{Value: "attachment", Label: v.T("find.attachment")}}
	case "tag":
		tags, err := s.desk.Tags(ctx, v.actor())
		if err != nil {
			return nil, err
		}
		for _, tag := range tags {
			list = append(list, option{Value: tag})
		}
	case "alias":
		aliases, err := s.desk.Aliases(ctx, v.actor())
		if err != nil {
			return nil, err
		}
		for _, a := range aliases {
			list = append(list, option{Value: a.Address, Label: a.Name})
		}
	case "field":
		return s.fieldFilters(ctx, v)
	case "assignee":
		_, users, err := s.people(ctx, v)
		if err != nil {
			return nil, err
		}
		list = []option{{Value: "me", Label: v.T("filter.me")}, {Value: "none", Label: v.T("ticket.unassigned")}}
		for _, u := range users {
			list = append(list, option{Value: u.Email, Label: u.Name})
		}
	case "before", "after":
		for _, days := range []int{0, 7, 30, 365} {
			list = append(list, option{Value: v.Now.In(v.Zone).AddDate(0, 0, -days).Format("2006-01-02"), Label: v.N("find.days", days)})
		}
	}
	return list, nil
}

// fieldFilters are the custom fields of tickets, those with choices with each.
func (s *Server) fieldFilters(ctx context.Context, v *visit) (list []option, err error) {
	fields, err := s.desk.Fields(ctx, v.actor())
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		if f.Owner != helpdesk.FieldOfTicket {
			continue
		}
		list = append(list, option{Value: f.Name, Label: v.T("find.field")})
		for _, choice := range f.Choices {
			list = append(list, option{Value: f.Name + "=" + choice.Name, Label: v.T("find.field")})
		}
		if f.Kind == helpdesk.FieldCheckbox {
			list = append(list, option{Value: f.Name + "=yes", Label: v.T("find.field")})
		}
	}
	return list, nil
}
