package helpdesk_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// keptHouse is a store with some tickets, as its files are.
type keptHouse struct {
	path    string
	admin   helpdesk.Actor
	sources map[string][]byte // by message
	subject map[uint64]string
}

// keepHouse fills a store of the real kind and closes it.
func keepHouse(t *testing.T) *keptHouse {
	t.Helper()
	h := newHouse(t)
	kept := &keptHouse{path: filepath.Join(fastDir(t), "kept.db"), admin: h.admin, sources: map[string][]byte{}, subject: map[uint64]string{}}
	for i := range 40 {
		subject := fmt.Sprintf("Matter %d", i)
		text := fmt.Sprintf("This is matter %d. %s", i, strings.Repeat(fmt.Sprintf("Line %d of it. ", i*7), i*20))
		receipt := h.post("support@example.jp", fmt.Sprintf("From: customer%d@customer.example", i%7), "Subject: "+subject, "", text)
		kept.subject[receipt.Ticket] = subject
		if i%3 == 0 {
			h.reply(receipt.Ticket, "An answer. "+strings.Repeat("More. ", i))
		}
	}
	for number := range kept.subject {
		for _, m := range h.ticket(number).Messages {
			raw, err := h.Source(t.Context(), h.admin, m.Message.ID)
			if err != nil {
				t.Fatal(err)
			}
			kept.sources[m.Message.ID] = raw
		}
	}
	file, err := os.Create(kept.path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.db.Snapshot(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return kept
}

// look uses a store that may be damaged as people do, and says what it met.
func (k *keptHouse) look(t *testing.T, path string) (met string, problems []string) {
	t.Helper()
	ctx := context.Background()
	engine, err := store.Open(path, store.BoltOptions{NoPreallocation: true})
	if err != nil {
		return "not opened", []string{err.Error()}
	}
	defer engine.Close()
	desk, err := helpdesk.Open(ctx, engine, helpdesk.Options{})
	if err != nil {
		return "not opened", []string{err.Error()}
	}
	outcomes := map[string]int{}
	_, _, err = desk.Tickets(ctx, k.admin, helpdesk.TicketQuery{View: helpdesk.ViewOpen, Limit: 100})
	outcomes["list "+outcome(err)]++
	for number, subject := range k.subject {
		v, err := desk.Ticket(ctx, k.admin, number)
		if err == nil && v.Row.Ticket.Subject != subject {
			t.Errorf("ticket %d has the subject %q", number, v.Row.Ticket.Subject)
		}
		if err == nil && v.Damaged > 0 {
			outcomes["ticket in part"]++
		}
		outcomes["ticket "+outcome(err)]++
	}
	for id, raw := range k.sources {
		got, err := desk.Source(ctx, k.admin, id)
		if err == nil && !bytes.Equal(got, raw) {
			t.Errorf("the source of %s is not what was received", id)
		}
		outcomes["source "+outcome(err)]++
	}
	problems, err = desk.Verify(ctx)
	if err != nil {
		problems = append(problems, err.Error())
	}
	var list []string
	for name, n := range outcomes {
		list = append(list, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(list)
	return strings.Join(list, ", "), problems
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "whole"
	case helpdesk.IsDamage(err):
		return "damaged"
	}
	return "lost"
}

// Bytes of the file are flipped, and whole pages written over or swapped, at many places. Whatever is hit:
// nothing panics or hangs, a source is what was received or an error, and where anything
// at all is not as it was, verify says so.
func TestDamagedPagesAreMetWithErrors(t *testing.T) {
	kept := keepHouse(t)
	whole, err := os.ReadFile(kept.path)
	if err != nil {
		t.Fatal(err)
	}
	sound, problems := kept.look(t, copyTo(t, whole))
	if len(problems) > 0 {
		t.Fatalf("before any damage: %q", problems)
	}
	const page = 4096
	r := rand.New(rand.NewPCG(7, 11))
	tries, noticed, unopened, harmless := 120, 0, 0, 0
	if testing.Short() {
		tries = 30
	}
	for n := range tries {
		data := bytes.Clone(whole)
		at := 2*page + r.IntN(len(data)-2*page) // the two first pages have checksums, and stand in for each other
		switch n % 5 {
		case 0, 1: // a bit somewhere
			data[at] ^= 1 << r.IntN(8)
		case 2: // a byte of what a page says of itself, or of where its entries are
			at = at/page*page + r.IntN(256)
			data[at] = byte(r.IntN(256))
		case 3: // a sector of nothing
			clear(data[at/512*512 : at/512*512+512])
		case 4: // another page in its place: a write that went astray
			from := 2*page + r.IntN(len(data)/page-2)*page
			from = min(from/page*page, len(data)-page)
			copy(data[at/page*page:min(at/page*page+page, len(data))], whole[from:from+page])
		}
		met, problems := kept.look(t, copyTo(t, data))
		switch {
		case met == "not opened":
			unopened++
		case met == sound && len(problems) == 0:
			harmless++ // a free page, or a place within one that nothing uses
		case len(problems) == 0:
			t.Errorf("damage %d at byte %d: %s, and verify finds nothing", n, at, met)
		default:
			noticed++
		}
	}
	if noticed < tries/5 {
		t.Errorf("%d of %d damages were noticed, %d kept the store from opening, %d were harmless: this proves nothing", noticed, tries, unopened, harmless)
	}
	t.Logf("of %d damages %d were noticed, %d kept the store from opening, %d hit what nothing uses", tries, noticed, unopened, harmless)
}

func copyTo(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
