package search_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/search"
	"github.com/madoguchi/madoguchi/store"
)

var vocabulary = strings.Fields("納品 書類 確認 お願い invoice delivery schedule いたします temperature logger 記録 about the for 先日 replacement unit 工場 we would like 見積 至急 ありがとうございます サーバー ﾃﾞｰﾀ 山田太郎 café")

func phrase(r *rand.Rand, words int) string {
	var b strings.Builder
	for range words {
		b.WriteString(vocabulary[r.IntN(len(vocabulary))])
		b.WriteString([]string{" ", "", "、", "\r\n"}[r.IntN(4)])
	}
	return b.String()
}

// live does what a house does in a while: mails, replies, notes, closings.
func (h *house) live(r *rand.Rand, steps int) {
	h.t.Helper()
	ctx := h.t.Context()
	last := uint64(0)
	for range steps {
		h.now = h.now.Add(time.Minute)
		switch number := r.Uint64N(last+1) + 1; {
		case last == 0 || r.IntN(3) == 0:
			last = h.post(letter{subject: phrase(r, 2), text: phrase(r, 20), from: fmt.Sprintf("Someone <p%d@customer.example>", r.IntN(9))}).Ticket
		case number > last:
			continue
		case r.IntN(4) == 0:
			if _, err := h.AddNote(ctx, h.admin, number, phrase(r, 5)); err != nil {
				h.t.Fatal(err)
			}
		case r.IntN(3) == 0:
			if _, err := h.Change(ctx, h.admin, number, helpdesk.Change{Tags: &[]string{vocabulary[r.IntN(len(vocabulary))]}}); err != nil {
				h.t.Fatal(err)
			}
		default:
			m, err := h.Reply(ctx, h.admin, helpdesk.Reply{Ticket: number, Text: phrase(r, 10)})
			if err != nil {
				h.t.Fatal(err)
			}
			if r.IntN(3) == 0 {
				if _, err := h.Undo(ctx, h.admin, m.ID); err != nil {
					h.t.Fatal(err)
				}
			}
		}
	}
}

// answers are what a number of searches find, with total and order.
func (h *house) answers() (list []string) {
	h.t.Helper()
	for _, word := range vocabulary {
		for _, text := range []string{word, word + " 確認", `"` + word + ` invoice"`, "-" + word, "tag:" + word} {
			results := h.search(search.Query{Text: text, Limit: 200})
			var hits []string
			for _, hit := range results.Hits {
				hits = append(hits, fmt.Sprintf("%d %s", hit.Row.Ticket.Number, marked(hit.Snippet)))
			}
			list = append(list, fmt.Sprintf("%s: %d %q", text, results.Total, hits))
		}
	}
	return list
}

