package ui

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

// apiHours are working hours: stretches of a day are written "09:00-18:00".
type apiHours struct {
	ID       string              `json:"id"`
	Name     string              `json:"name"`
	Zone     string              `json:"time_zone"`
	Holidays string              `json:"holidays"`
	Week     map[string][]string `json:"week"` // by day, "mon" to "sun"; a day off has none
	Days     []apiSpecialDay     `json:"days"`
}

type apiSpecialDay struct {
	Date  string   `json:"date"`
	Name  string   `json:"name"`
	Hours []string `json:"hours"` // none for a day off
}

func hoursJSON(c helpdesk.Calendar) apiHours {
	h := apiHours{ID: c.ID, Name: c.Name, Zone: c.Hours.Zone, Holidays: c.Hours.Holidays, Week: map[string][]string{}, Days: []apiSpecialDay{}}
	for day, name := range weekdayNames {
		h.Week[name] = stretches(c.Hours.Week[day])
	}
	for _, d := range c.Hours.Days {
		h.Days = append(h.Days, apiSpecialDay{string(d.Date), d.Name, stretches(d.Spans)})
	}
	return h
}

func stretches(spans []hours.Span) []string {
	list := []string{}
	for _, span := range spans {
		list = append(list, fmt.Sprintf("%02d:%02d-%02d:%02d", span.Start/60, span.Start%60, span.End/60, span.End%60))
	}
	return list
}

func (s *Server) apiHours(c echo.Context, a helpdesk.Actor) error {
	list, err := s.desk.Calendars(c.Request().Context(), a)
	if err != nil {
		return err
	}
	answer := struct {
		Hours []apiHours `json:"hours"`
	}{[]apiHours{}}
	for _, calendar := range list {
		answer.Hours = append(answer.Hours, hoursJSON(calendar))
	}
	return c.JSON(http.StatusOK, answer)
}

// apiOneHours answers with the working hours of an id.
func (s *Server) apiOneHours(c echo.Context, a helpdesk.Actor) error {
	list, err := s.desk.Calendars(c.Request().Context(), a)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(calendar helpdesk.Calendar) bool { return calendar.ID == c.Param("id") })
	if i < 0 {
		return &helpdesk.Error{Code: helpdesk.CodeNotFound, Message: fmt.Sprintf("there is no calendar %s", c.Param("id"))}
	}
	return answerHours(c, list[i])
}

func answerHours(c echo.Context, calendar helpdesk.Calendar) error {
	setVersion(c, calendar.Version())
	return c.JSON(http.StatusOK, map[string]apiHours{"hours": hoursJSON(calendar)})
}

// apiReplaceHours replaces working hours as a whole; every due time is computed
// anew.
func (s *Server) apiReplaceHours(c echo.Context, a helpdesk.Actor) error {
	var input struct {
		Name     string              `json:"name"`
		Zone     string              `json:"time_zone"`
		Holidays string              `json:"holidays"`
		Week     map[string][]string `json:"week"`
		Days     []apiSpecialDay     `json:"days"`
	}
	if err := readBody(c, maxAPIBody, &input); err != nil {
		return err
	}
	calendar := helpdesk.Calendar{ID: c.Param("id"), Name: input.Name, Hours: hours.Calendar{Zone: input.Zone, Holidays: input.Holidays}}
	for name, list := range input.Week {
		day := weekdayNumber(name)
		if day < 0 {
			return invalid("week", "", fmt.Sprintf("week has no day %q; the days are %s", name, strings.Join(weekdayNames[:], ", ")))
		}
		spans, err := readStretches("week."+name, list)
		if err != nil {
			return err
		}
		calendar.Hours.Week[day] = spans
	}
	for i, day := range input.Days {
		date, err := hours.ParseDate(day.Date)
		if err != nil {
			return invalid(fmt.Sprintf("days[%d].date", i), "", fmt.Sprintf("%q is not a date; write it like 2026-12-29", day.Date))
		}
		spans, err := readStretches(fmt.Sprintf("days[%d].hours", i), day.Hours)
		if err != nil {
			return err
		}
		calendar.Hours.Days = append(calendar.Hours.Days, hours.SpecialDay{Date: date, Name: day.Name, Spans: spans})
	}
	a, err := ifMatch(c, a)
	if err != nil {
		return err
	}
	saved, err := s.desk.SaveCalendar(c.Request().Context(), a, calendar)
	if err != nil {
		return refuseVersion(c, err)
	}
	return answerHours(c, *saved)
}

func weekdayNumber(name string) int {
	for day, known := range weekdayNames {
		if known == name {
			return day
		}
	}
	return -1
}

func readStretches(field string, list []string) (spans []hours.Span, err error) {
	for _, each := range list {
		read, err := parseSpans(each)
		if err != nil || len(read) != 1 {
			return nil, invalid(field, "", fmt.Sprintf("%q is not a stretch of a day; write it like 09:00-18:00", each))
		}
		spans = append(spans, read...)
	}
	return spans, nil
}
