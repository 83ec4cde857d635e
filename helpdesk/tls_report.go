package helpdesk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// TLSResult is how the encryption of one connection to a recipient's mail host
// came out, in the words of RFC 8460 (section 4).
type TLSResult struct {
	Domain                string
	Policy                string // "sts", "tlsa" or "no-policy-found"
	Text, MX              []string
	Host, Address, Sender string
	Result, Reason        string // of a failure; an empty Result is a success
}

// TLSDay is what came of the connections to one domain on one day of UTC. It is
// kept until its report is sent, or nobody wants one.
type TLSDay struct {
	Day      string // 2026-11-22
	Domain   string
	Policies []TLSPolicyDay
}

// TLSPolicyDay is that under one policy.
type TLSPolicyDay struct {
	Policy             string
	Text, MX           []string
	Successful, Failed int
	Failures           []TLSFailure
}

// TLSFailure counts connections that failed alike.
type TLSFailure struct {
	Result, Host, Address, Sender, Reason string
	Count                                 int
}

// Bounds of what is kept: names and reasons are those of strangers.
const (
	maxTLSDomains  = 5000 // a day
	maxTLSPolicies = 4    // a domain
	maxTLSFailures = 20   // a policy; more are only counted
	tlsDaysKept    = 3    // days that a report is tried
)

var tlsDays = store.NewTable(store.Spec[TLSDay]{Name: "tls_day", Version: 1,
	Key: func(t *TLSDay) []byte { return key(t.Day, t.Domain) }})

// CountTLS counts a connection for the report of its day. Beyond 5000 domains
// a day nothing is counted of further ones.
func (d *Desk) CountTLS(ctx context.Context, result TLSResult) error {
	return d.update(ctx, System("delivery"), func(c *command) error {
		id := key(dayOf(c.now), strings.ToLower(result.Domain))
		t, err := optional(tlsDays.Get(c, id))
		if err != nil {
			return err
		}
		if t == nil {
			full, err := c.tlsDayFull(dayOf(c.now))
			if err != nil || full {
				return err
			}
			t = &TLSDay{Day: dayOf(c.now), Domain: strings.ToLower(result.Domain)}
		}
		if !t.count(result) {
			return nil
		}
		return tlsDays.Put(c, t)
	})
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func (c *command) tlsDayFull(day string) (bool, error) {
	n := 0
	for _, err := range tlsDays.Scan(c, store.Prefix(key(day))) {
		if err != nil {
			return false, err
		}
		if n++; n >= maxTLSDomains {
			return true, nil
		}
	}
	return false, nil
}

// count adds a connection; false where there is no room for its policy.
func (t *TLSDay) count(r TLSResult) bool {
	i := slices.IndexFunc(t.Policies, func(p TLSPolicyDay) bool { return p.Policy == r.Policy && slices.Equal(p.Text, r.Text) })
	if i < 0 {
		if len(t.Policies) == maxTLSPolicies {
			return false
		}
		i = len(t.Policies)
		t.Policies = append(t.Policies, TLSPolicyDay{Policy: r.Policy, Text: r.Text, MX: r.MX})
	}
	p := &t.Policies[i]
	if r.Result == "" {
		p.Successful++
		return true
	}
	p.Failed++
	f := TLSFailure{Result: r.Result, Host: r.Host, Address: r.Address, Sender: r.Sender, Reason: clipDetail(r.Reason)}
	for j := range p.Failures {
		known := p.Failures[j]
		if known.Count = 0; known == f {
			p.Failures[j].Count++
			return true
		}
	}
	if len(p.Failures) < maxTLSFailures {
		f.Count = 1
		p.Failures = append(p.Failures, f)
	}
	return true
}

// TLSDays returns up to limit domains whose day is over, the oldest first.
// What could not be reported for three days is forgotten by the way.
func (d *Desk) TLSDays(ctx context.Context, limit int) (list []TLSDay, err error) {
	var old []TLSDay
	err = d.view(ctx, func(r store.Reader) error {
		list, old = nil, nil
		for t, err := range tlsDays.Scan(r, store.Range{End: key(dayOf(d.now()))}) {
			if err != nil {
				return err
			}
			if t.Day < dayOf(d.now().AddDate(0, 0, -tlsDaysKept)) {
				old = append(old, *t)
				continue
			}
			if list = append(list, *t); len(list) == limit {
				break
			}
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return list, err
	}
	return list, d.update(ctx, System("tls reports"), func(c *command) error {
		for _, t := range old {
			if err := tlsDays.Delete(c, key(t.Day, t.Domain)); err != nil {
				return err
			}
		}
		return nil
	})
}

// TLSReport is a report on its way by mail.
type TLSReport struct {
	From, To string
	Raw      []byte
}

// EndTLSDay forgets a domain's day, once its reports are queued in the same
// transaction, or where nobody wants any.
func (d *Desk) EndTLSDay(ctx context.Context, day, domain string, reports ...TLSReport) error {
	blobs := make([]store.Blob, len(reports))
	for i, r := range reports {
		blobs[i] = store.Compress(r.Raw)
	}
	return d.update(ctx, System("tls reports"), func(c *command) error {
		if has, err := tlsDays.Has(c, key(day, domain)); err != nil || !has {
			return err
		}
		for i, r := range reports {
			delivery := &Delivery{ID: c.desk.newID(), Recipient: r.To, EnvelopeFrom: r.From, Report: true, State: DeliveryDeferred, CreatedAt: c.now, NextAt: c.now}
			delivery.RawID = delivery.ID
			if err := errors.Join(raws.Put(c, key(delivery.RawID), blobs[i]), c.putHouseDelivery(delivery)); err != nil {
				return err
			}
		}
		return tlsDays.Delete(c, key(day, domain))
	})
}

// tlsReportTimer is the one TimerTLSReport.
const tlsReportTimer = "day"

// ScheduleTLSReports begins the daily reports, or ends them.
func (d *Desk) ScheduleTLSReports(ctx context.Context, on bool) error {
	return d.update(ctx, System("tls reports"), func(c *command) error {
		has, err := timers.Has(c, key(string(TimerTLSReport), tlsReportTimer))
		switch {
		case err != nil || has == on:
			return err
		case on:
			return c.setTimer(TimerTLSReport, tlsReportTimer, c.now)
		}
		return c.clearTimer(TimerTLSReport, tlsReportTimer)
	})
}

// NextTLSReports moves the timer to when it is to work again.
func (d *Desk) NextTLSReports(ctx context.Context, at time.Time) error {
	return d.update(ctx, System("tls reports"), func(c *command) error {
		return c.setTimer(TimerTLSReport, tlsReportTimer, at)
	})
}
