package helpdesk

import (
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

// activeUsers are those of a list who are not disabled.
func activeUsers(r store.Reader, list []string) (ids []string, err error) {
	for _, id := range list {
		u, err := optional(users.Get(r, key(id)))
		if err != nil {
			return nil, err
		}
		if u != nil && !u.Disabled {
			ids = append(ids, id)
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
		if team != nil {
			if ids, err = activeUsers(r, team.Members); err != nil || len(ids) > 0 {
				return appendNew(ids, t.Followers...), err
			}
		}
	}
	return usersWho(r, PermitReply)
}
