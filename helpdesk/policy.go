package helpdesk

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Policy is what the house decides about mail that comes in and about who may come
// in. Unlike the other Options it may change while the desk is in use: SetPolicy.
type Policy struct {
	// SignOn is how identities of a sign-on provider become users.
	SignOn SignOn
	// DMARC says what is done with mail that fails it.
	DMARC DMARCHandling
	// ReportAddresses take reports on our domains: DMARC aggregate reports, and those on
	// the encryption of connections (TLS-RPT).
	ReportAddresses []string
	// QuarantineKeep is how long a rejected mail is kept; 30 days when zero.
	QuarantineKeep time.Duration
	// Greylisting says for how long a mail is put off that nothing speaks for.
	Greylisting Greylisting
}

func (p Policy) withDefaults() Policy {
	p.QuarantineKeep = cmp.Or(p.QuarantineKeep, 30*24*time.Hour)
	p.DMARC = p.DMARC.withDefaults()
	p.Greylisting = p.Greylisting.withDefaults()
	p.ReportAddresses = slices.Clone(p.ReportAddresses)
	for i, address := range p.ReportAddresses {
		p.ReportAddresses[i] = mailboxOf(address)
	}
	return p
}

// Ended is how many sessions ended because a policy does not allow them.
type Ended struct {
	SignOn int // by single sign-on
	Other  int // by a password or a passkey
}

// SetPolicy has the desk go by a policy from now on, and logs out who came in by single
// sign-on and may no longer come that way: the provider is another or there is none,
// or their address is of a domain that may not log in. Where the provider alone lets
// people in, whoever came in otherwise is out too. by is who wants it so. After an error
// the policy stands, and sessions may be left that it does not allow.
func (d *Desk) SetPolicy(ctx context.Context, by Actor, p Policy) (ended Ended, err error) {
	if err := by.mayAdminister("change what is allowed"); err != nil {
		return Ended{}, err
	}
	p = p.withDefaults()
	d.policy.Store(&p) // first, so that nobody enters meanwhile whom it keeps out
	var strange, others []string
	err = d.view(ctx, func(r store.Reader) error {
		strange, others, err = p.SignOn.keepsOut(r)
		return err
	})
	if err != nil || len(strange)+len(others) == 0 {
		return Ended{}, err
	}
	err = d.update(ctx, by, func(c *command) (err error) {
		if ended.SignOn, err = c.endSessionsOf(strange, func(s *Session) bool { return s.By == LoginSignOn }); err != nil {
			return err
		}
		ended.Other, err = c.endSessionsOf(others, func(s *Session) bool { return s.By != LoginSignOn })
		return err
	})
	return ended, err
}

// keepsOut are the users with a session by single sign-on who may not come that way,
// and those with another where there is no other way.
func (p SignOn) keepsOut(r store.Reader) (strange, others []string, err error) {
	judged := map[string]bool{}
	for s, err := range sessions.Scan(r, store.Range{}) {
		if err != nil {
			return nil, nil, err
		}
		if s.By != LoginSignOn {
			if p.Only {
				others = appendNew(others, s.UserID)
			}
			continue
		}
		if judged[s.UserID] {
			continue
		}
		judged[s.UserID] = true
		may, err := p.lets(r, s.UserID)
		if err != nil {
			return nil, nil, err
		}
		if !may {
			strange = append(strange, s.UserID)
		}
	}
	return strange, others, nil
}

// endSessionsOf ends those of users' sessions that are of a kind, and counts them.
func (c *command) endSessionsOf(userIDs []string, of func(*Session) bool) (ended int, err error) {
	for _, id := range userIDs {
		u, err := optional(users.Get(c, key(id)))
		if err != nil {
			return 0, err
		}
		if u == nil {
			continue
		}
		n, err := c.endSessions(u, of)
		if err != nil {
			return 0, err
		}
		ended += n
	}
	return ended, nil
}

// lets says whether a user may come in by the provider as they are known there.
func (p SignOn) lets(r store.Reader, userID string) (bool, error) {
	u, err := optional(users.Get(r, key(userID)))
	if err != nil || u == nil {
		return false, err
	}
	bound, err := optional(identities.First(r, "user", key(userID, p.Issuer)))
	if err != nil || bound == nil {
		return false, err
	}
	return p.allows(cmp.Or(bound.Email, u.Email)), nil
}

// allows says whether an address is of a domain that may log in.
func (p SignOn) allows(email string) bool {
	return len(p.Domains) == 0 || slices.ContainsFunc(p.Domains, func(domain string) bool { return strings.EqualFold(domain, domainOf(email)) })
}
