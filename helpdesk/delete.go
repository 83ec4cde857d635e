package helpdesk

import "context"

// deleteRecord is what deletions have in common: the permission, the
// transaction, and the record, which find returns or says is not there.
func deleteRecord[T any](ctx context.Context, d *Desk, a Actor, what string, p Permission, id string, find func(*command, string) (*T, error), remove func(*command, *T) error) error {
	if err := a.may(what, p); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		record, err := find(c, id)
		if err != nil {
			return err
		}
		return remove(c, record)
	})
}
