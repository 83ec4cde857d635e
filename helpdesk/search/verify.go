package search

import (
	"bytes"
	"context"
	"fmt"

	"github.com/madoguchi/madoguchi/store"
)

// Verify checks that the index is whole, and that it says what the helpdesk says.
// It returns a line for each difference. While events come that the index does
// not know yet, only the first is checked. [Index.Rebuild] mends everything.
func (ix *Index) Verify(ctx context.Context) (problems []string, err error) {
	ix.writing.Lock()
	defer ix.writing.Unlock()
	var m *manifest
	known := map[string]place{}
	err = ix.db.View(ctx, func(r store.Reader) error {
		if m, err = current(r); m == nil || err != nil {
			return err
		}
		clear(known)
		problems, err = verifySegments(ctx, r, m, known)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("verify the search index: %w", err)
	}
	if m == nil {
		return nil, nil
	}
	found, err := ix.verifyPieces(ctx, m, known)
	if err != nil {
		return nil, fmt.Errorf("verify the search index: %w", err)
	}
	return append(problems, found...), nil
}

// verifySegments follows every living document to its piece and back, and
// decodes all postings. It fills in the places of all pieces.
func verifySegments(ctx context.Context, r store.Reader, m *manifest, known map[string]place) (problems []string, err error) {
	say := func(format string, args ...any) {
		problems = append(problems, "search index: "+fmt.Sprintf(format, args...))
	}
	prefix := spaceKey(m.Epoch, kindPiece)
	for entry, err := range r.Scan(store.Prefix(prefix)) {
		if err != nil {
			return nil, err
		}
		piece := string(entry.Key[len(prefix):])
		if known[piece], err = decodePlace(entry.Value); err != nil {
			say("piece %s: %v", piece, err)
		}
	}
	living := 0
	for _, info := range m.Segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		segment, err := readSegment(r, m.Epoch, info)
		if err != nil {
			say("%v", err)
			continue
		}
		dead, err := readDead(r, m.Epoch, info)
		if err != nil {
			return nil, err
		}
		count := 0
		for ordinal := range uint32(info.Documents) {
			if dead.has(ordinal) {
				count++
				continue
			}
			record, err := segment.record(r, ordinal)
			if err != nil {
				return nil, err
			}
			if known[record.piece].generation != record.generation {
				say("segment %d has an old state of piece %s", info.ID, record.piece)
			}
		}
		if count != info.Dead {
			say("segment %d has %d dead documents and says %d", info.ID, count, info.Dead)
		}
		living += info.Documents - count
		if err := verifyPostings(r, m.Epoch, info); err != nil {
			say("segment %d: %v", info.ID, err)
		}
	}
	if living != len(known) {
		say("%d pieces, and %d documents for them", len(known), living)
	}
	return problems, nil
}

func verifyPostings(r store.Reader, epoch uint32, info segmentInfo) (err error) {
	terms := readTerms(r, epoch, info.ID, "")
	defer terms.stop()
	var list []posting
	var before []byte
	for {
		if err := terms.advance(); err != nil || terms.term == nil {
			return err
		}
		if list, err = decodePostings(list[:0], terms.postings); err != nil {
			return err
		}
		if n := len(list); n == 0 || int(list[n-1].ordinal()) >= info.Documents || bytes.Compare(before, terms.term) >= 0 {
			return errPostings
		}
		before = append(before[:0], terms.term...)
	}
}

// verifyPieces reads all pieces anew, as a rebuild would.
func (ix *Index) verifyPieces(ctx context.Context, m *manifest, known map[string]place) (problems []string, err error) {
	last, err := ix.desk.LastSeq(ctx)
	if err != nil || last != m.Cursor {
		return nil, err
	}
	seen := map[string]bool{}
	for after := uint64(0); after < last; {
		events, err := ix.desk.Events(ctx, indexer, after, rebuildEvents)
		if err != nil || len(events) == 0 {
			return nil, err
		}
		b := ix.newBatch()
		for _, e := range events {
			if err := b.take(ctx, e); err != nil {
				return nil, err
			}
		}
		for _, d := range b.documents {
			if seen[d.piece] {
				continue
			}
			seen[d.piece] = true
			place, indexed := known[d.piece]
			switch {
			case d.gone && indexed:
				problems = append(problems, "search index: piece "+d.piece+" is found but gone")
			case !d.gone && (!indexed || place.digest != d.digest()):
				problems = append(problems, "search index: piece "+d.piece+" is not found as it is")
			}
		}
		after = events[len(events)-1].Seq
	}
	for piece := range known {
		if !seen[piece] {
			problems = append(problems, "search index: piece "+piece+" is found but was never there")
		}
	}
	if now, err := ix.desk.LastSeq(ctx); err != nil || now != last {
		return nil, err // what differs may have changed meanwhile
	}
	return problems, nil
}
