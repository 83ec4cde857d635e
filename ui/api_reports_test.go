package ui_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Programs read what other servers say of the house's domains, added up as on the
// page.
func TestAPIReportsOnDomains(t *testing.T) {
	h := newAPIHouse(t)
	begin, end := h.now().Add(-30*time.Hour), h.now().Add(-6*time.Hour)
	signed := helpdesk.Authentication{DKIM: []helpdesk.AuthResult{{Result: "pass", Domain: "receiver.example"}}, DMARC: helpdesk.AuthResult{Result: "none"}}
	for _, file := range []string{
		fmt.Sprintf(`<feedback><report_metadata><org_name>receiver.example</org_name><report_id>1</report_id><date_range><begin>%d</begin><end>%d</end></date_range></report_metadata><policy_published><domain>example.jp</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>9</count><policy_evaluated><disposition>reject</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row></record></feedback>`, begin.Unix(), end.Unix()),
		fmt.Sprintf(`{"organization-name":"sender.example","report-id":"1","date-range":{"start-datetime":%q,"end-datetime":%q},"policies":[{"policy":{"policy-type":"sts","policy-string":["mode: testing"],"policy-domain":"example.jp"},
"summary":{"total-successful-session-count":40,"total-failure-session-count":3},"failure-details":[{"result-type":"certificate-expired","receiving-mx-hostname":"mx.example.jp","failed-session-count":3}]}]}`, begin.Format(time.RFC3339), end.Format(time.RFC3339)),
	} {
		if got := h.post("reports@example.jp", signed, "From: noreply@receiver.example", "Content-Type: application/octet-stream; name=report", "Content-Disposition: attachment; filename=report", "", file); got.State != helpdesk.MessageReport {
			t.Fatalf("received as %+v", got)
		}
	}
	senders := h.get("/reports/dmarc").at("domains", 0)
	senders.want(t, object{"domain": "example.jp", "organisations": []any{"receiver.example"}, "mails": 9.0, "proven": 0.0})
	senders.at("sources", 0).want(t, object{"address": "192.0.2.1", "mails": 9.0, "rejected": 9.0, "signed_by": nil, "advice": "unknown"})
	encryption := h.get("/reports/tls?days=400").at("domains", 0)
	encryption.want(t, object{"domain": "example.jp", "successful": 40.0, "failed": 3.0})
	encryption.at("policies", 0).want(t, object{"policy": "sts", "mode": "testing", "failed": 3.0})
	encryption.at("failures", 0).want(t, object{"result": "certificate-expired", "count": 3.0, "hosts": []any{"mx.example.jp"}, "reasons": []any{}})
	h.pass(31 * 24 * time.Hour)
	if list := h.get("/reports/tls")["domains"].([]any); len(list) != 0 {
		t.Errorf("after a month: %v", list)
	}
	h.call("GET", "/reports/dmarc?days=0", nil).refused(400, helpdesk.CodeInvalid, "days", "400")
}
