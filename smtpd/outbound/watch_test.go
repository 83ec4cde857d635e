package outbound_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dnstest"
	"github.com/madoguchi/madoguchi/smtpd/mtasts"
	"github.com/madoguchi/madoguchi/smtpd/outbound"
)

// Each new connection to a recipient's host says once how its encryption came
// out, in the words of reports; a mail over a connection that is there says
// nothing, nor does one that is not to be watched.
func TestConnectionsSayHowEncryptionCameOut(t *testing.T) {
	certificate, roots := selfSigned(t, "mx.far.test")
	other, _ := selfSigned(t, "else.test")
	serve := func(c tls.Certificate) *peer {
		return servePeer(t, "127.0.0.1:0", func(p *peer) { p.TLSConfig = &tls.Config{Certificates: []tls.Certificate{c}} })
	}
	encrypted, wrong, plain := serve(certificate), serve(other), servePeer(t, "127.0.0.1:0", nil)
	web, client := servePolicies(t)
	remembered := memory{}
	ids := 0
	try := func(mode string, p *peer, roots *x509.CertPool, m outbound.Mail, times int) (told []outbound.TLSSession) {
		t.Helper()
		zone := []string{"far.test. MX 10 mx.far.test.", "mx.far.test. A 127.0.0.1"}
		if mode != "" {
			ids++
			web.say(mode, "mx.far.test")
			zone = append(zone, `_mta-sts.far.test. TXT "v=STSv1; id=`+string(rune('a'+ids))+`"`)
		} else {
			remembered = memory{}
		}
		resolver := dnstest.ServeZone(t, zone...).Resolver()
		s := direct(p.address, resolver)
		s.TLS, s.Idle = &tls.Config{RootCAs: roots}, time.Minute
		s.Policies = &mtasts.Finder{Resolver: resolver, Client: client, Memory: remembered, Now: time.Now}
		s.Watch = func(_ context.Context, session outbound.TLSSession) { told = append(told, session) }
		for range times {
			s.Deliver(t.Context(), m) // what becomes of the mail is another test's
		}
		s.Close()
		return told
	}
	to := mail("tanaka@far.test")
	unwatched := to
	unwatched.Unwatched = true
	nobody := x509.NewCertPool()
	for name, test := range map[string]struct {
		mode   string
		peer   *peer
		roots  *x509.CertPool
		policy string
		want   []string
		mail   outbound.Mail
	}{
		"opportunistic":                 {"", encrypted, nobody, "no-policy-found", []string{""}, to},
		"without encryption":            {"", plain, roots, "no-policy-found", []string{"starttls-not-supported"}, to},
		"a policy that is met":          {"enforce", encrypted, roots, "sts", []string{""}, to},
		"enforced, not trusted":         {"enforce", encrypted, nobody, "sts", []string{"certificate-not-trusted"}, to},
		"enforced, without encryption":  {"enforce", plain, roots, "sts", []string{"starttls-not-supported"}, to},
		"only tested, not trusted":      {"testing", encrypted, nobody, "sts", []string{"certificate-not-trusted"}, to},
		"only tested, for another name": {"testing", wrong, roots, "sts", []string{"certificate-host-mismatch"}, to},
		"not watched":                   {"testing", encrypted, roots, "", nil, unwatched},
	} {
		told := try(test.mode, test.peer, test.roots, test.mail, 1)
		var results []string
		for _, s := range told {
			results = append(results, s.Result)
			if s.Policy != test.policy || s.Domain != "far.test" || s.Host != "mx.far.test" || s.Address != "127.0.0.1" || s.Sender == "" || (len(s.Text) > 0) != (test.policy == "sts") {
				t.Errorf("%s: %+v", name, s)
			}
		}
		if !slices.Equal(results, test.want) {
			t.Errorf("%s: %q, want %q", name, results, test.want)
		}
	}
	if told := try("enforce", encrypted, roots, to, 3); len(told) != 1 {
		t.Errorf("three mails over one connection are told of as %d", len(told))
	}
}
