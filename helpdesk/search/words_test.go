package search

import (
	"context"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// WordsWith returns the terms that are stored anywhere in the index and have a text in
// them: of every epoch, and of segments that no search reads any more.
func (ix *Index) WordsWith(ctx context.Context, text string) (found []string, err error) {
	say := func(term []byte) {
		if strings.Contains(string(term), text) {
			found = append(found, string(term))
		}
	}
	err = ix.db.View(ctx, func(r store.Reader) error {
		found = nil
		for entry, err := range r.Scan(store.Prefix([]byte(space))) {
			if err != nil {
				return err
			}
			say(entry.Key)
			if entry.Key[len(space)+4] != kindBlock {
				say(entry.Value)
				continue
			}
			block := blockReader{data: entry.Value}
			for {
				more, err := block.next()
				if err != nil {
					return err
				}
				if !more {
					break
				}
				say(block.term)
			}
		}
		return nil
	})
	return found, err
}
