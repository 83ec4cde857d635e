package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

func newRecoverCommand() *cobra.Command {
	var (
		data dataFlags
		to   string
	)
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "Save what can be read of damaged data",
		Long: `Reads everything that can still be read of data that is damaged, also where the
server does not start any more, writes it into a new store, makes anew what follows
from it (indexes, lost tickets and contacts as their mails and the log tell them, the
ledger, the search index), and puts that in place. The damaged store is kept under
another name, as it was. What could not be read is listed.

Where there is a backup that is whole (madoguchi verify BACKUP), restore is the better
way, and this one is for the mail that came since: with --to DIR it leaves everything
as it is and writes into another directory. The server must not run.`,
		Example: `  madoguchi recover --data /var/lib/madoguchi
  madoguchi recover --data /var/lib/madoguchi --to /var/tmp/recovered`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			directory, err := data.existingDirectory()
			if err != nil {
				return err
			}
			ctx, stop := untilInterrupted(cmd.Context())
			defer stop()
			r := recovery{from: directory, to: to, out: cmd.OutOrStdout(), show: newBytesShown(cmd.ErrOrStderr())}
			return r.run(ctx)
		},
	}
	data.register(cmd)
	cmd.Flags().StringVar(&to, "to", "", "write into this directory, and leave the damaged data in its place")
	return cmd
}

// recovery saves what can be read of the data in one directory.
type recovery struct {
	from, to string // to is "" for in its place
	out      io.Writer
	show     *bytesShown
}

func (r recovery) run(ctx context.Context) (err error) {
	target := r.to
	if target == "" {
		target = r.from
	}
	if err := r.mayBegin(ctx, target); err != nil {
		return err
	}
	release, err := r.hold()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	partial := storePath(target) + ".partial"
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("begin anew: %w", err)
	}
	defer os.Remove(partial)
	read, found, err := r.save(ctx, partial)
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("another process works on the data in %s: stop it first", r.from)
	}
	if err != nil {
		return fmt.Errorf("recover: %w; nothing was changed", err)
	}
	if r.to == "" {
		kept, err := setAside(r.from, "damaged")
		if err != nil {
			return err
		}
		fmt.Fprintf(r.out, "the damaged data is now %s\n", kept)
	}
	if err := putInPlace(partial, target); err != nil {
		return fmt.Errorf("put what was recovered in place: %w", err)
	}
	r.report(read, found, target)
	return nil
}

// mayBegin says why it must not.
func (r recovery) mayBegin(ctx context.Context, target string) error {
	if server, err := dialControl(ctx, r.from); err == nil {
		server.Close()
		return fmt.Errorf("a server runs on %s: stop it first", r.from)
	}
	info, err := os.Stat(storePath(r.from))
	if err != nil {
		return fmt.Errorf("there is no data in %s; name its directory with --data DIR", r.from)
	}
	if err := prepareDirectory(target); err != nil {
		return err
	}
	if _, err := os.Stat(storePath(target)); r.to != "" && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is data in %s already: name another directory with --to DIR", target)
	}
	return spaceFor(info.Size(), target, "write what is recovered beside what is there; name another place with --to DIR")
}

// hold keeps a server from accepting mail into the data that is about to be replaced.
func (r recovery) hold() (release func() error, err error) {
	if r.to != "" {
		return func() error { return nil }, nil
	}
	release, err = holdStore(storePath(r.from))
	if errors.Is(err, store.ErrLocked) {
		return nil, fmt.Errorf("another process works on the data in %s: stop it first", r.from)
	}
	return release, err
}

// save writes a store of what can be read, mends it and verifies it.
func (r recovery) save(ctx context.Context, path string) (read store.Recovery, found verification, err error) {
	bolt, err := store.OpenBolt(path, store.BoltOptions{NoPreallocation: true})
	if err != nil {
		return read, found, err
	}
	defer func() { err = errors.Join(err, bolt.Close()) }()
	begun := false
	read, err = store.Recover(ctx, storePath(r.from), bolt, func(done, total int64) {
		if !begun {
			r.show.begin("reading", total)
			begun = true
		}
		r.show.set(done)
	})
	r.show.end()
	if err != nil {
		return read, found, err
	}
	l, err := newLocal(ctx, bolt)
	if err != nil {
		return read, found, fmt.Errorf("what can be read is not enough to go on with, a backup is needed: %w", err)
	}
	mended, err := l.desk.Mend(ctx, l.actor)
	if err != nil {
		return read, found, err
	}
	r.tellMended(mended)
	if differs, err := l.index.Verify(ctx); len(differs) > 0 || helpdesk.IsDamage(err) {
		fmt.Fprintln(r.out, "the search index is made anew")
		if err := l.index.Rebuild(ctx, func(uint64, uint64) {}); err != nil {
			return read, found, fmt.Errorf("make the search index anew: %w", err)
		}
	} else if err != nil {
		return read, found, err
	}
	found, err = l.Verify(ctx)
	return read, found, err
}

func (r recovery) tellMended(m helpdesk.Mended) {
	for _, line := range []struct {
		n    int
		what string
	}{{m.Rebuilt, "tickets whose record was lost are made anew from their mails"},
		{m.Tickets, "tickets are computed anew from their mails"},
		{m.Contacts, "contacts whose record was lost are made anew from the log and their mails"},
		{m.Companies, "companies whose record was lost are made anew from the log and their contacts"},
		{m.Hours, "hours of the ledger are counted anew from the mails and the log; what was refused in them is not known any more"},
		{m.Deliveries, "replies that waited to leave leave now"}} {
		if line.n > 0 {
			fmt.Fprintf(r.out, "%d %s\n", line.n, line.what)
		}
	}
}

// report says what there is now and what is lost.
func (r recovery) report(read store.Recovery, found verification, target string) {
	for _, remark := range read.Remarks {
		fmt.Fprintln(r.out, "found:", remark)
	}
	if read.LogFault != nil {
		fmt.Fprintln(r.out, "lost:", read.LogFault)
	}
	for _, damage := range read.Lost {
		fmt.Fprintln(r.out, "damaged:", damage)
	}
	if read.Found > 0 {
		fmt.Fprintf(r.out, "found again of these places, on other pages: %s\n", amount(read.Found, "entry", "entries"))
	}
	for _, difference := range found.Differences {
		fmt.Fprintln(r.out, "differs:", difference)
	}
	for _, line := range found.Summary {
		fmt.Fprintln(r.out, line)
	}
	fmt.Fprintf(r.out, "read: %s, and %s that had not reached the file yet\n", amount(read.Entries, "entry", "entries"), amount(read.Updates, "update", "updates"))
	if len(found.Differences) == 0 && read.LogFault == nil {
		fmt.Fprintf(r.out, "recovered into %s, which is whole\n", target)
		return
	}
	fmt.Fprintf(r.out, "recovered into %s; what is listed above is lost, as far as no backup has it\n", target)
}
