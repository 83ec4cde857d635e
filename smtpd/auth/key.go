package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

// minRSABits is the shortest RSA key that verifiers accept (RFC 8301 section 3.2).
const minRSABits = 1024

// ParseKey reads a private key for signing, PKCS#1 or PKCS#8 in PEM: RSA of at
// least 1024 bits, or Ed25519. Text around the PEM block is ignored.
func ParseKey(data []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("DKIM key: no PEM block found; the file must hold a line -----BEGIN PRIVATE KEY-----")
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, errEncrypted
		}
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errEncrypted
	default:
		return nil, fmt.Errorf("DKIM key: the file holds a %s; needed is a private key (PKCS#1 or PKCS#8), RSA or Ed25519", clean(block.Type))
	}
	if err != nil {
		return nil, fmt.Errorf("DKIM key: read %s: %w", block.Type, err)
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < minRSABits {
			return nil, fmt.Errorf("DKIM key: RSA of %d bits is too short; at least %d are needed, 2048 is usual", bits, minRSABits)
		}
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("DKIM key: %T cannot sign mail; RSA or Ed25519 can", key)
}

var errEncrypted = errors.New("DKIM key: the key is encrypted; remove its passphrase, for example with openssl pkcs8 -topk8 -nocrypt")

// DNSRecord returns the TXT record to publish at <selector>._domainkey.<domain>
// for a key (RFC 6376 section 3.6.1, RFC 8463 section 4), or "" for a key that
// is neither RSA nor Ed25519.
func DNSRecord(key crypto.Signer) string { return recordOf(key.Public()) }

// PublicRecord is DNSRecord for the public half of a key, PKIX in DER.
func PublicRecord(der []byte) (string, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return "", fmt.Errorf("DKIM key: read the public half: %w", err)
	}
	return recordOf(public), nil
}

func recordOf(public crypto.PublicKey) string {
	switch public := public.(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return ""
		}
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	return ""
}
