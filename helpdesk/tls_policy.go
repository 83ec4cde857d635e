package helpdesk

import (
	"context"
	"errors"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// TLSPolicy is what a domain that we send to said of encryption (MTA-STS, RFC
// 8461), as it was served. It is kept, since forgetting it would let others
// take the encryption off.
type TLSPolicy struct {
	Domain string
	ID     string // of the record that announced it
	Text   string
	At     time.Time // when it was fetched
}

var tlsPolicies = store.NewTable(store.Spec[TLSPolicy]{Name: "tlspolicy", Version: 1,
	Key: func(p *TLSPolicy) []byte { return key(p.Domain) }})

// TLSPolicyOf returns the policy of a domain, nil where none is known.
func (d *Desk) TLSPolicyOf(ctx context.Context, domain string) (p *TLSPolicy, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		p, err = tlsPolicies.Get(r, key(domain))
		if errors.Is(err, store.ErrNotFound) {
			p, err = nil, nil
		}
		return err
	})
	return p, err
}

// KeepTLSPolicy remembers the policy of a domain in place of the one before.
func (d *Desk) KeepTLSPolicy(ctx context.Context, p TLSPolicy) error {
	return d.update(ctx, System("delivery"), func(c *command) error { return tlsPolicies.Put(c, &p) })
}
