package auth_test

import (
	"context"
	"crypto"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

var peer = netip.MustParseAddr("192.0.2.7")

// verify runs a mail through a verifier over the zone.
func verify(t testing.TB, z *dnstest.Zone, raw string) auth.Verdict {
	t.Helper()
	v := auth.Verifier{Resolver: auth.NewResolver(z.Address), Hostname: "desk.test"}
	return v.Verify(t.Context(), auth.Request{RemoteIP: peer, HELO: "mx.example.com", MailFrom: "bounce@example.com", Raw: []byte(raw)})
}

// wantDKIM fails unless there is one signature with this result, and a reason
// that holds the words given.
func wantDKIM(t *testing.T, v auth.Verdict, result auth.Result, reason string) {
	t.Helper()
	if len(v.DKIM) != 1 || v.DKIM[0].Result != result || !strings.Contains(v.DKIM[0].Reason, reason) {
		t.Errorf("DKIM = %+v, want %s with reason %q", v.DKIM, result, reason)
	}
}

func wantDMARC(t *testing.T, v auth.Verdict, result auth.Result, reason string) {
	t.Helper()
	if v.DMARC.Result != result || !strings.Contains(v.DMARC.Reason, reason) {
		t.Errorf("DMARC = %+v, want %s with reason %q", v.DMARC, result, reason)
	}
}

func TestSignedMailPasses(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey(), "ed25519": edKey()} {
		t.Run(name, func(t *testing.T) {
			z := dnstest.ServeZone(t, keyRecord("example.com", key),
				dnstest.TXT("example.com", "v=spf1 ip4:192.0.2.0/24 -all"), dnstest.TXT("_dmarc.example.com", "v=DMARC1; p=reject; rua=mailto:d@example.com"))
			signed := sign(t, "example.com", key, plainMail)
			v := verify(t, z, signed)
			wantDKIM(t, v, auth.Pass, "")
			if d := v.DKIM[0]; d.Domain != "example.com" || d.Selector != "s1" {
				t.Errorf("DKIM = %+v", d)
			}
			if v.SPF.Result != auth.Pass || v.SPF.Domain != "example.com" {
				t.Errorf("SPF = %+v", v.SPF)
			}
			wantDMARC(t, v, auth.Pass, "")
			if v.DMARC.AlignedBy != "dkim" || v.DMARC.Policy != "reject" || v.DMARC.Domain != "example.com" {
				t.Errorf("DMARC = %+v", v.DMARC)
			}
			if v.ARC != "none" {
				t.Errorf("ARC = %q", v.ARC)
			}
			changed := verify(t, z, strings.Replace(signed, "does not", "does", 1))
			wantDKIM(t, changed, auth.Fail, "body hash")
			changed = verify(t, z, strings.Replace(signed, "The printer", "Urgent", 1))
			wantDKIM(t, changed, auth.Fail, "signature did not verify")
		})
	}
}

func TestFieldSetAboveTheSignedOneIsNotTrusted(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("example.com", rsaKey()), dnstest.TXT("_dmarc.example.com", "v=DMARC1; p=reject"))
	fields := strings.SplitAfter(plainMail, "\r\n")[:3]
	body := "It does not print.\r\n"
	signature := signByHand(t, rsaKey(), "DKIM-Signature",
		"v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=From:To:Subject; bh=BH", fields, body, crypto.SHA256)
	wantDKIM(t, verify(t, z, signature+plainMail), auth.Pass, "")

	v := verify(t, z, "From: boss@example.com\r\n"+signature+plainMail)
	wantDKIM(t, v, auth.Policy, "more from fields")
	wantDMARC(t, v, auth.PermError, "several From fields")

	v = verify(t, z, "sUBJECT : Pay at once\r\n"+signature+plainMail)
	wantDKIM(t, v, auth.Policy, "more subject fields")
	wantDMARC(t, v, auth.Fail, "neither DKIM nor SPF")
}

