package helpdesk

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/report"
	"github.com/madoguchi/madoguchi/store"
)

// ReceivedTLSReport is what one sender says of the encryption of its connections to
// our mail hosts within a period (RFC 8460).
type ReceivedTLSReport struct {
	ID                    string // of the mail that brought it
	Organisation          string
	ReportID              string // the organisation's own
	Begin, End            time.Time
	At                    time.Time // when it came
	Policies              []ReceivedTLSPolicy
	OtherPolicies, Others int // beyond the limits: policies, and connections that failed
}

// ReceivedTLSPolicy is that under one policy which the sender found.
type ReceivedTLSPolicy struct {
	Domain             string // one of ours; with DANE it can be the mail host's name
	Policy             string // "sts", "tlsa" or "no-policy-found"
	Mode               string // of an MTA-STS policy: "enforce", "testing" or "none"
	Successful, Failed int    // connections
	Failures           []TLSFailure
}

// maxReceivedTLSFailures bounds what is kept of a policy; more are only counted.
const maxReceivedTLSFailures = 50

var receivedTLSReports = store.NewTable(store.Spec[ReceivedTLSReport]{Name: "tlsreport", Version: 1,
	Key: func(r *ReceivedTLSReport) []byte { return key(r.ID) },
	Indexes: []store.Index[ReceivedTLSReport]{
		{Name: "identity", Unique: true, Keys: func(r *ReceivedTLSReport) [][]byte { return one(r.identity()) }},
		{Name: "arrival", Keys: func(r *ReceivedTLSReport) [][]byte { return one(key(r.At)) }},
	}})

func (r *ReceivedTLSReport) identity() []byte {
	return key(r.Policies[0].Domain, r.Organisation, r.ReportID)
}

func (r *ReceivedTLSReport) cameAt() time.Time { return r.At }

func (r *ReceivedTLSReport) known(from store.Reader) (string, error) {
	known, err := optional(receivedTLSReports.First(from, "identity", r.identity()))
	if known == nil {
		return "", err
	}
	return known.ID, nil
}

func (r *ReceivedTLSReport) put(tx store.Tx) error { return receivedTLSReports.Put(tx, r) }

func (r *ReceivedTLSReport) event() map[string]string {
	return map[string]string{"kind": "tls", "domain": r.Policies[0].Domain, "from": r.Organisation, "report": r.ReportID}
}

// ourPolicies leaves out what a report says of others' domains. With DANE a domain
// is the mail host's name (RFC 8460, section 1.1).
func (c *command) ourPolicies(t *report.TLS) (ours []report.TLSPolicy, err error) {
	for _, p := range t.Policies {
		is, err := hasDomain(c, p.Domain)
		if err != nil {
			return nil, err
		}
		if is || strings.EqualFold(p.Domain, c.desk.options.Hostname) {
			ours = append(ours, p)
		}
	}
	return ours, nil
}

// newReceivedTLSReport is the report that a mail brings, as it is kept.
func newReceivedTLSReport(a *arrival) *ReceivedTLSReport {
	from := a.report.TLS
	r := &ReceivedTLSReport{ID: a.message.ID, Organisation: cmp.Or(from.Organisation, from.Contact), ReportID: from.ID, Begin: from.Begin, End: from.End,
		At: a.message.At, OtherPolicies: from.Left}
	for _, p := range a.policies {
		kept := ReceivedTLSPolicy{Domain: p.Domain, Policy: p.Type, Mode: modeOf(p.Text), Successful: p.Successful, Failed: p.Failed}
		r.Others += p.Left
		for _, f := range p.Failures {
			if len(kept.Failures) == maxReceivedTLSFailures {
				r.Others += f.Count
				continue
			}
			kept.Failures = append(kept.Failures, TLSFailure{Result: f.Result, Host: f.Host, Address: f.Address, Sender: f.Sender, Reason: f.Reason, Count: f.Count})
		}
		r.Policies = append(r.Policies, kept)
	}
	return r
}

