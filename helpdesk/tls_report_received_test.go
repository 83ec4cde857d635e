package helpdesk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
	"github.com/madoguchi/madoguchi/smtpd/tlsrpt"
)

// encryptionReport is a mail with a report on the encryption of connections, as the
// program itself sends them, from a sender that signs it.
func encryptionReport(t *testing.T, at time.Time, id string, policies ...tlsrpt.Policy) helpdesk.Incoming {
	t.Helper()
	report := tlsrpt.Report{Organization: "Sender", Contact: "postmaster@sender.example", ID: id, Policies: policies,
		DateRange: tlsrpt.DateRange{Start: at.Add(-30 * time.Hour), End: at.Add(-6 * time.Hour)}}
	raw, err := tlsrpt.Mail{From: "postmaster@sender.example", To: reportAddress, Domain: "example.jp", Submitter: "sender.example", MessageID: id + "@sender.example", Date: at}.Compose(report)
	if err != nil {
		t.Fatal(err)
	}
	return helpdesk.Incoming{Envelope: helpdesk.Envelope{Recipients: []string{reportAddress}, MailFrom: "postmaster@sender.example", RemoteIP: "198.51.100.9"},
		Raw: raw, Message: mail.Parse(raw), ReceivedAt: at,
		Authentication: helpdesk.Authentication{DKIM: []helpdesk.AuthResult{{Result: "pass", Domain: "sender.example"}}, DMARC: helpdesk.AuthResult{Result: "none"}}}
}

func tlsPolicy(domain, kind string, successful int, failures ...tlsrpt.Failure) tlsrpt.Policy {
	p := tlsrpt.Policy{Policy: tlsrpt.PolicyText{Type: kind, Domain: domain}, Failures: failures}
	if kind == "sts" {
		p.Policy.Text = []string{"version: STSv1", "mode: enforce", "mx: mx.example.jp"}
	}
	p.Summary.Successful = successful
	for _, f := range failures {
		p.Summary.Failed += f.Count
	}
	return p
}

func TestReportsOnEncryptionAreKeptAndAddedUp(t *testing.T) {
	h := newHouse(t)
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp", Policy: helpdesk.Policy{ReportAddresses: []string{reportAddress}}})
	expired := tlsrpt.Failure{Result: "certificate-expired", Host: "mx.example.jp", Count: 3, Reason: "ended yesterday"}
	unnamed := tlsPolicy("example.jp", "no-policy-found", 5)
	unnamed.Summary.Failed = 2
	got := h.receive(encryptionReport(t, startOfTests, "1", tlsPolicy("example.jp", "sts", 90, expired, tlsrpt.Failure{Result: "starttls-not-supported", Count: 7}),
		tlsPolicy("mx.example.jp", "tlsa", 4), tlsPolicy("other.example", "sts", 1000), unnamed))
	if got.State != helpdesk.MessageReport || got.Ticket != 0 {
		t.Fatalf("received as %+v", got)
	}
	h.receive(encryptionReport(t, startOfTests, "2", tlsPolicy("example.jp", "sts", 10, expired)))
	again := encryptionReport(t, startOfTests, "2", tlsPolicy("example.jp", "sts", 10, expired))
	again.Message.MessageID = "another"
	if again := h.receive(again); !again.Duplicate {
		t.Errorf("the same report again: %+v", again)
	}
	h.receive(aggregate("2", "example.jp", "b", "192.0.2.1 10 pass fail")) // of the other kind, under the same number

	list, err := h.ReceivedTLSReports(t.Context(), h.admin, startOfTests.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range list {
		line := fmt.Sprintf("%s %d+%d:", d.Domain, d.Successful, d.Failed)
		for _, p := range d.Policies {
			line += fmt.Sprintf(" %s/%s %d+%d", p.Policy, p.Mode, p.Successful, p.Failed)
		}
		for _, f := range d.Failures {
			line += fmt.Sprintf(", %q %d %v %v", f.Result, f.Count, f.Hosts, f.Reasons)
		}
		lines = append(lines, line)
	}
	want := `example.jp 105+15: sts/enforce 100+13 no-policy-found/ 5+2, "starttls-not-supported" 7 [] [], "certificate-expired" 6 [mx.example.jp] [ended yesterday], "" 2 [] []` + "\nmx.example.jp 4+0: tlsa/ 4+0"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("added up:\n%s\nwant\n%s", got, want)
	}
	if total := h.ledger(helpdesk.LedgerQuery{}).Total; total.Places[helpdesk.PlaceReports] != 3 || total.Duplicates != 1 || total.Difference() != 0 {
		t.Errorf("the ledger: %+v", total)
	}

	h.pass(401 * 24 * time.Hour) // the next one clears those away
	if got := h.receive(encryptionReport(t, h.now, "3", tlsPolicy("example.jp", "sts", 1))); got.State != helpdesk.MessageReport {
		t.Errorf("a year later: %+v", got)
	}
	if total := h.ledger(helpdesk.LedgerQuery{}).Total; total.Places[helpdesk.PlaceReports] != 1 || total.Places[helpdesk.PlacePurged] != 3 || total.Difference() != 0 {
		t.Errorf("the ledger a year later: %+v", total)
	}
	h.verify()
}

// A report on encryption is believed as one on senders is.
func TestReportOnEncryptionThatIsNotBelieved(t *testing.T) {
	h := newHouse(t)
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp", Policy: helpdesk.Policy{ReportAddresses: []string{reportAddress}}})
	unsigned := encryptionReport(t, startOfTests, "1", tlsPolicy("example.jp", "sts", 1))
	unsigned.Authentication = helpdesk.Authentication{}
	id := h.receive(unsigned).MessageID
	h.receive(encryptionReport(t, startOfTests, "2", tlsPolicy("other.example", "sts", 1)))
	why := map[helpdesk.SuspicionKind]string{}
	for _, q := range h.quarantine("") {
		why[q.Why.Kind] = q.Why.Detail
	}
	if _, unproven := why[helpdesk.SuspectReportUnproven]; len(why) != 2 || !unproven || why[helpdesk.SuspectReportDomain] != "other.example" {
		t.Errorf("set aside: %v", why)
	}
	if got := h.release(id, nil); got.State != helpdesk.MessageReport {
		t.Errorf("a report that somebody vouches for: %+v", got)
	}
}