func TestOwnSignatureBreaksWhenAFieldIsAdded(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("example.com", rsaKey()))
	signed := sign(t, "example.com", rsaKey(), plainMail)
	for _, added := range []string{"From: a@b.test", "Subject: other", "To: x@y.test", "Message-ID: <2@x>"} {
		wantDKIM(t, verify(t, z, added+"\r\n"+signed), auth.Fail, "did not verify")
	}
	// A field that was absent may be added rightfully, by a list for example.
	wantDKIM(t, verify(t, z, "Reply-To: list@lists.test\r\n"+signed), auth.Pass, "")
}

func TestSigningMailThatIsNotQuiteRight(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("example.com", edKey()))
	for name, raw := range map[string]string{
		"LF only":       strings.ReplaceAll(plainMail, "\r\n", "\n"),
		"no empty line": "From: a@example.com\r\nSubject: x\r\n",
		"no line end":   "From: a@example.com\nSubject: x",
		"no body":       "From: a@example.com\r\n\r\n",
		"8 bit":         "From: a@example.com\r\nSubject: 見積\r\n\r\nお世話になります。\r\n\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			signed := sign(t, "example.com", edKey(), raw)
			if strings.Count(signed, "\n") != strings.Count(signed, "\r\n") {
				t.Error("a line does not end in CRLF")
			}
			wantDKIM(t, verify(t, z, signed), auth.Pass, "")
		})
	}
	for _, raw := range []string{"", "Subject: no author\r\n\r\n", "From: a@b.test\r\nFrom: c@d.test\r\n\r\n"} {
		if _, err := auth.NewSigner("example.com", "s1", edKey()).Sign([]byte(raw)); err == nil {
			t.Errorf("Sign(%q) succeeded", raw)
		}
	}
	if _, err := auth.NewSigner("no domain", "s1", edKey()).Sign([]byte(plainMail)); err == nil {
		t.Error("a domain with a space was accepted")
	}
}

func TestReceivedMailWithoutEmptyLineOrWithLF(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("example.com", rsaKey()), dnstest.TXT("_dmarc.example.com", "v=DMARC1; p=none"))
	headerOnly := sign(t, "example.com", rsaKey(), "From: a@example.com\r\nSubject: x\r\n")
	v := verify(t, z, strings.TrimSuffix(headerOnly, "\r\n")) // the empty line is gone
	wantDKIM(t, v, auth.Pass, "")
	wantDMARC(t, v, auth.Pass, "")
	v = verify(t, z, strings.ReplaceAll(sign(t, "example.com", rsaKey(), plainMail), "\r\n", "\n"))
	wantDKIM(t, v, auth.Pass, "")
}

