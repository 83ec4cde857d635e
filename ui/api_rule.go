package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiRule is an assignment rule.
type apiRule struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Enabled   bool        `json:"enabled"`
	GoOn      bool        `json:"go_on"` // rules behind it are asked too
	When      apiRuleWhen `json:"when"`
	Then      apiRuleThen `json:"then"`
	CreatedAt *time.Time  `json:"created_at"`
}

type apiRuleWhen struct {
	Aliases    []string `json:"aliases"` // addresses
	Brands     []string `json:"brands"`
	Languages  []string `json:"languages"`
	Keywords   []string `json:"keywords"`
	Domains    []string `json:"domains"`
	ReplyTypes []string `json:"reply_types"`
	Hours      string   `json:"hours"`
}

type apiRuleThen struct {
	Assign    string   `json:"assign"`
	Among     []string `json:"among"` // addresses of users
	Team      *string  `json:"team"`  // its name
	Tags      []string `json:"tags"`
	Priority  string   `json:"priority"`
	Stage     string   `json:"stage"`
	Followers []string `json:"followers"` // addresses of users
}

// apiRules lists the assignment rules in the order in which they are asked.
func (s *Server) apiRules(c echo.Context, a helpdesk.Actor) error {
	ctx := c.Request().Context()
	list, err := s.desk.Rules(ctx, a)
	if err != nil {
		return err
	}
	aliases, err := s.desk.Aliases(ctx, a)
	if err != nil {
		return err
	}
	d, err := s.directory(ctx, a)
	if err != nil {
		return err
	}
	addresses := map[string]string{}
	for _, alias := range aliases {
		addresses[alias.ID] = alias.Address
	}
	answer := struct {
		Rules []apiRule `json:"rules"`
	}{[]apiRule{}}
	for _, r := range list {
		rule := apiRule{ID: r.ID, Name: r.Name, Enabled: !r.Disabled, GoOn: r.GoOn, CreatedAt: timeOrNull(r.CreatedAt),
			When: apiRuleWhen{Aliases: named(r.When.Aliases, addresses), Brands: orEmpty(r.When.Brands), Languages: orEmpty(r.When.Languages), Keywords: orEmpty(r.When.Keywords),
				Domains: orEmpty(r.When.Domains), ReplyTypes: orEmpty(r.When.ReplyTypes), Hours: string(r.When.Hours)},
			Then: apiRuleThen{Assign: string(r.Then.Assign), Among: d.users.emails(r.Then.Among), Tags: orEmpty(r.Then.Tags), Priority: r.Then.Priority,
				Stage: r.Then.Stage, Followers: d.users.emails(r.Then.Followers)}}
		if names := d.teamNames([]string{r.Then.TeamID}); len(names) > 0 {
			rule.Then.Team = &names[0]
		}
		answer.Rules = append(answer.Rules, rule)
	}
	return c.JSON(http.StatusOK, answer)
}

// named are the names of ids; what is gone is left out.
func named(ids []string, names map[string]string) []string {
	list := []string{}
	for _, id := range ids {
		if name, ok := names[id]; ok {
			list = append(list, name)
		}
	}
	return list
}

// emails are the addresses of users; who is gone is left out.
func (r roster) emails(ids []string) []string {
	list := []string{}
	for _, id := range ids {
		if u := r[id]; u != nil {
			list = append(list, u.Email)
		}
	}
	return list
}
