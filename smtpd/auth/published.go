package auth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
)

// maxKeyRecord bounds a DKIM key record in bytes: room for RSA of 16,384 bits.
// Verifying costs the square of the key's length, and the key is the sender's.
const maxKeyRecord = 4096

// publishedKey is a key record (RFC 6376 section 3.6.1).
type publishedKey struct {
	kind     string // rsa or ed25519
	rsa      *rsa.PublicKey
	ed25519  ed25519.PublicKey
	hashes   []string // those allowed; nil is all
	services []string // those it is for; nil is all
	flags    []string
}

// publishedKeys fetches keys, each once for a mail.
type publishedKeys struct {
	ctx context.Context // of one Verify, which this value does not outlive
	dns lookups

	mu    sync.Mutex
	known map[string]*fetchedKey // by name asked
}

// fetchedKey is there once done is closed.
type fetchedKey struct {
	done    chan struct{}
	outcome outcome[keyAnswer]
}

type keyAnswer struct {
	key publishedKey
	err error
}

func newPublishedKeys(ctx context.Context, dns lookups) *publishedKeys {
	return &publishedKeys{ctx: ctx, dns: dns, known: make(map[string]*fetchedKey)}
}

// get returns the key of a selector and a domain. Trouble with the DNS is an error that
// isTemporary knows; so is the end of the budget, whatever the resolver does.
func (k *publishedKeys) get(selector, domain string) (publishedKey, error) {
	name := selector + "._domainkey." + domain
	k.mu.Lock()
	fetched, ok := k.known[name]
	if !ok {
		fetched = &fetchedKey{done: make(chan struct{})}
		k.known[name] = fetched
		go func() {
			defer close(fetched.done)
			fetched.outcome = attempt(func() (a keyAnswer) {
				a.key, a.err = fetchKey(k.ctx, k.dns, name)
				return a
			})
		}()
	}
	k.mu.Unlock()
	select {
	case <-fetched.done:
		answer := fetched.outcome.get()
		return answer.key, answer.err
	case <-k.ctx.Done():
		return publishedKey{}, &net.DNSError{Err: context.Cause(k.ctx).Error(), Name: name, IsTimeout: true, IsTemporary: true}
	}
}

func fetchKey(ctx context.Context, dns lookups, name string) (publishedKey, error) {
	records, err := dns.LookupTXT(ctx, name)
	switch {
	case isTemporary(err):
		return publishedKey{}, fmt.Errorf("key unavailable: %w", err)
	case err != nil:
		return publishedKey{}, fmt.Errorf("no key for signature: %w", err)
	case len(records) == 0:
		return publishedKey{}, errors.New("no valid key found")
	case len(records) > 1: // undefined by RFC 6376 section 3.6.2.2
		return publishedKey{}, errors.New("multiple TXT records found for key")
	case len(records[0]) > maxKeyRecord:
		return publishedKey{}, fmt.Errorf("no key for signature: the key record is longer than %d bytes", maxKeyRecord)
	}
	return readKey(records[0])
}

func readKey(record string) (publishedKey, error) {
	tags, err := parseTags(record)
	if err != nil {
		return publishedKey{}, fmt.Errorf("key record error: %w", err)
	}
	if version, ok := tags["v"]; ok && version != "DKIM1" {
		return publishedKey{}, errors.New("incompatible public key version")
	}
	encoded, ok := tags["p"]
	if !ok {
		return publishedKey{}, errors.New("key syntax error: missing public key data")
	}
	if encoded == "" {
		return publishedKey{}, errors.New("key revoked")
	}
	der, err := base64.StdEncoding.DecodeString(withoutSpace(encoded))
	if err != nil {
		return publishedKey{}, fmt.Errorf("key syntax error: %w", err)
	}
	key := publishedKey{kind: tags["k"], flags: parseList(tags["t"])}
	switch key.kind {
	case "", "rsa":
		key.kind = "rsa"
		if key.rsa, err = parseRSA(der); err != nil {
			return publishedKey{}, fmt.Errorf("key syntax error: %w", err)
		}
		if bits := key.rsa.N.BitLen(); bits < minRSABits {
			return publishedKey{}, fmt.Errorf("key is too short: want %d bits, has %d bits", minRSABits, bits)
		}
	case "ed25519":
		if key.ed25519 = der; len(der) != ed25519.PublicKeySize {
			return publishedKey{}, fmt.Errorf("invalid Ed25519 public key size: %d bytes", len(der))
		}
	default:
		return publishedKey{}, errors.New("unsupported key algorithm")
	}
	if hashes, ok := tags["h"]; ok {
		key.hashes = append([]string{}, parseList(hashes)...)
	}
	if services, ok := tags["s"]; ok {
		if list := parseList(services); !slices.Contains(list, "*") {
			key.services = append([]string{}, list...)
		}
	}
	return key, nil
}

// parseRSA accepts both forms in which RSA keys are published (RFC 6376 erratum 3017).
func parseRSA(der []byte) (*rsa.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return x509.ParsePKCS1PublicKey(der)
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("not an RSA public key")
	}
	return key, nil
}

// allows says why a key is not for signatures of an algorithm such as rsa-sha256, the
// value of tag a=.
func (k publishedKey) allows(algorithm string) error {
	kind, hash, ok := strings.Cut(algorithm, "-")
	switch {
	case !ok:
		return errors.New("malformed algorithm name")
	case k.hashes != nil && !slices.Contains(k.hashes, hash):
		return errors.New("inappropriate hash algorithm")
	case hash == "sha1": // RFC 8301 section 3.1
		return errors.New("hash algorithm too weak: sha1")
	case hash != "sha256":
		return errors.New("unsupported hash algorithm")
	case kind != k.kind:
		return errors.New("inappropriate key algorithm")
	}
	return nil
}

// verify checks a signature over a SHA-256 sum.
func (k publishedKey) verify(sum, signature []byte) error {
	if k.rsa != nil {
		return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, sum, signature)
	}
	if !ed25519.Verify(k.ed25519, sum, signature) {
		return errors.New("invalid Ed25519 signature")
	}
	return nil
}

// isTemporary tells missing answers from wrong ones.
func isTemporary(err error) bool {
	var dnsError *net.DNSError
	return errors.As(err, &dnsError) && dnsError.IsTemporary
}