func TestSignaturesThatAreRefused(t *testing.T) {
	tags := "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=From; bh=BH"
	from := "From: a@example.com\r\n"
	body := "Hello\r\n"
	tests := map[string]struct {
		tags   string
		hash   crypto.Hash
		record string
		body   string
		result auth.Result
		reason string
	}{
		"accepted":         {tags: tags, result: auth.Pass},
		"testing key":      {tags: tags, record: "v=DKIM1; t=y; p=KEY", result: auth.Pass, reason: "t=y"},
		"rsa-sha1":         {tags: strings.Replace(tags, "sha256", "sha1", 1), hash: crypto.SHA1, result: auth.PermError, reason: "too weak"},
		"expired":          {tags: tags + "; x=1000000000", result: auth.PermError, reason: "expired"},
		"expires tomorrow": {tags: tags + "; x=4102444800", result: auth.Pass},
		"whole length":     {tags: tags + "; l=7", result: auth.Pass},
		"length beyond":    {tags: tags + "; l=8", result: auth.PermError, reason: "more of the body than there is"},
		"length below":     {tags: tags + "; l=6", result: auth.Policy, reason: "part of the body"},
		"no length":        {tags: tags + "; l=-7", result: auth.PermError, reason: "malformed body length"},
		"added after l=":   {tags: tags + "; l=7", body: body + "Pay here\r\n", result: auth.Policy, reason: "part of the body"},
		"From not signed":  {tags: strings.Replace(tags, "h=From", "h=Subject", 1), result: auth.PermError, reason: "From"},
		"letters' case":    {tags: tags + "; i=Tamura@EXAMPLE.com", result: auth.Pass},
		"foreign identity": {tags: tags + "; i=@other.test", result: auth.PermError, reason: "mismatch"},
		"strict key":       {tags: tags + "; i=@sub.example.com", record: "v=DKIM1; t=s; p=KEY", result: auth.PermError, reason: "subdomain"},
		"revoked key":      {tags: tags, record: "v=DKIM1; p=", result: auth.PermError, reason: "revoked"},
		"no key":           {tags: strings.Replace(tags, "s=s1", "s=s2", 1), result: auth.PermError, reason: "no key"},
		"endless key":      {tags: tags, record: "v=DKIM1; n=" + strings.Repeat("x", 5000) + "; p=KEY", result: auth.PermError, reason: "longer than"},
		"tag twice":        {tags: tags + "; d=other.test", result: auth.PermError, reason: "twice"},
	}
	published := strings.TrimPrefix(auth.DNSRecord(rsaKey()), "v=DKIM1; k=rsa; p=")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.hash == 0 {
				test.hash = crypto.SHA256
			}
			if test.record == "" {
				test.record = "v=DKIM1; p=KEY"
			}
			if test.body == "" {
				test.body = body
			}
			z := dnstest.ServeZone(t, dnstest.TXT("s1._domainkey.example.com", strings.ReplaceAll(test.record, "KEY", published)))
			signature := signByHand(t, rsaKey(), "DKIM-Signature", test.tags, []string{from}, body, test.hash)
			v := verify(t, z, signature+from+"\r\n"+test.body)
			wantDKIM(t, v, test.result, test.reason)
		})
	}
}

func TestExpiryIsJudgedByTheVerifiersClock(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("example.com", rsaKey()))
	from := "From: a@example.com\r\n"
	signature := signByHand(t, rsaKey(), "DKIM-Signature",
		"v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=From; bh=BH; x=4102444800", []string{from}, "Hello\r\n", crypto.SHA256)
	v := auth.Verifier{Resolver: auth.NewResolver(z.Address), Now: func() time.Time { return time.Unix(4102444801, 0) }}
	wantDKIM(t, v.Verify(t.Context(), auth.Request{Raw: []byte(signature + from + "\r\nHello\r\n")}), auth.PermError, "expired")
}

func TestOnlyFiveSignaturesAreVerified(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("example.com", rsaKey()))
	junk := strings.Repeat("DKIM-Signature: v=1; a=rsa-sha256; d=junk.test; s=x; h=From; bh=AA==; b=AA==\r\n", 20)
	v := verify(t, z, junk+sign(t, "example.com", rsaKey(), plainMail))
	if len(v.DKIM) != 6 || v.DKIM[5].Result != auth.Policy || !strings.Contains(v.DKIM[5].Reason, "16 more") {
		t.Errorf("DKIM = %+v", v.DKIM)
	}
	if asked := z.Asked(""); asked > 12 {
		t.Errorf("%d DNS questions", asked)
	}
}

// A header may be of any length, and so may the list of what is signed: what is
// checked of them must not cost their product, or the budget of the mail would end first.
func TestHeaderMadeToCostTimeIsVerifiedInTime(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("example.com", rsaKey()))
	signature := signByHand(t, rsaKey(), "DKIM-Signature", "v=1; a=rsa-sha256; c=relaxed/simple; d=example.com; s=s1; bh=BH; h=from"+strings.Repeat(":x:a", 20000),
		nil, "It does not print.\r\n", crypto.SHA256)
	for name, raw := range map[string]string{
		"many fields":  signature + strings.Repeat("a:\r\n", 100_000) + plainMail,
		"long folding": signature + "X: y\r\n" + strings.Repeat(" \r\n", 400_000) + plainMail,
	} {
		t.Run(name, func(t *testing.T) { wantDKIM(t, verify(t, z, raw), auth.Fail, "signature did not verify") })
	}
}

