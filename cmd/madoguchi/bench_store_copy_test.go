package main_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// copier writes the records of a seed again as those of other half days.
type copier struct {
	engine  store.Engine
	begin   time.Time // of the seed
	before  uint64    // the newest event of the house's own
	events  uint64    // how many the seed has
	tickets uint64
}

func newCopier(s *seed) *copier {
	s.t.Helper()
	last, err := s.desk.LastSeq(s.t.Context())
	s.check(err)
	return &copier{engine: s.engine, begin: s.begin, before: s.before, events: last - s.before, tickets: seedTickets}
}

// batch is about how many bytes of records a transaction writes.
const batch = 8 << 20

// copyAll writes so many copies of every table that tickets have records in.
func (c *copier) copyAll(ctx context.Context, copies int) error {
	text := func(s string) []byte { return store.Key{}.BoundedText(s) }
	number := func(n uint64) []byte { return store.Key{}.Uint64(n) }
	steps := []func(context.Context, int) error{
		tableCopy(c, "contact", func(r *helpdesk.Contact) []byte { return text(r.ID) }),
		tableCopy(c, "ticket", func(r *helpdesk.Ticket) []byte { return number(r.Number) }),
		tableCopy(c, "message", func(r *helpdesk.Message) []byte { return text(r.ID) }),
		tableCopy(c, "body", func(r *helpdesk.Body) []byte { return text(r.MessageID) }),
		tableCopy(c, "note", func(r *helpdesk.Note) []byte { return text(r.ID) }),
		tableCopy(c, "token", func(r *helpdesk.Token) []byte { return text(r.Value) }),
		tableCopy(c, "delivery", func(r *helpdesk.Delivery) []byte { return text(r.ID) }),
		tableCopy(c, "seen", func(r *seenRecord) []byte { return store.Key{}.BoundedText(r.UserID).Uint64(r.Ticket) }),
		tableCopy(c, "event", func(r *helpdesk.Event) []byte {
			if r.Seq <= c.before {
				return nil
			}
			return number(r.Seq)
		}),
		c.copySources, c.raiseLedger, c.forgetLayouts,
	}
	for _, step := range steps {
		if err := step(ctx, copies); err != nil {
			return fmt.Errorf("copy the seed: %w", err)
		}
	}
	return nil
}

// seenRecord, ledgerRecord and hourRecord are records that the helpdesk keeps to
// itself.
type seenRecord struct {
	UserID string
	Ticket uint64
	Seq    uint64
}

type ledgerRecord struct{ Accepted, Duplicates int }

type hourRecord struct{ Accepted, Duplicates []int }

