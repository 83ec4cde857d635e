package search

import (
	"maps"
	"sync"

	"github.com/madoguchi/madoguchi/store"
)

// cache keeps what is read of the index for every search: the documents of the
// segments in use, about 20 bytes each. Segments never change, so what is
// cached is never wrong, only no longer needed.
type cache struct {
	mu       sync.Mutex
	segments map[segmentID]*segment
	newest   *snapshot
}

type segmentID struct{ epoch, id uint32 }

func (c *cache) segment(r store.Reader, epoch uint32, info segmentInfo) (*segment, error) {
	id := segmentID{epoch, info.ID}
	c.mu.Lock()
	known := c.segments[id]
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	read, err := readSegment(r, epoch, info)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.segments[id] = read
	return read, nil
}

// drop forgets segments that were merged. A search on an older state reads them
// again.
func (c *cache) drop(epoch uint32, merged []segmentInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, info := range merged {
		delete(c.segments, segmentID{epoch, info.ID})
	}
}

// snapshot is one state of the index, as a search sees it.
type snapshot struct {
	manifest *manifest
	segments []*segment
	dead     []deadSet
	updated  []uint32 // of each ticket by number, Unix seconds; 0 for none
	living   int      // documents
	length   float64  // of an average document, in tokens
}

// snapshot returns the state in use; nil where there is no index.
func (ix *Index) snapshot(r store.Reader) (*snapshot, error) {
	m, err := current(r)
	if m == nil || err != nil {
		return nil, err
	}
	c := &ix.cache
	c.mu.Lock()
	newest := c.newest
	c.mu.Unlock()
	if newest != nil && newest.manifest.Epoch == m.Epoch && newest.manifest.Revision == m.Revision {
		return newest, nil
	}
	s := &snapshot{manifest: m}
	total, length := 0, uint64(0)
	for _, info := range m.Segments {
		segment, err := c.segment(r, m.Epoch, info)
		if err != nil {
			return nil, err
		}
		dead, err := readDead(r, m.Epoch, info)
		if err != nil {
			return nil, err
		}
		s.segments, s.dead = append(s.segments, segment), append(s.dead, dead)
		s.living += info.Documents - info.Dead
		total, length = total+info.Documents, length+info.Length
	}
	s.length = max(1, float64(length)/float64(max(total, 1)))
	s.readHeads()
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.segments, func(id segmentID, _ *segment) bool {
		return id.epoch < m.Epoch
	})
	if c.newest == nil || c.newest.manifest.Epoch != m.Epoch || c.newest.manifest.Revision < m.Revision {
		c.newest = s
	}
	return s, nil
}

// readHeads collects when each ticket was changed last.
func (s *snapshot) readHeads() {
	highest := uint32(0)
	for _, segment := range s.segments {
		for _, ticket := range segment.tickets {
			highest = max(highest, ticket)
		}
	}
	s.updated = make([]uint32, int(highest)+1)
	for i, segment := range s.segments {
		for ordinal, ticket := range segment.tickets {
			if segment.kinds[ordinal] == pieceHead && !s.dead[i].has(uint32(ordinal)) {
				s.updated[ticket] = segment.at[ordinal]
			}
		}
	}
}
