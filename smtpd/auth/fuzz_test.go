package auth_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// nowhere is a resolver to which no name exists.
type nowhere struct{}

func (nowhere) LookupTXT(_ context.Context, name string) ([]string, error) { return nil, absent(name) }
func (nowhere) LookupMX(_ context.Context, name string) ([]*net.MX, error) { return nil, absent(name) }
func (nowhere) LookupIPAddr(_ context.Context, host string) ([]net.IPAddr, error) {
	return nil, absent(host)
}
func (nowhere) LookupAddr(_ context.Context, addr string) ([]string, error) { return nil, absent(addr) }

func absent(name string) error {
	return &net.DNSError{Name: name, Err: "no such host", IsNotFound: true}
}

// FuzzVerify feeds mails of any bytes: nothing may panic or pass, and what is
// said of the mail must be fit to store and to write into a header.
func FuzzVerify(f *testing.F) {
	signed := sign(f, "example.com", edKey(), plainMail)
	for _, seed := range []string{
		"", "\n", "\r\n\r\n", ":", " folded first\r\n", "From", "From: ", plainMail, signed,
		strings.ReplaceAll(signed, "\r\n", "\n"), "From: a@b.test\r\n" + signed, signed[:200],
		"ARC-Seal: i=1; cv=none; d=a; s=b; a=rsa-sha256; b=AA==\r\nARC-Message-Signature: i=1; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; c=relaxed/relaxed\r\n" +
			"ARC-Authentication-Results: i=1; x\r\nFrom: a@b.test\r\n\r\n",
		"DKIM-Signature: v=1; a=\x00; d=\xff; s=\u202e; h=from; bh=; b=\r\nFrom: \xff@\xff\r\n\r\n\r\r\n",
	} {
		f.Add([]byte(seed), "a@example.com", "mx.example.com")
	}
	v := auth.Verifier{Resolver: nowhere{}, Timeout: time.Minute}
	f.Fuzz(func(t *testing.T, raw []byte, from, helo string) {
		verdict := v.Verify(t.Context(), auth.Request{RemoteIP: peer, HELO: helo, MailFrom: from, Raw: raw})
		if verdict.DMARC.Result == auth.Pass || verdict.ARC == "pass" || verdict.SPF.Result == auth.Pass {
			t.Fatalf("a pass without DNS: %+v", verdict)
		}
		texts := []string{verdict.ARC, verdict.SPF.Domain, verdict.SPF.Reason, verdict.DMARC.Domain, verdict.DMARC.Reason}
		for _, d := range verdict.DKIM {
			texts = append(texts, d.Domain, d.Selector, d.Identity, d.Reason)
		}
		for _, text := range texts {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 300 {
				t.Fatalf("text %q", text)
			}
		}
		checkResults(t, verdict)
	})
}

// BenchmarkVerify measures mails whose senders' records are known already, as most are.
func BenchmarkVerify(b *testing.B) {
	z := dnstest.ServeZone(b, keyRecord("example.com", rsaKey()), dnstest.TXT("example.com", "v=spf1 ip4:192.0.2.7 -all"),
		dnstest.TXT("_dmarc.example.com", "v=DMARC1; p=reject"))
	v := auth.Verifier{Resolver: auth.NewCachingResolver(z.Address, time.Now), Hostname: "desk.test"}
	for _, size := range []struct {
		name  string
		bytes int
	}{{"10KiB", 10 << 10}, {"10MiB", 10 << 20}} {
		unsigned := plainMail + strings.Repeat("A line of a body.\r\n", size.bytes/19)
		for name, raw := range map[string]string{"unsigned": unsigned, "signed": sign(b, "example.com", rsaKey(), unsigned)} {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				b.SetBytes(int64(len(raw)))
				b.ReportAllocs()
				for b.Loop() {
					r := auth.Request{RemoteIP: peer, HELO: "mx.example.com", MailFrom: "bounce@example.com", Raw: []byte(raw)}
					if v.Verify(b.Context(), r).DMARC.Result != auth.Pass {
						b.Fatal("not passed")
					}
				}
			})
		}
	}
}

func BenchmarkSign(b *testing.B) {
	raw := []byte(plainMail + strings.Repeat("A line of a body.\r\n", 540))
	signer := auth.NewSigner("example.com", "s1", rsaKey())
	for b.Loop() {
		if _, err := signer.Sign(raw); err != nil {
			b.Fatal(err)
		}
	}
}
