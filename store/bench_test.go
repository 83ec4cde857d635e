package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/madoguchi/madoguchi/store"
)

// BenchmarkCommits compares durable updates a second: one value and four small
// keys each, as a mail with its index entries has, written by a bare bbolt.Update
// each, by bbolt.Batch, by a Group and by a Journal; the two bare ones with the
// options that bbolt has by itself.
//
// Every round gives each of them a turn of equal length, there and back again, so
// that a disk that drifts does so for all and nobody always follows the same one.
// group/update compares the two within each round and is the median of the rounds,
// low and high are their quartiles; journal/group is the same of those two. The rates are means over all turns. A disk that
// others use too is judged only by many rounds:
//
//	go test ./store -run - -bench Commits -benchtime 16x
func BenchmarkCommits(b *testing.B) {
	for _, size := range []int{10 << 10, 200} {
		for _, writers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("value=%dB/writers=%d", size, writers), func(b *testing.B) {
				benchmarkCommits(b, size, writers)
			})
		}
	}
}

// A round has several turns there and back: of a lone writer many short ones.
func turnsOfARound(writers int) (turns int, length time.Duration) {
	if writers == 1 {
		return 15, 10 * time.Millisecond
	}
	return 1, 200 * time.Millisecond
}

// contestant writes updates until its turn ends.
type contestant struct {
	name   string
	update func(u *sampleUpdate) error
	next   atomic.Uint64
	score  score
}

type score struct {
	updates int
	busy    time.Duration
}

// since is the updates a second after an earlier score.
func (c *contestant) since(earlier score) float64 {
	return float64(c.score.updates-earlier.updates) / (c.score.busy - earlier.busy).Seconds()
}

func benchmarkCommits(b *testing.B, size, writers int) {
	bare, batch := openBareBbolt(b, "update"), openBareBbolt(b, "batch")
	group := store.NewGroup(openBolt(b))
	update := &contestant{name: "update", update: func(u *sampleUpdate) error {
		return bare.Update(func(tx *bbolt.Tx) error { return u.putAll(tx.Bucket(bareBucket).Put) })
	}}
	batched := &contestant{name: "batch", update: func(u *sampleUpdate) error {
		return batch.Batch(func(tx *bbolt.Tx) error { return u.putAll(tx.Bucket(bareBucket).Put) })
	}}
	grouped := &contestant{name: "group", update: func(u *sampleUpdate) error {
		return group.Update(context.Background(), func(tx store.Tx) error { return u.putAll(tx.Put) })
	}}
	journal := openJournal(b)
	journaled := &contestant{name: "journal", update: func(u *sampleUpdate) error {
		return journal.Update(context.Background(), func(tx store.Tx) error { return u.putAll(tx.Put) })
	}}
	order := []*contestant{update, batched, grouped, journaled}
	random := randomBytes(1 << 20)
	turns, length := turnsOfARound(writers)
	var ratios, journalRatios []float64
	for b.Loop() {
		updateBefore, groupBefore, journalBefore := update.score, grouped.score, journaled.score
		for range 2 * turns {
			for _, c := range order {
				c.run(b, writers, size, length, random)
			}
			slices.Reverse(order)
		}
		ratios = append(ratios, grouped.since(groupBefore)/update.since(updateBefore))
		journalRatios = append(journalRatios, journaled.since(journalBefore)/grouped.since(groupBefore))
	}
	for _, c := range []*contestant{update, batched, grouped, journaled} {
		b.ReportMetric(c.since(score{}), c.name+"/s")
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/4], "low")
	b.ReportMetric(ratios[len(ratios)/2], "group/update")
	b.ReportMetric(ratios[len(ratios)*3/4], "high")
	slices.Sort(journalRatios)
	b.ReportMetric(journalRatios[len(journalRatios)/2], "journal/group")
	b.ReportMetric(0, "ns/op")
}

func (c *contestant) run(b *testing.B, writers, size int, length time.Duration, random []byte) {
	var wg sync.WaitGroup
	var updates atomic.Int64
	start := time.Now()
	for range writers {
		wg.Go(func() {
			for time.Since(start) < length {
				if err := c.update(newSampleUpdate(c.next.Add(1), size, random)); err != nil {
					b.Error(err)
					return
				}
				updates.Add(1)
			}
		})
	}
	wg.Wait()
	c.score.busy += time.Since(start)
	c.score.updates += int(updates.Load())
}

// sampleUpdate is what one mail writes, in the simplest form: the value under a
// growing id, and entries of four indexes, two of them at random places.
type sampleUpdate struct {
	id, value []byte
	indexes   [4][]byte
}

func newSampleUpdate(n uint64, size int, random []byte) *sampleUpdate {
	id := store.Key{}.Uint64(n)
	offset := int(n * 7919 % uint64(len(random)-size))
	scattered := n * 0x9e3779b97f4a7c15
	return &sampleUpdate{
		id:    append([]byte("t/message/"), id...),
		value: random[offset : offset+size],
		indexes: [4][]byte{
			append(store.Key("i/message/id/").Uint64(scattered), id...),
			append(store.Key("i/message/sender/").Uint64(scattered>>54), id...),
			append(store.Key("i/message/ticket/").Uint64(n/4), id...),
			append(store.Key("i/message/received/").Uint64(n), id...),
		},
	}
}

func (u *sampleUpdate) putAll(put func(key, value []byte) error) error {
	if err := put(u.id, u.value); err != nil {
		return err
	}
	for _, index := range u.indexes {
		if err := put(index, []byte{}); err != nil {
			return err
		}
	}
	return nil
}

var bareBucket = []byte("bare")

// openBareBbolt opens bbolt with its own options.
func openBareBbolt(b *testing.B, name string) *bbolt.DB {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), name), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bareBucket)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// randomBytes returns bytes that no compression in the disk makes smaller.
func randomBytes(size int) []byte {
	source := rand.NewChaCha8([32]byte{1})
	b := make([]byte, size)
	_, _ = source.Read(b) // never fails
	return b
}