// modeOf reads the mode of an MTA-STS policy (RFC 8461, section 3.2).
func modeOf(text []string) string {
	for _, line := range text {
		for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == '\n' || r == '\r' }) {
			name, value, _ := strings.Cut(part, ":")
			if mode := strings.ToLower(strings.TrimSpace(value)); strings.TrimSpace(name) == "mode" && slices.Contains([]string{"enforce", "testing", "none"}, mode) {
				return mode
			}
		}
	}
	return ""
}

// DomainTLSReports is what senders said of the encryption of connections to a
// domain's mail hosts within a period.
type DomainTLSReports struct {
	Domain             string
	Begin, End         time.Time // of the reports
	Organisations      []string
	Successful, Failed int
	Policies           []TLSPolicySum
	Failures           []TLSFailureSum // the most connections first
}

// TLSPolicySum counts the connections under one policy.
type TLSPolicySum struct {
	Policy, Mode       string
	Successful, Failed int
}

// TLSFailureSum counts the connections that failed in the same way.
type TLSFailureSum struct {
	Result        string // in the words of RFC 8460, section 4.3; "" for those nothing is said of
	Count         int
	Hosts         []string // of ours
	Organisations []string // that met it
	Reasons       []string // as they wrote them
	Last          time.Time
}

// maxSumNames bounds the names beside a sum.
const maxSumNames = 10

// ReceivedTLSReports adds up the reports on the encryption of mail to each domain
// that came since a time, by the domains' names.
func (d *Desk) ReceivedTLSReports(ctx context.Context, a Actor, since time.Time) (list []DomainTLSReports, err error) {
	if err := a.may("read the reports on domains", PermitAliases); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		sums := map[string]*DomainTLSReports{}
		for one, err := range receivedTLSReports.ScanIndex(r, "arrival", store.Range{Start: key(since)}) {
			if err != nil {
				return err
			}
			for _, p := range one.Policies {
				if sums[p.Domain] == nil {
					sums[p.Domain] = &DomainTLSReports{Domain: p.Domain, Begin: one.Begin}
				}
				sums[p.Domain].add(one, p)
			}
		}
		list = nil
		for _, domain := range slices.Sorted(maps.Keys(sums)) {
			s := sums[domain]
			slices.Sort(s.Organisations)
			slices.SortStableFunc(s.Failures, func(a, b TLSFailureSum) int { return cmp.Compare(b.Count, a.Count) })
			list = append(list, *s)
		}
		return nil
	})
	return list, err
}

func (d *DomainTLSReports) add(r *ReceivedTLSReport, p ReceivedTLSPolicy) {
	d.Begin = earlier(d.Begin, r.Begin)
	if r.End.After(d.End) {
		d.End = r.End
	}
	d.Organisations = appendNew(d.Organisations, r.Organisation)
	d.Successful += p.Successful
	d.Failed += p.Failed
	i := slices.IndexFunc(d.Policies, func(known TLSPolicySum) bool { return known.Policy == p.Policy && known.Mode == p.Mode })
	if i < 0 {
		i = len(d.Policies)
		d.Policies = append(d.Policies, TLSPolicySum{Policy: p.Policy, Mode: p.Mode})
	}
	d.Policies[i].Successful += p.Successful
	d.Policies[i].Failed += p.Failed
	unsaid := p.Failed
	for _, f := range p.Failures {
		unsaid -= f.Count
		d.fail(r, f)
	}
	if unsaid > 0 {
		d.fail(r, TLSFailure{Count: unsaid})
	}
}

func (d *DomainTLSReports) fail(r *ReceivedTLSReport, f TLSFailure) {
	i := slices.IndexFunc(d.Failures, func(known TLSFailureSum) bool { return known.Result == f.Result })
	if i < 0 {
		i = len(d.Failures)
		d.Failures = append(d.Failures, TLSFailureSum{Result: f.Result})
	}
	sum := &d.Failures[i]
	sum.Count += f.Count
	if r.End.After(sum.Last) {
		sum.Last = r.End
	}
	for list, name := range map[*[]string]string{&sum.Hosts: f.Host, &sum.Organisations: r.Organisation, &sum.Reasons: f.Reason} {
		if name != "" && len(*list) < maxSumNames {
			*list = appendNew(*list, name)
		}
	}
}
