package ui

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/unicode/norm"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

func (s *Server) hoursRoutes(g *echo.Group) {
	g.GET("/settings/hours", s.calendarsPage)
	g.GET("/settings/hours/:id", s.calendarPage)
	g.POST("/settings/hours/:id", s.saveCalendar)
	g.GET("/settings/due", s.duePage)
	g.GET("/settings/due/:scope", s.duePolicyPage)
	g.POST("/settings/due/:scope", s.saveDuePolicy)
}

type calendarsView struct {
	settingsPage
	Calendars []calendarRow
}

type calendarRow struct {
	Name, URL, Zone, Week string
}

func (s *Server) calendarsPage(c echo.Context) error {
	sp, err := s.newSettingsPage(c, "hours", "")
	if err != nil {
		return err
	}
	calendars, err := s.desk.Calendars(c.Request().Context(), visitOf(c).actor())
	if err != nil {
		return err
	}
	view := calendarsView{settingsPage: sp}
	for _, calendar := range calendars {
		view.Calendars = append(view.Calendars, calendarRow{sp.calendarName(calendar), "/settings/hours/" + calendar.ID, calendar.Hours.Zone, sp.weekWords(calendar.Hours)})
	}
	return s.render(c, http.StatusOK, "settings-hours", view)
}

// calendarName is what a calendar is called; the standard one may have no name.
func (v *visit) calendarName(c helpdesk.Calendar) string {
	if c.Name == "" {
		return v.T("hours.standard")
	}
	return c.Name
}

// weekdays are the days of the week from Monday on, as time.Weekday counts.
var weekdays = [...]time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}

// weekdayNames are the last parts of the days' keys under time.weekday.
var weekdayNames = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// weekWords says a week on one line, days of the same hours together.
func (v *visit) weekWords(c hours.Calendar) string {
	var parts []string
	for i := 0; i < len(weekdays); {
		j := i + 1
		for j < len(weekdays) && slices.Equal(c.Week[weekdays[i]], c.Week[weekdays[j]]) {
			j++
		}
		if spans := c.Week[weekdays[i]]; len(spans) > 0 {
			days := v.T("time.weekday." + weekdayNames[weekdays[i]])
			if j-i > 1 {
				days = v.T("hours.days", days, v.T("time.weekday."+weekdayNames[weekdays[j-1]]))
			}
			parts = append(parts, days+" "+spansText(spans))
		}
		i = j
	}
	return strings.Join(parts, v.T("list.comma"))
}

func spansText(spans []hours.Span) string {
	var list []string
	for _, s := range spans {
		list = append(list, s.String())
	}
	return strings.Join(list, ", ")
}

type calendarView struct {
	settingsPage
	ID       string
	Name     string
	Standard bool
	Zone     string
	Zones    []string
	Holidays bool
	Days     []dayField
	Special  []specialField
	Off      []dayOff // the coming days off, as saved
	Changed  bool     // what is shown is not saved yet
}

// dayField is a day of the week in the form.
type dayField struct{ Name, Label, Hours string }

// specialField is a day of the form that goes before the week.
type specialField struct {
	Index             int
	Date, Name, Hours string
}

// dayOff is a coming day on which nobody works.
type dayOff struct{ Date, Weekday, Name string }

// commonZones are offered while one types; every other zone is taken too.
var commonZones = []string{"Asia/Tokyo", "Asia/Seoul", "Asia/Shanghai", "Asia/Taipei", "Asia/Singapore", "Asia/Kolkata", "Australia/Sydney", "Europe/London",
	"Europe/Berlin", "Europe/Paris", "America/New_York", "America/Chicago", "America/Los_Angeles", "America/Sao_Paulo", "Pacific/Auckland", "UTC"}

