package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/store"
)

// Team is people who share tickets. A ticket can have a team, an assignee, both
// or neither.
type Team struct {
	ID      string
	Name    string   // unique
	Members []string // user ids
	Lead    string   // one of Members, or ""
	// CreatedAt is when the team was made.
	CreatedAt time.Time
}

var teams = store.NewTable(store.Spec[Team]{Name: "team", Version: 1,
	Key: func(t *Team) []byte { return key(t.ID) },
	Indexes: []store.Index[Team]{
		{Name: "name", Unique: true, Keys: func(t *Team) [][]byte { return one(key(strings.ToLower(t.Name))) }},
		{Name: "member", Keys: func(t *Team) [][]byte {
			var keys [][]byte
			for _, id := range t.Members {
				keys = append(keys, key(id, t.ID))
			}
			return keys
		}},
	}})

// Teams returns every team, by name.
func (d *Desk) Teams(ctx context.Context, a Actor) ([]Team, error) {
	if err := a.mayRead("teams"); err != nil {
		return nil, err
	}
	return scanAll(ctx, d, teams, func(a, b Team) int { return cmp.Compare(a.Name, b.Name) })
}

// teamsOf are the ids of the teams that a user is a member of.
func teamsOf(r store.Reader, userID string) (ids []string, err error) {
	if userID == "" {
		return nil, nil
	}
	for t, err := range teams.ScanIndex(r, "member", store.Prefix(key(userID))) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, t.ID)
	}
	return ids, nil
}

// Limits of teams.
const (
	maxTeamName    = 60 // characters
	maxTeamMembers = 500
)

// SaveTeam creates a team, or replaces the one with the same ID. Members are
// users by id or mail address.
func (d *Desk) SaveTeam(ctx context.Context, a Actor, t Team) (saved *Team, err error) {
	if err := a.may("change teams", PermitTeams); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		saved, err = c.saveTeam(t)
		return err
	})
	return saved, err
}

func (c *command) saveTeam(t Team) (*Team, error) {
	if err := c.checkTeam(&t); err != nil {
		return nil, err
	}
	before := &Team{}
	if t.ID == "" {
		t.ID, t.CreatedAt = c.desk.newID(), c.now
	} else {
		known, err := c.team(t.ID)
		if err != nil {
			return nil, err
		}
		if err := c.unchanged("team", known.Version()); err != nil {
			return nil, err
		}
		before, t.CreatedAt = known, known.CreatedAt
	}
	if err := teams.Put(c, &t); err != nil {
		if errors.Is(err, store.ErrConflict) {
			return nil, conflict("team_taken", "there is a team %q already", t.Name)
		}
		return nil, err
	}
	names := newNames(c, c.actor)
	was, now, err := names.joined(before.Members, t.Members)
	if err != nil {
		return nil, err
	}
	wasLead, lead, err := names.joined([]string{before.Lead}, []string{t.Lead})
	if err != nil {
		return nil, err
	}
	_, err = c.record(Event{Kind: EventTeamSaved, Data: changesOf(change{"name", before.Name, t.Name},
		change{"members", was, now}, change{"lead", wasLead, lead}).with("team", t.Name)})
	return &t, err
}

func (c *command) checkTeam(t *Team) error {
	t.Name = strings.Join(strings.Fields(t.Name), " ")
	switch {
	case t.Name == "":
		return invalid("name", "name_empty", "the team has no name")
	case utf8.RuneCountInString(t.Name) > maxTeamName:
		return invalid("name", "team_name_long", "the name %q has more than %d characters", t.Name, maxTeamName)
	case len(t.Members) > maxTeamMembers:
		return invalid("members", "team_too_large", "the team has %d members; the limit is %d", len(t.Members), maxTeamMembers)
	}
	var members []string
	for _, name := range t.Members {
		id, err := userIDOf(c, name)
		if err != nil {
			return err
		}
		if id != "" {
			members = appendNew(members, id)
		}
	}
	lead, err := userIDOf(c, t.Lead)
	if err != nil {
		return err
	}
	if lead != "" && !slices.Contains(members, lead) {
		members = append(members, lead)
	}
	t.Members, t.Lead = members, lead
	return nil
}

