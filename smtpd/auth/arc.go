package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxARCSets is the longest chain there may be (RFC 8617 section 4.2.1).
const maxARCSets = 50

// arcFields are the names of the fields of a set.
var arcFields = []string{"arc-authentication-results", "arc-message-signature", "arc-seal"}

// arcChain is what was found of a chain: its state, and its sets, oldest first,
// where it passes.
type arcChain struct {
	state string
	sets  []arcSet
}

// arcSet is the three fields that one intermediary adds.
type arcSet struct{ results, message, seal *field }

// checkARC verifies the chain (RFC 8617 section 5.2): the structure, the newest
// ARC-Message-Signature, and every ARC-Seal. The chain ends in the past, at
// keys of strangers: pass says that nobody broke it, not that one may trust it.
func checkARC(ctx context.Context, keys *publishedKeys, m *message, now time.Time) arcChain {
	sets, err := m.arcSets()
	if err != nil {
		return arcChain{state: string(Fail)}
	}
	if len(sets) == 0 {
		return arcChain{state: string(None)}
	}
	err = m.verifyARCMessage(keys, sets[len(sets)-1].message, now)
	for i := len(sets); i > 0 && err == nil && ctx.Err() == nil; i-- {
		err = verifySeal(keys, sets[:i])
	}
	switch {
	case ctx.Err() != nil || isTemporary(err):
		return arcChain{state: string(TempError)}
	case err == nil:
		return arcChain{state: string(Pass), sets: sets}
	}
	return arcChain{state: string(Fail)}
}

// arcSets collects the chain, oldest first, and checks all of its structure.
func (m *message) arcSets() ([]arcSet, error) {
	var sets [maxARCSets]arcSet
	count := 0
	for i := range m.fields {
		f := &m.fields[i]
		if !slices.Contains(arcFields, f.name) {
			continue
		}
		instance, err := f.instance()
		if err != nil {
			return nil, err
		}
		count = max(count, instance)
		set := &sets[instance-1]
		place := map[string]**field{
			"arc-authentication-results": &set.results, "arc-message-signature": &set.message, "arc-seal": &set.seal,
		}[f.name]
		if *place != nil {
			return nil, fmt.Errorf("instance %d has two %s fields", instance, f.name)
		}
		*place = f
	}
	for i, set := range sets[:count] {
		if set.results == nil || set.message == nil || set.seal == nil {
			return nil, fmt.Errorf("instance %d is incomplete", i+1)
		}
		tags, err := parseTags(set.seal.value())
		want := "pass"
		if i == 0 {
			want = "none"
		}
		if _, signsFields := tags["h"]; err != nil || signsFields || !strings.EqualFold(tags["cv"], want) {
			return nil, fmt.Errorf("the seal of instance %d is not valid", i+1)
		}
	}
	return sets[:count], nil
}

// instance reads the number i= that binds the three fields of a set.
func (f *field) instance() (int, error) {
	value := f.value()
	if f.name == "arc-authentication-results" {
		value, _, _ = strings.Cut(value, ";") // what follows is no tag list
	}
	tags, err := parseTags(value)
	if err != nil {
		return 0, err
	}
	instance, err := strconv.Atoi(tags["i"])
	if err != nil || instance < 1 || instance > maxARCSets {
		return 0, fmt.Errorf("%s without a valid instance", f.name)
	}
	return instance, nil
}

// verifyARCMessage verifies an ARC-Message-Signature, which is a DKIM signature
// in all but its name (RFC 8617 section 4.1.2).
func (m *message) verifyARCMessage(keys *publishedKeys, f *field, now time.Time) error {
	tags, err := parseTags(f.value())
	if err != nil {
		return err
	}
	signed := parseList(tags["h"])
	if err := m.checkARCMessageTags(tags, signed, now); err != nil {
		return err
	}
	header, body := readCanonicalization(tags["c"])
	canonical, err := canonicalFields(header)
	if err != nil {
		return err
	}
	bodySum, err := m.bodySum(body)
	if err != nil {
		return err
	}
	wanted, err := base64.StdEncoding.DecodeString(withoutSpace(tags["bh"]))
	if err != nil || subtle.ConstantTimeCompare(bodySum.sum[:], wanted) != 1 {
		return errors.New("the body was changed")
	}
	return keys.verify(tags, m.fieldsSum(signed, *f, canonical))
}

func (m *message) checkARCMessageTags(tags map[string]string, signed []string, now time.Time) error {
	from := false
	for _, name := range signed {
		from = from || strings.EqualFold(name, "from")
		if strings.EqualFold(name, "arc-seal") {
			return errors.New("the message signature covers a seal")
		}
	}
	if _, length := tags["l"]; length || !from {
		return errors.New("the message signature does not cover From or all of the body")
	}
	if name := m.uncovered(signed); name != "" {
		return fmt.Errorf("the mail has more %s fields than the message signature covers", name)
	}
	if expiry, ok := tags["x"]; ok {
		seconds, err := strconv.ParseInt(withoutSpace(expiry), 10, 64)
		if err != nil || now.After(time.Unix(seconds, 0)) {
			return errors.New("the message signature has expired")
		}
	}
	return nil
}

// verifySeal verifies the ARC-Seal of the newest of sets, which covers all the
// fields of all of them, in order (RFC 8617 section 5.1.1).
func verifySeal(keys *publishedKeys, sets []arcSet) error {
	sum := sha256.New()
	newest := sets[len(sets)-1]
	var b []byte
	for _, set := range sets {
		b = relaxedField(relaxedField(b[:0], *set.results), *set.message)
		if set != newest {
			b = relaxedField(b, *set.seal)
		}
		sum.Write(b)
	}
	tags, err := parseTags(newest.seal.value())
	if err != nil {
		return err
	}
	return keys.verify(tags, sumOwn(sum, b[:0], *newest.seal, relaxedField))
}

// verify checks the signature in tags over sum.
func (k *publishedKeys) verify(tags map[string]string, sum []byte) error {
	signature, err := base64.StdEncoding.DecodeString(withoutSpace(tags["b"]))
	if err != nil {
		return fmt.Errorf("the signature is not base64: %w", err)
	}
	key, err := k.get(withoutSpace(tags["s"]), withoutSpace(tags["d"]))
	if err != nil {
		return err
	}
	if err := key.allows(withoutSpace(tags["a"])); err != nil {
		return err
	}
	return key.verify(sum, signature)
}
