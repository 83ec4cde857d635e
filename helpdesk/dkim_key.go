package helpdesk

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// DKIMKey signs the mail of one domain (RFC 6376). The program makes it, tells
// which record to publish, and uses it once the record is there.
type DKIMKey struct {
	Domain    string
	Selector  string // the name under _domainkey
	Algorithm string // "rsa" or "ed25519"
	// Private is PKCS#8 in PEM; it is only given to whoever signs.
	Private []byte
	// Public is the key's public half, PKIX in DER.
	Public    []byte
	State     DKIMState
	CreatedAt time.Time
	UsedAt    time.Time // when its record was found; zero before
	RetiredAt time.Time // when another took its place; zero before
}

// DKIMState is where a key is in its life.
type DKIMState string

// The states, in order.
const (
	DKIMNew       DKIMState = "new"       // waits for its record to be published
	DKIMUsed      DKIMState = "used"      // signs
	DKIMRetired   DKIMState = "retired"   // another signs; its record is needed for mail on its way
	DKIMWithdrawn DKIMState = "withdrawn" // nothing needs it; its record can be deleted
)

// The algorithms. RSA is what everybody verifies, Ed25519 (RFC 8463) what is
// short and newer: a mail gets a signature of each.
const (
	dkimRSA     = "rsa"
	dkimEd25519 = "ed25519"
	rsaBits     = 2048 // more does not fit into the DNS answers of many (RFC 8301)
)

const (
	// dkimOverlap is how long the record of a replaced key is needed: mail is
	// tried for 5 days, and some of it is read, and verified, later.
	dkimOverlap = 14 * 24 * time.Hour
	// A new key is looked for often, the others now and then. What has just begun
	// has other things to do first.
	dkimLookFirst = time.Minute
	dkimLookSoon  = 10 * time.Minute
	dkimLookLater = 6 * time.Hour
)

var dkimKeys = store.NewTable(store.Spec[DKIMKey]{Name: "dkimkey", Version: 1,
	Key: func(k *DKIMKey) []byte { return key(k.Domain, k.Selector) }})

// SendingDomains are the domains that mail leaves from: those of aliases that
// are not disabled, and those that have keys. They are sorted.
func (d *Desk) SendingDomains(ctx context.Context) (list []string, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		list, err = sendingDomains(r)
		return err
	})
	return list, err
}

func sendingDomains(r store.Reader) ([]string, error) {
	seen := map[string]bool{}
	for a, err := range aliases.Scan(r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if !a.Disabled {
			seen[domainOf(a.Address)] = true
		}
	}
	for k, err := range dkimKeys.Scan(r, store.Range{}) {
		if err != nil {
			return nil, err
		}
		seen[k.Domain] = true
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

// DKIMKeys returns the keys of a domain without their private halves, the
// newest first.
func (d *Desk) DKIMKeys(ctx context.Context, a Actor, domain string) ([]DKIMKey, error) {
	if err := a.may("see the keys of a domain", PermitAliases); err != nil {
		return nil, err
	}
	list, err := d.dkimKeys(ctx, domain)
	for i := range list {
		list[i].Private = nil
	}
	return list, err
}

// SigningKeys returns the keys that sign a domain's mail now, with their
// private halves.
func (d *Desk) SigningKeys(ctx context.Context, domain string) ([]DKIMKey, error) {
	list, err := d.dkimKeys(ctx, domain)
	return slices.DeleteFunc(list, func(k DKIMKey) bool { return k.State != DKIMUsed }), err
}

func (d *Desk) dkimKeys(ctx context.Context, domain string) (list []DKIMKey, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		list, err = dkimKeysOf(r, domain)
		return err
	})
	return list, err
}

func dkimKeysOf(r store.Reader, domain string) (list []DKIMKey, err error) {
	for k, err := range dkimKeys.Scan(r, store.Prefix(key(strings.ToLower(domain)))) {
		if err != nil {
			return nil, err
		}
		list = append(list, *k)
	}
	slices.SortFunc(list, func(a, b DKIMKey) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.Algorithm, a.Algorithm))
	})
	return list, nil
}

// EnsureDKIM makes the first keys of a domain that has none.
func (d *Desk) EnsureDKIM(ctx context.Context, domain string) error {
	list, err := d.dkimKeys(ctx, domain)
	if err != nil || len(list) > 0 {
		return err
	}
	made, err := makeDKIM(domain)
	if err != nil {
		return err
	}
	return d.update(ctx, System("signing"), func(c *command) error {
		if list, err := dkimKeysOf(c, domain); err != nil || len(list) > 0 {
			return err
		}
		return c.putDKIM(domain, made)
	})
}

// RotateDKIM makes a new pair of keys for a domain. Those in use go on signing
// until the new ones are found in the DNS.
func (d *Desk) RotateDKIM(ctx context.Context, a Actor, domain string) error {
	if err := a.may("change the keys of a domain", PermitAliases); err != nil {
		return err
	}
	domain = strings.ToLower(strings.TrimSpace(domain))
	if err := checkAddress("domain", "postmaster@"+domain); err != nil || !strings.Contains(domain, ".") {
		return invalid("domain", "domain_invalid", "%q is not a domain; write it like example.com", domain)
	}
	made, err := makeDKIM(domain)
	if err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		list, err := dkimKeysOf(c, domain)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(list, func(k DKIMKey) bool { return k.State == DKIMNew }) {
			return conflict("dkim_waiting", "%s has new keys already; publish their records first", domain)
		}
		return c.putDKIM(domain, made)
	})
}

