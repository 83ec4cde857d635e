package auth_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// spfZone is a domain whose SPF record is given, and what such records lead to.
func spfZone(t *testing.T, record string) *dnstest.Zone {
	zone := []string{dnstest.TXT("sender.example", record),
		"mail.sender.example. 60 IN A 192.0.2.7", "sender.example. 60 IN MX 10 mail.sender.example.", "7.2.0.192.in-addr.arpa. 60 IN PTR mail.sender.example.",
		"192.0.2.7.exists.example. 60 IN A 127.0.0.2", "user.exists.example. 60 IN A 127.0.0.2", "broken.example. SERVFAIL",
		dnstest.TXT("loop.example", "v=spf1 include:loop.example -all"), dnstest.TXT("other.example", "v=spf1 ip4:192.0.2.7 -all"), dnstest.TXT("none.example", "v=spf1 ?all"),
		dnstest.TXT("two.example", "v=spf1 -all"), dnstest.TXT("two.example", "v=spf1 +all")}
	for _, n := range strings.Fields("a b c d e f g h i j k") {
		zone = append(zone, n+".deep.example. 60 IN A 198.51.100.1")
	}
	return dnstest.ServeZone(t, zone...)
}

func spf(t *testing.T, record string) auth.SPF {
	t.Helper()
	v := auth.Verifier{Resolver: auth.NewResolver(spfZone(t, record).Address), Hostname: "desk.test"}
	return v.Verify(t.Context(), auth.Request{RemoteIP: netip.MustParseAddr("192.0.2.7"), HELO: "mail.sender.example", MailFrom: "user@sender.example", Raw: []byte(plainMail)}).SPF
}

func TestSPFGoesByTheRFC(t *testing.T) {
	for record, want := range map[string]auth.Result{
		"v=spf1 mx -all":                         auth.Pass,
		"v=spf1 a:mail.sender.example ~all":      auth.Pass,
		"v=spf1 ptr -all":                        auth.Pass,
		"v=spf1 ip4:198.51.100.0/24 ~all":        auth.SoftFail,
		"v=spf1 redirect=other.example":          auth.Pass,
		"v=spf1 redirect=missing.example":        auth.PermError, // section 6.1
		"v=spf1 include:missing.example -all":    auth.PermError, // section 5.2
		"v=spf1 include:none.example -all":       auth.Fail,
		"v=spf1 include:two.example -all":        auth.PermError, // section 4.5
		"v=spf1 include:loop.example -all":       auth.PermError, // section 4.6.4
		"v=spf1 include:broken.example -all":     auth.TempError,
		"v=spf1 a:broken.example -all":           auth.TempError,
		"v=spf1 exists:%{i}.exists.example -all": auth.Pass, // section 7
		"v=spf1 exists:%{l}.exists.example -all": auth.Pass,
		"v=spf1 exists:%{z}.exists.example -all": auth.PermError,
		"v=spf1 -all exp=missing.example":        auth.Fail, // section 6.2: its trouble changes nothing
		"v=spf1 a:a.deep.example a:b.deep.example a:c.deep.example a:d.deep.example a:e.deep.example a:f.deep.example a:g.deep.example a:h.deep.example a:i.deep.example a:j.deep.example -all":                  auth.Fail,
		"v=spf1 a:a.deep.example a:b.deep.example a:c.deep.example a:d.deep.example a:e.deep.example a:f.deep.example a:g.deep.example a:h.deep.example a:i.deep.example a:j.deep.example a:k.deep.example -all": auth.PermError, // ten lookups
		"v=spf1 a:x1.example a:x2.example -all":              auth.Fail,
		"v=spf1 a:x1.example a:x2.example a:x3.example -all": auth.PermError, // two that find nothing
		"v=spf1 ip4:192.0.2.300 -all":                        auth.PermError,
		"v=spf1 moo -all":                                    auth.PermError,
		"v=spf10 -all":                                       auth.None,
	} {
		if got := spf(t, record); got.Result != want {
			t.Errorf("%s: %s (%s), want %s", record, got.Result, got.Reason, want)
		}
	}
}

// The library reads a record only as far as it has to, and does not look at how domains
// are written: of the 203 cases of the RFC's own suite, 32 come out otherwise, nearly
// all for these reasons. They are faults in the record of whoever sends, for which mail
// is no less theirs, so nobody is believed who should not be.
func TestSPFIsMoreLenientThanTheRFC(t *testing.T) {
	for record, want := range map[string]auth.Result{ // most of them permerrors by the letter
		"v=spf1 ip4:192.0.2.7 -all moo":           auth.Pass, // an error behind what matches
		"v=spf1 -all ip6":                         auth.Fail,
		"v=spf1 ?all redirect=":                   auth.Neutral,
		"v=spf1 exp= -all":                        auth.Fail, // exp, which is not asked for
		"v=spf1 -all exp=a.example exp=b.example": auth.Fail,
		"v=spf1 a:museum -all":                    auth.Fail, // a domain that cannot be one: finds nothing
		"v=spf1 a:abc.123 -all":                   auth.Fail,
		"v=spf1 a:example.-com -all":              auth.Fail,
		"v=spf1 mx:example.com:8080 -all":         auth.Fail,
		"v=spf1 ip4:192.0.2.7/032 -all":           auth.Pass,
		// The macro p is not looked up; no sender should use it (section 7.3).
		"v=spf1 exists:%{p}.exists.example -all": auth.Fail,
	} {
		if got := spf(t, record); got.Result != want {
			t.Errorf("%s: %s (%s), want %s", record, got.Result, got.Reason, want)
		}
	}
}
