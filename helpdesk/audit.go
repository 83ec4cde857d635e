package helpdesk

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// unaudited are the areas of events without a ticket that are daily work, or
// the machinery's own: nobody administered or reached anything.
var unaudited = map[string]bool{"timer": true, "analysis": true, "message": true, "delivery": true, "contact": true, "company": true, "draft": true, "approval": true, "reply": true}

// audited reports whether e is of administration or access. Whatever is about
// the house and not about a ticket is, so that no kind can be forgotten.
func (e *Event) audited() bool {
	area, _, _ := strings.Cut(string(e.Kind), ".")
	return e.Ticket == 0 && !unaudited[area] && e.Kind != EventAddressSuppressed && e.Actor.Kind != ActorCustomer && e.Actor.Kind != ActorModel
}

// AuditQuery asks for events of administration and access, the newest first.
type AuditQuery struct {
	UserID string // who acted, "" for anybody
	// Kind is a kind of event, or the part before its dot for all of those: "user".
	Kind     string
	From, To time.Time // From ≤ event < To; zero is open
	Limit    int       // 50 when zero, at most 1000
	After    string    // where the page before ended
}

// auditWork bounds how many events one request looks at.
const auditWork = 20_000

// Audit returns a page of the audit log and where the next one starts, "" at
// the end. Where few events fit, a page may be short and still not the last.
func (d *Desk) Audit(ctx context.Context, a Actor, q AuditQuery) (list []Event, next string, err error) {
	if err := a.may("read the audit log", PermitAudit); err != nil {
		return nil, "", err
	}
	if q.Limit <= 0 || q.Limit > 1000 {
		q.Limit = 50
	}
	rng := store.Range{Reverse: true}
	if q.After != "" {
		seq, err := strconv.ParseUint(q.After, 10, 64)
		if err != nil {
			return nil, "", invalid("after", "after_invalid", "after=%q is not from this list; leave it out to start at the newest", q.After)
		}
		rng.End = key(seq)
	}
	err = d.view(ctx, func(r store.Reader) error {
		list, next = nil, ""
		looked := 0
		var last uint64
		for e, err := range events.ScanIndex(r, "audit", rng) {
			if err != nil {
				return err
			}
			if !q.From.IsZero() && e.At.Before(q.From) && clockSlack(e.At, q.From) {
				return nil
			}
			if looked++; len(list) == q.Limit || looked > auditWork {
				next = strconv.FormatUint(last, 10)
				return nil
			}
			last = e.Seq
			if q.fits(e) {
				list = append(list, *e)
			}
		}
		return nil
	})
	return list, next, err
}

// clockSlack reports whether an event is so far before a time that no clock
// that was set back hides a later one behind it.
func clockSlack(at, from time.Time) bool { return from.Sub(at) > 24*time.Hour }

func (q *AuditQuery) fits(e *Event) bool {
	return (q.UserID == "" || e.Actor.UserID == q.UserID) &&
		(q.Kind == "" || string(e.Kind) == q.Kind || strings.HasPrefix(string(e.Kind), q.Kind+".")) &&
		(q.From.IsZero() || !e.At.Before(q.From)) && (q.To.IsZero() || e.At.Before(q.To))
}

// RecordExport checks that the actor may take a list out of the house, and
// writes into the audit log that they do. what names the list ("contacts").
func (d *Desk) RecordExport(ctx context.Context, a Actor, what string) error {
	if err := a.may("export", PermitExport); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		_, err := c.record(Event{Kind: EventExported, Data: map[string]string{"what": what}})
		return err
	})
}

// exportAudit is RecordExport for the audit log, which has a permission of its own.
func (d *Desk) exportAudit(ctx context.Context, a Actor) error {
	return d.update(ctx, a, func(c *command) error {
		_, err := c.record(Event{Kind: EventExported, Data: map[string]string{"what": "audit"}})
		return err
	})
}

// maxAuditExport bounds one export, in events.
const maxAuditExport = 100_000

// ExportAudit hands every event that fits to write, the newest first, and
// records that. More than 100,000 are refused: narrow the dates.
func (d *Desk) ExportAudit(ctx context.Context, a Actor, q AuditQuery, write func(Event) error) error {
	if err := a.may("export the audit log", PermitAudit); err != nil {
		return err
	}
	if err := d.exportAudit(ctx, a); err != nil {
		return err
	}
	q.Limit, q.After = 1000, ""
	for written := 0; ; {
		page, next, err := d.Audit(ctx, a, q)
		if err != nil {
			return err
		}
		if written += len(page); written > maxAuditExport {
			return invalid("from", "audit_too_long", "more than %d events; narrow the dates", maxAuditExport)
		}
		for _, e := range page {
			if err := write(e); err != nil {
				return fmt.Errorf("write event %d: %w", e.Seq, err)
			}
		}
		if q.After = next; next == "" {
			return nil
		}
	}
}

// tokenUseEvery is how often the use of a token is written down, from one
// address.
const tokenUseEvery = 24 * time.Hour

// UsedToken writes down that a token was used from an address, at most once a
// day while that does not change.
func (d *Desk) UsedToken(ctx context.Context, token, remoteIP string) error {
	hash := hashSecret(token)
	used := func(t *APIToken) bool { return t.UsedFrom == remoteIP && d.now().Sub(t.UsedAt) < tokenUseEvery }
	var known *APIToken
	err := d.view(ctx, func(r store.Reader) (err error) {
		known, err = apiTokens.Get(r, key(hash))
		return err
	})
	if err != nil || used(known) {
		return err
	}
	return d.update(ctx, System("token"), func(c *command) error {
		t, err := apiTokens.Get(c, key(hash))
		if err != nil || used(t) {
			return err
		}
		u, err := activeUser(c, t.UserID)
		if err != nil {
			return err
		}
		t.UsedAt, t.UsedFrom = c.now, remoteIP
		if err := apiTokens.Put(c, t); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventTokenUsed, Actor: u.Actor().WithScope(t.Scope).At(remoteIP), Data: map[string]string{"token": t.ID(), "user": u.Email}})
		return err
	})
}
