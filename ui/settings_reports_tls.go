package ui

import (
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// encryptionView is how the encryption of mail to a domain came out.
type encryptionView struct {
	Summary, By, Period string
	Badge               *badge
	Policies            []string
	Failures            []encryptionFailureView
}

type encryptionFailureView struct {
	Title, Advice, Hosts, MetBy, Said, Count string
}

func (v *visit) encryption(d helpdesk.DomainTLSReports) *encryptionView {
	all := d.Successful + d.Failed
	view := &encryptionView{Summary: v.N("reports.tls.summary", all, v.Number(all), v.Number(d.Failed)), By: strings.Join(d.Organisations, v.T("field.comma")),
		Period: v.T("reports.period", v.Long(d.Begin), v.Long(d.End)), Badge: &badge{"good", v.T("reports.tls.all_encrypted")}}
	switch {
	case d.Failed > 0:
		view.Badge = &badge{"warn", v.T("reports.tls.some_failed")}
	case all == 0:
		view.Badge = &badge{"", v.T("reports.tls.nothing")}
	}
	for _, p := range d.Policies {
		view.Policies = append(view.Policies, v.T("reports.tls.under", v.tlsPolicy(p), v.Number(p.Failed), v.Number(p.Successful+p.Failed)))
	}
	for _, f := range d.Failures {
		row := encryptionFailureView{Count: v.Number(f.Count), MetBy: v.T("reports.tls.met_by", strings.Join(f.Organisations, v.T("field.comma")), v.Long(f.Last))}
		row.Title, row.Advice = v.tlsResult(f.Result, d.Domain)
		if len(f.Hosts) > 0 {
			row.Hosts = v.T("reports.tls.hosts", strings.Join(f.Hosts, v.T("field.comma")))
		}
		if len(f.Reasons) > 0 {
			row.Said = v.T("reports.tls.said", strings.Join(f.Reasons, v.T("field.comma")))
		}
		view.Failures = append(view.Failures, row)
	}
	return view
}

// tlsPolicies and tlsResults are the words of RFC 8460, sections 4.2 and 4.3, that
// the catalogue has sentences for.
var (
	tlsPolicies = []string{"sts", "sts_enforce", "sts_testing", "sts_none", "tlsa", "no-policy-found"}
	tlsResults  = []string{"starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted", "validation-failure",
		"tlsa-invalid", "dnssec-invalid", "dane-required", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"}
)

func (v *visit) tlsPolicy(p helpdesk.TLSPolicySum) string {
	word := p.Policy
	if p.Mode != "" {
		word += "_" + p.Mode
	}
	if !slices.Contains(tlsPolicies, word) {
		word = "other"
	}
	return v.T("reports.tls.policy." + word)
}

// tlsResult says what went wrong, and what to do about it.
func (v *visit) tlsResult(result, domain string) (title, advice string) {
	switch {
	case result == "":
		return v.T("reports.tls.result.unsaid"), v.T("reports.tls.advice.unsaid")
	case !slices.Contains(tlsResults, result):
		return v.T("reports.tls.result.other", result), v.T("reports.tls.advice.other")
	case strings.HasPrefix(result, "sts-"):
		return v.T("reports.tls.result." + result), v.T("reports.tls.advice."+result, domain)
	}
	return v.T("reports.tls.result." + result), v.T("reports.tls.advice." + result)
}
