package helpdesk

import (
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/madoguchi/madoguchi/store"
)

// IsDamage reports whether err tells of stored data that cannot be read any more. What is
// damaged is passed over where a list or a ticket can be shown without it; whoever asks for
// it gets the error. Either way it is noted, for an alarm.
func IsDamage(err error) bool { return errors.Is(err, store.ErrCorrupt) }

// maxDamages bounds what is kept of damage: after that many different places it is
// the disk, not a place.
const maxDamages = 50

// damages is what was met and is not reported yet.
type damages struct {
	mu    sync.Mutex
	known []string // in the order in which it was met
	told  int
}

func (d *damages) note(err error) (first bool) {
	if !IsDamage(err) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	text := err.Error()
	if len(d.known) >= maxDamages || slices.Contains(d.known, text) {
		return false
	}
	d.known = append(d.known, text)
	return true
}

// Damages returns what damage was met since the last call, each place once.
func (d *Desk) Damages() []string {
	d.damages.mu.Lock()
	defer d.damages.mu.Unlock()
	fresh := slices.Clone(d.damages.known[d.damages.told:])
	d.damages.told = len(d.damages.known)
	return fresh
}

// noteDamage remembers damage, and logs it once.
func (d *Desk) noteDamage(err error) {
	if d.damages.note(err) {
		d.log.Error("stored data is damaged; madoguchi verify says what, and a backup has it", "error", err)
	}
}

// watched is a Reader whose desk wants to know of damage.
type watched struct {
	store.Reader
	desk *Desk
}

// passOver reports whether err is damage that is noted, and to be passed over.
func passOver(r store.Reader, err error) bool {
	if !IsDamage(err) {
		return false
	}
	switch r := r.(type) {
	case watched:
		r.desk.noteDamage(err)
	case *command:
		r.desk.noteDamage(err)
	}
	return true
}

// readable yields what of a scan can be read. A scan that ends at a damaged page just
// ends; that is noted like the rest.
func readable[T any](r store.Reader, scan iter.Seq2[*T, error]) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for record, err := range scan {
			if passOver(r, err) {
				continue
			}
			if !yield(record, err) {
				return
			}
		}
	}
}