// joined are the names of two lists of users, each in one line.
func (n *names) joined(a, b []string) (string, string, error) {
	var lines [2]string
	for i, ids := range [][]string{a, b} {
		var list []string
		for _, id := range ids {
			name, err := n.user(id)
			if err != nil {
				return "", "", err
			}
			if name != "" {
				list = append(list, name)
			}
		}
		slices.Sort(list)
		lines[i] = strings.Join(list, ", ")
	}
	return lines[0], lines[1], nil
}

func (c *command) team(id string) (*Team, error) {
	t, err := teams.Get(c, key(id))
	return found(t, err, "team", id)
}

// DeleteTeam removes a team that has no open tickets and that no alias and no rule names.
// Closed tickets keep that they were its.
func (d *Desk) DeleteTeam(ctx context.Context, a Actor, id string) error {
	return deleteRecord(ctx, d, a, "delete teams", PermitTeams, id, (*command).team, func(c *command, t *Team) error {
		open, err := countTickets(c, System("teams"), TicketQuery{Filter: Filter{Teams: []string{id}}})
		if err != nil {
			return err
		}
		if open > 0 {
			return conflict("team_in_use", "team %q still has open tickets; give them to another team or to people first", t.Name)
		}
		for alias, err := range aliases.Scan(c, store.Range{}) {
			if err != nil {
				return err
			}
			if alias.TeamID == id {
				return conflict("team_of_alias", "team %q gets the new tickets of %s; change that first", t.Name, alias.Address)
			}
		}
		list, err := rulesOf(c)
		if err != nil {
			return err
		}
		for _, rule := range list {
			if rule.Then.TeamID == id {
				return conflict("team_of_rule", "team %q gets tickets by the rule %q; change that first", t.Name, rule.Name)
			}
		}
		if err := teams.Delete(c, key(id)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventTeamDeleted, Data: map[string]string{"team": t.Name}})
		return err
	})
}

// teamIDOf resolves an id or a name; "" stays "".
func teamIDOf(r store.Reader, idOrName string) (string, error) {
	if idOrName == "" {
		return "", nil
	}
	if has, err := teams.Has(r, key(idOrName)); err != nil || has {
		return idOrName, err
	}
	t, err := teams.First(r, "name", key(strings.ToLower(strings.TrimSpace(idOrName))))
	if errors.Is(err, store.ErrNotFound) {
		return "", invalid("team", "team_unknown", "there is no team %q", idOrName)
	}
	if err != nil {
		return "", err
	}
	return t.ID, nil
}

// activeTeam returns id when there is such a team, or "".
func (c *command) activeTeam(id string) (string, error) {
	if id == "" {
		return "", nil
	}
	has, err := teams.Has(c, key(id))
	if err != nil || !has {
		return "", err
	}
	return id, nil
}

// assignTeam gives a ticket to a team, "" for none, and says so. Whoever has
// the ticket keeps it only as a member of that team.
func (c *command) assignTeam(t *Ticket, id string) error {
	if t.TeamID == id {
		return nil
	}
	names := newNames(c, c.actor)
	from, err := names.team(t.TeamID)
	if err != nil {
		return err
	}
	to, err := names.team(id)
	if err != nil {
		return err
	}
	t.TeamID = id
	data := map[string]string{}
	if from != "" {
		data["from"] = from
	}
	if to != "" {
		data["to"], data["to_id"] = to, id
	}
	if _, err := c.record(Event{Kind: EventTicketTeam, Ticket: t.Number, Data: data}); err != nil {
		return err
	}
	if id == "" || t.AssigneeID == "" {
		return nil
	}
	team, err := c.team(id)
	if err != nil || slices.Contains(team.Members, t.AssigneeID) {
		return err
	}
	return c.assign(t, "")
}

// team is the name of a team, "" where it is gone.
func (n *names) team(id string) (string, error) {
	if id == "" {
		return "", nil
	}
	t, err := teams.Get(n.r, key(id))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return t.Name, nil
}
