package ui

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

func (s *Server) settingsRoutes(g *echo.Group) {
	g.GET("/settings", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/settings/profile") })
	g.GET("/settings/aliases", s.aliasesPage)
	g.GET("/settings/aliases/:id", recordForm(s, "settings-alias", s.aliasByID, s.newAliasView))
	g.POST("/settings/aliases/:id", s.saveAlias)
	g.GET("/settings/pipelines", s.pipelinesPage)
	g.GET("/settings/pipelines/:id", recordForm(s, "settings-pipeline", s.pipelineByID, s.newPipelineView))
	g.POST("/settings/pipelines/:id", s.savePipeline)
	g.GET("/settings/users", s.usersPage)
	g.GET("/settings/users/:id", recordForm(s, "settings-user", s.userByID, s.newUserView))
	g.POST("/settings/users/:id", s.saveUser)
	s.domainRoutes(g)
	s.checkRoutes(g)
	s.queueRoutes(g)
	g.GET("/settings/reports", s.reportsPage)
	s.limitsRoutes(g)
	g.GET("/settings/ledger", s.ledgerPage)
	g.GET("/settings/erasures", s.erasuresPage)
	s.backupRoutes(g)
	s.roleRoutes(g)
	s.teamRoutes(g)
	s.fieldRoutes(g)
	s.auditRoutes(g)
	s.webhookRoutes(g)
	s.tokenRoutes(g)
	g.GET("/settings/profile", s.profilePage)
	g.POST("/settings/profile", s.saveProfile)
	s.ownAccessRoutes(g)
	s.factorRoutes(g)
	s.loginRuleRoutes(g)
	g.POST("/settings/look", s.changeLook)
	g.GET("/settings/analysis", s.analysisPage)
	g.GET("/settings/analysis/again", s.reanalysisProgress)
	g.POST("/settings/analysis/again", s.startReanalysis)
	g.POST("/settings/analysis/stop", s.stopReanalysis)
	g.GET("/settings/system", s.systemPage)
	g.POST("/settings/system/resume", s.resumeParked)
	g.GET("/settings/suppressions", s.suppressionsPage)
	g.POST("/settings/suppressions/lift", s.liftSuppression)
	g.POST("/settings/suppressions/opt-in", s.liftOptOut)
}

// newRecord stands for the id of a record that is yet to be made.
const newRecord = "new"

// settingsPage is what every settings page knows.
type settingsPage struct {
	page
	Section string // the entry of the settings' own navigation
	Groups  []settingsGroup
	Heading string
	Badge   *badge
	Saved   bool
	Error   formError
	// Locked says why nothing here can be changed, or is empty.
	Locked string
	// Version is that of the record as the reader has seen it; "" for a new one.
	Version string
	// Newer is the address of what somebody else made of the record meanwhile, "" where nobody did.
	Newer string
	path  string
}

type settingsGroup struct {
	Label string
	Items []navItem
}

// settingsEntry is a section of the settings: the permission for changing
// what is there ("" for one's own), and whether others may read it.
type settingsEntry struct {
	section  string
	needs    helpdesk.Permission
	readable bool
}

// settingsMap is the settings' own navigation, by group.
var settingsMap = []struct {
	name    string
	entries []settingsEntry
}{
	{"self", []settingsEntry{{section: "profile"}, {section: "access"}, {section: "notices"}, {section: "tokens"}, {section: "views"}}},
	{"mail", []settingsEntry{
		{section: "aliases", needs: helpdesk.PermitAliases},
		{section: "domains", needs: helpdesk.PermitAliases},
		{section: "reports", needs: helpdesk.PermitAliases},
		// Why nothing is sent to an address is for everybody who answers.
		{section: "suppressions", needs: helpdesk.PermitSuppressions, readable: true},
		{section: "blocked", needs: helpdesk.PermitSpam, readable: true},
		{section: "trusted", needs: helpdesk.PermitQuarantine},
		{section: "limits", needs: helpdesk.PermitSystem},
	}},
	{"work", []settingsEntry{
		{section: "templates"},
		{section: "pipelines", needs: helpdesk.PermitPipelines},
		{section: "fields", needs: helpdesk.PermitFields},
		{section: "rules", needs: helpdesk.PermitRules},
		{section: "services", needs: helpdesk.PermitRules, readable: true},
		{section: "hours", needs: helpdesk.PermitHours, readable: true},
		{section: "due", needs: helpdesk.PermitHours, readable: true},
	}},
	{"people", []settingsEntry{
		{section: "users", needs: helpdesk.PermitUsers},
		{section: "teams", needs: helpdesk.PermitTeams},
		{section: "roles", needs: helpdesk.PermitRoles},
		{section: "login", needs: helpdesk.PermitSystem},
	}},
	{"server", []settingsEntry{
		{section: "analysis", readable: true},
		{section: "ledger", needs: helpdesk.PermitSystem},
		{section: "queue", needs: helpdesk.PermitSupervise},
		{section: "check", needs: helpdesk.PermitSystem},
		{section: "backups", needs: helpdesk.PermitSystem},
		{section: "webhooks", needs: helpdesk.PermitWebhooks},
		{section: "audit", needs: helpdesk.PermitAudit},
		{section: "erasures", needs: helpdesk.PermitErase},
		{section: "system", readable: true},
	}},
}

func settingsNeeds(section string) (helpdesk.Permission, bool) {
	for _, group := range settingsMap {
		for _, entry := range group.entries {
			if entry.section == section {
				return entry.needs, entry.needs != ""
			}
		}
	}
	return "", false
}

// newSettingsPage fills the frame of a settings page. heading is empty for a
// section's first page.
func (s *Server) newSettingsPage(c echo.Context, section, heading string) (settingsPage, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	name := v.T("settings.page." + section)
	title := name
	if heading != "" {
		title = heading
	}
	p, err := s.newPage(ctx, v, title, "settings")
	if err != nil {
		return settingsPage{}, err
	}
	sp := settingsPage{page: p, Section: section, Heading: heading, Saved: c.QueryParam("saved") != "", Version: c.Request().PostFormValue(versionField), path: c.Request().URL.Path}
	if needs, ok := settingsNeeds(section); ok && !v.may(needs) {
		sp.Locked = v.T("settings.not_allowed")
	}
	sp.Groups = s.settingsGroups(ctx, v, section)
	return sp, nil
}

// settingsGroups are the entries for a role: what it may never do is not
// offered.
func (s *Server) settingsGroups(ctx context.Context, v *visit, current string) []settingsGroup {
	item := func(section string) navItem {
		return navItem{URL: "/settings/" + section, Label: v.T("settings.page." + section), Current: section == current}
	}
	analysis := item("analysis")
	if status := s.options.Analysis(ctx); status.Enabled && status.Problem != "" {
		analysis.Count, analysis.Tone = "!", "bad"
	}
	var groups []settingsGroup
	for _, group := range settingsMap {
		var items []navItem
		for _, entry := range group.entries {
			switch {
			case entry.needs != "" && !entry.readable && !v.may(entry.needs):
			case entry.section == "analysis":
				items = append(items, analysis)
			default:
				items = append(items, item(entry.section))
			}
		}
		if len(items) > 0 {
			groups = append(groups, settingsGroup{v.T("settings.group." + group.name), items})
		}
	}
	return groups
}

// refuseForm fills in what is wrong with a form, or returns the error if it is
// about something else.
func (sp *settingsPage) refuseForm(err error) (status int, other error) {
	said, ok := refusal(sp.Printer, err)
	if !ok {
		return 0, err
	}
	sp.Error = said
	if now := versionNow(err); now != "" {
		// Whoever saves again has been told that it replaces what somebody else wrote.
		sp.Version, sp.Newer = now, sp.path
	}
	return statusOf(codeOf(err)), nil
}

// splitList reads words typed with commas between them, also Japanese ones.
func splitList(typed string) (list []string) {
	for word := range strings.FieldsFuncSeq(typed, func(r rune) bool { return strings.ContainsRune(",、，\n", r) }) {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}

// localeOptions are the languages a person or alias can have, and none.
func localeOptions(v *visit, chosen, none string) []option {
	options := []option{{"", none, chosen == ""}}
	for _, o := range languageOptions(v.Printer) {
		options = append(options, option{o.Value, o.Label, o.Value == chosen})
	}
	return options
}

// recordForm answers with the form of the record that the path names: it is
// found, laid out and shown.
func recordForm[R, V any](s *Server, template string, find func(echo.Context) (R, error), layOut func(echo.Context, R) (V, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		record, err := find(c)
		if err != nil {
			return err
		}
		view, err := layOut(c, record)
		if err != nil {
			return err
		}
		return s.render(c, http.StatusOK, template, view)
	}
}

// submitted returns the record that the path names, and what was filled in.
func submitted[R any](c echo.Context, find func(echo.Context) (R, error)) (record R, form url.Values, err error) {
	if record, err = find(c); err != nil {
		return record, nil, err
	}
	form, err = c.FormParams()
	return record, form, err
}
