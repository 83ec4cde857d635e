package auth_test

import (
	"crypto"
	"fmt"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

const relaxedBoth = "c=relaxed/relaxed;"

// seal adds an ARC set as an honest intermediary would (RFC 8617 section 5.1),
// with tags in its message signature, and returns the mail and all fields of the chain, oldest first.
func seal(t *testing.T, raw string, chain []string, tags string) (string, []string) {
	t.Helper()
	return sealAs(t, "lists.test", "spf=pass", raw, chain, tags)
}

// sealAs does so as a domain, with what it says that it found.
func sealAs(t *testing.T, domain, found, raw string, chain []string, tags string) (string, []string) {
	t.Helper()
	header, body, _ := strings.Cut(raw, "\r\n\r\n")
	var from, subject string
	for field := range strings.SplitAfterSeq(header+"\r\n", "\r\n") {
		switch {
		case strings.HasPrefix(field, "From:") && from == "":
			from = field
		case strings.HasPrefix(field, "Subject:") && subject == "":
			subject = field
		}
	}
	instance := len(chain)/3 + 1
	cv := "pass"
	if instance == 1 {
		cv = "none"
	}
	results := fmt.Sprintf("ARC-Authentication-Results: i=%d; %s; %s\r\n", instance, domain, found)
	message := signByHand(t, rsaKey(), "ARC-Message-Signature",
		fmt.Sprintf("i=%d; a=rsa-sha256; %s d=%s; s=s1; h=From:Subject; bh=BH", instance, tags, domain),
		[]string{from, subject}, body, crypto.SHA256)
	chain = append(chain, results, message)
	sealed := signByHand(t, rsaKey(), "ARC-Seal",
		fmt.Sprintf("i=%d; a=rsa-sha256; cv=%s; d=%s; s=s1", instance, cv, domain), chain, "", crypto.SHA256)
	chain = append(chain, sealed)
	return sealed + message + results + raw, chain
}

func TestARCChain(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("lists.test", rsaKey()))
	one, chain := seal(t, plainMail, nil, relaxedBoth)
	listed := strings.Replace(one, "Subject: The", "Subject: [list] The", 1)
	two, chain2 := seal(t, listed, chain, relaxedBoth)
	three, _ := seal(t, two, chain2, relaxedBoth)
	partial, _ := seal(t, plainMail, nil, relaxedBoth+" l=5;")
	expired, _ := seal(t, plainMail, nil, relaxedBoth+" x=1000000000;")
	simple, _ := seal(t, plainMail, nil, "c=simple/simple;")
	implied, _ := seal(t, plainMail, nil, "c=simple;")

	lines := strings.SplitAfter(two, "\r\n")
	tests := map[string]struct{ raw, want string }{
		"none":                        {plainMail, "none"},
		"one set":                     {one, "pass"},
		"changed, then sealed again":  {two, "pass"},
		"three sets":                  {three, "pass"},
		"simple/simple":               {simple, "pass"},
		"simple":                      {implied, "pass"},
		"simple, space added":         {strings.Replace(simple, "The printer", "The  printer", 1), "fail"},
		"LF only":                     {strings.ReplaceAll(two, "\r\n", "\n"), "pass"},
		"changed after the last seal": {listed, "fail"},
		"body changed":                {strings.Replace(one, "does not", "does", 1), "fail"},
		"old results changed":         {strings.Replace(two, "i=1; lists.test; spf=pass", "i=1; lists.test; spf=fail", 1), "fail"},
		"newest seal removed":         {strings.Join(lines[1:], ""), "fail"},
		"newest set twice":            {strings.Join(lines[:3], "") + two, "fail"},
		"first set removed":           {strings.Join(append(lines[:3:3], lines[6:]...), ""), "fail"},
		"seal says fail":              {strings.Replace(two, "cv=pass", "cv=fail", 1), "fail"},
		"second From":                 {"From: boss@example.com\r\n" + one, "fail"},
		"part of the body":            {partial, "fail"},
		"expired":                     {expired, "fail"},
		"instance 51":                 {"ARC-Seal: i=51; cv=pass\r\n" + one, "fail"},
		"no instance":                 {"ARC-Seal: cv=pass\r\n" + one, "fail"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := verify(t, z, test.raw).ARC; got != test.want {
				t.Errorf("ARC = %s, want %s", got, test.want)
			}
		})
	}

	if got := verify(t, dnstest.ServeZone(t, "s1._domainkey.lists.test. SERVFAIL"), two).ARC; got != "temperror" {
		t.Errorf("ARC without DNS = %s", got)
	}
	if got := verify(t, dnstest.ServeZone(t), two).ARC; got != "fail" {
		t.Errorf("ARC without a key = %s", got)
	}
}

