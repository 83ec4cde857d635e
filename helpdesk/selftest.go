package helpdesk

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// SelfTest is a mail that the server sends to itself, to know that mail arrives.
// There is one at a time. It is no ticket and no message, and counts in no ledger:
// this record and its source are all there is of it, and the source goes once it
// was read back.
type SelfTest struct {
	// Token is in the address that takes it, and is good for this one mail.
	Token string
	SentAt,
	// TakenAt is when it was durable, zero before.
	TakenAt time.Time
	ID     string // under which its source is kept, "" for none
	Digest string // SHA-256 of the source, hex
	// GoodAt is when one was last read back whole, Took how long that one took from
	// the connection to then.
	GoodAt time.Time
	Took   time.Duration
}

const (
	selfTestPrefix = "self-test+"
	selfTestSoon   = time.Minute // after the start: what is out of order then shall show
)

var selfTests = store.NewTable(store.Spec[SelfTest]{Name: "selftest", Version: 1,
	Key: func(*SelfTest) []byte { return key("house") }})

func readSelfTest(r store.Reader) (*SelfTest, error) {
	t, err := selfTests.Get(r, key("house"))
	if errors.Is(err, store.ErrNotFound) {
		return &SelfTest{}, nil
	}
	return t, err
}

// SelfTest returns how the last one fared.
func (d *Desk) SelfTest(ctx context.Context) (t *SelfTest, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		t, err = readSelfTest(r)
		return err
	})
	return t, err
}

// BeginSelfTest makes an address for one mail; the one before is good for nothing
// any more, and nothing is left of it.
func (d *Desk) BeginSelfTest(ctx context.Context) (local string, err error) {
	token := newToken()
	err = d.update(ctx, System("self test"), func(c *command) error {
		t, err := readSelfTest(c)
		if err != nil {
			return err
		}
		if err := c.forgetSelfTest(t); err != nil {
			return err
		}
		t.Token, t.SentAt, t.TakenAt = token, c.now, time.Time{}
		return selfTests.Put(c, t)
	})
	return selfTestPrefix + token, err
}

func (c *command) forgetSelfTest(t *SelfTest) error {
	id := t.ID
	t.ID, t.Digest, t.Token = "", "", ""
	if id == "" {
		return nil
	}
	return raws.Delete(c, key(id))
}

// IsSelfTest reports whether an address is that of the self test under way.
func (d *Desk) IsSelfTest(ctx context.Context, address string) (bool, error) {
	token, ok := selfTestToken(address)
	if !ok {
		return false, nil
	}
	t, err := d.SelfTest(ctx)
	return err == nil && t.is(token), err
}

func selfTestToken(address string) (string, bool) {
	local, _, _ := cutLast(strings.ToLower(address), "@")
	return strings.CutPrefix(local, selfTestPrefix)
}

func (t *SelfTest) is(token string) bool {
	return len(token) == tokenLength && subtle.ConstantTimeCompare([]byte(t.Token), []byte(token)) == 1
}

// ReceiveSelfTest takes the self test's mail: it goes the way of every mail but for
// the ticket. Examined, its source compressed, durable when it returns.
func (d *Desk) ReceiveSelfTest(ctx context.Context, address string, in Incoming) error {
	token, _ := selfTestToken(address)
	a := d.examine(in)
	sum := sha256.Sum256(in.Raw)
	return d.update(ctx, System("self test"), func(c *command) error {
		t, err := readSelfTest(c)
		if err != nil {
			return err
		}
		if !t.is(token) || !t.TakenAt.IsZero() {
			return &RecipientError{Address: address, Problem: RecipientUnknown}
		}
		if err := raws.Put(c, key(a.message.ID), a.raw); err != nil {
			return err
		}
		t.ID, t.Digest, t.TakenAt = a.message.ID, hex.EncodeToString(sum[:]), c.now
		return selfTests.Put(c, t)
	})
}

// FinishSelfTest reads the mail back, looks whether it has what was sent in it, and
// leaves nothing of it. Its error says what is missing.
func (d *Desk) FinishSelfTest(ctx context.Context, sent string, took time.Duration) error {
	var problem error
	err := d.update(ctx, System("self test"), func(c *command) error {
		t, err := readSelfTest(c)
		if err != nil {
			return err
		}
		if problem = t.check(c, sent); problem == nil {
			t.GoodAt, t.Took = c.now, took
		}
		if err := c.forgetSelfTest(t); err != nil {
			return err
		}
		return selfTests.Put(c, t)
	})
	return errors.Join(err, problem)
}

func (t *SelfTest) check(r store.Reader, sent string) error {
	if t.ID == "" {
		return Found("self_lost", "the mail was answered 250, and it is not in the store")
	}
	raw, err := raws.Get(r, key(t.ID))
	if err != nil {
		return Found("self_unreadable", "the mail was answered 250, and its source cannot be read: %v", err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != t.Digest || !strings.Contains(string(raw), sent) {
		return Found("self_changed", "the mail was answered 250, and its source is another than was sent")
	}
	return nil
}

// ScheduleSelfTest has the self test made every so often, from soon on; never where
// every is zero.
func (d *Desk) ScheduleSelfTest(ctx context.Context, every time.Duration) error {
	return d.update(ctx, System("self test"), func(c *command) error {
		const id = "house"
		if every <= 0 {
			return c.clearTimer(TimerSelfTest, id)
		}
		due := c.now.Add(min(every, selfTestSoon))
		known, err := optional(timers.Get(c, key(string(TimerSelfTest), id)))
		if err != nil || known != nil && !known.Parked && !known.Due.After(due) {
			return err
		}
		return c.setTimer(TimerSelfTest, id, due)
	})
}

// NextSelfTest sets when the next one is made.
func (d *Desk) NextSelfTest(ctx context.Context, every time.Duration) error {
	return d.update(ctx, System("self test"), func(c *command) error {
		return c.setTimer(TimerSelfTest, "house", c.now.Add(every))
	})
}
