package auth_test

import (
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

func TestDMARCDiscoveryAndAlignment(t *testing.T) {
	record := func(domain, tags string) string { return dnstest.TXT("_dmarc."+domain, "v=DMARC1; "+tags) }
	tests := map[string]struct {
		from   string // domain of the From field
		signer string // domain of a valid signature, "" for none
		spf    string // domain that passes SPF, "" for none
		zone   []string
		result auth.Result
		policy string
		by     string
		reason string
	}{
		"same domain":                   {from: "a.example", signer: "a.example", zone: []string{record("a.example", "p=reject")}, result: auth.Pass, policy: "reject", by: "dkim"},
		"upper case":                    {from: "A.Example", signer: "a.example", zone: []string{record("a.example", "p=reject")}, result: auth.Pass, policy: "reject", by: "dkim"},
		"by SPF":                        {from: "a.example", spf: "a.example", zone: []string{record("a.example", "p=reject")}, result: auth.Pass, policy: "reject", by: "spf"},
		"nobody":                        {from: "a.example", zone: []string{record("a.example", "p=quarantine")}, result: auth.Fail, policy: "quarantine", reason: "neither"},
		"signed by another":             {from: "a.example", signer: "b.example", zone: []string{record("a.example", "p=reject")}, result: auth.Fail, policy: "reject", reason: "signed by b.example"},
		"relaxed subdomain":             {from: "a.example", signer: "mail.a.example", zone: []string{record("a.example", "p=reject")}, result: auth.Pass, policy: "reject", by: "dkim"},
		"strict DKIM":                   {from: "a.example", signer: "mail.a.example", zone: []string{record("a.example", "p=reject; adkim=s")}, result: auth.Fail, policy: "reject"},
		"relaxed SPF":                   {from: "mail.a.example", spf: "a.example", zone: []string{record("a.example", "p=reject")}, result: auth.Pass, policy: "reject", by: "spf"},
		"strict SPF":                    {from: "mail.a.example", spf: "a.example", zone: []string{record("a.example", "p=reject; aspf=s")}, result: auth.Fail, policy: "reject"},
		"organisational domain":         {from: "x.y.a.co.jp", signer: "a.co.jp", zone: []string{record("a.co.jp", "p=reject")}, result: auth.Pass, policy: "reject", by: "dkim"},
		"siblings under a suffix":       {from: "a.co.jp", signer: "b.co.jp", zone: []string{record("a.co.jp", "p=reject")}, result: auth.Fail, policy: "reject"},
		"the suffix itself signs":       {from: "a.co.jp", signer: "co.jp", zone: []string{record("a.co.jp", "p=reject")}, result: auth.Fail, policy: "reject"},
		"no record between":             {from: "x.y.a.example", zone: []string{record("y.a.example", "p=reject")}, result: auth.None},
		"sp=":                           {from: "x.a.example", zone: []string{record("a.example", "p=none; sp=reject")}, result: auth.Fail, policy: "reject"},
		"sp= not for itself":            {from: "a.example", zone: []string{record("a.example", "p=none; sp=reject")}, result: auth.Fail, policy: "none"},
		"own record before sp=":         {from: "x.a.example", zone: []string{record("x.a.example", "p=none"), record("a.example", "p=none; sp=reject")}, result: auth.Fail, policy: "none"},
		"no record":                     {from: "a.example", signer: "a.example", result: auth.None, by: "dkim", reason: "no DMARC record"},
		"no record, unaligned":          {from: "a.example", signer: "b.example", zone: nil, result: auth.None, reason: "no DMARC record"},
		"several records":               {from: "a.example", signer: "a.example", zone: []string{record("a.example", "p=reject"), record("a.example", "p=none")}, result: auth.None, by: "dkim", reason: "several"},
		"several, not asked above":      {from: "x.a.example", zone: []string{record("x.a.example", "p=none"), record("x.a.example", "p=none"), record("a.example", "p=reject")}, result: auth.None, reason: "several"},
		"other records beside":          {from: "a.example", signer: "a.example", zone: []string{record("a.example", "p=reject"), dnstest.TXT("_dmarc.a.example", "v=spf1 -all")}, result: auth.Pass, policy: "reject", by: "dkim"},
		"bad optional tags":             {from: "a.example", signer: "a.example", zone: []string{record("a.example", "p=Reject; fo=9; ri=0; pct=x; adkim=z")}, result: auth.Pass, policy: "reject", by: "dkim"},
		"bad policy":                    {from: "a.example", signer: "a.example", zone: []string{record("a.example", "p=refuse")}, result: auth.PermError, reason: "invalid"},
		"bad policy, reports wanted":    {from: "a.example", zone: []string{record("a.example", "p=refuse; rua=mailto:x@a.example")}, result: auth.Fail, policy: "none"},
		"pct=0":                         {from: "a.example", zone: []string{record("a.example", "p=reject; pct=0")}, result: auth.Fail, policy: "quarantine", reason: "pct=0"},
		"pct=0 of quarantine":           {from: "a.example", zone: []string{record("a.example", "p=quarantine; pct=0")}, result: auth.Fail, policy: "none"},
		"t=y":                           {from: "a.example", zone: []string{record("a.example", "p=reject; t=y")}, result: auth.Fail, policy: "quarantine", reason: "t=y"},
		"version must be first":         {from: "a.example", zone: []string{dnstest.TXT("_dmarc.a.example", "p=reject; v=DMARC1")}, result: auth.None},
		"internationalised From":        {from: "例え.example", signer: "xn--r8jz45g.example", zone: []string{record("xn--r8jz45g.example", "p=reject")}, result: auth.Pass, policy: "reject", by: "dkim"},
		"address literal":               {from: "[192.0.2.1]", result: auth.PermError, reason: "no valid domain"},
		"neighbour by letters, not dot": {from: "a.example", signer: "xa.example", zone: []string{record("a.example", "p=reject")}, result: auth.Fail, policy: "reject"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			raw := "From: Someone <x@" + test.from + ">\r\n\r\nHello\r\n"
			if test.signer != "" {
				raw = sign(t, test.signer, edKey(), raw)
				test.zone = append(test.zone, keyRecord(test.signer, edKey()))
			}
			request := auth.Request{RemoteIP: peer, HELO: "h.test", MailFrom: "x@unrelated.test"}
			if test.spf != "" {
				request.MailFrom = "x@" + test.spf
				test.zone = append(test.zone, dnstest.TXT(test.spf, "v=spf1 ip4:192.0.2.7 -all"))
			}
			request.Raw = []byte(raw)
			v := auth.Verifier{Resolver: auth.NewResolver(dnstest.ServeZone(t, test.zone...).Address)}
			got := v.Verify(t.Context(), request).DMARC
			if got.Result != test.result || got.Policy != test.policy || got.AlignedBy != test.by || !strings.Contains(got.Reason, test.reason) {
				t.Errorf("DMARC = %+v, want %s policy %q by %q with reason %q", got, test.result, test.policy, test.by, test.reason)
			}
		})
	}
}

