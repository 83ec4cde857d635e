package auth_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

func TestCheckSetupSaysWhichRecordToCreate(t *testing.T) {
	const key = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIB"
	hosts := []string{"mx.example.jp. A 192.0.2.25", "25.2.0.192.in-addr.arpa. PTR mx.example.jp.", "smtp.relay.test. A 198.51.100.9"}
	fine := append([]string{"example.jp. MX 10 mx.example.jp.", `example.jp. TXT "v=spf1 a:mx.example.jp ~all"`, `example.jp. TXT "other"`,
		`s1._domainkey.example.jp. TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhk" "iG9w0BAQEFAAOCAQ8AMIIB"`, `_dmarc.example.jp. TXT "v=DMARC1; p=reject"`}, hosts...)
	own := auth.Setup{Domain: "example.jp", Hostname: "mx.example.jp", Sender: "mx.example.jp", Keys: []auth.SetupKey{{Selector: "s1", Record: key, Algorithm: "rsa", Phase: "used"}}}
	relay := own
	relay.Sender, relay.Smarthost = "smtp.relay.test", true
	letters := own
	letters.Reports = "reports@日本語.jp"
	bare := own
	bare.Keys = nil
	senders := strings.Repeat(" include:_spf.sender.test ip4:203.0.113.7", 12) // more than fits into one string of a record
	modulus := "v=DKIM1; k=rsa; p=" + strings.Repeat("MIIB", 98)               // of 2048 bits
	long := own
	long.Keys = []auth.SetupKey{{Selector: "s1", Record: modulus, Algorithm: "rsa", Phase: "used"}}
	for name, test := range map[string]struct {
		zone   []string
		setup  auth.Setup
		states string // mx spf dkim dmarc ptr
		values map[string]string
	}{
		"all in order":                   {fine, own, "fine fine fine fine fine", nil},
		"nothing at all":                 {hosts, own, "missing missing missing missing fine", map[string]string{"mx": "10 mx.example.jp.", "spf": "v=spf1 a:mx.example.jp ~all", "dkim": key, "dmarc": "v=DMARC1; p=none; rua=mailto:postmaster@example.jp"}},
		"reports to a domain in letters": {hosts, letters, "missing missing missing missing fine", map[string]string{"dmarc": "v=DMARC1; p=none; rua=mailto:reports@xn--wgv71a119e.jp"}},
		"another server, another key": {append([]string{"example.jp. MX 5 other.test.", `s1._domainkey.example.jp. TXT "v=DKIM1; p=AAAA"`,
			`_dmarc.example.jp. TXT "v=DMARC1; nonsense"`}, hosts...), own, "unsure missing wrong wrong fine", nil},
		"an old SPF record is added to": {append([]string{`example.jp. TXT "v=spf1 ip4:203.0.113.1 -all"`}, hosts...), own,
			"missing wrong missing missing fine", map[string]string{"spf": "v=spf1 ip4:203.0.113.1 a:mx.example.jp -all"}},
		"an SPF record with a mistake behind us": {append([]string{`example.jp. TXT "v=spf1 a:mx.example.jp ip4:203.0.113.300 -all"`}, hosts...), own,
			"missing wrong missing missing fine", map[string]string{"spf": "v=spf1 a:mx.example.jp -all"}},
		"a smarthost in an SPF record with a mistake": {append([]string{`example.jp. TXT "v=spf1 include:relay.test ip4 ~all"`, `relay.test. TXT "v=spf1 ip4:198.51.100.0/24 -all"`}, hosts...), relay,
			"missing wrong missing missing fine", map[string]string{"spf": "v=spf1 include:relay.test ~all"}},
		"two SPF records": {append([]string{`example.jp. TXT "v=spf1 -all"`, `example.jp. TXT "v=spf1 a ~all"`}, hosts...), own, "missing wrong missing missing fine", nil},
		"a smarthost that the policy names": {append([]string{`example.jp. TXT "v=spf1 include:relay.test ~all"`, `relay.test. TXT "v=spf1 ip4:198.51.100.0/24 -all"`}, hosts...), relay,
			"missing fine missing missing fine", nil},
		"a smarthost that it does not name": {append([]string{`example.jp. TXT "v=spf1 mx -all"`}, hosts...), relay,
			"missing unsure missing missing fine", map[string]string{"spf": "v=spf1 mx include:relay.test -all"}},
		"a long policy and a long key": {append([]string{dnstest.TXT("example.jp", "v=spf1"+senders+" -all"), dnstest.TXT("s1._domainkey.example.jp", modulus)}, hosts...), long,
			"missing wrong fine missing fine", map[string]string{"spf": "v=spf1" + senders + " a:mx.example.jp -all", "dkim": modulus}},
		"no key of ours":      {fine, bare, "fine fine unset fine fine", nil},
		"no way back":         {[]string{"mx.example.jp. A 192.0.2.25"}, own, "missing missing missing missing unsure", map[string]string{"ptr": "mx.example.jp."}},
		"a server that fails": {[]string{"example.jp. SERVFAIL", "_dmarc.example.jp. SERVFAIL", "s1._domainkey.example.jp. SERVFAIL", "mx.example.jp. SERVFAIL"}, own, "unknown unknown unknown unknown unknown", nil},
	} {
		t.Run(name, func(t *testing.T) {
			z := dnstest.ServeZone(t, test.zone...)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var states []string
			for _, part := range auth.CheckSetup(ctx, auth.NewResolver(z.Address), test.setup) {
				if !slices.Contains([]string{"host", "tls_rpt"}, part.Kind) {
					states = append(states, string(part.State))
				}
				if want, ok := test.values[part.Kind]; ok && part.Value != want {
					t.Errorf("%s: the record to create is %q, want %q", part.Kind, part.Value, want)
				}
			}
			if got := strings.Join(states, " "); got != test.states {
				t.Errorf("mx spf dkim dmarc ptr are %s, want %s", got, test.states)
			}
		})
	}
}

