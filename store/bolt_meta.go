package store

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"iter"
	"runtime/debug"
)

// metaPage is what one of the first two pages of a bbolt file says: which state it holds.
// A commit writes the page that is not the newest, last of all, so that the other one
// leads to the state before.
type metaPage struct {
	id          uint64 // 0 or 1; a commit writes that of its number's parity, a copy both
	pageSize    uint64
	root        uint64 // page of the bucket of buckets
	freeList    uint64 // page of the list of free pages, noFreeList for none
	pages       uint64 // how many the state knows
	transaction uint64
}

// The form of these pages is bbolt's, version 2.
const (
	metaFlag     = 0x04
	metaMagic    = 0xED0CDAED
	metaVersion  = 2
	metaSize     = 64
	noFreeList   = ^uint64(0)
	freeListFlag = 0x10
)

// readMeta reads the page that begins with data; it is not ok where that is damaged.
func readMeta(data []byte) (m metaPage, ok bool) {
	if len(data) < pageHeader+metaSize {
		return m, false
	}
	stored := data[pageHeader:][:metaSize]
	u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
	if u32(stored) != metaMagic || u32(stored[4:]) != metaVersion || u64(stored[56:]) != metaSum(stored) {
		return m, false
	}
	return metaPage{pageSize: uint64(u32(stored[8:])), root: u64(stored[16:]), freeList: u64(stored[32:]),
		pages: u64(stored[40:]), transaction: u64(stored[48:])}, true
}

// metaSum is the checksum of a meta page, FNV-1a.
func metaSum(stored []byte) uint64 {
	sum := fnv.New64a()
	sum.Write(stored[:56])
	return sum.Sum64()
}

// metaPages reads both; damaged says of which page something is wrong.
func (t tree) metaPages() (newest metaPage, damaged []uint64) {
	for id := range uint64(2) {
		var m metaPage
		ok := false
		if at := id * t.pageSize; at < uint64(len(t.data)) {
			m, ok = readMeta(t.data[at:])
		}
		switch {
		case !ok || m.pageSize != t.pageSize:
			damaged = append(damaged, id)
		case newest.pageSize == 0 || m.transaction > newest.transaction:
			newest = m
			newest.id = id
		}
	}
	return newest, damaged
}

// withoutFreeList is the page that a commit would write that changes nothing and lists no
// free pages, and its ID. previous is the newest page as it is stored.
func withoutFreeList(previous []byte) (id uint64, page []byte) {
	page = make([]byte, pageHeader+metaSize)
	copy(page[pageHeader:], previous[pageHeader:])
	stored := page[pageHeader:]
	transaction := binary.NativeEndian.Uint64(stored[48:]) + 1
	binary.NativeEndian.PutUint64(stored[32:], noFreeList)
	binary.NativeEndian.PutUint64(stored[48:], transaction)
	binary.NativeEndian.PutUint64(stored[56:], metaSum(stored))
	id = transaction % 2
	binary.NativeEndian.PutUint64(page, id)
	binary.NativeEndian.PutUint16(page[8:], metaFlag)
	return id, page
}

// freePages reads the list of free pages of a state, in the order in which bbolt writes
// it; nil where the state has none. What is not such a list is damage: bbolt would believe
// it, and write over pages that are in use.
func (t tree) freePages(m metaPage) (ids []uint64, err error) {
	if m.freeList == noFreeList {
		return nil, nil
	}
	pages := min(m.pages, uint64(len(t.data))/t.pageSize)
	if m.freeList < 2 || m.freeList >= pages {
		return nil, damaged(m.freeList, "the list of free pages would lie outside the file")
	}
	data := t.data[m.freeList*t.pageSize:]
	self, flags := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint16(data[8:])
	count, overflow := uint64(binary.NativeEndian.Uint16(data[10:])), uint64(binary.NativeEndian.Uint32(data[12:]))
	if self != m.freeList || flags != freeListFlag || overflow >= pages-m.freeList {
		return nil, damaged(m.freeList, "it is not the list of free pages that it should be")
	}
	data = data[pageHeader : (overflow+1)*t.pageSize]
	if count == 0xFFFF { // more do not fit into the header
		count, data = binary.NativeEndian.Uint64(data), data[8:]
	}
	if count > uint64(len(data))/8 {
		return nil, damaged(m.freeList, "the list of free pages would have %d entries", count)
	}
	ids = make([]uint64, count)
	for i := range ids {
		ids[i] = binary.NativeEndian.Uint64(data[i*8:])
		if ids[i] < 2 || ids[i] >= m.pages || i > 0 && ids[i] <= ids[i-1] || ids[i] >= m.freeList && ids[i] <= m.freeList+overflow {
			return nil, damaged(m.freeList, "entry %d of the list of free pages cannot be page %d", i, ids[i])
		}
	}
	return ids, nil
}

