package store

import (
	"cmp"
	"crypto/rand"

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
func (b *Bolt) apply(writes layer, last uint64) error {
	b.writer <- struct{}{}
	defer func() { <-b.writer }()
	if err := cmp.Or(b.broken, b.ahead.err()); err != nil {
		return refusing(err)
	}
	tx, reader, err := b.begin(true)
	if err != nil {
		return boltError("begin an update", err)
	}
	defer b.rollback(tx)
	return b.write(tx, reader, writes, func(bucket *bbolt.Bucket) error { return bucket.SetSequence(last) })
}
