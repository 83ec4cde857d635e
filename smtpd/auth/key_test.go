package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/madoguchi/madoguchi/smtpd/auth"
	"github.com/madoguchi/madoguchi/smtpd/dnstest"
)

// shortRSA is a private key of 512 bits, which Go no longer generates.
const shortRSA = `-----BEGIN RSA PRIVATE KEY-----
MIIBOwIBAAJBAOh1aYjF48vUAAF1EoI57n7V8ia4fKrw2BiuIHRDv52++YlEo3rE
f0lkpHt2LC0GBlDZCFDqVoUar8nrXK6+LgkCAwEAAQJBAK6wXWidXfy1CnQN6KTY
qDPEz77tcTJ838hcQqNcrkj55qK0zszl1nLoLg43oL2v400dLMj05bTtbktsy0UU
Y6kCIQD0HVcYy57zpTRmy3mM1NWXWLrgeQH7KfoVUFINaXbEPwIhAPPGypKGNEJV
8gGA18Y1RBZJYWBVkKSTUmdtLjJZitu3AiEAzcClFosZcHbAUhwSWTdSx/vLl0Om
/dGFrc1DO3a22fUCICYyhvlQmA2w49vCcYz4ObP4SY7LuX9gKjBUlkGDcFOfAiA7
bnJ6bwpQ51tTDCn2w1T/I07MG5QzVVGXtzX+fjZ/0A==
-----END RSA PRIVATE KEY-----
`

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return encode("PRIVATE KEY", der)
}

func TestParseKey(t *testing.T) {
	for name, text := range map[string]string{
		"PKCS#1":         encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())),
		"PKCS#8 RSA":     pkcs8(t, rsaKey()),
		"PKCS#8 Ed25519": "Notes before the key\n" + pkcs8(t, edKey()),
	} {
		key, err := auth.ParseKey([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		z := dnstest.ServeZone(t, keyRecord("example.com", key))
		wantDKIM(t, verify(t, z, sign(t, "example.com", key, plainMail)), auth.Pass, "")
	}
}

func TestParseKeySaysWhatIsWrong(t *testing.T) {
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                      "no PEM block",
		"v=DKIM1; p=abc":                        "no PEM block",
		encode("PUBLIC KEY", public):            "PUBLIC KEY",
		encode("ENCRYPTED PRIVATE KEY", public): "passphrase",
		encode("PRIVATE KEY", []byte("junk")):   "read PRIVATE KEY",
		pkcs8(t, elliptic):                      "RSA or Ed25519",
		shortRSA:                                "too short",
	} {
		if _, err := auth.ParseKey([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseKey(%.40q): %v, want %q", text, err, want)
		}
	}
}

func TestDNSRecordOfEd25519IsTheBareKey(t *testing.T) {
	// 32 bytes are 44 characters of base64 (RFC 8463 section 4).
	record := auth.DNSRecord(edKey())
	if value, ok := strings.CutPrefix(record, "v=DKIM1; k=ed25519; p="); !ok || len(value) != 44 {
		t.Errorf("record = %q", record)
	}
}
