package auth_test

import (
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/authres"

	"github.com/madoguchi/madoguchi/smtpd/auth"
)

func TestAuthenticationResults(t *testing.T) {
	v := auth.Verdict{
		SPF: auth.SPF{Result: auth.Pass, Domain: "example.com", Reason: "192.0.2.7: matched ip"},
		DKIM: []auth.DKIM{
			{Result: auth.Pass, Domain: "example.com", Selector: "s1"},
			{Result: auth.Fail, Domain: "lists.test", Selector: "k", Reason: "body hash did not verify"},
		},
		DMARC: auth.DMARC{Result: auth.Pass, Domain: "example.com", Policy: "reject", AlignedBy: "dkim"},
		ARC:   "none",
	}
	want := `desk.test; spf=pass reason="192.0.2.7: matched ip" smtp.mailfrom=example.com;` +
		` dkim=pass header.d=example.com header.s=s1;` +
		` dkim=fail reason="body hash did not verify" header.d=lists.test header.s=k;` +
		` dmarc=pass header.from=example.com policy.dmarc=reject; arc=none`
	if got := v.AuthenticationResults("desk.test"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	verifier := auth.Verifier{Hostname: "desk.test"}
	if got := verifier.AuthenticationResults(v); got != want {
		t.Errorf("verifier: %s", got)
	}
	bounce := auth.Verdict{SPF: auth.SPF{Result: auth.None, Domain: "h.test", HELO: true}}
	want = `localhost; spf=none smtp.helo=h.test; dkim=none reason="the mail is not signed"; dmarc=none; arc=none`
	if got := bounce.AuthenticationResults(""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAuthenticationResultsCannotBeInjected(t *testing.T) {
	hostile := "x\r\nBcc: a@b.test\x00\x7f\"; dmarc=pass (\\ é` 見"
	v := auth.Verdict{
		SPF:   auth.SPF{Result: auth.Fail, Domain: hostile, Reason: hostile},
		DKIM:  []auth.DKIM{{Result: auth.Fail, Domain: hostile, Selector: hostile, Identity: hostile, Reason: hostile}},
		DMARC: auth.DMARC{Result: auth.Fail, Domain: hostile, Policy: hostile, Reason: hostile},
		ARC:   hostile,
	}
	checkResults(t, v)
	if got := v.AuthenticationResults(hostile); strings.ContainsAny(got, "\r\n\x00\x7f") {
		t.Errorf("control characters in %q", got)
	}
}

// checkResults proves that a verdict is written as printable ASCII, and is read
// back with the results it has and no other.
func checkResults(t *testing.T, v auth.Verdict) {
	t.Helper()
	value := v.AuthenticationResults("desk.test")
	for _, c := range []byte(value) {
		if c < ' ' || c > '~' {
			t.Fatalf("byte %q in %q", c, value)
		}
	}
	_, results, err := authres.Parse(value)
	if err != nil {
		t.Fatalf("%v in %q", err, value)
	}
	if want := 3 + max(1, len(v.DKIM)); len(results) != want {
		t.Fatalf("%d results, want %d in %q", len(results), want, value)
	}
	for _, result := range results {
		if dmarc, ok := result.(*authres.DMARCResult); ok && dmarc.Value != authres.ResultValue(v.DMARC.Result) {
			t.Fatalf("dmarc=%s, want %s in %q", dmarc.Value, v.DMARC.Result, value)
		}
	}
}