func TestCheckSetupKeepsItsTime(t *testing.T) {
	z := dnstest.ServeZone(t, ". SILENT")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, part := range auth.CheckSetup(ctx, auth.NewResolver(z.Address), auth.Setup{Domain: "example.jp", Hostname: "mx.example.jp", Sender: "mx.example.jp", Keys: []auth.SetupKey{{Selector: "s", Record: "p=x"}}, PolicyRecord: "v=STSv1; id=1;"}) {
		if part.State != auth.SetupUnknown || part.Detail == "" {
			t.Errorf("%+v", part)
		}
	}
}

func TestCheckSetupOfEncryption(t *testing.T) {
	host := []string{"mx.example.jp. A 192.0.2.25", "other.example.jp. A 192.0.2.80"}
	setup := auth.Setup{Domain: "example.jp", Hostname: "mx.example.jp", Sender: "mx.example.jp", PolicyRecord: "v=STSv1; id=abc1;",
		Keys: []auth.SetupKey{{Selector: "old", Record: "v=DKIM1; k=rsa; p=AAAA", Withdrawn: true, Phase: "withdrawn"}}}
	for name, test := range map[string]struct {
		zone  []string
		parts string // host dkim mta_sts mta_sts_host tls_rpt
	}{
		"nothing": {nil, "missing fine missing missing missing"},
		"all": {append([]string{`_mta-sts.example.jp. TXT "v=STSv1; id=abc1"`, "mta-sts.example.jp. A 192.0.2.25",
			`_smtp._tls.example.jp. TXT "v=TLSRPTv1; rua=mailto:tls@example.net"`}, host...), "fine fine fine fine fine"},
		"an older policy, a proxy, a record without address, a key of old": {append([]string{`_mta-sts.example.jp. TXT "v=STSv1; id=abc0"`, "mta-sts.example.jp. A 192.0.2.80",
			`_smtp._tls.example.jp. TXT "v=TLSRPTv1;"`, `old._domainkey.example.jp. TXT "v=DKIM1; k=rsa; p=AAAA"`}, host...), "fine surplus wrong unsure wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			var states []string
			for _, part := range auth.CheckSetup(t.Context(), auth.NewResolver(dnstest.ServeZone(t, test.zone...).Address), setup) {
				if slices.Contains([]string{"host", "dkim", "mta_sts", "mta_sts_host", "tls_rpt"}, part.Kind) {
					states = append(states, string(part.State))
				}
				if part.Kind == "mta_sts" && part.State != auth.SetupFine && part.Value != setup.PolicyRecord {
					t.Errorf("to be created: %q", part.Value)
				}
				if part.Bad() && part.Kind != "host" && part.Kind != "mx" && part.Kind != "spf" && part.Kind != "dmarc" {
					t.Errorf("mail arrives without %s", part.Kind)
				}
			}
			if got := strings.Join(states, " "); got != test.parts {
				t.Errorf("host dkim mta_sts mta_sts_host tls_rpt are %s, want %s", got, test.parts)
			}
		})
	}
}