// tableCopy copies one table. Its indexes are not written: the desk makes them
// when it finds that it does not know their layout.
func tableCopy[T any](c *copier, name string, key func(*T) []byte) func(context.Context, int) error {
	return func(ctx context.Context, copies int) error {
		table := store.NewTable(store.Spec[T]{Name: name, Version: 1, Key: key})
		var records []*T
		size := 1
		err := c.engine.View(ctx, func(r store.Reader) error {
			for record, err := range table.Scan(r, store.Range{}) {
				if err != nil {
					return err
				}
				if key(record) != nil {
					records = append(records, record)
				}
			}
			for entry, err := range r.Scan(store.Prefix([]byte("t/" + name + "/"))) {
				if err != nil {
					return err
				}
				size += len(entry.Value)
			}
			return nil
		})
		if err != nil {
			return err
		}
		together := max(1, batch/size)
		for first := 1; first <= copies; first += together {
			last := min(first+together, copies+1)
			err := c.engine.Update(ctx, func(tx store.Tx) error {
				for n := first; n < last; n++ {
					for _, record := range records {
						fresh := c.at(n).record(reflect.ValueOf(record).Elem()).Interface().(T)
						if err := table.Put(tx, &fresh); err != nil {
							return err
						}
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// copySources copies the mails as they were received and composed.
func (c *copier) copySources(ctx context.Context, copies int) error {
	sources := store.Blobs{Name: "raw"}
	var ids, mails [][]byte
	err := c.engine.View(ctx, func(r store.Reader) error {
		for id, err := range sources.IDs(r) {
			if err != nil {
				return err
			}
			raw, err := sources.Get(r, id)
			if err != nil {
				return err
			}
			ids, mails = append(ids, append([]byte(nil), id...)), append(mails, raw)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for n := 1; n <= copies; n++ {
		at := c.at(n)
		blobs := make([]store.Blob, len(mails))
		var workers sync.WaitGroup
		for worker := range runtime.NumCPU() {
			workers.Go(func() {
				for i := worker; i < len(mails); i += runtime.NumCPU() {
					blobs[i] = store.CompressQuickly([]byte(at.text(string(mails[i]))))
				}
			})
		}
		workers.Wait()
		err := c.engine.Update(ctx, func(tx store.Tx) error {
			for i, blob := range blobs {
				if err := sources.Put(tx, []byte(at.text(string(ids[i]))), blob); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		newest := []byte(at.text(string(ids[len(ids)-1])))
		for moved := 1; moved > 0; { // as they have rested long enough when the next ones come
			if moved, err = sources.Bundle(ctx, c.engine, newest); err != nil {
				return err
			}
		}
	}
	return nil
}

// raiseLedger counts the mails of the copies as accepted, all at once: the desk
// counts them by the hour when it is opened, as those of an earlier version.
func (c *copier) raiseLedger(ctx context.Context, copies int) error {
	key := store.Key{}.Text("ledger")
	ledgers := store.NewTable(store.Spec[ledgerRecord]{Name: "ledger", Version: 1, Key: func(*ledgerRecord) []byte { return key }})
	hours := store.NewTable(store.Spec[hourRecord]{Name: "ledgerhour", Version: 1, Key: func(*hourRecord) []byte { return nil }})
	return c.engine.Update(ctx, func(tx store.Tx) error {
		total := ledgerRecord{}
		for h, err := range hours.Scan(tx, store.Range{}) {
			if err != nil {
				return err
			}
			for _, n := range h.Accepted {
				total.Accepted += n * (copies + 1)
			}
			for _, n := range h.Duplicates {
				total.Duplicates += n
			}
		}
		if err := forget(tx, "t/ledgerhour/"); err != nil {
			return err
		}
		return ledgers.Put(tx, &total)
	})
}

// forgetLayouts lets the desk make every index anew when it is opened.
func (c *copier) forgetLayouts(ctx context.Context, _ int) error {
	return c.engine.Update(ctx, func(tx store.Tx) error { return forget(tx, "t/layout/") })
}

// forget deletes all that is below a key.
func forget(tx store.Tx, below string) error {
	for entry, err := range tx.Scan(store.Prefix([]byte(below))) {
		if err != nil {
			return err
		}
		if err := tx.Delete(entry.Key); err != nil {
			return err
		}
	}
	return nil
}

// transfer is what makes the nth copy differ from the seed.
type transfer struct {
	*copier
	n     uint64
	shift time.Duration
}

func (c *copier) at(n int) transfer {
	return transfer{c, uint64(n), time.Duration(n) * seedSpan}
}

// record returns a copy of v with numbers, times and texts of its own.
func (t transfer) record(v reflect.Value) reflect.Value {
	fresh := reflect.New(v.Type()).Elem()
	fresh.Set(v)
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() {
			fresh.Field(i).Set(t.value(field.Name, v.Field(i)))
		}
	}
	return fresh
}

func (t transfer) value(name string, v reflect.Value) reflect.Value {
	if at, ok := v.Interface().(time.Time); ok {
		if at.IsZero() {
			return v
		}
		return reflect.ValueOf(at.Add(t.shift))
	}
	switch v.Kind() {
	case reflect.Struct:
		return t.record(v)
	case reflect.String:
		return reflect.ValueOf(t.named(name, v.String())).Convert(v.Type())
	case reflect.Uint64:
		return reflect.ValueOf(t.numbered(name, v.Uint())).Convert(v.Type())
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		fresh := reflect.New(v.Type().Elem())
		fresh.Elem().Set(t.value(name, v.Elem()))
		return fresh
	case reflect.Slice:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			fresh.Index(i).Set(t.value(name, v.Index(i)))
		}
		if v.IsNil() {
			return v
		}
		return fresh
	case reflect.Map:
		if v.Len() == 0 {
			return v
		}
		fresh := reflect.MakeMap(v.Type())
		for entries := v.MapRange(); entries.Next(); {
			fresh.SetMapIndex(entries.Key(), t.value(name, entries.Value()))
		}
		return fresh
	}
	return v
}

// numbered moves the numbers of tickets and of events.
func (t transfer) numbered(name string, n uint64) uint64 {
	switch name {
	case "Number", "Ticket", "Previous", "MergedInto":
		if n > 0 {
			return n + t.n*t.tickets
		}
	case "Seq", "Settled", "CustomerSeq", "WokenSeq", "DoneSeq":
		if n > t.before {
			return n + t.n*t.events
		}
	}
	return n
}

func (t transfer) named(name, s string) string {
	switch {
	case name == "Value" && len(s) == tokenLength:
		return t.token(s)
	case name == "Identity" && len(s) > 8:
		return fmt.Sprintf("%08x", t.n) + s[8:]
	}
	return t.text(s)
}

const tokenLength = 16

// token begins with the copy's number, in letters that tokens are made of.
func (t transfer) token(s string) string {
	const letters = "abcdefghjkmnpqrstvwxyz"
	begin := make([]byte, 0, tokenLength)
	for n := t.n; len(begin) < 4; n /= uint64(len(letters)) {
		begin = append(begin, letters[n%uint64(len(letters))])
	}
	return string(begin) + s[4:]
}

// text replaces what a copy has of its own within s by as many bytes: ids of
// records, tokens in addresses, customers' addresses, order numbers, names of
// goods.
func (t transfer) text(s string) string {
	out := []byte(s)
	for i := 0; i < len(s); i++ {
		switch rest := s[i:]; {
		case rest[0] == '0' && len(rest) >= ulid.EncodedSize:
			id, err := ulid.ParseStrict(rest[:ulid.EncodedSize])
			if made := ulid.Time(id.Time()); err == nil && !made.Before(t.begin) && made.Before(t.begin.Add(seedSpan)) {
				id.SetTime(ulid.Timestamp(made.Add(t.shift)))
				copy(out[i:], id.String())
				i += ulid.EncodedSize - 1
			}
		case rest[0] == '+' && len(rest) > tokenLength+1 && rest[tokenLength+1] == '@':
			copy(out[i+1:], t.token(rest[1:tokenLength+1]))
			i += tokenLength
		case strings.HasPrefix(rest, ".g0000@"):
			copy(out[i+2:], fmt.Sprintf("%04d", t.n))
		case rest[0] == 'Z' && len(rest) >= 10 && rest[1] == 'K' && digits(rest[2:10]):
			copy(out[i+2:], fmt.Sprintf("%08d", t.hash(rest[:10])%100_000_000))
			i += 9
		case strings.HasPrefix(rest, "型番") && len(rest) >= 12 && rest[6]&0xf0 == 0xe0 && rest[9]&0xf0 == 0xe0:
			copy(out[i+6:], rareName(t.hash(rest[6:12])))
			i += 11
		}
	}
	return string(out)
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (t transfer) hash(s string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", t.n, s)
	return h.Sum64()
}
