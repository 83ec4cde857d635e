package auth_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// Mails signed by go-msgauth in every canonicalization pass here, and after a byte of
// them was changed both say the same.
func TestDKIMAgreesWithAnotherImplementation(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("example.com", rsaKey()), keyRecord("ed.example.com", edKey()))
	record := map[string]string{"s1._domainkey.example.com": auth.DNSRecord(rsaKey()), "s1._domainkey.ed.example.com": auth.DNSRecord(edKey())}
	lookup := func(name string) ([]string, error) {
		if record[name] == "" {
			return nil, absent(name)
		}
		return []string{record[name]}, nil
	}
	header := "From: a@example.com\r\nSubject:  a \t b\r\n\t c \r\nTO : x@y.test\r\nDate: Sat, 21 Nov 2026 10:00:00 +0900\r\n\r\n"
	random := rand.New(rand.NewPCG(1, 2))
	for n, body := range []string{
		"", "\r\n", "\r\n\r\n", "text", "text\r\n", "text\r\n\r\n\r\n", "\r\n\r\ntext", " \r\n\t\r\ntext \t \r\n \t\r\n", "a  b\tc \t d\r\n  e\r\n",
		strings.Repeat("お世話になっております。  いつもの行です。\t\r\n\r\n", 300), strings.Repeat("x", 20_000) + "\r\n",
	} {
		for _, c := range []struct{ header, body dkim.Canonicalization }{
			{dkim.CanonicalizationSimple, dkim.CanonicalizationSimple}, {dkim.CanonicalizationSimple, dkim.CanonicalizationRelaxed},
			{dkim.CanonicalizationRelaxed, dkim.CanonicalizationSimple}, {dkim.CanonicalizationRelaxed, dkim.CanonicalizationRelaxed},
		} {
			t.Run(fmt.Sprintf("body %d %s %s", n, c.header, c.body), func(t *testing.T) {
				options := &dkim.SignOptions{Domain: "example.com", Selector: "s1", Signer: rsaKey(), HeaderCanonicalization: c.header, BodyCanonicalization: c.body,
					HeaderKeys: []string{"From", "Subject", "To", "Date", "Cc", "Subject"}}
				if n%2 == 1 {
					options.Domain, options.Signer = "ed.example.com", edKey()
				}
				var signed bytes.Buffer
				if err := dkim.Sign(&signed, strings.NewReader(header+body), options); err != nil {
					t.Fatal(err)
				}
				wantDKIM(t, verify(t, z, signed.String()), auth.Pass, "")
				for range 20 {
					changed := bytes.Clone(signed.Bytes())
					changed[random.IntN(len(changed))] = " \tx;=:\r\n"[random.IntN(8)]
					agree(t, z, string(changed), lookup)
				}
			})
		}
	}
}

func agree(t *testing.T, z *dnstest.Zone, raw string, lookup func(string) ([]string, error)) {
	t.Helper()
	if strings.Count(raw, "\r") != strings.Count(raw, "\r\n") || strings.Count(raw, "\n") != strings.Count(raw, "\r\n") {
		return // neither reads such, since no listener takes it
	}
	theirs, err := dkim.VerifyWithOptions(strings.NewReader(raw), &dkim.VerifyOptions{LookupTXT: lookup})
	ours := verify(t, z, raw).DKIM
	if err != nil || len(theirs) != len(ours) {
		t.Errorf("%d signatures and %v, here %+v, of\n%q", len(theirs), err, ours, raw)
		return
	}
	for i, v := range theirs {
		want := auth.Pass
		switch {
		case dkim.IsPermFail(v.Err):
			want = auth.PermError
		case v.Err != nil:
			want = auth.Fail
		}
		if got := ours[i].Result; got != want && got != auth.Policy {
			t.Errorf("%v, here %+v, of\n%q", v.Err, ours[i], raw)
		}
	}
}
