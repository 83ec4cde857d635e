package helpdesk_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd/mail"
)

const reportAddress = "dmarc-reports@example.jp"

// aggregate is a mail with a report on a domain, from a receiver that signs it.
func aggregate(id, domain, messageID string, sources ...string) helpdesk.Incoming {
	var rows strings.Builder
	for _, s := range sources {
		f := strings.Fields(s) // address, count, DKIM, SPF
		fmt.Fprintf(&rows, `<record><row><source_ip>%s</source_ip><count>%s</count><policy_evaluated><disposition>none</disposition><dkim>%s</dkim><spf>%s</spf></policy_evaluated></row><identifiers><header_from>%s</header_from></identifiers></record>`,
			f[0], f[1], f[2], f[3], domain)
	}
	document := fmt.Sprintf(`<feedback><report_metadata><org_name>receiver.example</org_name><report_id>%s</report_id><date_range><begin>%d</begin><end>%d</end></date_range></report_metadata><policy_published><domain>%s</domain><p>none</p></policy_published>%s</feedback>`,
		id, startOfTests.Add(-30*time.Hour).Unix(), startOfTests.Add(-6*time.Hour).Unix(), domain, rows.String())
	raw := "From: noreply@receiver.example\r\nTo: " + reportAddress + "\r\nMessage-ID: <" + messageID + "@receiver.example>\r\nSubject: Report Domain: " + domain + "\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: application/xml; name=\"r.xml\"\r\nContent-Disposition: attachment; filename=\"r.xml\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(document)) + "\r\n"
	return helpdesk.Incoming{Envelope: helpdesk.Envelope{Recipients: []string{reportAddress}, MailFrom: "noreply@receiver.example", RemoteIP: "198.51.100.9"},
		Raw: []byte(raw), Message: mail.Parse([]byte(raw)), ReceivedAt: startOfTests,
		Authentication: helpdesk.Authentication{DKIM: []helpdesk.AuthResult{{Result: "pass", Domain: "receiver.example"}}, DMARC: helpdesk.AuthResult{Result: "none"}}}
}

// A report is no mail to anybody: it is read, kept once and added up.
func TestAggregateReportsAreKeptAndAddedUp(t *testing.T) {
	h := newHouse(t)
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp", Policy: helpdesk.Policy{ReportAddresses: []string{reportAddress}}})
	ctx := t.Context()
	if err := h.Recipient(ctx, strings.ToUpper(reportAddress)); err != nil {
		t.Errorf("the address of reports is refused: %v", err)
	}
	got := h.receive(aggregate("1", "example.jp", "a", "192.0.2.1 90 pass pass", "192.0.2.2 30 fail pass", "192.0.2.3 5 fail fail"))
	if got.State != helpdesk.MessageReport || got.Ticket != 0 {
		t.Fatalf("received as %+v", got)
	}
	h.receive(aggregate("2", "example.jp", "b", "192.0.2.1 10 pass fail"))
	if again := h.receive(aggregate("2", "example.jp", "c", "192.0.2.1 10 pass fail")); !again.Duplicate {
		t.Errorf("the same report again: %+v", again)
	}
	list, err := h.DMARCReports(ctx, h.admin, startOfTests.Add(-time.Hour))
	if err != nil || len(list) != 1 {
		t.Fatalf("%d domains, %v", len(list), err)
	}
	var lines []string
	for _, s := range list[0].Sources {
		lines = append(lines, fmt.Sprintf("%s %d/%d %s", s.Address, s.Proven, s.Mails, s.Advice()))
	}
	if want := "192.0.2.1 100/100 fine, 192.0.2.2 30/30 no_dkim, 192.0.2.3 0/5 unknown"; strings.Join(lines, ", ") != want || list[0].Mails != 135 || list[0].Proven != 130 {
		t.Errorf("%+v: %q, want %q", list[0], lines, want)
	}
	if n, err := h.CountTickets(ctx, h.admin, helpdesk.TicketQuery{View: helpdesk.ViewAll}); err != nil || n != 0 {
		t.Errorf("%d tickets, %v", n, err)
	}
	h.pass(401 * 24 * time.Hour)
	in := aggregate("3", "example.jp", "d", "192.0.2.1 1 pass pass")
	in.ReceivedAt = h.now
	if got := h.receive(in); got.State != helpdesk.MessageQuarantined {
		t.Errorf("a report on a period of last year: %+v", got)
	}
}

// What is sent to the address of reports and is none, or could be from anybody,
// waits in quarantine with the reason.
func TestMailThatIsNoReportIsSetAside(t *testing.T) {
	h := newHouse(t)
	h.restartWith(helpdesk.Options{PasswordMemory: 64, Hostname: "mx.example.jp", Policy: helpdesk.Policy{ReportAddresses: []string{reportAddress}}})
	ctx := t.Context()
	unsigned := aggregate("1", "example.jp", "a", "192.0.2.1 9 pass pass")
	unsigned.Authentication = helpdesk.Authentication{}
	aside := map[helpdesk.SuspicionKind]helpdesk.Receipt{
		helpdesk.SuspectReportUnproven: h.receive(unsigned),
		helpdesk.SuspectReportDomain:   h.receive(aggregate("1", "other.example", "b")),
		helpdesk.SuspectReport:         h.receive(incoming(reportAddress, "From: x@receiver.example\r\nMessage-ID: <c@x>\r\n\r\nHello\r\n", startOfTests)),
	}
	for _, q := range h.quarantine("") {
		if aside[q.Why.Kind].MessageID != q.Mail.ID {
			t.Errorf("%s is set aside: %+v", q.Mail.MessageID, q.Why)
		}
	}
	if got := h.release(aside[helpdesk.SuspectReportUnproven].MessageID, nil); got.State != helpdesk.MessageReport {
		t.Errorf("a report that somebody vouches for: %+v", got)
	}
	_, err := h.Release(ctx, h.admin, aside[helpdesk.SuspectReport].MessageID, nil)
	wantCode(t, err, helpdesk.CodeConflict, "no report can be taken")
	if len(h.quarantine("")) != 2 {
		t.Errorf("%d are left", len(h.quarantine("")))
	}
}

// What takes reports can be no alias; one that was one before can still be put out of use.
func TestReportAddressesAreNoAliases(t *testing.T) {
	h := newHouse(t)
	older, err := h.SaveAlias(t.Context(), h.admin, helpdesk.Alias{Address: "older@example.jp", Name: "Older"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.SetPolicy(t.Context(), h.admin, helpdesk.Policy{ReportAddresses: []string{"reports@example.jp", "older@example.jp"}}); err != nil {
		t.Fatal(err)
	}
	refused := func(alias helpdesk.Alias) {
		t.Helper()
		_, err := h.SaveAlias(t.Context(), h.admin, alias)
		if helpdesk.CodeOf(err) != helpdesk.CodeInvalid || !strings.Contains(err.Error(), "takes reports") {
			t.Errorf("alias %s: %v", alias.Address, err)
		}
	}
	refused(helpdesk.Alias{Address: "Reports@EXAMPLE.jp"})
	refused(helpdesk.Alias{Address: `"reports"@example.jp`})
	moved := h.alias
	moved.Address = "reports@example.jp"
	refused(moved)
	older.Disabled = true
	if _, err := h.SaveAlias(t.Context(), h.admin, *older); err != nil {
		t.Errorf("an alias that takes reports cannot be put out of use: %v", err)
	}
}