// TestTrustedForwarders forwards mail of a domain whose policy is to reject what
// it does not prove.
func TestTrustedForwarders(t *testing.T) {
	z := dnstest.ServeZone(t, keyRecord("forward.test", rsaKey()), keyRecord("mx.forward.test", rsaKey()), keyRecord("lists.test", rsaKey()),
		`_dmarc.example.com. TXT "v=DMARC1; p=reject"`)
	const passed = "spf=pass smtp.mailfrom=example.com; dmarc=pass (p=REJECT; dis=NONE) header.from=example.com"
	chained := func(steps ...string) string {
		raw, chain := plainMail, []string(nil)
		for i := 0; i < len(steps); i += 2 {
			raw, chain = sealAs(t, steps[i], steps[i+1], raw, chain, relaxedBoth)
		}
		return raw
	}
	honest := chained("forward.test", passed)
	tests := map[string]struct{ raw, by string }{
		"by a trusted forwarder":         {honest, "forward.test"},
		"below a trusted domain":         {chained("mx.forward.test", passed), "mx.forward.test"},
		"twice by trusted ones":          {chained("mx.forward.test", passed, "forward.test", "dmarc=fail header.from=example.com; arc=pass"), "mx.forward.test"},
		"as Microsoft writes it":         {chained("forward.test", "1; spf=pass smtp.mailfrom=example.com; dmarc=pass action=none header.from=example.com; dkim=pass"), "forward.test"},
		"with a quoted address":          {chained("forward.test", `spf=pass smtp.mailfrom="a (\"b"@example.com; dmarc=pass header.from="example.com"`), "forward.test"},
		"by a stranger":                  {chained("lists.test", passed), ""},
		"a stranger, then a trusted one": {chained("lists.test", passed, "forward.test", "dmarc=fail header.from=example.com; arc=pass"), ""},
		"a trusted one, then a stranger": {chained("forward.test", passed, "lists.test", passed), ""},
		"it failed there":                {chained("forward.test", "dmarc=fail header.from=example.com"), ""},
		"it failed and passed":           {chained("forward.test", passed+"; dmarc=fail header.from=example.com"), ""},
		"only said in a comment":         {chained("forward.test", `spf=none (\); dmarc=pass header.from=example.com;) smtp.mailfrom=x`), ""},
		"only said in an address":        {chained("forward.test", `spf=none smtp.mailfrom="x; dmarc=pass header.from=example.com; y"@evil.test`), ""},
		"for another domain":             {chained("forward.test", "dmarc=pass header.from=example.net"), ""},
		"for no domain":                  {chained("forward.test", "dmarc=pass"), ""},
		"the body changed since":         {strings.Replace(honest, "does not", "does", 1), ""},
		"the results changed since":      {strings.Replace(chained("forward.test", "dmarc=fail header.from=example.com"), "dmarc=fail", "dmarc=pass", 1), ""},
		"not sealed":                     {"ARC-Authentication-Results: i=1; forward.test; " + passed + "\r\n" + plainMail, ""},
	}
	for name, test := range tests {
		request := auth.Request{RemoteIP: peer, HELO: "mx.forward.test", MailFrom: "bounce@forward.test", Raw: []byte(test.raw)}
		v := auth.Verifier{Resolver: auth.NewResolver(z.Address), Forwarders: []string{"Forward.test"}}
		d := v.Verify(t.Context(), request)
		want := auth.Fail
		if test.by != "" {
			want = auth.Pass
		}
		if d.Forwarder != test.by || d.DMARC.Result != want || (d.DMARC.AlignedBy == "arc") != (test.by != "") {
			t.Errorf("%s: %+v by %q, want %s by %q", name, d.DMARC, d.Forwarder, want, test.by)
		}
		v.Forwarders = nil
		if d := v.Verify(t.Context(), request); d.DMARC.Result != auth.Fail {
			t.Errorf("%s: passes though nobody is trusted", name)
		}
	}
}