// Half of a header could prove what the rest refutes, so that none of it counts.
func TestAHeaderBeyondAllMeasureProvesNothing(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("example.com", rsaKey()), dnstest.TXT("_dmarc.example.com", "v=DMARC1; p=reject"))
	signed := sign(t, "example.com", rsaKey(), plainMail)
	for name, more := range map[string]string{"fields": strings.Repeat("X: b\r\n", 200_000), "bytes": "X: " + strings.Repeat("b\r\n ", 1<<20) + "\r\n"} {
		t.Run(name, func(t *testing.T) {
			v := verify(t, z, more+signed)
			if len(v.DKIM) != 0 {
				t.Errorf("DKIM = %+v", v.DKIM)
			}
			wantDMARC(t, v, auth.PermError, "the header has more than")
		})
	}
}

func TestDNSTroubleIsTemporary(t *testing.T) {
	z := dnstest.ServeZone(t, "example.com. SERVFAIL", "_dmarc.example.com. SERVFAIL", "s1._domainkey.example.com. REFUSED")
	v := verify(t, z, sign(t, "example.com", rsaKey(), plainMail))
	if v.SPF.Result != auth.TempError {
		t.Errorf("SPF = %+v", v.SPF)
	}
	wantDKIM(t, v, auth.TempError, "")
	wantDMARC(t, v, auth.TempError, "")
}

func TestDMARCIsTemporaryWhileTheAlignedCheckIs(t *testing.T) {
	z := dnstest.ServeZone(t, dnstest.TXT("_dmarc.example.com", "v=DMARC1; p=reject"),
		"s1._domainkey.example.com. SERVFAIL", "s1._domainkey.other.test. SERVFAIL")
	wantDMARC(t, verify(t, z, sign(t, "example.com", rsaKey(), plainMail)), auth.TempError, "could not be checked")
	wantDMARC(t, verify(t, z, sign(t, "other.test", rsaKey(), plainMail)), auth.Fail, "neither")
}

func TestSilentServerEndsWithTheBudget(t *testing.T) {
	checkBudget(t, auth.NewResolver(dnstest.ServeZone(t, ". SILENT").Address))
}

// deaf is a resolver that ignores its context and never answers.
type deaf struct{ auth.Resolver }

func (deaf) LookupTXT(context.Context, string) ([]string, error) { select {} }

func TestResolverThatIgnoresItsContextEndsWithTheBudget(t *testing.T) { checkBudget(t, deaf{}) }

func checkBudget(t *testing.T, resolver auth.Resolver) {
	t.Helper()
	v := auth.Verifier{Resolver: resolver, Timeout: 50 * time.Millisecond}
	raw := sign(t, "example.com", rsaKey(), plainMail)
	done := make(chan auth.Verdict, 1)
	go func() {
		done <- v.Verify(context.Background(), auth.Request{RemoteIP: peer, HELO: "mx.example.com", MailFrom: "a@example.com", Raw: []byte(raw)})
	}()
	select {
	case verdict := <-done:
		const reason = "no answer from DNS within 50ms"
		wantDKIM(t, verdict, auth.TempError, reason)
		wantDMARC(t, verdict, auth.TempError, reason)
		if verdict.SPF.Result != auth.TempError || !strings.Contains(verdict.SPF.Reason, reason) || verdict.SPF.Domain != "example.com" {
			t.Errorf("SPF = %+v", verdict.SPF)
		}
	case <-time.After(time.Minute):
		t.Fatal("Verify did not return")
	}
}

