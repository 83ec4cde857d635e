package helpdesk

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/smtpd/report"
	"github.com/madoguchi/madoguchi/store"
)

// MessageReport is the state of a mail that was a report on a domain, in receipts;
// no stored message has it.
const MessageReport MessageState = "report"

// ReasonReport is the reason of such a mail.
const ReasonReport Reason = "report"

// Bounds of what is kept of reports.
const (
	maxReportsADay = 1000
	reportsKept    = 400 * 24 * time.Hour
	reportsAtOnce  = 50 // of a kind that are cleared away by one new report
)

// toReports tells whether a mail is for the addresses of reports alone.
func (p *Policy) toReports(recipients []string) bool {
	return len(recipients) > 0 && !slices.ContainsFunc(recipients, func(r string) bool {
		return !slices.ContainsFunc(p.ReportAddresses, func(ours string) bool { return ours != "" && mailboxOf(r) == ours })
	})
}

// readReport looks for a report in the files of a mail. problem says why there is
// none that counts.
func readReport(m *mail.Message, now time.Time) (found report.Report, problem string) {
	problem = "it has no file with a report"
	for _, f := range m.Attachments {
		one, err := report.Read(f.Data, now)
		if err == nil {
			return one, ""
		}
		if len(f.Data) > 0 {
			problem = err.Error()
		}
	}
	return report.Report{}, problem
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
		return Receipt{}, conflict("quarantine_no_report", "the mail is for the address of reports, and no report can be taken from it; reject it")
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
	if a.report == (report.Report{}) {
		return &Suspicion{SuspectReport, a.noReport}, nil
	}
	auth := a.message.Authentication
	signed := slices.ContainsFunc(auth.DKIM, func(s AuthResult) bool { return s.Result == "pass" })
	if !a.released && !signed && auth.Trust() != TrustVerified {
		return &Suspicion{Kind: SuspectReportUnproven}, nil
	}
	foreign, err := c.foreignDomain(a)
	if err != nil {
		return nil, err
	}
	if foreign != "" {
		return &Suspicion{SuspectReportDomain, foreign}, nil
	}
	today := 0
	for _, err := range reportMails(c, c.now.Add(-24*time.Hour), always[1]) {
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

// foreignDomain is the domain that a report is on where it is on none of ours.
func (c *command) foreignDomain(a *arrival) (string, error) {
	if a.report.DMARC != nil {
		ours, err := hasDomain(c, a.report.DMARC.Domain)
		if err != nil || ours {
			return "", err
		}
		return a.report.DMARC.Domain, nil
	}
	policies, err := c.ourPolicies(a.report.TLS)
	if err != nil || len(policies) == 0 {
		return a.report.TLS.Policies[0].Domain, err
	}
	a.policies = policies
	return "", nil
}

// hasDomain tells whether an alias is in a domain.
func hasDomain(r store.Reader, domain string) (bool, error) {
	_, err := aliases.First(r, "domain", key(domain))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// domainReport is a report on a domain of ours, of either kind, as it is kept.
type domainReport interface {
	cameAt() time.Time
	known(r store.Reader) (id string, err error) // "" where it is not there yet
	put(tx store.Tx) error
	event() map[string]string
}

func newDomainReport(a *arrival) domainReport {
	if a.report.TLS != nil {
		return newReceivedTLSReport(a)
	}
	return newDMARCReport(a)
}

// keepReport stores a report, once.
func (c *command) keepReport(a *arrival) (Receipt, error) {
	r := newDomainReport(a)
	receipt := Receipt{MessageID: a.message.ID, State: MessageReport, Reason: ReasonReport}
	known, err := r.known(c)
	if err != nil {
		return Receipt{}, err
	}
	if a.released { // its source is not needed any more
		if err := raws.Delete(c, key(a.message.ID)); err != nil {
			return Receipt{}, err
		}
	}
	switch {
	case known != "" && a.released:
		if err := c.account(r.cameAt(), -1, 0); err != nil {
			return Receipt{}, err
		}
		fallthrough
	case known != "":
		receipt.MessageID, receipt.Duplicate = known, true
		return receipt, c.account(r.cameAt(), 0, 1)
	case !a.released:
		if err := c.account(r.cameAt(), 1, 0); err != nil {
			return Receipt{}, err
		}
	}
	if err := r.put(c); err != nil {
		return Receipt{}, err
	}
	if err := c.clearReports(); err != nil {
		return Receipt{}, err
	}
	_, err = c.record(Event{Kind: EventReportReceived, Data: r.event()})
	return receipt, err
}

// clearReports deletes reports whose time is over.
func (c *command) clearReports() error {
	return errors.Join(
		clearOld(c, dmarcReports, func(r *DMARCReport) (string, time.Time) { return r.ID, r.At }),
		clearOld(c, receivedTLSReports, func(r *ReceivedTLSReport) (string, time.Time) { return r.ID, r.At }))
}

func clearOld[T any](c *command, table *store.Table[T], of func(*T) (id string, at time.Time)) error {
	var old []*T
	for r, err := range table.ScanIndex(c, "arrival", store.Range{End: key(c.now.Add(-reportsKept))}) {
		if err != nil {
			return err
		}
		if old = append(old, r); len(old) == reportsAtOnce {
			break
		}
	}
	for _, r := range old {
		id, at := of(r)
		if err := errors.Join(c.accountPurged(at), table.Delete(c, key(id))); err != nil {
			return err
		}
	}
	return nil
}

// reportMails are the times at which reports came, for the ledger.
func reportMails(r store.Reader, from, to time.Time) iter.Seq2[time.Time, error] {
	return func(yield func(time.Time, error) bool) {
		for _, kind := range []iter.Seq2[time.Time, error]{arrivalsOf(dmarcReports, r, from, to), arrivalsOf(receivedTLSReports, r, from, to)} {
			for at, err := range kind {
				if !yield(at, err) {
					return
				}
			}
		}
	}
}
