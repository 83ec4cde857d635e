package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"unsafe"

	"go.etcd.io/bbolt"
)

// whatToType ends each message about a store that is damaged.
const whatToType = "restore a backup (madoguchi restore), or save what can still be read (madoguchi recover)"

// checkBoltFile finds what bbolt would meet too late: reading past the end of a
// file that was cut short kills the process. A damaged list of free pages is put right.
func checkBoltFile(path string, o BoltOptions) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		directory := filepath.Dir(path)
		if _, err := os.Stat(directory); err != nil {
			return fmt.Errorf("its directory is not usable: %w", err)
		}
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a directory; name a file")
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case info.Size() == 0:
		return nil // a file that was made but never written: bbolt begins it anew
	}
	db, err := openBbolt(path, &bbolt.Options{Timeout: o.LockTimeout, ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("%w: the file was cut short: %d bytes, its data needs %d; %s",
				ErrCorrupt, info.Size(), tx.Size(), whatToType)
		}
		return opening{path: path, tx: tx, whole: fileOf(tx, info.Size()), mended: o.Mended}.check()
	})
}

// fileOf is the file of a transaction as far as it goes, without a root.
func fileOf(tx *bbolt.Tx, size int64) tree {
	info := tx.DB().Info()
	start := *(*unsafe.Pointer)(unsafe.Pointer(&info.Data))
	return tree{data: unsafe.Slice((*byte)(start), size), pageSize: uint64(info.PageSize)}
}

// opening is the look at a file that is about to be opened. Nobody writes it meanwhile,
// since bbolt has locked it for readers.
type opening struct {
	path   string
	tx     *bbolt.Tx
	whole  tree
	mended func(string)
}

func (o opening) check() (err error) {
	defer contain(&err, debug.SetPanicOnFault(true))
	newest, damagedMeta := o.whole.metaPages()
	if len(damagedMeta) > 0 {
		if err := o.isNewest(newest, damagedMeta[0]); err != nil {
			return err
		}
	}
	_, freeErr := o.whole.freePages(newest)
	if freeErr == nil && newest.freeList != noFreeList {
		return nil
	}
	// bbolt goes through all pages to find the free ones, and through a circle of them for ever.
	if bucket := o.tx.Bucket(bucketName); bucket != nil {
		if t, own := treeOf(bucket); own {
			var found error
			err := t.check(context.Background(), func(d Damage) { found = cmp.Or(found, d.Err) })
			if err := cmp.Or(found, err); err != nil {
				return fmt.Errorf("%w; %s", err, whatToType)
			}
		}
	}
	if freeErr == nil {
		return nil
	}
	return o.dropFreeList(newest, freeErr)
}

// isNewest is an error where one of the two pages that lead to the data is damaged, and it
// was the one that led to the newest: bbolt would take the state before for it. A commit
// that a power cut broke off leaves the same, but then the logs have what it was about.
func (o opening) isNewest(other metaPage, hurt uint64) error {
	current, err := o.whole.bucketPage(other.root)
	if err != nil {
		return nil // a file that was just made
	}
	reached := readLogs(o.path, current.lineage).reach(current.sequence)
	for b := range o.whole.bucketPages() {
		if b.sequence > reached && b.lineage == current.lineage {
			return fmt.Errorf("%w: page %d is damaged, which led to the newest state (update %d; page %d leads to update %d); %s",
				ErrCorrupt, hurt, b.sequence, 1-hurt, current.sequence, whatToType)
		}
	}
	o.tell(fmt.Sprintf("page %d, one of the two that lead to the data, is damaged; the other one leads to the newest state, and the next commit writes it anew", hurt))
	return nil
}

// dropFreeList writes what a commit would write that changes nothing and lists no free
// pages. bbolt then finds them by going through all pages.
func (o opening) dropFreeList(newest metaPage, why error) error {
	id, page := withoutFreeList(o.whole.data[newest.id*o.whole.pageSize:][:pageHeader+metaSize])
	file, err := os.OpenFile(o.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("put the list of free pages right: %w", err)
	}
	_, err = file.WriteAt(page, int64(id*o.whole.pageSize))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("put the list of free pages right: %w", err)
	}
	o.tell(fmt.Sprintf("%v; the list is made anew from all pages, nothing is lost", why))
	return nil
}

func (o opening) tell(what string) {
	if o.mended != nil {
		o.mended(what)
	}
}
