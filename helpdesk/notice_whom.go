package helpdesk

import (
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// approversBut are the ids of all who may approve a reply of author's.
func approversBut(r store.Reader, author string) ([]string, error) {
	ids, err := usersWho(r, PermitApprove)
	return without(ids, []string{author}), err
}

// usersWho are the ids of all users who may do something.
func usersWho(r store.Reader, p Permission) (ids []string, err error) {
	for u, err := range users.Scan(r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if u, err = withRole(r, u); err != nil {
			return nil, err
		}
		if !u.Disabled && u.Actor().May(p) {
			ids = append(ids, u.ID)
		}
	}
	return ids, nil
}

// whoAnswers are those who may want to answer a ticket themselves: who has it
// and follows it; else its team; else all who may.
func whoAnswers(r store.Reader, t *Ticket) (ids []string, err error) {
	if t.AssigneeID != "" {
		return appendNew([]string{t.AssigneeID}, t.Followers...), nil
	}
	if t.TeamID != "" {
		team, err := optional(teams.Get(r, key(t.TeamID)))
		if err != nil {
			return nil, err
		}
		if team != nil && len(team.Members) > 0 {
			return appendNew(slices.Clone(team.Members), t.Followers...), nil
		}
	}
	return usersWho(r, PermitReply)
}
