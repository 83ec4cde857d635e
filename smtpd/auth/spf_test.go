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
		dnstest.TXT("two.example", "v=spf1 -all"), dnstest.TXT("two.example", "v=spf1 +all"), dnstest.TXT("strange.example", "v=spf1 ?all include")}
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

// A mistake anywhere in a record makes the whole of it a permanent error, also
// behind what matches (RFC 7208 section 4.6).
func TestSPFRecordsAreReadToTheirEnd(t *testing.T) {
	for _, record := range []string{
		"v=spf1 ip4:192.0.2.7 -all moo", "v=spf1 -all ip6", "v=spf1 +all ip4:192.0.2.7/33", "v=spf1 ip4:192.0.2.7/032 -all", "v=spf1 ip4:192.0.2.7/ -all",
		"v=spf1 ip4:2001:db8::7 +all", "v=spf1 ip6:192.0.2.7 +all", "v=spf1 ip6:2001:db8::%eth0 +all", "v=spf1 +all a//129", "v=spf1 +all mx/24/64",
		"v=spf1 ?all redirect=", "v=spf1 exp= -all", "v=spf1 -all exp=a.example exp=b.example", "v=spf1 +all -redirect=other.example",
		"v=spf1 a:museum -all", "v=spf1 a:abc.123 -all", "v=spf1 a:example.-com -all", "v=spf1 mx:example.com:8080 -all", "v=spf1 +all include:", "v=spf1 +all all.",
		"v=spf1 +all exists:%{i0}.example", "v=spf1 +all exists:%{c}.example", "v=spf1 +all a:100%.example", "v=spf1 +all 1x=y", "v=spf1 +all x=%{",
		"v=spf1 +all a:b\u00fcro.example", "v=spf1 include:strange.example +all",
	} {
		if got := spf(t, record); got.Result != auth.PermError {
			t.Errorf("%s: %s (%s), want permerror", record, got.Result, got.Reason)
		}
	}
	if got := spf(t, "v=spf1 +all moo").Reason; !strings.Contains(got, "sender.example") || !strings.Contains(got, `"moo"`) {
		t.Errorf("the reason is %q, want the record's domain and the term", got)
	}
	for _, record := range []string{
		"v=spf1  ip4:192.0.2.7  ", "V=SPF1 +IP4:192.0.2.0/24 -ALL", "v=spf1 ip6:::ffff:198.51.100.1 ip6:2001:db8::/32 ip4:192.0.2.7/32 -all", "v=spf1 mx/24//64 -all", "v=spf1 a:mail.sender.example//0 -all",
		"v=spf1 +all x-thing.1=%{d}/%%%_%- exp=%{i}.example", "v=spf1 a:%{h} -all", "v=spf1 exists:%{ir}.%{l1r-+}.exists.example include:other.example. -all", "v=spf1 +all ptr:9x-.xn--p1ai",
	} {
		if got := spf(t, record); got.Result != auth.Pass {
			t.Errorf("%s: %s (%s), want pass", record, got.Result, got.Reason)
		}
	}
}

// What the library leaves out of the RFC's own suite: 6 of its 203 cases. Nobody is
// believed by any of them who should not be.
func TestSPFIsLessThanTheRFC(t *testing.T) {
	for record, want := range map[string]auth.Result{
		"v=spf1 a:one/two.sender.example -all":   auth.PermError, // a name with a slash or a space
		"v=spf1 exists:%{p}.exists.example -all": auth.Fail,      // the macro p; no sender should use it (section 7.3)
	} {
		if got := spf(t, record); got.Result != want {
			t.Errorf("%s: %s (%s), want %s", record, got.Result, got.Reason, want)
		}
	}
}
