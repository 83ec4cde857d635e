package report_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/report"
)

// encryption is a report as RFC 8460, appendix B, has it, with the quirks that
// reporters show: a count in quotes, a list of one as a string, the draft's name of
// the reason.
const encryption = `{"organization-name":"Company-X","date-range":{"start-datetime":"2026-11-20T00:00:00Z","end-datetime":"2026-11-20T23:59:59Z"},
"contact-info":"sts-reporting@company-x.example","report-id":"5065427c-23d3","policies":[
{"policy":{"policy-type":"sts","policy-string":["version: STSv1","mode: testing"],"policy-domain":"Example.JP.","mx-host":"*.mail.example.jp"},
 "summary":{"total-successful-session-count":5326,"total-failure-session-count":"303"},
 "failure-details":[{"result-type":"certificate-expired","sending-mta-ip":"2001:db8:abcd:0012::1","receiving-mx-hostname":"MX1.mail.example.jp","failed-session-count":100},
 {"result-type":"starttls-not-supported","sending-mta-ip":"192.0.2.9","receiving-mx-hostname":"mx2.mail.example.jp","receiving-ip":"203.0.113.56","failed-session-count":200,"additional-information":"https://reports.company-x.example/"},
 {"result-type":"validation-failure","failed-session-count":3,"failure-error-code":"X509_V_ERR\u0007_PROXY"}]},
{"policy":{"policy-type":"tlsa","policy-string":["3 0 1 1F85"],"policy-domain":"mx.example.jp"},"summary":{"total-successful-session-count":7,"total-failure-session-count":0}},
{"policy":{"policy-type":"sts"},"summary":{}}]}`

func TestReadsReportsOnEncryption(t *testing.T) {
	for name, data := range map[string][]byte{"json": []byte(encryption), "gzip": gz(t, encryption), "zip": zipped(t, encryption), "marked": []byte("\ufeff\r\n " + encryption)} {
		found, err := report.Read(data, now)
		if err != nil || found.TLS == nil || found.DMARC != nil {
			t.Errorf("%s: %+v, %v", name, found, err)
			continue
		}
		r := found.TLS
		if r.Organisation != "Company-X" || r.ID != "5065427c-23d3" || r.End.Sub(r.Begin).Hours() < 23 || len(r.Policies) != 2 {
			t.Errorf("%s: %+v", name, r)
			continue
		}
		p := r.Policies[0]
		if p.Domain != "example.jp" || p.Type != "sts" || len(p.Text) != 2 || !slices.Equal(p.MX, []string{"*.mail.example.jp"}) || p.Successful != 5326 || p.Failed != 303 || len(p.Failures) != 3 {
			t.Errorf("%s: its first policy %+v", name, p)
			continue
		}
		if f := p.Failures[0]; f.Result != "certificate-expired" || f.Host != "mx1.mail.example.jp" || f.Count != 100 {
			t.Errorf("%s: its first failure %+v", name, f)
		}
		if f := p.Failures[2]; f.Reason != "X509_V_ERR_PROXY" {
			t.Errorf("%s: its last failure %+v", name, f)
		}
	}
}

func TestRefusesWhatIsNoReportOnEncryption(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty": []byte("{}"), "half": []byte(encryption[:len(encryption)-30]), "nested": []byte(strings.Repeat(`{"policies":[`, 20_000)),
		"no id":    []byte(strings.Replace(encryption, "5065427c-23d3", " ", 1)),
		"no one":   []byte(strings.NewReplacer("Company-X", "", "sts-reporting@company-x.example", "").Replace(encryption)),
		"domains":  []byte(strings.Replace(encryption, "policy-domain", "domain", 2)),
		"negative": []byte(strings.Replace(encryption, `":5326`, `":-1`, 1)),
		"too many": []byte(strings.Replace(encryption, `":5326`, `":1e30`, 1)),
		"period":   []byte(strings.Replace(encryption, "2026-11-20T00", "2006-11-20T00", 1)),
		"year":     []byte(strings.Replace(encryption, "2026-11-20T00:00:00Z", "yesterday", 1)),
		"no list":  []byte(strings.Replace(encryption, `"policies":[`, `"policies":{"a":[`, 1) + "}"),
		"bomb":     gz(t, `{"organization-name":"`+strings.Repeat("a", 40<<20)+`"}`),
	} {
		if found, err := report.Read(data, now); !errors.Is(err, report.ErrNoReport) {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

func TestReportsOnEncryptionAreBounded(t *testing.T) {
	failure := `{"result-type":"certificate-expired","failed-session-count":2}`
	policy := `{"policy":{"policy-type":"sts","policy-domain":"example.jp"},"summary":{},"failure-details":[%s]}`
	head := encryption[:strings.Index(encryption, "[")+1]
	many := head + fmt.Sprintf(policy, strings.Repeat(failure+",", 200)+failure) + strings.Repeat(","+fmt.Sprintf(policy, ""), 50) + "]}"
	found, err := report.Read([]byte(many), now)
	if err != nil || found.TLS.Left != 1 || len(found.TLS.Policies) != 50 || len(found.TLS.Policies[0].Failures) != 200 || found.TLS.Policies[0].Left != 2 {
		t.Errorf("%v: %+v", err, found.TLS)
	}
}
