package helpdesk

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/madoguchi/madoguchi/store"
)

// Traces finds every key, record and blob of the store that has a word in it, in any case.
func (d *Desk) Traces(ctx context.Context, word string) (found []string) {
	say := func(where, what string) {
		if strings.Contains(strings.ToLower(what), word) {
			found = append(found, where+": "+what)
		}
	}
	if err := d.db.View(ctx, func(r store.Reader) error {
		for e, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			if bytes.Contains(bytes.ToLower(e.Key), []byte(word)) {
				found = append(found, fmt.Sprintf("key: %q", e.Key))
			}
		}
		for _, table := range allTables() {
			scan := reflect.ValueOf(table).MethodByName("Scan")
			records := scan.Call([]reflect.Value{reflect.ValueOf(r), reflect.ValueOf(store.Range{})})[0]
			for record, failed := range records.Seq2() {
				if !failed.IsNil() {
					return failed.Interface().(error)
				}
				say(table.Name(), fmt.Sprintf("%+v", record.Elem().Interface()))
			}
		}
		for _, blobs := range []store.Blobs{raws, draftFiles, templateFiles, bulkReplyFiles} {
			for id, err := range blobs.IDs(r) {
				if err != nil {
					return err
				}
				data, err := blobs.Get(r, id)
				if err != nil {
					return err
				}
				say(blobs.Name, string(id)+" "+string(data))
			}
		}
		return nil
	}); err != nil {
		return []string{word + ": " + err.Error()}
	}
	return found
}