func TestSPF(t *testing.T) {
	z := dnstest.ServeZone(t,
		dnstest.TXT("pass.test", "v=spf1 ip4:192.0.2.7 -all"), dnstest.TXT("fail.test", "v=spf1 -all"), dnstest.TXT("soft.test", "v=spf1 ~all"),
		dnstest.TXT("neutral.test", "v=spf1 ?all"), dnstest.TXT("bad.test", "v=spf1 nonsense -all"),
		dnstest.TXT("two.test", "v=spf1 -all"), dnstest.TXT("two.test", "v=spf1 +all"), dnstest.TXT("loop.test", "v=spf1 include:loop.test -all"),
		dnstest.TXT("mx.test", "v=spf1 mx -all"), "mx.test. 60 IN MX 10 a.mx.test.", "a.mx.test. 60 IN A 192.0.2.7",
		dnstest.TXT("local.test", "v=spf1 ip4:127.0.0.1 ip6:::1 -all"), dnstest.TXT("xn--r8jz45g.xn--zckzah", "v=spf1 ip4:192.0.2.7 -all"))
	tests := []struct {
		ip, helo, from string
		result         auth.Result
		domain         string
	}{
		{"192.0.2.7", "h.test", "a@pass.test", auth.Pass, "pass.test"},
		{"::ffff:192.0.2.7", "h.test", "a@PASS.test", auth.Pass, "pass.test"},
		{"192.0.2.7", "h.test", `"x@fail.test"@pass.test`, auth.Pass, "pass.test"},
		{"192.0.2.7", "h.test", "a@例え.テスト", auth.Pass, "xn--r8jz45g.xn--zckzah"},
		{"192.0.2.7", "h.test", "a@fail.test", auth.Fail, "fail.test"},
		{"192.0.2.7", "h.test", "a@soft.test", auth.SoftFail, "soft.test"},
		{"192.0.2.7", "h.test", "a@neutral.test", auth.Neutral, "neutral.test"},
		{"192.0.2.7", "h.test", "a@bad.test", auth.PermError, "bad.test"},
		{"192.0.2.7", "h.test", "a@two.test", auth.PermError, "two.test"},
		{"192.0.2.7", "h.test", "a@loop.test", auth.PermError, "loop.test"},
		{"192.0.2.7", "h.test", "a@mx.test", auth.Pass, "mx.test"},
		{"192.0.2.7", "h.test", "a@absent.test", auth.None, "absent.test"},
		{"192.0.2.7", "h.test", "a@a.mx.test", auth.None, "a.mx.test"}, // exists, without TXT
		{"192.0.2.7", "pass.test", "", auth.Pass, "pass.test"},
		{"192.0.2.7", "fail.test", "", auth.Fail, "fail.test"},
		{"192.0.2.7", "localhost", "", auth.None, "localhost"},
		{"192.0.2.7", "[192.0.2.7]", "", auth.None, "[192.0.2.7]"},
		{"127.0.0.1", "h.test", "a@local.test", auth.Pass, "local.test"},
		{"::1", "h.test", "a@local.test", auth.Pass, "local.test"},
		{"10.0.0.1", "h.test", "a@local.test", auth.Fail, "local.test"},
		{"", "h.test", "a@pass.test", auth.None, "pass.test"},
	}
	for _, test := range tests {
		t.Run(test.ip+" "+test.from+" "+test.helo, func(t *testing.T) {
			var ip netip.Addr
			if test.ip != "" {
				ip = netip.MustParseAddr(test.ip)
			}
			v := auth.Verifier{Resolver: auth.NewResolver(z.Address)}
			spf := v.Verify(t.Context(), auth.Request{RemoteIP: ip, HELO: test.helo, MailFrom: test.from}).SPF
			if spf.Result != test.result || spf.Domain != test.domain || spf.HELO != (test.from == "") {
				t.Errorf("SPF = %+v, want %s for %s", spf, test.result, test.domain)
			}
			if spf.Reason == "" {
				t.Error("no reason")
			}
		})
	}
}

func TestResolverAddressForms(t *testing.T) {
	resolver := auth.NewResolver("192.0.2.53")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if conn, err := resolver.Dial(ctx, "udp", "ignored:1"); err != nil {
		var opError *net.OpError
		if !errors.As(err, &opError) {
			t.Errorf("dial: %v", err)
		}
	} else if got := conn.RemoteAddr().String(); got != "192.0.2.53:53" {
		t.Errorf("asks %s", got)
	}
}
