package helpdesk

import (
	"context"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// SignOn is how identities of the house's sign-on provider become users.
type SignOn struct {
	// Issuer is the provider's address, as identities name it; "" where there is none.
	Issuer string
	// Provision is the role of users who are made when they first come; "" makes
	// none: they must be members already.
	Provision Role
	// Domains are those whose addresses may come; all where there are none.
	Domains []string
	// Only refuses passwords and passkeys: the provider alone lets people in.
	Only bool
}

// Identity is somebody as a sign-on provider knows them.
type Identity struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool
	Name            string
	// ProvenAt is when they proved to the provider who they are, zero where it does
	// not say.
	ProvenAt time.Time
}

// boundIdentity is the user that somebody at a provider is. The subject stays the same
// when the address changes; so the address decides once only.
type boundIdentity struct {
	Issuer, Subject string
	UserID          string
	// Email is the verified address that the provider gave last, "" of those that came
	// before it was kept.
	Email     string `cbor:",omitempty"`
	CreatedAt time.Time
	UsedAt    time.Time
}

var identities = store.NewTable(store.Spec[boundIdentity]{Name: "identity", Version: 1,
	Key: func(i *boundIdentity) []byte { return key(i.Issuer, i.Subject) },
	Indexes: []store.Index[boundIdentity]{
		{Name: "user", Unique: true, Keys: func(i *boundIdentity) [][]byte { return one(key(i.UserID, i.Issuer)) }},
	}})

// LoginIdentity logs in whoever the provider says it is, as far as the policy lets
// them in: the user that the identity is bound to; else the one with its verified address, who is bound to
// it from then on; else, where the house wants that, a new one.
func (d *Desk) LoginIdentity(ctx context.Context, v Visitor, who Identity) (*Entry, error) {
	var u *User
	err := d.update(ctx, System("sign-on").At(v.IP), func(c *command) (err error) {
		u, err = c.userOf(who)
		return err
	})
	var entry *Entry
	if err == nil {
		proven := who.ProvenAt
		if now := d.now(); proven.After(now) { // the provider's clock is ahead
			proven = now
		}
		entry, err = d.enter(ctx, v, u, &entering{by: LoginSignOn, provenAt: proven})
	}
	if CodeOf(err) == CodeUnauthorized {
		d.logins.count(loginFailed)
		d.log.InfoContext(ctx, "login by sign-on refused", "ip", v.IP, "issuer", who.Issuer, "subject", who.Subject, "error", err)
	}
	return entry, err
}

// userOf returns the user that an identity is, bound to it.
func (c *command) userOf(who Identity) (*User, error) {
	bound, err := optional(identities.Get(c, key(who.Issuer, who.Subject)))
	if err != nil {
		return nil, err
	}
	email := strings.ToLower(strings.TrimSpace(who.Email))
	if bound != nil {
		if bound.UsedAt = c.now; email != "" && who.EmailVerified {
			bound.Email = email
		}
		if err := identities.Put(c, bound); err != nil {
			return nil, err
		}
		return activeUser(c, bound.UserID)
	}
	if email == "" || !who.EmailVerified {
		return nil, unauthorized("sign_on_unverified", "the sign-on provider has not verified the address of this account; ask its admin")
	}
	if !c.desk.policy.Load().SignOn.allows(email) {
		return nil, strangeDomain()
	}
	u, err := optional(users.First(c, "email", key(email)))
	if err != nil {
		return nil, err
	}
	if u == nil {
		if u, err = c.provision(email, who.Name); err != nil {
			return nil, err
		}
	}
	return c.bind(u, who)
}

func strangeDomain() error {
	return unauthorized("sign_on_domain", "addresses of this domain may not log in here")
}

// bind makes an identity a user's for good. A user has one at each provider:
// an address that was given to somebody else there does not give the user away.
func (c *command) bind(u *User, who Identity) (*User, error) {
	other, err := optional(identities.First(c, "user", key(u.ID, who.Issuer)))
	if err != nil {
		return nil, err
	}
	if other != nil {
		return nil, unauthorized("sign_on_other", "the address "+u.Email+" belongs to a member who logs in with another account of the provider; an admin can release it", u.Email)
	}
	if err := identities.Put(c, &boundIdentity{Issuer: who.Issuer, Subject: who.Subject, UserID: u.ID, Email: strings.ToLower(strings.TrimSpace(who.Email)), CreatedAt: c.now, UsedAt: c.now}); err != nil {
		return nil, err
	}
	if _, err := c.record(Event{Kind: EventIdentityBound, Data: details{"user": u.Email, "issuer": who.Issuer}}); err != nil {
		return nil, err
	}
	return activeUser(c, u.ID)
}

// provision makes a user without a password for somebody whom the provider knows.
func (c *command) provision(email, name string) (*User, error) {
	role := c.desk.policy.Load().SignOn.Provision
	if role == "" {
		return nil, unauthorized("sign_on_unknown", "there is no member with the address "+email+"; ask an admin to add one", email)
	}
	name = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, name)), " ")
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	u := &User{Email: email, Name: name, Role: role}
	if err := u.check(); err != nil {
		return nil, err
	}
	return u, c.createUser(u)
}

// ReleaseIdentity unbinds a user from their account at the sign-on provider: the
// next one with their verified address becomes theirs.
func (d *Desk) ReleaseIdentity(ctx context.Context, a Actor, userID string) error {
	if err := a.may("release sign-on accounts", PermitUsers); err != nil {
		return err
	}
	if err := a.provenLately("release sign-on accounts", d.now()); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		u, err := c.personBelow(userID)
		if err != nil {
			return err
		}
		list, err := identitiesOf(c, userID)
		if err != nil {
			return err
		}
		for _, i := range list {
			if err := identities.Delete(c, key(i.Issuer, i.Subject)); err != nil {
				return err
			}
			if _, err := c.record(Event{Kind: EventIdentityReleased, Data: details{"user": u.Email, "issuer": i.Issuer}}); err != nil {
				return err
			}
		}
		_, err = c.endSessions(u, func(s *Session) bool { return s.By == LoginSignOn && s.Hash != c.actor.session })
		return err
	})
}

func identitiesOf(r store.Reader, userID string) (list []*boundIdentity, err error) {
	for i, err := range identities.ScanIndex(r, "user", store.Prefix(key(userID))) {
		if err != nil {
			return nil, err
		}
		list = append(list, i)
	}
	return list, nil
}

// SignOnBegun is what a browser carries to the provider and back.
type SignOnBegun struct {
	State, Nonce, Verifier string
	Again                  bool   // the provider was asked to have people prove anew who they are
	Next                   string // where to go afterwards
}

const signOnPurpose = "sign-on"

// SealSignOn seals what a browser carries to the provider and back.
func (d *Desk) SealSignOn(begun SignOnBegun) (string, error) {
	return d.seals.close(signOnPurpose, d.now().Add(stepLifetime), begun)
}

// OpenSignOn opens that again, or is CodeUnauthorized. That an answer is not used
// twice is for the provider to see to: a code of its works once (RFC 6749, section
// 4.1.2).
func (d *Desk) OpenSignOn(sealed string) (begun SignOnBegun, err error) {
	if err := d.seals.open(signOnPurpose, sealed, d.now(), &begun); err != nil {
		return begun, err
	}
	return begun, nil
}

// refuseBesideSignOn refuses other ways in where the provider is the only one.
func (d *Desk) refuseBesideSignOn() error {
	if !d.policy.Load().SignOn.Only {
		return nil
	}
	return &Error{Code: CodeForbidden, Key: "error.sign_on_only", Message: "log in with single sign-on: passwords and passkeys are switched off here"}
}
