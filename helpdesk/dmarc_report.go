package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
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

// MessageReport is the state of a mail that was an aggregate report, in receipts;
// no stored message has it.
const MessageReport MessageState = "report"

// ReasonReport is the reason of such a mail.
const ReasonReport Reason = "report"

// Bounds of what is kept of reports.
const (
	maxReportSources = 500
	maxReportsADay   = 1000
	reportsKept      = 400 * 24 * time.Hour
	reportsAtOnce    = 50 // that are cleared away by one new report
)

// toReports tells whether a mail is for the address of aggregate reports alone.
func (o Options) toReports(recipients []string) bool {
	return o.ReportAddress != "" && len(recipients) > 0 &&
		!slices.ContainsFunc(recipients, func(r string) bool { return !strings.EqualFold(strings.TrimSpace(r), o.ReportAddress) })
}

// readReport looks for an aggregate report in the files of a mail. problem says
// why there is none that counts.
func readReport(m *mail.Message, now time.Time) (found *report.Aggregate, problem string) {
	problem = "it has no file with a report"
	for _, f := range m.Attachments {
		a, err := report.Read(f.Data, now)
		if err == nil {
			return a, ""
		}
		if len(f.Data) > 0 {
			problem = err.Error()
		}
	}
	return nil, problem
}

// receiveReport keeps the report that a mail brings. A mail that brings none, or
// that anybody could have sent, goes to quarantine.
func (c *command) receiveReport(a *arrival) (Receipt, error) {
	m := a.message
	m.Paths = m.Envelope.Recipients
	problem, err := c.reportProblem(a)
	if err != nil {
		return Receipt{}, err
	}
	if problem != nil && a.released {
		return Receipt{}, conflict("quarantine_no_report", "the mail is for the address of reports, and no report can be taken from it: %s; reject it", problem.Detail)
	}
	earlier, err := c.arrivedAgain(&m)
	if err != nil {
		return Receipt{}, err
	}
	if problem != nil {
		if earlier != nil {
			return c.quarantineAgain(earlier, &m)
		}
		if err := c.keepSource(a); err != nil {
			return Receipt{}, err
		}
		return c.quarantine(&m, a.size, *problem)
	}
	if earlier != nil {
		if err := c.supersede(earlier); err != nil {
			return Receipt{}, err
		}
	}
	return c.keepReport(a)
}

// reportProblem says why a mail's report is not believed, nil where it is.
func (c *command) reportProblem(a *arrival) (*Suspicion, error) {
	if a.report == nil {
		return &Suspicion{SuspectReport, a.noReport}, nil
	}
	auth := a.message.Authentication
	signed := slices.ContainsFunc(auth.DKIM, func(s AuthResult) bool { return s.Result == "pass" })
	if !a.released && !signed && auth.Trust() != TrustVerified {
		return &Suspicion{Kind: SuspectReportUnproven}, nil
	}
	if _, err := aliases.First(c, "domain", key(a.report.Domain)); errors.Is(err, store.ErrNotFound) {
		return &Suspicion{SuspectReportDomain, a.report.Domain}, nil
	} else if err != nil {
		return nil, err
	}
	today := 0
	for _, err := range dmarcReports.ScanIndexKeys(c, "arrival", store.Range{Start: key(c.now.Add(-24 * time.Hour))}) {
		if err != nil {
			return nil, err
		}
		today++
	}
	if today >= maxReportsADay && !a.released {
		return &Suspicion{SuspectReport, fmt.Sprintf("%d reports within a day are enough", maxReportsADay)}, nil
	}
	return nil, nil
}

// keepReport stores a report, once.
func (c *command) keepReport(a *arrival) (Receipt, error) {
	r := newDMARCReport(a)
	receipt := Receipt{MessageID: r.ID, State: MessageReport, Reason: ReasonReport}
	known, err := optional(dmarcReports.First(c, "identity", key(r.Domain, r.Organisation, r.ReportID)))
	if err != nil {
		return Receipt{}, err
	}
	if a.released { // its source is not needed any more
		if err := raws.Delete(c, key(r.ID)); err != nil {
			return Receipt{}, err
		}
	}
	switch {
	case known != nil && a.released:
		if err := c.account(r.At, -1, 0); err != nil {
			return Receipt{}, err
		}
		fallthrough
	case known != nil:
		receipt.MessageID, receipt.Duplicate = known.ID, true
		return receipt, c.account(r.At, 0, 1)
	case !a.released:
		if err := c.account(r.At, 1, 0); err != nil {
			return Receipt{}, err
		}
	}
	if err := dmarcReports.Put(c, r); err != nil {
		return Receipt{}, err
	}
	if err := c.clearReports(); err != nil {
		return Receipt{}, err
	}
	_, err = c.record(Event{Kind: EventReportReceived, Data: map[string]string{"domain": r.Domain, "from": r.Organisation, "report": r.ReportID}})
	return receipt, err
}

// clearReports deletes reports whose time is over.
func (c *command) clearReports() error {
	var old []*DMARCReport
	for r, err := range dmarcReports.ScanIndex(c, "arrival", store.Range{End: key(c.now.Add(-reportsKept))}) {
		if err != nil {
			return err
		}
		if old = append(old, r); len(old) == reportsAtOnce {
			break
		}
	}
	for _, r := range old {
		if err := c.accountPurged(r.At); err != nil {
			return err
		}
		if err := dmarcReports.Delete(c, key(r.ID)); err != nil {
			return err
		}
	}
	return nil
}

func newDMARCReport(a *arrival) *DMARCReport {
	from := a.report
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

// reportMails are the times at which the reports came, for the ledger.
func reportMails(r store.Reader, from, to time.Time) iter.Seq2[time.Time, error] {
	return arrivalsOf(dmarcReports, r, from, to)
}

var dmarcReports = store.NewTable(store.Spec[DMARCReport]{Name: "dmarcreport", Version: 1,
	Key: func(r *DMARCReport) []byte { return key(r.ID) },
	Indexes: []store.Index[DMARCReport]{
		{Name: "identity", Unique: true, Keys: func(r *DMARCReport) [][]byte { return one(key(r.Domain, r.Organisation, r.ReportID)) }},
		{Name: "arrival", Keys: func(r *DMARCReport) [][]byte { return one(key(r.At)) }},
	}})
