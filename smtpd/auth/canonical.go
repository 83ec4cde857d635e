package auth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"net"
	"slices"
	"strings"
)

// Canonicalization and key records of RFC 6376, for ARC: go-msgauth keeps its
// own to itself.

type (
	canonicalField func(raw string) string
	canonicalBody  func(to hash.Hash, body []byte)
)

// canonicalizations returns the algorithms that c= names; absent is "simple".
func canonicalizations(header, body string) (canonicalField, canonicalBody, error) {
	fields := map[string]canonicalField{"": simpleHeader, "simple": simpleHeader, "relaxed": relaxedHeader}[header]
	bodies := map[string]canonicalBody{"": simpleBody, "simple": simpleBody, "relaxed": relaxedBody}[body]
	if fields == nil || bodies == nil {
		return nil, nil, fmt.Errorf("unknown canonicalization %s/%s", header, body)
	}
	return fields, bodies, nil
}

func simpleHeader(raw string) string { return raw }

// relaxedHeader is RFC 6376 section 3.4.2.
func relaxedHeader(raw string) string {
	name, value, _ := strings.Cut(raw, ":")
	words := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' })
	return strings.ToLower(strings.TrimSpace(name)) + ":" + strings.Join(words, " ") + "\r\n"
}

// simpleBody is RFC 6376 section 3.4.3: empty lines at the end count as none,
// and an empty body as one.
func simpleBody(to hash.Hash, body []byte) {
	for bytes.HasSuffix(body, crlf) {
		body = body[:len(body)-len(crlf)]
	}
	to.Write(body)
	to.Write(crlf)
}

// relaxedBody is RFC 6376 section 3.4.4: runs of white space count as one
// space, at the end of a line as none; an empty body stays empty.
func relaxedBody(to hash.Hash, body []byte) {
	emptyLines := 0
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, crlf)
		body = rest
		line = relaxedLine(line)
		if len(line) == 0 {
			emptyLines++
			continue
		}
		for ; emptyLines > 0; emptyLines-- {
			to.Write(crlf)
		}
		to.Write(line)
		to.Write(crlf)
	}
}

func relaxedLine(line []byte) []byte {
	line = bytes.TrimRight(line, " \t")
	out := make([]byte, 0, len(line))
	for i, c := range line {
		if c == '\t' {
			c = ' '
		}
		if c == ' ' && i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') {
			continue
		}
		out = append(out, c)
	}
	return out
}

// withoutSignature empties the b= tag of a field, as signing had it.
func withoutSignature(raw string) string {
	name, value, _ := strings.Cut(raw, ":")
	parts := strings.Split(value, ";")
	for i, part := range parts {
		if tag, _, ok := strings.Cut(part, "="); ok && strings.TrimSpace(tag) == "b" {
			parts[i] = tag + "="
			if i == len(parts)-1 && strings.HasSuffix(part, "\r\n") {
				parts[i] += "\r\n"
			}
		}
	}
	return name + ":" + strings.Join(parts, ";")
}

// keyRecord is a public key as published.
type keyRecord struct {
	rsa     *rsa.PublicKey
	ed25519 ed25519.PublicKey
	hashes  []string // those allowed, all where empty
}

// fetchKey asks for the key record at name (RFC 6376 section 3.6.1).
func fetchKey(ctx context.Context, dns lookups, name string) (keyRecord, error) {
	records, err := dns.LookupTXT(ctx, name)
	if err != nil {
		return keyRecord{}, fmt.Errorf("look up key %s: %w", clean(name), err)
	}
	if len(records) != 1 || len(records[0]) > maxKeyRecord {
		return keyRecord{}, fmt.Errorf("no usable key at %s", clean(name))
	}
	tags, err := parseTags(records[0])
	if err != nil {
		return keyRecord{}, fmt.Errorf("read key %s: %w", clean(name), err)
	}
	if version, ok := tags["v"]; ok && version != "DKIM1" {
		return keyRecord{}, fmt.Errorf("read key %s: unknown version", clean(name))
	}
	der, err := base64.StdEncoding.DecodeString(withoutSpace(tags["p"]))
	if err != nil || len(der) == 0 {
		return keyRecord{}, fmt.Errorf("the key %s is revoked or broken", clean(name))
	}
	record := keyRecord{hashes: parseList(tags["h"])}
	switch tags["k"] {
	case "", "rsa":
		record.rsa, err = parseRSA(der)
	case "ed25519":
		record.ed25519 = der
		if len(der) != ed25519.PublicKeySize {
			err = errors.New("not an Ed25519 key")
		}
	default:
		err = errors.New("unknown kind of key")
	}
	if err != nil {
		return keyRecord{}, fmt.Errorf("read key %s: %w", clean(name), err)
	}
	return record, nil
}

// parseRSA accepts both forms in which RSA keys are published (RFC 6376 erratum 3017).
func parseRSA(der []byte) (*rsa.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return x509.ParsePKCS1PublicKey(der)
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("not an RSA key")
	}
	return key, nil
}

// verify checks a signature over a SHA-256 sum by the algorithm of tag a=.
func (k keyRecord) verify(algorithm string, sum, signature []byte) error {
	if len(k.hashes) > 0 && !slices.Contains(k.hashes, "sha256") {
		return errors.New("the key does not allow SHA-256")
	}
	switch {
	case algorithm == "rsa-sha256" && k.rsa != nil:
		if k.rsa.N.BitLen() < minRSABits {
			return errors.New("the key is too short")
		}
		return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, sum, signature)
	case algorithm == "ed25519-sha256" && k.ed25519 != nil:
		if !ed25519.Verify(k.ed25519, sum, signature) {
			return errors.New("the signature is wrong")
		}
		return nil
	}
	return fmt.Errorf("algorithm %s does not fit the key", clean(algorithm))
}

// isTemporary tells missing answers from wrong ones.
func isTemporary(err error) bool {
	var dnsError *net.DNSError
	return errors.As(err, &dnsError) && dnsError.IsTemporary
}
