package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/madoguchi/madoguchi/store"
)

// Access is how a user gets in.
type Access struct {
	// App says that an authenticator app is set up, and since when.
	App      bool
	AppSince time.Time
	Codes    int       // recovery codes that are left
	CodesAt  time.Time // when those were made
	Passkeys []PasskeyView
	Required bool      // the user's role asks for a second factor
	From     time.Time // when that begins, where it has not
	Trusted  int       // browsers that skip the second step
	Issuers  []string  // of the sign-on providers that the user is bound to
}

// Access returns how a user gets in. People see their own, who may change users
// everybody's.
func (d *Desk) Access(ctx context.Context, a Actor, userID string) (access Access, err error) {
	if err := a.mayAccess("see how others log in", userID, ScopeRead); err != nil {
		return access, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		access = Access{}
		u, err := users.Get(r, key(userID))
		if u, err = found(u, err, "user", userID); err != nil {
			return err
		}
		factor, err := optional(secondFactors.Get(r, key(userID)))
		if err != nil {
			return err
		}
		if factor != nil {
			access.App, access.AppSince, access.Codes, access.CodesAt = true, factor.CreatedAt, len(factor.Codes), factor.CodesAt
		}
		keys, err := passkeysOf(r, userID)
		if err != nil {
			return err
		}
		for _, k := range keys {
			access.Passkeys = append(access.Passkeys, PasskeyView{ID: k.ID, Name: k.Name, CreatedAt: k.CreatedAt, UsedAt: k.UsedAt})
		}
		bound, err := identitiesOf(r, userID)
		if err != nil {
			return err
		}
		for _, i := range bound {
			access.Issuers = append(access.Issuers, i.Issuer)
		}
		for dev, err := range devices.ScanIndex(r, "user", store.Prefix(key(userID))) {
			if err != nil {
				return err
			}
			if dev.TrustedUntil.After(d.now()) {
				access.Trusted++
			}
		}
		access.Required, access.From, err = needsSecondFactor(r, u.Role)
		if !access.From.After(d.now()) {
			access.From = time.Time{}
		}
		return err
	})
	return access, err
}

// Enrolment is an authenticator app that is being set up.
type Enrolment struct {
	// URL is what its QR code says (otpauth://…), Secret the same to be typed.
	URL, Secret string
	Sealed      string // to be given back with the first code
}

const enrolPurpose = "enrolment of "

func (d *Desk) newEnrolment(ctx context.Context, u *User) (*Enrolment, error) {
	s, err := d.Settings(ctx)
	if err != nil {
		return nil, err
	}
	issuer := strings.ReplaceAll(cmp.Or(s.Name, s.Domain, "Madoguchi"), ":", " ")
	made, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: u.Email})
	if err != nil {
		return nil, err
	}
	e := &Enrolment{URL: made.URL(), Secret: made.Secret()}
	e.Sealed, err = d.seals.close(enrolPurpose+u.ID, d.now().Add(proofLifetime), e)
	return e, err
}

// EnrolmentOf returns an enrolment that was begun, to be shown again.
func (d *Desk) EnrolmentOf(userID, sealed string) (*Enrolment, error) {
	var e Enrolment
	if err := d.seals.open(enrolPurpose+userID, sealed, d.now(), &e); err != nil {
		return nil, err
	}
	e.Sealed = sealed
	return &e, nil
}

// confirmed is the factor that an enrolment becomes by its first code.
func (d *Desk) confirmed(userID, sealed, code string) (*secondFactor, error) {
	e, err := d.EnrolmentOf(userID, sealed)
	if err != nil {
		return nil, err
	}
	factor := &secondFactor{UserID: userID, Secret: e.Secret, CreatedAt: d.now()}
	if !factor.acceptTime(typedCode(code), d.now()) {
		return nil, invalid("code", "code_first", "the code is not the one that the app shows now; check that the phone's clock is right")
	}
	return factor, nil
}

func (c *command) enrol(u *User, factor *secondFactor) error {
	if _, err := c.record(Event{Kind: EventSecondFactorEnabled, Data: details{"user": u.Email}}); err != nil {
		return err
	}
	return secondFactors.Put(c, factor)
}

