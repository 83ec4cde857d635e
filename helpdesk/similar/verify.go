package similar

import (
	"context"
	"fmt"

	"github.com/madoguchi/madoguchi/store"
)

// Verify checks that each message's vector is where its place says, that the
// counts are right, and, where all events have been gone through, that the
// vectors are of the words as they are. It returns a line for each difference.
func (ix *Index) Verify(ctx context.Context) (problems []string, err error) {
	var list []*space
	err = ix.db.View(ctx, func(r store.Reader) error {
		problems, list = nil, nil
		top, err := readRoot(r)
		if err != nil {
			return err
		}
		for _, id := range []uint32{top.Use, top.Next} {
			if id == 0 {
				continue
			}
			s, err := spaces.Get(r, spaceKey(id))
			if err != nil {
				return err
			}
			list = append(list, s)
			found, err := verifySpace(ctx, r, s)
			problems = append(problems, found...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, s := range list {
		if err == nil {
			var found []string
			found, err = ix.verifyWords(ctx, s)
			problems = append(problems, found...)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("verify the vectors: %w", err)
	}
	return problems, nil
}

func verifySpace(ctx context.Context, r store.Reader, s *space) (problems []string, err error) {
	say := func(format string, args ...any) {
		problems = append(problems, "vectors of "+s.Model+": "+fmt.Sprintf(format, args...))
	}
	messages := map[uint64]string{}
	next := uint64(1)
	for e, err := range r.Scan(store.Prefix(kindKey(s.ID, kindSegment))) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		part, err := decodeSegment(e.Value)
		if err != nil || part.dimensions != s.Dimensions {
			say("a segment of %d dimensions: %v", part.dimensions, err)
			continue
		}
		if first := firstOf(e.Key); first != next {
			say("segment %d follows where %d is expected", first, next)
			next = first
		}
		for i := range part.count {
			messages[next] = part.message(i)
			next++
		}
	}
	if s.Generation != next-1 {
		say("the newest is %d, and the segments end at %d", s.Generation, next-1)
	}
	vectors, refused := 0, 0
	prefix := kindKey(s.ID, kindPlace)
	for e, err := range r.Scan(store.Prefix(prefix)) {
		if err != nil {
			return nil, err
		}
		message := string(e.Key[len(prefix):])
		p, err := decodePlace(e.Value)
		switch {
		case err != nil:
			say("message %s: %v", message, err)
		case p.generation == 0:
			refused++
		case messages[p.generation] != message:
			say("message %s is not at %d", message, p.generation)
		default:
			vectors++
		}
	}
	if vectors != s.Vectors || refused != s.Refused {
		say("%d messages have one and %d none, and %d and %d are counted", vectors, refused, s.Vectors, s.Refused)
	}
	return problems, nil
}

// verifyWords follows each place to its message. While events are to be gone
// through, words may have changed.
func (ix *Index) verifyWords(ctx context.Context, s *space) (problems []string, err error) {
	places := map[string]place{}
	prefix := kindKey(s.ID, kindPlace)
	err = ix.db.View(ctx, func(r store.Reader) error {
		clear(places)
		for e, err := range r.Scan(store.Prefix(prefix)) {
			if err != nil {
				return err
			}
			if p, err := decodePlace(e.Value); err == nil {
				places[string(e.Key[len(prefix):])] = p
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for message, p := range places {
		words, err := ix.desk.CustomerWords(ctx, message)
		if err != nil {
			problems = append(problems, fmt.Sprintf("vectors of %s: message %s: %v", s.Model, message, err))
			continue
		}
		if words == nil || p.digest == digestOf(words) { // nil: spam now, or taken out of its thread
			continue
		}
		if last, err := ix.desk.LastSeq(ctx); err != nil || last != s.Cursor || !s.complete() {
			return problems, err
		}
		problems = append(problems, fmt.Sprintf("vectors of %s: that of message %s is of other words", s.Model, message))
	}
	return problems, nil
}