// bucketPage is the page of bbolt's bucket of buckets, as far as it matters here.
type bucketPage struct {
	id       uint64
	entries  tree   // of the bucket with the entries
	small    []byte // where that lies within the page instead: its own page
	sequence uint64 // number of the last update that it has of a journal
	lineage  string // of the journal, "" where it has none
}

// bucketPage reads the page with an ID as the bucket of buckets. The error tells that it is
// none with a bucket of entries.
func (t tree) bucketPage(id uint64) (b bucketPage, err error) {
	t.root = id
	p, err := t.page(id)
	if err != nil {
		return b, err
	}
	value, err := p.bucket(bucketName)
	if err != nil {
		return b, err
	}
	b = bucketPage{id: id, entries: t, sequence: binary.NativeEndian.Uint64(value[8:])}
	if b.entries.root = binary.NativeEndian.Uint64(value); b.entries.root == 0 {
		b.small = value[16:]
	}
	if journal, err := p.bucket(journalBucket); err == nil && len(journal) > 16+pageHeader {
		if inner, err := smallPage(id, journal[16:]); err == nil {
			if at, exact, err := inner.search(lineageKey); err == nil && exact {
				if _, lineage, err := inner.entry(at); err == nil {
					b.lineage = string(lineage)
				}
			}
		}
	}
	return b, nil
}

// smallPage is the page of a bucket that lies within its parent's page.
func smallPage(id uint64, data []byte) (page, error) {
	p := page{id: id, data: data, leaf: true}
	if len(data) >= pageHeader {
		p.count = int(binary.NativeEndian.Uint16(data[10:]))
	}
	if pageHeader+p.count*pageElement > len(data) {
		return page{}, damaged(id, "the bucket within it would have %d entries", p.count)
	}
	return p, nil
}

// bucket is the value that stands for a bucket: the page where it begins, its sequence,
// and for a small one its page.
func (p page) bucket(name []byte) ([]byte, error) {
	const isBucket = 1
	for i := range p.count {
		key, err := p.key(i)
		if err != nil {
			return nil, err
		}
		if !p.leaf || string(key) != string(name) {
			continue
		}
		at := pageHeader + i*pageElement
		flags, position := binary.NativeEndian.Uint32(p.data[at:]), uint64(binary.NativeEndian.Uint32(p.data[at+4:]))
		start, size := uint64(at)+position+uint64(len(key)), uint64(binary.NativeEndian.Uint32(p.data[at+12:]))
		if flags != isBucket || size < 16 || start+size > uint64(len(p.data)) {
			return nil, damaged(p.id, "its bucket %q is damaged", name)
		}
		return p.data[start : start+size : start+size], nil
	}
	return nil, fmt.Errorf("%w: page %d has no bucket %q", ErrCorrupt, p.id, name)
}

// bucketPages are all pages that are, or once were, the bucket of buckets: a commit
// writes a new one, and the old ones stay until their pages are needed.
func (t tree) bucketPages() iter.Seq[bucketPage] {
	return func(yield func(bucketPage) bool) {
		pages := uint64(len(t.data)) / t.pageSize
		for id := uint64(2); id < pages; id++ {
			if b, err := t.possibleBucketPage(id); err == nil && !yield(b) {
				return
			}
		}
	}
}

func (t tree) possibleBucketPage(id uint64) (b bucketPage, err error) {
	defer contain(&err, debug.SetPanicOnFault(true))
	const mostBuckets = 2
	header := t.data[id*t.pageSize:][:pageHeader]
	if binary.NativeEndian.Uint64(header) != id || binary.NativeEndian.Uint16(header[8:]) != leafPage ||
		binary.NativeEndian.Uint16(header[10:]) > mostBuckets {
		return b, ErrNotFound
	}
	return t.bucketPage(id)
}
