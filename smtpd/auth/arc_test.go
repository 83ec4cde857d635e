package auth_test

import (
	"crypto"
	"fmt"
	"strings"
	"testing"
)

const relaxedBoth = "c=relaxed/relaxed;"

// seal adds an ARC set as an honest intermediary would (RFC 8617 section 5.1),
// with tags in its message signature, and returns the mail and all fields of the chain, oldest first.
func seal(t *testing.T, raw string, chain []string, tags string) (string, []string) {
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
	results := fmt.Sprintf("ARC-Authentication-Results: i=%d; lists.test; spf=pass\r\n", instance)
	message := signByHand(t, rsaKey(), "ARC-Message-Signature",
		fmt.Sprintf("i=%d; a=rsa-sha256; %s d=lists.test; s=s1; h=From:Subject; bh=BH", instance, tags),
		[]string{from, subject}, body, crypto.SHA256)
	chain = append(chain, results, message)
	sealed := signByHand(t, rsaKey(), "ARC-Seal",
		fmt.Sprintf("i=%d; a=rsa-sha256; cv=%s; d=lists.test; s=s1", instance, cv), chain, "", crypto.SHA256)
	chain = append(chain, sealed)
	return sealed + message + results + raw, chain
}

func TestARCChain(t *testing.T) {
	z := serveZone(t, keyRecord("lists.test", rsaKey()))
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

	if got := verify(t, serveZone(t, "s1._domainkey.lists.test. SERVFAIL"), two).ARC; got != "temperror" {
		t.Errorf("ARC without DNS = %s", got)
	}
	if got := verify(t, serveZone(t), two).ARC; got != "fail" {
		t.Errorf("ARC without a key = %s", got)
	}
}
