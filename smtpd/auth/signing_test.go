package auth_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// rsaKey is one key for all tests: generating takes longer than the tests.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func edKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("a seed of thirty-two bytes, fixed"[:32]))
}

const plainMail = "From: Hanako <hanako@example.com>\r\n" +
	"To: support@desk.test\r\n" +
	"Subject: The printer\r\n" +
	"Date: Mon, 06 Jul 2026 09:00:00 +0900\r\n" +
	"Message-ID: <1@example.com>\r\n" +
	"\r\n" +
	"It does not print.\r\n"

func sign(t testing.TB, domain string, key crypto.Signer, raw string) string {
	t.Helper()
	signed, err := auth.NewSigner(domain, "s1", key).Sign([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

func keyRecord(domain string, key crypto.Signer) string {
	return dnstest.TXT("s1._domainkey."+domain, auth.DNSRecord(key))
}

// relaxed canonicalizes one unfolded field, independently of the code tested.
func relaxed(field string) string {
	name, value, _ := strings.Cut(strings.TrimSuffix(field, "\r\n"), ":")
	return strings.ToLower(name) + ":" + strings.TrimSpace(value)
}

// signByHand makes a signature field with any tags: the fields are those of the
// mail named in h, bodies are taken as canonical already.
func signByHand(t testing.TB, key *rsa.PrivateKey, name, tags string, fields []string, body string, hash crypto.Hash) string {
	t.Helper()
	digest := func(s string) []byte {
		if hash == crypto.SHA1 {
			sum := sha1.Sum([]byte(s))
			return sum[:]
		}
		sum := sha256.Sum256([]byte(s))
		return sum[:]
	}
	tags = strings.ReplaceAll(tags, "BH", base64.StdEncoding.EncodeToString(digest(body)))
	canonical := relaxed
	if strings.Contains(tags, "c=simple") {
		canonical = func(field string) string { return strings.TrimSuffix(field, "\r\n") }
	}
	input := ""
	for _, field := range fields {
		input += canonical(field) + "\r\n"
	}
	own := name + ": " + tags + "; b="
	input += canonical(own)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, hash, digest(input))
	if err != nil {
		t.Fatal(err)
	}
	return own + base64.StdEncoding.EncodeToString(signature) + "\r\n"
}