func (s *Server) calendarByID(c echo.Context) (helpdesk.Calendar, error) {
	id := c.Param("id")
	if id == newRecord {
		return helpdesk.Calendar{Hours: hours.Office(visitOf(c).zoneName())}, nil
	}
	calendars, err := s.desk.Calendars(c.Request().Context(), visitOf(c).actor())
	if err != nil {
		return helpdesk.Calendar{}, err
	}
	i := slices.IndexFunc(calendars, func(k helpdesk.Calendar) bool { return k.ID == id })
	if i < 0 {
		return helpdesk.Calendar{}, echo.ErrNotFound
	}
	return calendars[i], nil
}

// zoneName is the reader's own zone, for what they begin anew.
func (v *visit) zoneName() string {
	if v.Zone == nil || v.Zone == time.Local {
		return "Asia/Tokyo"
	}
	return v.Zone.String()
}

func (s *Server) calendarPage(c echo.Context) error {
	calendar, err := s.calendarByID(c)
	if err != nil {
		return err
	}
	view, err := s.newCalendarView(c, calendar)
	if err != nil {
		return err
	}
	if view.Off, err = s.comingDaysOff(c, calendar); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "settings-calendar", view)
}

func (s *Server) newCalendarView(c echo.Context, calendar helpdesk.Calendar) (calendarView, error) {
	v := visitOf(c)
	heading := v.calendarName(calendar)
	if calendar.ID == "" {
		heading = v.T("hours.new")
	}
	sp, err := s.newSettingsPage(c, "hours", heading)
	if err != nil {
		return calendarView{}, err
	}
	sp.seen(c, calendar.ID, calendar)
	view := calendarView{settingsPage: sp, ID: calendar.ID, Name: calendar.Name, Standard: calendar.ID == helpdesk.StandardCalendar, Zone: calendar.Hours.Zone,
		Zones: commonZones, Holidays: calendar.Hours.Holidays == hours.Japan}
	for _, day := range weekdays {
		view.Days = append(view.Days, dayField{weekdayNames[day], v.T("time.weekday." + weekdayNames[day]), spansText(calendar.Hours.Week[day])})
	}
	for i, d := range calendar.Hours.Days {
		view.Special = append(view.Special, specialField{i, string(d.Date), d.Name, spansText(d.Spans)})
	}
	return view, nil
}

// comingDaysOff are the next days off that have a name.
func (s *Server) comingDaysOff(c echo.Context, calendar helpdesk.Calendar) (list []dayOff, err error) {
	v := visitOf(c)
	if calendar.ID == "" {
		return nil, nil
	}
	schedule, err := s.desk.Schedule(c.Request().Context(), v.actor(), calendar.ID)
	if err != nil {
		return nil, err
	}
	here := v.Printer
	here.Zone = schedule.Zone()
	for i := range 366 {
		now := v.Now.In(schedule.Zone())
		day := time.Date(now.Year(), now.Month(), now.Day()+i, 12, 0, 0, 0, schedule.Zone())
		name, off := schedule.DayOff(day)
		if !off || name == "" {
			continue
		}
		if v.Has("holiday." + name) {
			name = v.T("holiday." + name)
		}
		if list = append(list, dayOff{here.Date(day), here.Weekday(day), name}); len(list) == 8 {
			break
		}
	}
	return list, nil
}

// saveCalendar reads the form; its buttons also add and remove special days,
// which is not saved at once.
func (s *Server) saveCalendar(c echo.Context) error {
	calendar, err := s.calendarByID(c)
	if err != nil {
		return err
	}
	ctx, v := c.Request().Context(), visitOf(c)
	action, at, _ := strings.Cut(c.FormValue("action"), ":")
	if action == "delete" {
		if err := s.desk.DeleteCalendar(ctx, v.actor(), calendar.ID); err != nil {
			return s.refuseCalendar(c, calendar, err)
		}
		return c.Redirect(http.StatusSeeOther, "/settings/hours?saved=1")
	}
	wrong := formCalendar(c, &calendar)
	index, _ := strconv.Atoi(at)
	switch {
	case action == "add":
		calendar.Hours.Days = append(calendar.Hours.Days, hours.SpecialDay{})
	case action == "remove" && index >= 0 && index < len(calendar.Hours.Days):
		calendar.Hours.Days = slices.Delete(calendar.Hours.Days, index, index+1)
	case wrong != nil:
		return s.refuseCalendar(c, calendar, wrong)
	default:
		calendar.Hours.Days = slices.DeleteFunc(calendar.Hours.Days, func(d hours.SpecialDay) bool { return d.Date == "" && d.Name == "" })
		saved, err := s.desk.SaveCalendar(ctx, v.having(c), calendar)
		if err != nil {
			return s.refuseCalendar(c, calendar, err)
		}
		return c.Redirect(http.StatusSeeOther, "/settings/hours/"+saved.ID+"?saved=1")
	}
	view, err := s.newCalendarView(c, calendar)
	if err != nil {
		return err
	}
	view.Changed = true
	return s.render(c, http.StatusOK, "settings-calendar", view)
}

