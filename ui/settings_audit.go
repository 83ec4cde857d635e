package ui

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/hours"
)

func (s *Server) auditRoutes(g *echo.Group) {
	g.GET("/settings/audit", s.auditPage)
	g.GET("/settings/audit.csv", takenOut(s.auditFile, helpdesk.PermitRead, helpdesk.PermitAudit))
}

type auditView struct {
	settingsPage
	Lines    []auditLine
	People   []option
	Kinds    []option
	From, To string // dates, as browsers write them
	Next     string // address of the page after this one
	File     string // address of the same as CSV
}

// auditLine is an event as people read it.
type auditLine struct {
	Time    moment
	Who     string
	Avatar  *avatar
	From    string // network address
	What    string
	Subject string // the record that it is about
	Changes []auditChange
}

type auditChange struct{ Field, Before, After string }

// auditAreas are the kinds of events that the filter offers: the parts before
// their dots.
var auditAreas = []string{"login", "session", "second_factor", "passkey", "identity", "token", "user", "role", "team", "alias", "pipeline", "field", "address", "dkim", "destination", "mail", "report", "greylist", "settings", "webhook", "export", "erasure", "reanalysis"}

func (s *Server) auditPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "audit", "")
	if err != nil {
		return err
	}
	query := s.auditQuery(c)
	list, next, err := s.desk.Audit(ctx, v.actor(), query)
	if err != nil {
		return err
	}
	people, users, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	view := auditView{settingsPage: sp, From: c.QueryParam("from"), To: c.QueryParam("to")}
	for _, u := range users {
		view.People = append(view.People, option{u.ID, u.Name, u.ID == query.UserID})
	}
	for _, area := range auditAreas {
		view.Kinds = append(view.Kinds, option{area, v.T("audit.area." + area), area == query.Kind})
	}
	for _, e := range list {
		view.Lines = append(view.Lines, v.auditLine(e, people))
	}
	filter := url.Values{"person": {query.UserID}, "kind": {query.Kind}, "from": {view.From}, "to": {view.To}}
	view.File = "/settings/audit.csv?" + filter.Encode()
	if next != "" {
		filter.Set("after", next)
		view.Next = "/settings/audit?" + filter.Encode()
	}
	return s.render(c, http.StatusOK, "settings-audit", view)
}

// auditQuery reads the filter; days are the reader's.
func (s *Server) auditQuery(c echo.Context) helpdesk.AuditQuery {
	v := visitOf(c)
	day := func(name string, more int) time.Time {
		t, err := time.Parse(time.DateOnly, c.QueryParam(name))
		if err != nil {
			return time.Time{}
		}
		return hours.Midnight(v.Zone, t.Year(), t.Month(), t.Day()+more)
	}
	return helpdesk.AuditQuery{UserID: c.QueryParam("person"), Kind: c.QueryParam("kind"), From: day("from", 0), To: day("to", 1), After: c.QueryParam("after")}
}

// auditSubjects are the details that name what an event is about.
var auditSubjects = []string{"webhook", "alias", "pipeline", "team", "field", "role", "token", "user", "address", "domain", "what", "name"}

func (v *visit) auditLine(e helpdesk.Event, people map[string]helpdesk.User) auditLine {
	line := auditLine{Time: longMoment(v.Printer, e.At), From: e.Actor.From, What: string(e.Kind)}
	if key := "audit.event." + strings.ReplaceAll(string(e.Kind), ".", "_"); v.Has(key) {
		line.What = v.T(key)
	}
	switch u, known := people[e.Actor.UserID]; {
	case known:
		a := newAvatar(u.ID, u.Name)
		line.Who, line.Avatar = u.Name, &a
	case e.Actor.Kind == helpdesk.ActorFile:
		line.Who = v.T("event.file")
	default:
		line.Who = cmp.Or(map[bool]string{true: e.Actor.Name}[e.Actor.Kind == helpdesk.ActorUser], v.T("event.system"))
	}
	for _, name := range auditSubjects {
		if line.Subject = e.Data[name]; line.Subject != "" {
			break
		}
	}
	data := maps.Clone(v.alarmData(e))
	if data["user"] == line.Subject { // said already
		delete(data, "user")
	}
	if data["bulk_reply"] != "" { // an id that says nothing to a reader
		data["text"] = data["subject"]
		delete(data, "bulk_reply")
		delete(data, "subject")
	}
	if author, known := people[data["author"]]; known {
		data["author"] = author.Name
	}
	line.Changes = v.auditChanges(data)
	return line
}

// auditChanges are the details in order: what changed with its values, then
// what else there is.
func (v *visit) auditChanges(data map[string]string) (list []auditChange) {
	seen := map[string]bool{}
	for name := range data {
		field, before := strings.CutSuffix(name, ".before")
		field, after := strings.CutSuffix(field, ".after")
		if seen[field] || (!before && !after && (slices.Contains(auditSubjects, name) && name != "user" && name != "permissions")) {
			continue
		}
		seen[field] = true
		change := auditChange{Field: v.auditField(field), Before: v.auditValue(field, data[field+".before"]), After: v.auditValue(field, data[field+".after"])}
		if !before && !after {
			change.After = v.auditValue(field, data[field])
		}
		list = append(list, change)
	}
	slices.SortFunc(list, func(a, b auditChange) int { return cmp.Compare(a.Field, b.Field) })
	return list
}

func (v *visit) auditField(name string) string {
	if key := "audit.field." + name; v.Has(key) {
		return v.T(key)
	}
	return name
}

// auditValue says a value that is a word of ours in the reader's language.
func (v *visit) auditValue(field, value string) string {
	say := func(prefix string) string {
		if key := prefix + strings.ReplaceAll(value, ".", "_"); value != "" && v.Has(key) {
			return v.T(key)
		}
		return value
	}
	switch field {
	case "permissions":
		var names []string
		for name := range strings.SplitSeq(value, ", ") {
			value = name
			names = append(names, say("permission.name."))
		}
		return strings.Join(names, v.T("field.comma"))
	case "of":
		return say("field.owner.")
	case "kind":
		return say("field.kind.")
	case "role":
		return say("role.")
	case "language", "locale":
		return say("language.")
	}
	return say("audit.value.")
}

// auditFile sends what the filter finds as CSV.
func (s *Server) auditFile(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	people, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	file := newSheet(c, "audit.csv", "seq", "time", "who", "from", "kind", "what", "subject", "changes")
	err = s.desk.ExportAudit(ctx, v.actor(), s.auditQuery(c), func(e helpdesk.Event) error {
		line := v.auditLine(e, people)
		var changes []string
		for _, change := range line.Changes {
			changes = append(changes, change.Field+": "+change.Before+" → "+change.After)
		}
		return file.add(strconv.FormatUint(e.Seq, 10), e.At.UTC().Format(time.RFC3339), line.Who, e.Actor.From, string(e.Kind), line.What,
			line.Subject, strings.Join(changes, "; "))
	})
	if err != nil {
		return err
	}
	return file.end()
}
