package main_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
	"github.com/madoguchi/madoguchi/smtpd/tlsrpt"
)

// TestReportsOnDomainsThroughTheRealPort has a receiver report on a domain of the
// house: mails with real signatures, over the real port, up to the page and the API.
// What is not signed as it should be waits in quarantine.
func TestReportsOnDomainsThroughTheRealPort(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, not passed: -short leaves out the reports on domains")
	}
	t.Parallel()
	z := dnstest.ServeZone(t, dkimRecord(t, "receiver.test", "s1", dkimKey()), `_dmarc.receiver.test. 60 IN TXT "v=DMARC1; p=none"`)
	data := newDesk(t)
	config := writeConfig(t, fmt.Sprintf("[server]\nhostname = \"mx.desk.test\"\n[ai]\nenabled = false\n[reports]\ndmarc = \"reports@desk.test\"\n[dns]\nresolver = %q\n", z.Address))
	s := start(t, data, "--config", config)
	begin := time.Now().Add(-30 * time.Hour).Truncate(time.Second)
	report := func(id, dkim string) []byte {
		text := fmt.Sprintf(`<feedback><report_metadata><org_name>Receiver</org_name><report_id>%s</report_id><date_range><begin>%d</begin><end>%d</end></date_range></report_metadata><policy_published><domain>desk.test</domain><p>quarantine</p></policy_published>
<record><row><source_ip>203.0.113.77</source_ip><count>1234</count><policy_evaluated><disposition>none</disposition><dkim>%[4]s</dkim><spf>%[4]s</spf></policy_evaluated></row><identifiers><header_from>desk.test</header_from></identifiers></record></feedback>`,
			id, begin.Unix(), begin.Add(24*time.Hour).Unix(), dkim)
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write([]byte(text))
		z.Close()
		return fmt.Appendf(nil, "From: DMARC <noreply@receiver.test>\r\nTo: reports@desk.test\r\nSubject: Report Domain: desk.test\r\nMessage-ID: <%s@receiver.test>\r\nDate: %s\r\nMIME-Version: 1.0\r\n"+
			"Content-Type: application/gzip; name=\"r.xml.gz\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n", id, time.Now().Format(time.RFC1123Z), base64.StdEncoding.EncodeToString(packed.Bytes()))
	}
	send(t, s.smtp, "noreply@receiver.test", "reports@desk.test", signed(t, "receiver.test", report("a", "fail")))
	send(t, s.smtp, "noreply@receiver.test", "reports@desk.test", report("unsigned", "pass"))
	send(t, s.smtp, "noreply@receiver.test", "reports@desk.test", bytes.Replace(signed(t, "receiver.test", report("changed", "fail")), []byte("H4sI"), []byte("H4sj"), 1))

	encryption, err := tlsrpt.Mail{From: "tls@receiver.test", To: "reports@desk.test", Domain: "desk.test", Submitter: "receiver.test", MessageID: "tls@receiver.test", Date: time.Now()}.Compose(tlsrpt.Report{
		Organization: "Receiver", ID: "t1", DateRange: tlsrpt.DateRange{Start: begin, End: begin.Add(24 * time.Hour)},
		Policies: []tlsrpt.Policy{{Policy: tlsrpt.PolicyText{Type: "sts", Text: []string{"mode: enforce"}, Domain: "desk.test"}, Summary: tlsrpt.Summary{Successful: 40, Failed: 2},
			Failures: []tlsrpt.Failure{{Result: "certificate-host-mismatch", Host: "mx.desk.test", Count: 2}}}}})
	if err != nil {
		t.Fatal(err)
	}
	send(t, s.smtp, "tls@receiver.test", "reports@desk.test", signed(t, "receiver.test", encryption))

	a := s.apiOf(t)
	var aside struct {
		Mails []struct {
			Why       string
			MessageID string `json:"message_id"`
		}
	}
	a.get(t, "/quarantine", &aside)
	why := map[string]string{}
	for _, m := range aside.Mails {
		why[m.MessageID] = m.Why
	}
	if len(why) != 2 || why["unsigned@receiver.test"] != "report_unproven" || why["changed@receiver.test"] == "" {
		t.Errorf("in quarantine: %v", why)
	}
	var senders struct {
		Domains []struct {
			Domain        string
			Mails, Proven int
		}
	}
	if status := a.do(t, http.MethodGet, "/reports/dmarc", nil, nil, &senders); status != http.StatusOK || len(senders.Domains) != 1 || senders.Domains[0].Mails != 1234 || senders.Domains[0].Proven != 0 {
		t.Errorf("status %d, %+v", status, senders)
	}
	page := s.page(t, s.login(t), "/settings/reports")
	for _, want := range []string{"desk.test", "203.0.113.77", "1,234", "証明できないまま", "証明書の名前が違います", "mx.desk.test", "MTA-STS（必須）：42 回のうち 2 回が失敗"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	wantWords(t, succeed(t, "", "dns", "desk.test", "--config", config, "--data", data), "v=TLSRPTv1; rua=mailto:reports@desk.test", "rua=mailto:reports@desk.test")
	s.stop()
	wantWords(t, succeed(t, "", "verify", "--data", data), "4 mails accepted: 0 on tickets", "2 in quarantine")
}
