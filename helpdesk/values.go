package helpdesk

import (
	"context"
	"slices"

	"github.com/madoguchi/madoguchi/store"
)

// maxValues is how many values of a kind are offered at most.
const maxValues = 500

// Tags returns the tags that tickets have, sorted, at most 500 of them.
func (d *Desk) Tags(ctx context.Context, a Actor) ([]string, error) {
	return d.values(ctx, a, "tags", "tag+state")
}

// Languages returns the languages that tickets are in (ISO 639-1), sorted.
func (d *Desk) Languages(ctx context.Context, a Actor) ([]string, error) {
	return d.values(ctx, a, "languages", "language+state")
}

// values leaps through an index from one value to the next.
func (d *Desk) values(ctx context.Context, a Actor, what, index string) (list []string, err error) {
	if err := a.mayRead(what); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		for start := []byte(nil); len(list) < maxValues; {
			value, found, err := firstValue(r, index, start)
			if err != nil || !found {
				return err
			}
			if value != "" {
				list = append(list, value)
			}
			start = store.Prefix(key(value)).End
		}
		return nil
	})
	slices.Sort(list)
	return list, err
}

func firstValue(r store.Reader, index string, start []byte) (value string, found bool, err error) {
	for entry, err := range tickets.ScanIndexKeys(r, index, store.Range{Start: start}) {
		if err != nil {
			return "", false, err
		}
		decoder := store.Decode(entry.Index)
		value = decoder.Text()
		return value, true, decoder.Err()
	}
	return "", false, nil
}
