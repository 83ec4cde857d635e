package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Keep says how many copies stay: the newest of each of the last Daily days, Weekly
// weeks (from Monday) and Monthly months that have one.
type Keep struct {
	Daily, Weekly, Monthly int
}

// Choose parts copies, the oldest first, into those that stay and those that go, with
// days as in zone. The newest stays always, and so does the newest of those that were
// verified: a rotation never takes the last good one. What cannot be read stays too, for
// a person to judge.
func (k Keep) Choose(list []Copy, zone *time.Location) (stay, leave []Copy) {
	kept := map[string]bool{}
	usable := slices.DeleteFunc(slices.Clone(list), func(c Copy) bool { return c.Fault != nil })
	slices.Reverse(usable)
	if len(usable) > 0 {
		kept[usable[0].ID] = true
	}
	if i := slices.IndexFunc(usable, func(c Copy) bool { return !c.Verified.IsZero() }); i >= 0 {
		kept[usable[i].ID] = true
	}
	periods := []struct {
		count int
		of    func(time.Time) string
	}{
		{k.Daily, func(t time.Time) string { return t.Format(time.DateOnly) }},
		{k.Weekly, func(t time.Time) string {
			year, week := t.ISOWeek()
			return fmt.Sprint(year, "-", week)
		}},
		{k.Monthly, func(t time.Time) string { return t.Format("2006-01") }},
	}
	for _, period := range periods {
		seen := map[string]bool{}
		for _, c := range usable {
			name := period.of(c.At.In(zone))
			if len(seen) >= period.count || seen[name] {
				continue
			}
			seen[name] = true
			kept[c.ID] = true
		}
	}
	for _, c := range list {
		if c.Fault != nil || kept[c.ID] {
			stay = append(stay, c)
		} else {
			leave = append(leave, c)
		}
	}
	return stay, leave
}

// Rotate takes away the copies that keep lets go, and the blocks that no other copy
// has. It returns the copies that went. While a copy cannot be read, no block goes:
// nobody knows which it needs.
func (d *Directory) Rotate(ctx context.Context, keep Keep, zone *time.Location) ([]Copy, error) {
	lock, err := d.lock(true)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	list, err := d.List()
	if err != nil {
		return nil, err
	}
	stay, leave := keep.Choose(list, zone)
	for i, c := range leave {
		err := os.Remove(d.copyPath(c.ID))
		if noted := os.Remove(filepath.Join(d.copies(), c.ID+verifiedSuffix)); !errors.Is(noted, fs.ErrNotExist) {
			err = errors.Join(err, noted)
		}
		if err != nil {
			return leave[:i], fmt.Errorf("take away backup %s: %w", c.ID, err)
		}
	}
	if err := syncDirectory(d.copies()); err != nil {
		return leave, err
	}
	for _, c := range stay {
		if c.Fault != nil {
			return leave, fmt.Errorf("no space was freed, since it is not known what this one needs: %w", c.Fault)
		}
	}
	if len(leave) == 0 {
		return nil, nil
	}
	if err := d.sweep(ctx, stay); err != nil {
		return leave, fmt.Errorf("free the space of backups that went: %w", err)
	}
	return leave, nil
}

// sweep removes packs of which no copy needs a block, and writes those anew of which
// little is needed.
func (d *Directory) sweep(ctx context.Context, stay []Copy) error {
	known, err := d.readCatalogue()
	if err != nil {
		return err
	}
	needed := map[digest]bool{}
	for _, c := range stay {
		_, list, err := d.read(c.ID)
		if err != nil {
			return err
		}
		for ; len(list) > 0; list = list[sha256.Size:] {
			needed[digest(list[:sha256.Size])] = true
		}
	}
	type use struct {
		all, used int64
		blocks    []digest // that are needed
	}
	uses := make([]use, len(known.names))
	for id, at := range known.blocks {
		u := &uses[at.pack]
		u.all += int64(at.stored)
		if needed[id] {
			u.used += int64(at.stored)
			u.blocks = append(u.blocks, id)
		}
	}
	reader := &Reader{catalogue: known, files: map[int32]*os.File{}}
	defer reader.closeFiles()
	w := &packWriter{catalogue: &catalogue{directory: d, blocks: map[digest]place{}}}
	var gone []string
	for pack, u := range uses {
		if u.used*2 > u.all {
			continue
		}
		gone = append(gone, known.path(int32(pack)))
		slices.SortFunc(u.blocks, func(a, b digest) int { return int(known.blocks[a].offset - known.blocks[b].offset) })
		for _, id := range u.blocks {
			at := known.blocks[id]
			stored, err := reader.stored(at)
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = w.putStored(id, stored, at.length)
			}
			if err != nil {
				w.abandon()
				return err
			}
		}
	}
	if err := w.end(); err != nil {
		return err
	}
	for _, path := range gone { // now that what is needed is elsewhere
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return syncDirectory(d.packs())
}
