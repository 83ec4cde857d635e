package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signatureError is why a signature is not good.
type signatureError struct {
	result Result
	reason string
}

func (e *signatureError) Error() string { return e.reason }

func permanent(format string, args ...any) *signatureError {
	return &signatureError{PermError, fmt.Sprintf(format, args...)}
}

// verify does what RFC 6376 section 6.1 asks of a verifier, and returns the key. Every
// error is a *signatureError. (go-msgauth does the same at three times the cost: it looks
// at each byte of the body several times.)
func (s signature) verify(keys *publishedKeys, m *message, now time.Time) (publishedKey, error) {
	if err := s.checkTags(now); err != nil {
		return publishedKey{}, err
	}
	key, err := keys.get(s.selector, s.domain)
	switch {
	case isTemporary(err):
		return publishedKey{}, &signatureError{TempError, err.Error()}
	case err != nil:
		return publishedKey{}, permanent("%v", err)
	}
	if err := key.allows(withoutSpace(s.tags["a"])); err != nil {
		return publishedKey{}, permanent("%v", err)
	}
	if key.services != nil && !slices.Contains(key.services, "email") {
		return publishedKey{}, permanent("inappropriate service")
	}
	return key, s.checkSums(m, key)
}

// checkTags looks at what the signature says of itself (section 6.1.1).
func (s signature) checkTags(now time.Time) error {
	if s.problem != nil {
		return permanent("malformed signature tags: %v", s.problem)
	}
	if s.tags["v"] != "1" {
		return permanent("incompatible signature version")
	}
	for _, tag := range []string{"a", "b", "bh", "d", "h", "s"} {
		if _, ok := s.tags[tag]; !ok {
			return permanent("signature missing required tag")
		}
	}
	identity, domain := strings.ToLower(s.identity), strings.ToLower(s.domain)
	if _, ok := s.tags["i"]; ok && !strings.HasSuffix(identity, "@"+domain) && !strings.HasSuffix(identity, "."+domain) {
		return permanent("domain mismatch")
	}
	if !slices.ContainsFunc(s.signed, func(name string) bool { return strings.EqualFold(name, "from") }) {
		return permanent("From field not signed")
	}
	if written, ok := s.tags["t"]; ok {
		if _, err := strconv.ParseInt(withoutSpace(written), 10, 64); err != nil {
			return permanent("malformed time: %v", err)
		}
	}
	if expires, ok := s.tags["x"]; ok {
		seconds, err := strconv.ParseInt(withoutSpace(expires), 10, 64)
		if err != nil {
			return permanent("malformed expiration time: %v", err)
		}
		if now.After(time.Unix(seconds, 0)) {
			return permanent("signature has expired")
		}
	}
	if methods, ok := s.tags["q"]; ok && !slices.Contains(parseList(methods), "dns/txt") {
		return permanent("unsupported public key query method")
	}
	return nil
}

// covers says why a signature does not cover the whole of a canonical body of a length
// (section 3.5, tag l=): what follows the signed part can be anyone's (section 8.2).
func (s signature) covers(length int64) error {
	written, ok := s.tags["l"]
	if !ok {
		return nil
	}
	signed, err := strconv.ParseInt(withoutSpace(written), 10, 64)
	switch {
	case err != nil || signed < 0:
		return permanent("malformed body length")
	case signed > length:
		return permanent("the signature covers more of the body than there is (l=)")
	case signed < length:
		return &signatureError{Policy, "the signature covers only part of the body (l=)"}
	}
	return nil
}

// checkSums compares what was signed with what has come (section 6.1.3).
func (s signature) checkSums(m *message, key publishedKey) error {
	header, body := readCanonicalization(s.tags["c"])
	canonical, err := canonicalFields(header)
	if err != nil {
		return permanent("unsupported header canonicalization algorithm")
	}
	if body != simple && body != relaxed {
		return permanent("unsupported body canonicalization algorithm")
	}
	signedSum, err := base64.StdEncoding.DecodeString(withoutSpace(s.tags["bh"]))
	if err != nil {
		return permanent("malformed body hash: %v", err)
	}
	made, err := base64.StdEncoding.DecodeString(withoutSpace(s.tags["b"]))
	if err != nil {
		return permanent("malformed signature: %v", err)
	}
	came, err := m.bodySum(body)
	if err != nil {
		return permanent("%v", err)
	}
	if err := s.covers(came.length); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(came.sum[:], signedSum) != 1 {
		return &signatureError{Fail, "body hash did not verify"}
	}
	if err := key.verify(m.fieldsSum(s.signed, s.field, canonical), made); err != nil {
		return &signatureError{Fail, "signature did not verify: " + err.Error()}
	}
	return nil
}
