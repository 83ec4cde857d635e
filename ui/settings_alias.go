package ui

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type aliasesView struct {
	settingsPage
	Aliases []aliasRow
}

type aliasRow struct {
	helpdesk.Alias
	URL, Pipeline, Owner string
	Colour               int
}

func (s *Server) aliasesPage(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	sp, err := s.newSettingsPage(c, "aliases", "")
	if err != nil {
		return err
	}
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return err
	}
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	if err != nil {
		return err
	}
	people, _, err := s.people(ctx, v)
	if err != nil {
		return err
	}
	view := aliasesView{settingsPage: sp}
	for _, a := range aliases {
		row := aliasRow{Alias: a, URL: "/settings/aliases/" + a.ID, Owner: people[a.OwnerID].Name}
		if i := slices.IndexFunc(pipelines, func(p helpdesk.Pipeline) bool { return p.ID == a.PipelineID }); i >= 0 {
			row.Pipeline, row.Colour = pipelines[i].Name, colourOf(pipelines[i].Position)
		}
		view.Aliases = append(view.Aliases, row)
	}
	return s.render(c, http.StatusOK, "settings-aliases", view)
}

type aliasView struct {
	settingsPage
	Alias     helpdesk.Alias
	Tags      string
	Pipelines []option
	Owners    []option
	Teams     []option
	Languages []option
	MX        mxRecord
	Brands    []string // of other aliases, to choose from

	Signatures, Acknowledgements localizedView
	Sender                       *senderAlert // of the domain
}

// aliasByID returns the alias that the path names; a new one begins empty.
func (s *Server) aliasByID(c echo.Context) (helpdesk.Alias, error) {
	id := c.Param("id")
	if id == newRecord {
		settings, err := s.desk.Settings(c.Request().Context())
		alias := helpdesk.Alias{Language: string(visitOf(c).Language)}
		if settings.Domain != "" {
			alias.Address = "@" + settings.Domain
		}
		return alias, err
	}
	aliases, err := s.desk.Aliases(c.Request().Context(), visitOf(c).actor())
	if err != nil {
		return helpdesk.Alias{}, err
	}
	i := slices.IndexFunc(aliases, func(a helpdesk.Alias) bool { return a.ID == id })
	if i < 0 {
		return helpdesk.Alias{}, echo.ErrNotFound
	}
	return aliases[i], nil
}

func (s *Server) newAliasView(c echo.Context, a helpdesk.Alias) (aliasView, error) {
	ctx, v := c.Request().Context(), visitOf(c)
	heading := a.Address
	if a.ID == "" {
		heading = v.T("settings.alias.new")
	}
	sp, err := s.newSettingsPage(c, "aliases", heading)
	if err != nil {
		return aliasView{}, err
	}
	sp.seen(c, a.ID, a)
	view := aliasView{settingsPage: sp, Alias: a, Tags: strings.Join(a.Tags, ", "), MX: mxRecord{Value: "10 " + s.options.Hostname}}
	_, view.MX.Name, _ = strings.Cut(a.Address, "@")
	switch {
	case a.ID == "":
	case a.Disabled:
		view.Badge = &badge{"plain", v.T("settings.alias.disabled")}
	default:
		view.Badge = &badge{"good", v.T("settings.alias.receiving")}
	}
	if a.ID != "" && !a.Disabled {
		view.Sender = s.senderAlert(v, a)
	}
	if a.Managed {
		view.Locked = v.T("settings.managed")
	}
	aliases, err := s.desk.Aliases(ctx, v.actor())
	if err != nil {
		return view, err
	}
	view.Brands = brandsOf(aliases)
	pipelines, err := s.desk.Pipelines(ctx, v.actor())
	if err != nil {
		return view, err
	}
	for _, p := range pipelines {
		view.Pipelines = append(view.Pipelines, option{p.ID, p.Name, p.ID == a.PipelineID})
	}
	_, users, err := s.people(ctx, v)
	if err != nil {
		return view, err
	}
	view.Owners = []option{{"", v.T("settings.alias.no_owner"), a.OwnerID == ""}}
	for _, u := range users {
		if !u.Disabled || u.ID == a.OwnerID {
			view.Owners = append(view.Owners, option{u.ID, u.Name, u.ID == a.OwnerID})
		}
	}
	teams, err := s.teamOptions(ctx, v, a.TeamID)
	if err != nil {
		return view, err
	}
	view.Teams = append([]option{{"", v.T("team.none_chosen"), a.TeamID == ""}}, teams...)
	view.Signatures = s.newLocalizedView(c, "signature", a.ID, a.Signature, a.Signatures, false)
	view.Signatures.Title, view.Signatures.Hint = v.T("texts.signatures"), v.T("texts.signatures_hint")
	view.Acknowledgements = s.newLocalizedView(c, "acknowledgement", a.ID, a.Acknowledgement, a.Acknowledgements, true)
	view.Acknowledgements.Title, view.Acknowledgements.Hint = v.T("texts.acknowledgements"), v.T("settings.alias.acknowledgement_hint")
	view.Languages = localeOptions(v, a.Language, v.T("settings.alias.any_language"))
	return view, nil
}

func (s *Server) saveAlias(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	alias, err := s.aliasByID(c)
	if err != nil {
		return err
	}
	if c.FormValue("action") == "delete" {
		if err := s.desk.DeleteAlias(ctx, v.actor(), alias.ID); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/settings/aliases?saved=1")
	}
	alias.Address, alias.Name = strings.TrimSpace(c.FormValue("address")), strings.TrimSpace(c.FormValue("name"))
	alias.Brand = c.FormValue("brand")
	alias.PipelineID, alias.OwnerID, alias.TeamID, alias.Language = c.FormValue("pipeline"), c.FormValue("owner"), c.FormValue("team"), c.FormValue("language")
	alias.Tags = splitList(c.FormValue("tags"))
	if alias.Signature, alias.Signatures, err = readLocalized(c, "signature"); err != nil {
		return err
	}
	if alias.Acknowledgement, alias.Acknowledgements, err = readLocalized(c, "acknowledgement"); err != nil {
		return err
	}
	alias.ForwardTo = strings.TrimSpace(c.FormValue("forward_to"))
	alias.Approval = c.FormValue("approval") != ""
	alias.Disabled = c.FormValue("enabled") == ""
	saved, err := s.desk.SaveAlias(ctx, v.having(c), alias)
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/settings/aliases/"+saved.ID+"?saved=1")
	}
	view, failed := s.newAliasView(c, alias)
	if failed != nil {
		return failed
	}
	status, err := view.refuseForm(err)
	if err != nil {
		return err
	}
	return s.render(c, status, "settings-alias", view)
}
