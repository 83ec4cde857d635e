package helpdesk

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/store"
)

// QuarantineQuery asks for a page of the quarantine, the newest first.
type QuarantineQuery struct {
	State QuarantineState // "" stands for QuarantineWaiting
	Limit int             // 50 when zero, at most 200
	After string          // where the page before ended
}

// QuarantinePage is a page of the quarantine.
type QuarantinePage struct {
	Mails []Quarantined
	Next  string // where the next page starts, "" at the end
}

// QuarantineList returns a page of the quarantined mails.
func (d *Desk) QuarantineList(ctx context.Context, a Actor, q QuarantineQuery) (page QuarantinePage, err error) {
	if err := a.may("read the quarantine", PermitQuarantine); err != nil {
		return page, err
	}
	switch q.State {
	case "":
		q.State = QuarantineWaiting
	case QuarantineWaiting, QuarantineRejected:
	default:
		return page, invalid("state", "quarantine_state", "state %q is not one of waiting, rejected", string(q.State))
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, 200)
	err = d.view(ctx, func(r store.Reader) error {
		page = QuarantinePage{}
		rng, err := q.rest()
		if err != nil {
			return err
		}
		for m, err := range quarantined.ScanIndex(r, "state", rng) {
			if err != nil {
				return err
			}
			if len(page.Mails) == q.Limit {
				last := page.Mails[q.Limit-1].Mail
				page.Next = base64.RawURLEncoding.EncodeToString(key(string(q.State), descending(last.At), last.ID))
				return nil
			}
			page.Mails = append(page.Mails, *m)
		}
		return nil
	})
	return page, err
}

// rest is what is to be read of the list. Where a page ended is a place, not a mail: that may have been let out since.
func (q *QuarantineQuery) rest() (store.Range, error) {
	state := key(string(q.State))
	rng := store.Prefix(state)
	if q.After == "" {
		return rng, nil
	}
	place, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil || !bytes.HasPrefix(place, state) {
		return rng, invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start at the newest", q.After)
	}
	rng.Start = append(place, 0xff)
	return rng, nil
}

// QuarantinedMail is a quarantined mail to be read.
type QuarantinedMail struct {
	Quarantined
	Text   string // as the mail has it, hostile in all but its form
	Proofs []Proof
}

// QuarantinedMail reads a quarantined mail. Nothing of it is marked as read or
// changed by that.
func (d *Desk) QuarantinedMail(ctx context.Context, a Actor, id string) (QuarantinedMail, error) {
	if err := a.may("read the quarantine", PermitQuarantine); err != nil {
		return QuarantinedMail{}, err
	}
	q, raw, err := d.quarantinedMail(ctx, id)
	if err != nil {
		return QuarantinedMail{}, err
	}
	return QuarantinedMail{Quarantined: *q, Text: mail.Parse(raw).Text, Proofs: proofsOf(&q.Mail)}, nil
}

// QuarantinedSource returns a quarantined mail exactly as it was received.
func (d *Desk) QuarantinedSource(ctx context.Context, a Actor, id string) ([]byte, error) {
	if err := a.may("read the quarantine", PermitQuarantine); err != nil {
		return nil, err
	}
	_, raw, err := d.quarantinedMail(ctx, id)
	return raw, err
}

// QuarantineCount returns how many quarantined mails wait for a decision, for
// those who may decide; it counts up to limit.
func (d *Desk) QuarantineCount(ctx context.Context, a Actor, limit int) (n int, err error) {
	if err := a.may("read the quarantine", PermitQuarantine); err != nil {
		return 0, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		n = 0
		for _, err := range quarantined.ScanIndexKeys(r, "state", store.Prefix(key(string(QuarantineWaiting)))) {
			if err != nil {
				return err
			}
			if n++; n >= limit && limit > 0 {
				return nil
			}
		}
		return nil
	})
	return n, err
}

// explainQuarantined tells of a mail that is in quarantine.
func explainQuarantined(r store.Reader, id string) (Explanation, error) {
	q, err := quarantined.Get(r, key(id))
	if q, err = found(q, err, "message", id); err != nil {
		return Explanation{}, err
	}
	raw, err := raws.Get(r, key(id))
	if err != nil {
		return Explanation{}, err
	}
	past := &retelling{Reader: r, message: &q.Mail, trace: &trace{}}
	if err := past.arrival(raw); err != nil {
		return Explanation{}, err
	}
	past.trace.add(StepQuarantined, "suspicion", string(q.Why.Kind), "note", q.Why.Detail)
	e := explain(&q.Mail)
	err = past.timers(id, TimerPurge)
	e.Steps = past.trace.steps
	return e, err
}

// findQuarantined returns the quarantined mails that an ID or a Message-ID names.
func findQuarantined(r store.Reader, what string) (list []Message, err error) {
	q, err := optional(quarantined.Get(r, key(strings.ToUpper(what))))
	if err != nil || q != nil {
		if q != nil {
			list = append(list, q.Mail)
		}
		return list, err
	}
	for q, err := range quarantined.ScanIndex(r, "messageid", store.Prefix(key(strings.Trim(what, "<> ")))) {
		if err != nil {
			return nil, err
		}
		list = append(list, q.Mail)
	}
	return list, nil
}

// verifyQuarantine follows each quarantined mail to its source, and each rejected
// one to the timer that will purge it.
func verifyQuarantine(ctx context.Context, r store.Reader) (problems []string, err error) {
	for q, err := range readable(r, quarantined.Scan(r, store.Range{})) {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		id := q.Mail.ID
		if _, err := raws.Get(r, key(id)); err != nil {
			problems = append(problems, fmt.Sprintf("the source of quarantined mail %s cannot be read: %v", id, err))
		}
		has, err := timers.Has(r, key(string(TimerPurge), id))
		if err != nil {
			return problems, err
		}
		if has != (q.State == QuarantineRejected) {
			problems = append(problems, fmt.Sprintf("quarantined mail %s is %s; has a timer that deletes it: %t", id, q.State, has))
		}
		m, err := messages.First(r, "identity", identityKey(q.Mail.Identity))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return problems, err
		}
		if err == nil {
			problems = append(problems, fmt.Sprintf("quarantined mail %s is message %s of ticket %d too", id, m.ID, m.Ticket))
		}
	}
	return problems, nil
}
