package helpdesk

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/report"
	"github.com/madoguchi/madoguchi/store"
)

// DMARCReport is what one receiver says of the mail that came in a domain's name
// within a period (RFC 7489, section 7.2).
type DMARCReport struct {
	ID           string // of the mail that brought it
	Organisation string
	ReportID     string // the organisation's own
	Domain       string
	Policy       string // that the receiver found
	Begin, End   time.Time
	At           time.Time // when it came
	Sources      []ReportSource
	// Others are the mails of the sources beyond the limit.
	Others int
}

// ReportSource is a host that sent mail in a domain's name.
type ReportSource struct {
	Address string
	Mails   int
	// DKIM and SPF count the mails of which that proved the From domain, and Proven
	// those of which either did.
	DKIM, SPF, Proven int
	// Quarantined and Rejected are those that receivers did not deliver.
	Quarantined, Rejected int
	SignedBy, Envelope    string // the domains that DKIM and SPF found, of the first of them
}

// maxReportSources bounds what is kept of one report.
const maxReportSources = 500

// newDMARCReport is the report that a mail brings, as it is kept.
func newDMARCReport(a *arrival) *DMARCReport {
	from := a.report.DMARC
	r := &DMARCReport{ID: a.message.ID, Organisation: cmp.Or(from.Organisation, from.Email), ReportID: from.ID, Domain: from.Domain, Policy: from.Policy,
		Begin: from.Begin, End: from.End, At: a.message.At}
	sums := map[string]*ReportSource{}
	for _, row := range from.Rows {
		address := row.Address.String()
		if sums[address] == nil {
			sums[address] = &ReportSource{Address: address, SignedBy: row.SignedBy, Envelope: row.Envelope}
		}
		sums[address].add(row)
	}
	for _, s := range sums {
		r.Sources = append(r.Sources, *s)
	}
	r.Sources = sortSources(r.Sources)
	for len(r.Sources) > maxReportSources {
		last := len(r.Sources) - 1
		r.Others += r.Sources[last].Mails
		r.Sources = r.Sources[:last]
	}
	return r
}

func (s *ReportSource) add(row report.Row) {
	s.Mails += row.Count
	if row.DKIM {
		s.DKIM += row.Count
	}
	if row.SPF {
		s.SPF += row.Count
	}
	if row.DKIM || row.SPF {
		s.Proven += row.Count
	}
	switch row.Disposition {
	case "quarantine":
		s.Quarantined += row.Count
	case "reject":
		s.Rejected += row.Count
	}
}

// sortSources puts the sources with most mail first.
func sortSources(list []ReportSource) []ReportSource {
	slices.SortFunc(list, func(a, b ReportSource) int {
		return cmp.Or(cmp.Compare(b.Mails, a.Mails), cmp.Compare(a.Address, b.Address))
	})
	return list
}

// DomainReports is what the receivers said of a domain's mail within a period.
type DomainReports struct {
	Domain        string
	Begin, End    time.Time // of the reports
	Organisations []string
	Mails, Proven int
	Sources       []ReportSource // the most mail first
	Others        int
}

// Advice says what is to be done about a source.
type Advice string

// The advices.
const (
	AdviceFine    Advice = "fine"    // it is proven, by DKIM at least
	AdviceNoDKIM  Advice = "no_dkim" // SPF alone proves it, which forwarding breaks
	AdvicePartly  Advice = "partly"  // some of its mail is proven
	AdviceUnknown Advice = "unknown" // nothing proves it: a service of ours that is not set up, or a forger
)

// Advice is what is to be done about s.
func (s ReportSource) Advice() Advice {
	switch {
	case s.Proven == 0:
		return AdviceUnknown
	case s.Proven*20 < s.Mails*19: // less than 95 %
		return AdvicePartly
	case s.DKIM == 0:
		return AdviceNoDKIM
	}
	return AdviceFine
}

// DMARCReports adds up the reports on each domain whose periods ended since a
// time, by the domains' names.
func (d *Desk) DMARCReports(ctx context.Context, a Actor, since time.Time) (list []DomainReports, err error) {
	if err := a.may("read the reports on domains", PermitAliases); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		sums := map[string]*DomainReports{}
		for one, err := range dmarcReports.ScanIndex(r, "arrival", store.Range{Start: key(since)}) {
			if err != nil {
				return err
			}
			if sums[one.Domain] == nil {
				sums[one.Domain] = &DomainReports{Domain: one.Domain, Begin: one.Begin}
			}
			sums[one.Domain].add(one)
		}
		list = nil
		for _, s := range sums {
			slices.Sort(s.Organisations)
			s.Sources = sortSources(s.Sources)
			list = append(list, *s)
		}
		slices.SortFunc(list, func(a, b DomainReports) int { return cmp.Compare(a.Domain, b.Domain) })
		return nil
	})
	return list, err
}

func (d *DomainReports) add(r *DMARCReport) {
	d.Begin = earlier(d.Begin, r.Begin)
	if r.End.After(d.End) {
		d.End = r.End
	}
	d.Organisations = appendNew(d.Organisations, r.Organisation)
	d.Others += r.Others
	d.Mails += r.Others
	for _, s := range r.Sources {
		d.Mails += s.Mails
		d.Proven += s.Proven
		i := slices.IndexFunc(d.Sources, func(known ReportSource) bool { return known.Address == s.Address })
		if i < 0 {
			d.Sources = append(d.Sources, s)
			continue
		}
		known := &d.Sources[i]
		known.Mails += s.Mails
		known.DKIM += s.DKIM
		known.SPF += s.SPF
		known.Proven += s.Proven
		known.Quarantined += s.Quarantined
		known.Rejected += s.Rejected
	}
}

var dmarcReports = store.NewTable(store.Spec[DMARCReport]{Name: "dmarcreport", Version: 1,
	Key: func(r *DMARCReport) []byte { return key(r.ID) },
	Indexes: []store.Index[DMARCReport]{
		{Name: "identity", Unique: true, Keys: func(r *DMARCReport) [][]byte { return one(r.identity()) }},
		{Name: "arrival", Keys: func(r *DMARCReport) [][]byte { return one(key(r.At)) }},
	}})

func (r *DMARCReport) identity() []byte { return key(r.Domain, r.Organisation, r.ReportID) }

func (r *DMARCReport) cameAt() time.Time { return r.At }

func (r *DMARCReport) known(from store.Reader) (string, error) {
	known, err := optional(dmarcReports.First(from, "identity", r.identity()))
	if known == nil {
		return "", err
	}
	return known.ID, nil
}

func (r *DMARCReport) put(tx store.Tx) error { return dmarcReports.Put(tx, r) }

func (r *DMARCReport) event() map[string]string {
	return map[string]string{"kind": "dmarc", "domain": r.Domain, "from": r.Organisation, "report": r.ReportID}
}