// BeginApp begins to set up an authenticator app of the actor's own.
func (d *Desk) BeginApp(ctx context.Context, a Actor) (*Enrolment, error) {
	if err := a.mayChangeOwnAccess("set up an authenticator app", d.now()); err != nil {
		return nil, err
	}
	var u *User
	err := d.view(ctx, func(r store.Reader) (err error) {
		u, err = users.Get(r, key(a.UserID))
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.newEnrolment(ctx, u)
}

// AddApp sets up the authenticator app that BeginApp began, in place of an
// earlier one, with its first code. It returns the recovery codes, which are shown
// this once.
func (d *Desk) AddApp(ctx context.Context, a Actor, sealed, code string) ([]string, error) {
	if err := a.mayChangeOwnAccess("set up an authenticator app", d.now()); err != nil {
		return nil, err
	}
	factor, err := d.confirmed(a.UserID, sealed, code)
	if err != nil {
		return nil, err
	}
	codes := factor.renewCodes(d.now())
	err = d.update(ctx, a, func(c *command) error {
		u, err := users.Get(c, key(a.UserID))
		if err != nil {
			return err
		}
		if err := c.distrustDevices(u.ID); err != nil {
			return err
		}
		return c.enrol(u, factor)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// RemoveApp takes the actor's own authenticator app and recovery codes away.
// That needs a passkey in its place where the actor's role asks for a second factor.
func (d *Desk) RemoveApp(ctx context.Context, a Actor) error {
	if err := a.mayChangeOwnAccess("remove the authenticator app", d.now()); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		u, err := users.Get(c, key(a.UserID))
		if err != nil {
			return err
		}
		keys, err := passkeysOf(c, u.ID)
		if err != nil {
			return err
		}
		if err := c.leavesSecondFactor(u, len(keys)); err != nil {
			return err
		}
		if has, err := secondFactors.Has(c, key(u.ID)); err != nil || !has {
			return err
		}
		if err := secondFactors.Delete(c, key(u.ID)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventSecondFactorDisabled, Data: details{"user": u.Email}})
		return err
	})
}

// leavesSecondFactor checks that a user whose role asks for it keeps a way to
// prove who they are, of which left are left.
func (c *command) leavesSecondFactor(u *User, left int) error {
	required, _, err := needsSecondFactor(c, u.Role)
	if err == nil && required && left == 0 {
		return conflict("second_factor_last", "your role asks for a second factor; set up another one first")
	}
	return err
}

// NewRecoveryCodes makes new recovery codes in place of the actor's own.
func (d *Desk) NewRecoveryCodes(ctx context.Context, a Actor) (codes []string, err error) {
	if err := a.mayChangeOwnAccess("make new recovery codes", d.now()); err != nil {
		return nil, err
	}
	err = d.update(ctx, a, func(c *command) error {
		factor, err := secondFactors.Get(c, key(a.UserID))
		if factor, err = found(factor, err, "authenticator app of", a.UserID); err != nil {
			return err
		}
		u, err := users.Get(c, key(a.UserID))
		if err != nil {
			return err
		}
		codes = factor.renewCodes(c.now)
		if err := secondFactors.Put(c, factor); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventSecondFactorCodes, Data: details{"user": u.Email}})
		return err
	})
	return codes, err
}

// DistrustDevices has every browser of the actor's own ask for a code again.
func (d *Desk) DistrustDevices(ctx context.Context, a Actor) error {
	if err := a.mayChangeOwn("have browsers ask for a code again"); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		u, err := users.Get(c, key(a.UserID))
		if u, err = found(u, err, "user", a.UserID); err != nil {
			return err
		}
		if err := c.distrustDevices(u.ID); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventSecondFactorDistrusted, Data: details{"user": u.Email}})
		return err
	})
}

// ResetSecondFactor takes away the authenticator app, the recovery codes and the
// passkeys of a user who has lost them, and logs them out everywhere. Where their
// role asks for a second factor, the next login begins with setting one up.
func (d *Desk) ResetSecondFactor(ctx context.Context, a Actor, userID string) (*User, error) {
	if err := a.may("reset second factors", PermitUsers); err != nil {
		return nil, err
	}
	if err := a.provenLately("reset second factors", d.now()); err != nil {
		return nil, err
	}
	var u *User
	err := d.update(ctx, a, func(c *command) (err error) {
		if u, err = c.personBelow(userID); err != nil {
			return err
		}
		keys, err := passkeysOf(c, userID)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if err := passkeys.Delete(c, key(k.ID)); err != nil {
				return err
			}
		}
		if err := errors.Join(secondFactors.Delete(c, key(userID)), c.distrustDevices(userID)); err != nil {
			return err
		}
		if _, err := c.record(Event{Kind: EventSecondFactorReset, Data: details{"user": u.Email}}); err != nil {
			return err
		}
		_, err = c.endSessions(u, func(s *Session) bool { return s.Hash != c.actor.session })
		return err
	})
	return u, err
}
