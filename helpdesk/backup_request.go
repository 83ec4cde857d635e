package helpdesk

import "context"

// RequestBackup checks that the actor may have a backup made now, and writes down
// that they do. Whoever keeps the backups makes it.
func (d *Desk) RequestBackup(ctx context.Context, a Actor) error {
	if err := a.mayAdminister("make a backup"); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		_, err := c.record(Event{Kind: EventBackupRequested})
		return err
	})
}

// MaySeeBackups is an error where the actor may not see which backups there are.
func (a Actor) MaySeeBackups() error { return a.mayAdminister("see backups") }
