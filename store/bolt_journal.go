package store

import (
	"cmp"
	"crypto/rand"
	"fmt"

	"go.etcd.io/bbolt"
)

// journalBucket holds what a Journal has to know of its store beside the entries.
var (
	journalBucket = []byte("journal")
	lineageKey    = []byte("lineage")
)

// lineage returns random bytes that a store and its copies have in common, and the
// number of the last update it has of a journal.
func (b *Bolt) lineage() (lineage []byte, last uint64, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		last = tx.Bucket(bucketName).Sequence()
		if journal := tx.Bucket(journalBucket); journal != nil {
			lineage = append(lineage, journal.Get(lineageKey)...)
		}
		return nil
	})
	if err != nil || len(lineage) == lineageSize {
		return lineage, last, err
	}
	lineage = make([]byte, lineageSize)
	rand.Read(lineage) // never fails
	err = b.db.Update(func(tx *bbolt.Tx) error {
		journal, err := tx.CreateBucketIfNotExists(journalBucket)
		if err != nil {
			return err
		}
		return journal.Put(lineageKey, lineage)
	})
	return lineage, last, err
}

// refuses reports whether updates are refused until the file is opened again.
func (b *Bolt) refuses() bool {
	b.writer <- struct{}{}
	defer func() { <-b.writer }()
	return cmp.Or(b.broken, b.ahead.err()) != nil
}

// apply commits writes, and with them the number of the last update they are of.
func (b *Bolt) apply(writes *writeSet, last uint64) error {
	b.writer <- struct{}{}
	defer func() { <-b.writer }()
	if err := cmp.Or(b.broken, b.ahead.err()); err != nil {
		return fmt.Errorf("store refuses updates until it is opened again, since a sync to disk failed: %w", err)
	}
	tx, err := b.db.Begin(true)
	if err != nil {
		return boltError("begin an update", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	bucket := tx.Bucket(bucketName)
	bucket.FillPercent = fillPercent
	if err := writes.apply(bucket.Put, bucket.Delete); err != nil {
		return fmt.Errorf("write to bbolt: %w", err)
	}
	if err := bucket.SetSequence(last); err != nil {
		return fmt.Errorf("write to bbolt: %w", err)
	}
	return b.commit(tx)
}