func (s *Server) refuseCalendar(c echo.Context, calendar helpdesk.Calendar, cause error) error {
	view, err := s.newCalendarView(c, calendar)
	if err != nil {
		return err
	}
	view.Changed = true
	status, err := view.refuseForm(cause)
	if err != nil {
		return err
	}
	// What cannot be read is shown as it was typed.
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	for i, day := range view.Days {
		if form.Has("day_" + day.Name) {
			view.Days[i].Hours = form.Get("day_" + day.Name)
		}
	}
	for i, typed := range form["special_hours"] {
		if i < len(view.Special) {
			view.Special[i].Hours = typed
		}
	}
	return s.render(c, status, "settings-calendar", view)
}

// formCalendar reads the form into a calendar and returns what cannot be read.
func formCalendar(c echo.Context, calendar *helpdesk.Calendar) (wrong error) {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	calendar.Name, calendar.Hours.Zone, calendar.Hours.Holidays = strings.TrimSpace(form.Get("name")), strings.TrimSpace(form.Get("zone")), ""
	if form.Get("holidays") != "" {
		calendar.Hours.Holidays = hours.Japan
	}
	read := func(typed string) []hours.Span {
		spans, err := parseSpans(typed)
		if err != nil && wrong == nil {
			wrong = err
		}
		return spans
	}
	for _, day := range weekdays {
		calendar.Hours.Week[day] = read(form.Get("day_" + weekdayNames[day]))
	}
	calendar.Hours.Days = nil
	dates, names, times := form["special_date"], form["special_name"], form["special_hours"]
	for i := range min(len(dates), len(names), len(times)) {
		calendar.Hours.Days = append(calendar.Hours.Days, hours.SpecialDay{Date: hours.Date(dates[i]), Name: strings.TrimSpace(names[i]), Spans: read(times[i])})
	}
	return wrong
}

// parseSpans reads "9:00-12:00, 13:00-18:00" as people type it: full width, with
// any dash, and with hours alone. Nothing is a day off.
func parseSpans(typed string) (spans []hours.Span, err error) {
	text := strings.NewReplacer("〜", "-", "～", "-", "~", "-", "–", "-", "—", "-", "ー", "-", "−", "-", "、", ",", "時", ":00").Replace(norm.NFKC.String(typed))
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.Join(strings.Fields(part), ""); part == "" {
			continue
		}
		from, to, ok := strings.Cut(part, "-")
		start, good := parseClock(from)
		end, fine := parseClock(to)
		if !ok || !good || !fine {
			return nil, invalid("hours", "error.hours_unreadable", fmt.Sprintf("cannot read the hours %q; write them like 9:00-12:00, 13:00-18:00", part), part)
		}
		spans = append(spans, hours.Span{Start: start, End: end})
	}
	return spans, nil
}

// parseClock reads "9:30", "09:30" or "9" as minutes after midnight.
func parseClock(s string) (int, bool) {
	h, m, minutes := strings.Cut(s, ":")
	hour, err := strconv.Atoi(h)
	if err != nil || hour < 0 || hour > 24 {
		return 0, false
	}
	if !minutes {
		return hour * 60, true
	}
	minute, err := strconv.Atoi(m)
	return hour*60 + minute, err == nil && len(m) == 2 && minute >= 0 && minute < 60
}
