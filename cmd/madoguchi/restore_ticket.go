package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// ticketRestore puts one ticket of a backup back.
type ticketRestore struct {
	ops     operations
	number  uint64
	scratch string // where a copy of the backup is put
	out     io.Writer
	show    *bytesShown
}

func (r ticketRestore) run(ctx context.Context, source backupSource) error {
	var was helpdesk.TicketCopy
	err := withCopy(ctx, source, r.scratch, r.show, func(path string) (err error) {
		was, err = r.read(ctx, path)
		return err
	})
	if err != nil {
		return fmt.Errorf("read ticket %d of %s: %w", r.number, source.name, err)
	}
	done, err := r.ops.RestoreTicket(ctx, was)
	if err != nil {
		return err
	}
	switch {
	case done.Made && done.Ticket != r.number:
		fmt.Fprintf(r.out, "its number is another ticket's by now: it is ticket %d\n", done.Ticket)
	case !done.Made && done.Ticket != r.number:
		fmt.Fprintf(r.out, "it was merged into ticket %d since\n", done.Ticket)
	}
	if !done.Made && done.Messages+done.Notes == 0 {
		fmt.Fprintf(r.out, "nothing is missing of ticket %d: %s here\n", done.Ticket, amount(done.Known, "message or note is", "messages and notes are"))
		return nil
	}
	fmt.Fprintf(r.out, "ticket %d: put back %s and %s; here already: %d\n", done.Ticket, amount(done.Messages, "message", "messages"), amount(done.Notes, "note", "notes"), done.Known)
	return nil
}

// read reads the ticket from a copy of the backup.
func (r ticketRestore) read(ctx context.Context, path string) (was helpdesk.TicketCopy, err error) {
	bolt, err := store.OpenBolt(path, store.BoltOptions{NoPreallocation: true})
	if err != nil {
		return was, err
	}
	defer func() { err = errors.Join(err, bolt.Close()) }()
	l, err := newLocal(ctx, bolt)
	if err != nil {
		return was, err
	}
	return l.desk.CopyTicket(ctx, l.actor, r.number)
}

// RestoreTicket implements operations.
func (l *local) RestoreTicket(ctx context.Context, t helpdesk.TicketCopy) (helpdesk.RestoredTicket, error) {
	return l.desk.RestoreTicket(ctx, l.actor, t)
}

// RestoreTicket implements operations.
func (r *remote) RestoreTicket(ctx context.Context, t helpdesk.TicketCopy) (out helpdesk.RestoredTicket, err error) {
	err = r.call(ctx, http.MethodPost, "/restore-ticket", t, &out)
	return out, err
}
