package helpdesk

import (
	"context"
	"fmt"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// DataVersion is the version of the data that this program writes. It rises when what
// an older program would misread is stored: a table's Version is raised, a record's
// field means something else, something is kept elsewhere. A new field or a new index
// takes no new version; a way of packing that an older program refuses does, since that
// one would start and put off every mail. Data may be of version
//
//   - 0: no version is kept yet
//   - 1: it is
//   - 2: some records are packed without the dictionary, and index entries and the search
//     index have other forms
const DataVersion = 2

// dataSteps bring data from one version to the next: dataSteps[n] from n to n+1. A step
// may be broken off and done again.
var dataSteps = [DataVersion]func(context.Context, *Desk) error{
	func(context.Context, *Desk) error { return nil }, // from 1 on the version is kept
	func(context.Context, *Desk) error { return nil }, // each record is read as it is; indexes are made anew by themselves
}

// dataFormat is which version the data is of, and who made it that.
type dataFormat struct {
	Version int
	Program string
	At      time.Time
}

var dataFormats = store.NewTable(store.Spec[dataFormat]{Name: "format", Version: 1,
	Key: func(*dataFormat) []byte { return key("data") }})

// DataState is which version data is of.
type DataState struct {
	Version int
	Program string // that made it so; "" where it is not known
	Empty   bool   // nothing is stored yet
}

// Older reports whether opening the data would upgrade it.
func (s DataState) Older() bool { return !s.Empty && s.Version < DataVersion }

// ReadDataState looks at the data in db without changing it.
func ReadDataState(ctx context.Context, db store.Engine) (s DataState, err error) {
	err = db.View(ctx, func(r store.Reader) error {
		s = DataState{}
		f, err := optional(dataFormats.Get(r, key("data")))
		if err != nil {
			return err
		}
		if f != nil {
			s.Version, s.Program = f.Version, f.Program
			return nil
		}
		last, err := lastSeq(r)
		s.Empty = last == 0
		return err
	})
	if err != nil {
		return s, fmt.Errorf("look which version the data is of: %w", err)
	}
	return s, nil
}

// upgradeData brings the data to DataVersion, step by step. Newer data is refused: this
// program would misread it, and write what the newer one misreads.
func (d *Desk) upgradeData(ctx context.Context) error {
	state, err := ReadDataState(ctx, d.db)
	if err != nil {
		return err
	}
	if state.Version > DataVersion {
		by := "a newer Madoguchi"
		if state.Program != "" {
			by = "Madoguchi " + state.Program
		}
		return &Error{Code: CodeInvalid, Message: fmt.Sprintf(
			"the data is of version %d, written by %s, and this program knows up to version %d: start that one or a newer one, or restore a backup of before",
			state.Version, by, DataVersion)}
	}
	if state.Empty {
		return d.keepVersion(ctx, DataVersion)
	}
	for version := state.Version; version < DataVersion; version++ {
		if err := dataSteps[version](ctx, d); err != nil {
			return fmt.Errorf("upgrade the data from version %d to %d: %w", version, version+1, err)
		}
		if err := d.keepVersion(ctx, version+1); err != nil {
			return fmt.Errorf("upgrade the data from version %d to %d: %w", version, version+1, err)
		}
		d.log.InfoContext(ctx, "data upgraded", "from", version, "to", version+1)
	}
	return nil
}

func (d *Desk) keepVersion(ctx context.Context, version int) error {
	return d.db.Update(ctx, func(tx store.Tx) error {
		return dataFormats.Put(tx, &dataFormat{Version: version, Program: d.options.Program, At: d.now()})
	})
}
