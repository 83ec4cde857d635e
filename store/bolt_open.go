package store

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// BoltOptions tunes a Bolt; its zero value suits a server.
type BoltOptions struct {
	// LockTimeout is how long OpenBolt waits for another process to let go of
	// the file; 0 means half a second.
	LockTimeout time.Duration
	// InitialMmapSize is how many bytes of address space are reserved for the
	// file; no memory and no disk. Outgrowing it makes a commit wait for all
	// readers, a running Snapshot among them. 0 means 64 GiB where addresses
	// have 64 bits, and nothing elsewhere.
	InitialMmapSize int
	// PageSize in bytes of a new file; 0 means the system's. An existing file
	// keeps its own.
	PageSize int
	// NoPreallocation adds no zeros behind the data: for a file that is to be
	// looked at and kept as it is, such as a backup.
	NoPreallocation bool
	// Volatile syncs no commit: for what nobody needs after a crash.
	Volatile bool
	// SyncedFreePages is the longest list of free pages that commits write; 0
	// means 1,048,576.
	SyncedFreePages int
	// MaxMapped is how many bytes of files, this one among them, count as memory of the
	// process before those of this one are let go (Linux only); 0 means 192 MiB.
	MaxMapped int64
	// Mended is told of damage that opening the file put right without losing
	// anything; nil for nobody.
	Mended func(what string)
}

// OpenBolt opens the file at path, or makes it with mode 0600; its directory has
// to exist. Errors name the path. ErrLocked tells that another process owns the
// file, ErrCorrupt that it is not a whole bbolt database.
func OpenBolt(path string, o BoltOptions) (*Bolt, error) {
	if o.LockTimeout == 0 {
		o.LockTimeout = defaultLockTimeout
	}
	if o.InitialMmapSize == 0 && bits.UintSize == 64 {
		shift := 36 // in a variable, as the constant would not fit where addresses have 32 bits
		o.InitialMmapSize = 1 << shift
	}
	if err := checkBoltFile(path, o); err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	db, err := openForWriting(path, o)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	ahead, err := prepare(db, path, !o.NoPreallocation)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: prepare: %w", path, err), db.Close())
	}
	return &Bolt{db: db, ahead: ahead, synced: cmp.Or(o.SyncedFreePages, defaultSyncedFreePages),
		mapped: newMapped(cmp.Or(o.MaxMapped, defaultMapped)), writer: make(chan struct{}, 1)}, nil
}

// openForWriting opens the file with the kind of free list that suits its length.
func openForWriting(path string, o BoltOptions) (*bbolt.DB, error) {
	options := &bbolt.Options{
		Timeout:         o.LockTimeout,
		FreelistType:    bbolt.FreelistArrayType,
		NoFreelistSync:  true, // otherwise opening would commit; Bolt.commit decides anew each time
		InitialMmapSize: o.InitialMmapSize,
		PageSize:        o.PageSize,
		NoSync:          o.Volatile,
	}
	db, err := openBbolt(path, options)
	if err != nil || db.Stats().FreePageN <= maxFirstFit {
		return db, err
	}
	// The list may have been found by reading the whole file: written, it is not read again.
	if err := errors.Join(writeFreeList(db), db.Close()); err != nil {
		return nil, fmt.Errorf("write the list of free pages: %w", err)
	}
	options.FreelistType = bbolt.FreelistMapType
	return openBbolt(path, options)
}

// writeFreeList commits nothing but the list of free pages.
func writeFreeList(db *bbolt.DB) error {
	db.NoFreelistSync = false
	return updateDamaged(db, func(*bbolt.Tx) error { return nil })
}

// prepare gives the file room to grow and, if it is new, the bucket.
func prepare(db *bbolt.DB, path string, preallocate bool) (*preallocator, error) {
	var ahead *preallocator
	err := updateDamaged(db, func(tx *bbolt.Tx) (err error) {
		if ahead, err = startPreallocator(path, tx.Size(), preallocate); err != nil {
			return err
		}
		if tx.Bucket(bucketName) != nil {
			return errNothingWritten
		}
		_, err = tx.CreateBucket(bucketName)
		return err
	})
	switch {
	case err == nil, errors.Is(err, errNothingWritten):
		return ahead, nil
	case ahead != nil:
		err = errors.Join(err, ahead.close())
	}
	return nil, err
}

// openBbolt is bbolt.Open with errors, and panics over damaged pages, in our terms.
func openBbolt(path string, o *bbolt.Options) (db *bbolt.DB, err error) {
	defer func() {
		if damage := recover(); damage != nil {
			db, err = nil, fmt.Errorf("%w: %v; %s", ErrCorrupt, damage, whatToType)
		}
	}()
	db, err = bbolt.Open(path, 0o600, o)
	if errors.Is(err, syscall.ENOMEM) && o.InitialMmapSize > 0 {
		smaller := *o // a limit on address space: do without the reserve
		smaller.InitialMmapSize = 0
		db, err = bbolt.Open(path, 0o600, &smaller)
	}
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: stop the other one first", ErrLocked)
	case err != nil && !isSystemError(err): // bbolt's own: no database, of another version, damaged, too short
		return nil, fmt.Errorf("%w: not a database of this program, or damaged (%w); name another file, or %s",
			ErrCorrupt, err, whatToType)
	}
	return db, err
}

func isSystemError(err error) bool {
	_, is := errors.AsType[syscall.Errno](err)
	return is
}
