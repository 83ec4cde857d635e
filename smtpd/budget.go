package smtpd

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/semaphore"
)

// Budget bounds what mails take while they are examined and delivered. Servers of one
// process share one, so that what they take together is bounded. Small mails have a
// part of their own, so that none waits for the large ones of somebody else.
type Budget struct {
	small, large lane
}

// lane is a part of a Budget, in which mails wait for their turn in order.
type lane struct {
	bytes  int64
	memory *semaphore.Weighted // in bytes
	places *semaphore.Weighted // to parse at a time
}

const (
	// smallMail is the size of the largest mail that counts as small, in bytes: what is
	// kept in memory while it arrives.
	smallMail = memorySpool
	// mailWeight is how many times its size a mail counts. Its source, its decoded parts
	// and their text stand beside each other, and what they were made of is not
	// collected at once: mails that are nothing but text of one character set in
	// another, or HTML, take that much.
	mailWeight = 8
	// smallShare is the part of a Budget that is for small mails alone: one in so many.
	smallShare = 4
)

// DefaultBudget is what NewBudget is given where nothing else is said, in bytes.
const DefaultBudget = 256 << 20

// NewBudget returns a budget of so many bytes. A mail counts eight times its size, and
// one that would count more than its part of the budget takes it alone.
func NewBudget(bytes int64) *Budget {
	processors := int64(runtime.GOMAXPROCS(0))
	return &Budget{
		small: newLane(bytes/smallShare, processors),
		large: newLane(bytes-bytes/smallShare, max(1, processors/2)),
	}
}

func newLane(bytes, places int64) lane {
	return lane{bytes: bytes, memory: semaphore.NewWeighted(bytes), places: semaphore.NewWeighted(places)}
}

// of is the part in which a mail of so many bytes counts.
func (b *Budget) of(size int64) *lane {
	if size <= smallMail {
		return &b.small
	}
	return &b.large
}

// enter waits until there is memory for a mail of so many bytes, or ctx ends. leave
// gives it back.
func (b *Budget) enter(ctx context.Context, size int64) (leave func(), err error) {
	l := b.of(size)
	weight := min(mailWeight*size, l.bytes)
	if err := l.memory.Acquire(ctx, weight); err != nil {
		return nil, fmt.Errorf("wait for memory: %w", err)
	}
	return func() { l.memory.Release(weight) }, nil
}
