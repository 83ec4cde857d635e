package helpdesk

import (
	"context"
	"errors"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// HandedIn is what a relay said with a mail that it handed in under a key of its
// own, so that the same request again is answered as it was the first time.
type HandedIn struct {
	By     string // the user whose token it is
	Key    string
	Digest string // of the whole request: another one under the same key is refused
	Answer []byte // what the relay is told of the recipients
}

// handedIn remembers a request for a while.
type handedIn struct {
	By, Key, Digest string
	Answer          []byte
	Receipt         Receipt
	At              time.Time
}

// handedInKept is how long a request can be repeated; a relay gives a mail up
// before (RFC 5321, section 4.5.4.1).
const (
	handedInKept   = 7 * 24 * time.Hour
	handedInAtOnce = 50 // old ones that are cleared away by a new one
)

var handedIns = store.NewTable(store.Spec[handedIn]{Name: "handed_in", Version: 1,
	Key:     func(h *handedIn) []byte { return key(h.By, h.Key) },
	Indexes: []store.Index[handedIn]{{Name: "time", Keys: func(h *handedIn) [][]byte { return one(key(h.At)) }}}})

// HandedInBefore looks for a request that was answered already: its receipt and
// the answer, nil where there was none. Another mail under the same key is a
// conflict.
func (d *Desk) HandedInBefore(ctx context.Context, h HandedIn) (receipt *Receipt, answer []byte, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		earlier, err := findHandedIn(r, h)
		if earlier == nil {
			receipt, answer = nil, nil
			return err
		}
		receipt, answer = &earlier.Receipt, earlier.Answer
		return err
	})
	return receipt, answer, err
}

func findHandedIn(r store.Reader, h HandedIn) (*handedIn, error) {
	earlier, err := optional(handedIns.Get(r, key(h.By, h.Key)))
	if err != nil || earlier == nil {
		return nil, err
	}
	if earlier.Digest != h.Digest {
		return nil, conflict("handed_in_other", "this Idempotency-Key was used for another mail or another envelope; take a new key for each mail")
	}
	return earlier, nil
}

// receiveOnce receives a mail, unless the request that brings it was answered
// already.
func (c *command) receiveOnce(a *arrival) (Receipt, error) {
	if a.handedIn == nil {
		return c.receive(a)
	}
	earlier, err := findHandedIn(c, *a.handedIn)
	if err != nil {
		return Receipt{}, err
	}
	if earlier != nil {
		return earlier.Receipt, nil
	}
	receipt, err := c.receive(a)
	if err != nil {
		return Receipt{}, err
	}
	h := a.handedIn
	return receipt, errors.Join(c.forgetHandedIn(), handedIns.Put(c, &handedIn{By: h.By, Key: h.Key, Digest: h.Digest, Answer: h.Answer, Receipt: receipt, At: c.now}))
}

func (c *command) forgetHandedIn() error {
	var old [][]byte
	for h, err := range handedIns.ScanIndex(c, "time", store.Range{End: key(c.now.Add(-handedInKept))}) {
		if err != nil {
			return err
		}
		if old = append(old, key(h.By, h.Key)); len(old) == handedInAtOnce {
			break
		}
	}
	for _, id := range old {
		if err := handedIns.Delete(c, id); err != nil {
			return err
		}
	}
	return nil
}