func TestRebuildFindsWhatFollowingFinds(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the comparison with a rebuild")
	}
	h := newHouse(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 { // small steps, so that segments are merged
		h.live(r, 5)
		h.follow()
	}
	h.verify()
	followed := h.answers()
	var last uint64
	err := h.index.Rebuild(t.Context(), func(done, total uint64) {
		if done < last || done > total {
			t.Errorf("progress went from %d to %d of %d", last, done, total)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if seq, _ := h.LastSeq(t.Context()); last != seq {
		t.Errorf("progress ended at %d of %d", last, seq)
	}
	h.verify()
	rebuilt := h.answers()
	for i := range followed {
		if sortedWords(followed[i]) != sortedWords(rebuilt[i]) {
			t.Errorf("followed %s\nrebuilt  %s", followed[i], rebuilt[i])
		}
	}
	h.live(r, 20)
	h.follow()
	h.verify()
	h.onlyOneEpoch()
}

// TestIndexOfAnEarlierFormat is made anew by following the log, and swept.
func TestIndexOfAnEarlierFormat(t *testing.T) {
	h := newHouse(t)
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		h.live(r, 5)
		h.follow()
	}
	before := h.answers()
	if err := h.index.Outdate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.index = search.New(h.db, h.Desk)
	if cursor, err := h.index.Cursor(t.Context()); err != nil || cursor != 0 {
		t.Fatalf("the cursor is %d, %v; want 0 for an index that cannot be used", cursor, err)
	}
	h.follow()
	h.verify()
	h.onlyOneEpoch()
	for i, after := range h.answers() { // not word for word: dead documents count in the average length
		found, _, _ := strings.Cut(after, " [")
		if want, _, _ := strings.Cut(before[i], " ["); found != want {
			t.Errorf("found %s\nbefore %s", found, want)
		}
	}
}

// TestDamagedBlocksAreErrors changes and cuts blocks: a search and a verification say so
// or find less, and nothing panics.
func TestDamagedBlocksAreErrors(t *testing.T) {
	h := newHouse(t)
	r := rand.New(rand.NewPCG(5, 6))
	h.live(r, 30)
	h.follow()
	var blocks []store.Entry
	err := h.db.View(t.Context(), func(reader store.Reader) error {
		blocks = nil
		for entry, err := range reader.Scan(store.Prefix([]byte("s/"))) {
			if err != nil {
				return err
			}
			if entry.Key[6] == 'b' {
				blocks = append(blocks, store.Entry{Key: slices.Clone(entry.Key), Value: slices.Clone(entry.Value)})
			}
		}
		return nil
	})
	if err != nil || len(blocks) == 0 {
		t.Fatal(len(blocks), err)
	}
	noticed := 0
	for range 200 {
		block := blocks[r.IntN(len(blocks))]
		damaged := slices.Clone(block.Value)
		if r.IntN(4) == 0 {
			damaged = damaged[:1+r.IntN(len(damaged))]
		} else {
			damaged[r.IntN(len(damaged))] ^= byte(1 + r.IntN(255))
		}
		write := func(value []byte) {
			if err := h.db.Update(t.Context(), func(tx store.Tx) error { return tx.Put(block.Key, value) }); err != nil {
				t.Fatal(err)
			}
		}
		write(damaged)
		h.index = search.New(h.db, h.Desk)
		for _, word := range []string{"invoice", "確認", "記", "zzzz"} {
			if _, err := h.index.Search(t.Context(), h.admin, search.Query{Text: word}); err != nil && !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("search: %v", err)
			}
		}
		problems, err := h.index.Verify(t.Context())
		if err != nil {
			t.Errorf("verify: %v", err)
		}
		if len(problems) > 0 {
			noticed++
		}
		write(block.Value)
	}
	if noticed < 20 {
		t.Errorf("%d of 200 damages were noticed", noticed)
	}
	h.index = search.New(h.db, h.Desk)
	h.verify()
}

// sortedWords leaves the order out: tickets of one score may be in any.
func sortedWords(s string) string {
	words := strings.Fields(s)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// onlyOneEpoch checks that no rebuild left anything behind.
func (h *house) onlyOneEpoch() {
	h.t.Helper()
	epochs := map[string]int{}
	err := h.db.View(h.t.Context(), func(r store.Reader) error {
		for entry, err := range r.Scan(store.Prefix([]byte("s/"))) {
			if err != nil {
				return err
			}
			epochs[string(entry.Key[:6])]++
		}
		return nil
	})
	if err != nil || len(epochs) != 1 {
		h.t.Errorf("keys by epoch: %v, %v", epochs, err)
	}
}

func TestFailedCommitsLoseNothing(t *testing.T) {
	h := newHouse(t)
	r := rand.New(rand.NewPCG(3, 4))
	h.live(r, 60)
	h.fault.Repeat(1)
	power := errors.New("power cut")
	failures := 0
	for {
		cursor, err := h.index.Cursor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events, err := h.Events(t.Context(), helpdesk.System("search"), cursor, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		h.fault.FailCommit(1+r.IntN(5), power)
		err = h.index.Handle(t.Context(), events)
		if err != nil {
			failures++
			if !errors.Is(err, power) {
				t.Fatal(err)
			}
			h.index = search.New(h.db, h.Desk) // as after a restart
		}
	}
	if failures == 0 {
		t.Error("no commit failed; the test proves nothing")
	}
	h.verify()
}

func TestFollowingGoesOnWhileRebuilding(t *testing.T) {
	h := newHouse(t)
	r := rand.New(rand.NewPCG(5, 6))
	h.live(r, 80)
	h.follow()
	steps := 0
	err := h.index.Rebuild(t.Context(), func(done, total uint64) {
		if steps++; steps > 3 {
			return
		}
		h.live(r, 5) // more comes, is followed and found meanwhile
		h.follow()
		number := h.post(letter{text: fmt.Sprint("meanwhile", steps)}).Ticket
		h.follow()
		h.expect(fmt.Sprint("meanwhile", steps), number)
		if err := h.index.Rebuild(t.Context(), nil); helpdesk.CodeOf(err) != helpdesk.CodeConflict {
			t.Errorf("a second rebuild: %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	h.live(r, 5)
	h.follow()
	h.verify()
	h.onlyOneEpoch()
}

func TestHugeAndHostileMailsAreBounded(t *testing.T) {
	h := newHouse(t)
	h.post(letter{subject: strings.Repeat("語", 5000), text: "start " + strings.Repeat("x", 200_000) + " needle"})
	h.post(letter{subject: "bytes", text: "\x00\x01\xff\xfe \u202e\u200b zero\u200bwidth " + strings.Repeat("a\u0301\u0323", 3000)})
	h.follow()
	h.expect("start", 1)
	h.expect("needle")
	h.expect("zerowidth", 2)
	h.verify()
}

func FuzzQuery(f *testing.F) {
	h := newHouse(f)
	h.post(letter{subject: "請求書", text: "invoice ﾃｽﾄ"})
	h.follow()
	for _, seed := range []string{`from:"a b" -c "d`, "件名：請求書", "after:2026-13-40", "-", `""`, "tag:\x00", "＃１", "is:open -is:open", "re:re:re:", "a:b:c", "か\u3099", "\xff\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		results, err := h.index.Search(t.Context(), h.admin, search.Query{Text: text})
		if err != nil {
			if helpdesk.CodeOf(err) != helpdesk.CodeInvalid || !utf8.ValidString(err.Error()) && utf8.ValidString(text) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, hit := range results.Hits {
			var subject strings.Builder
			for _, r := range hit.Subject {
				subject.WriteString(r.Text)
			}
			if subject.String() != hit.Row.Ticket.Subject {
				t.Errorf("%q shows the subject %q as %q", text, hit.Row.Ticket.Subject, subject.String())
			}
		}
	})
}