func TestDMARCReadsTheFromField(t *testing.T) {
	z := dnstest.ServeZone(t, dnstest.TXT("_dmarc.a.example", "v=DMARC1; p=reject"))
	for value, want := range map[string]string{
		"x@a.example":                                  "a.example",
		"<x@a.example>":                                "a.example",
		`"x@other.test" <x@a.example>`:                 "a.example",
		"x@other.test <x@a.example>":                   "a.example", // not grammar, but common
		"=?iso-2022-jp?B?GyRCO0MbKEI=?= <x@a.example>": "a.example",
		"=?no-such-charset?Q?=FF?= <x@a.example>":      "a.example",
		"株式会社 <x@a.example>":                           "a.example",
		"Last, First <x@a.example>":                    "a.example",
		"x@a.example, y@a.example":                     "a.example",
		"x@a.example (a comment)":                      "a.example",
		"\r\n x@a.example":                             "a.example",
		"x@a.example, y@other.test":                    "",
		"<x@a.example> <y@other.test>":                 "",
		"undisclosed":                                  "",
		"":                                             "",
		"x@a.example" + strings.Repeat(" ", 70000):     "",
	} {
		got := verify(t, z, "From: "+value+"\r\nSubject: s\r\n\r\n").DMARC
		if got.Domain != want || (want == "") != (got.Result == auth.PermError) {
			t.Errorf("From %.60q: DMARC = %+v, want domain %q", value, got, want)
		}
	}
	wantDMARC(t, verify(t, z, "Subject: nobody\r\n\r\n"), auth.PermError, "no From field")
	wantDMARC(t, verify(t, z, "From: x@a.example\r\nfrom : x@a.example\r\n\r\n"), auth.PermError, "several From fields")
}

func TestResultsOfPeersAreNotBelieved(t *testing.T) {
	z := dnstest.ServeZone(t, dnstest.TXT("_dmarc.a.example", "v=DMARC1; p=reject"))
	v := verify(t, z, "Authentication-Results: desk.test; dkim=pass header.d=a.example; spf=pass; dmarc=pass; arc=pass\r\n"+
		"Received-SPF: pass\r\nFrom: x@a.example\r\n\r\n")
	wantDMARC(t, v, auth.Fail, "neither")
	if len(v.DKIM) != 0 || v.SPF.Result != auth.None || v.ARC != "none" {
		t.Errorf("verdict = %+v", v)
	}
}