// makeDKIM is outside of any transaction: it takes a moment.
func makeDKIM(domain string) ([]DKIMKey, error) {
	long, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, fmt.Errorf("make an RSA key for %s: %w", domain, err)
	}
	public, short, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an Ed25519 key for %s: %w", domain, err)
	}
	var list []DKIMKey
	for _, made := range []struct {
		algorithm       string
		private, public any
	}{{dkimRSA, long, long.Public()}, {dkimEd25519, short, public}} {
		private, err := x509.MarshalPKCS8PrivateKey(made.private)
		if err != nil {
			return nil, fmt.Errorf("write the key of %s: %w", domain, err)
		}
		public, err := x509.MarshalPKIXPublicKey(made.public)
		if err != nil {
			return nil, fmt.Errorf("write the key of %s: %w", domain, err)
		}
		list = append(list, DKIMKey{Domain: domain, Algorithm: made.algorithm, State: DKIMNew, Public: public,
			Private: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})})
	}
	return list, nil
}

// putDKIM writes new keys under selectors of the day, and has the DNS looked at soon.
func (c *command) putDKIM(domain string, made []DKIMKey) error {
	selectors := make([]string, 0, len(made))
	for _, k := range made {
		base := "m" + c.now.Format("20060102") + "-" + k.Algorithm
		k.Selector = base
		for n := 2; ; n++ {
			has, err := dkimKeys.Has(c, key(domain, k.Selector))
			if err != nil {
				return err
			}
			if !has {
				break
			}
			k.Selector = fmt.Sprintf("%s-%d", base, n)
		}
		k.CreatedAt = c.now
		selectors = append(selectors, k.Selector)
		if err := dkimKeys.Put(c, &k); err != nil {
			return err
		}
	}
	if _, err := c.record(Event{Kind: EventDKIMCreated, Data: map[string]string{"domain": domain, "selector": strings.Join(selectors, ", ")}}); err != nil {
		return err
	}
	return c.setTimer(TimerDomain, domain, c.now.Add(dkimLookSoon))
}

// ObserveDKIM takes in what the DNS says of a domain's keys: by selector,
// whether the right record is there; a selector that is not in published could
// not be looked up. A new key that is found is used from now on, and replaces
// the one of its algorithm.
func (d *Desk) ObserveDKIM(ctx context.Context, domain string, published map[string]bool) error {
	return d.update(ctx, System("signing"), func(c *command) error {
		list, err := dkimKeysOf(c, domain)
		if err != nil {
			return err
		}
		waits := false
		for _, k := range list { // the newest first
			found, known := published[k.Selector]
			switch {
			case k.State == DKIMNew && found:
				err = c.useDKIM(&k, list)
			case k.State == DKIMNew:
				waits = true
			case k.State == DKIMRetired && c.now.Sub(k.RetiredAt) >= dkimOverlap:
				k.State, k.Private = DKIMWithdrawn, nil
				err = dkimKeys.Put(c, &k)
			case k.State == DKIMWithdrawn && known && !found:
				err = dkimKeys.Delete(c, key(k.Domain, k.Selector))
			}
			if err != nil {
				return err
			}
		}
		again := dkimLookLater
		if waits {
			again = dkimLookSoon
		}
		return c.setTimer(TimerDomain, domain, c.now.Add(again))
	})
}

// useDKIM lets k sign, and retires whatever of its algorithm signed before.
func (c *command) useDKIM(k *DKIMKey, list []DKIMKey) error {
	for _, other := range list {
		if other.State == DKIMUsed && other.Algorithm == k.Algorithm {
			other.State, other.RetiredAt = DKIMRetired, c.now
			if err := dkimKeys.Put(c, &other); err != nil {
				return err
			}
		}
	}
	k.State, k.UsedAt = DKIMUsed, c.now
	if err := dkimKeys.Put(c, k); err != nil {
		return err
	}
	_, err := c.record(Event{Kind: EventDKIMUsed, Data: map[string]string{"domain": k.Domain, "selector": k.Selector}})
	return err
}

// TendDomains has every sending domain looked at soon. A program calls it at its
// start: records may have changed while it was away.
func (d *Desk) TendDomains(ctx context.Context) error {
	return d.update(ctx, System("signing"), func(c *command) error {
		list, err := sendingDomains(c)
		if err != nil {
			return err
		}
		for _, domain := range list {
			if err := c.setTimer(TimerDomain, domain, c.now.Add(dkimLookFirst)); err != nil {
				return err
			}
		}
		return nil
	})
}

// tendDomain has the domain of an address looked at soon, once it is known.
func (c *command) tendDomain(address string) error {
	has, err := timers.Has(c, key(string(TimerDomain), domainOf(address)))
	if err != nil || has {
		return err
	}
	return c.setTimer(TimerDomain, domainOf(address), c.now.Add(dkimLookFirst))
}

// ForgetDomain ends the looking after a domain that nothing leaves from any
// more; false means that it is still needed.
func (d *Desk) ForgetDomain(ctx context.Context, domain string) (forgotten bool, err error) {
	err = d.update(ctx, System("signing"), func(c *command) error {
		list, err := sendingDomains(c)
		if forgotten = err == nil && !slices.Contains(list, domain); !forgotten {
			return err
		}
		return c.clearTimer(TimerDomain, domain)
	})
	return forgotten, err
}
