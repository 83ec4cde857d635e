package helpdesk

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// stepLifetime is how long a step of a login may take.
const stepLifetime = 10 * time.Minute

const stepPurpose = "login step"

// pendingLogin is what is left to prove after the password.
type pendingLogin struct {
	UserID string
	// Password is the hash of the password's hash: another password ends the step.
	Password string
}

// LoginStep is what is left of a login after the password.
type LoginStep struct {
	User *User
	// Enrol says that the user has to set up a second factor first.
	Enrol bool
	// Until is when that has to be done; zero where it is now. Before, it can be put off.
	Until time.Time
	// Code and Passkey are the ways in which the user can prove who they are.
	Code, Passkey bool
}

// nextStep seals the step that follows on the right password, "" for none.
func (d *Desk) nextStep(ctx context.Context, v Visitor, u *User) (string, error) {
	var needed bool
	err := d.view(ctx, func(r store.Reader) error {
		step, err := stepOf(r, u, d.now())
		if err != nil {
			return err
		}
		known, err := deviceOf(r, u.ID, v)
		trusted := known != nil && known.TrustedUntil.After(d.now())
		needed = step.Enrol || ((step.Code || step.Passkey) && !trusted)
		return err
	})
	if err != nil || !needed {
		return "", err
	}
	return d.seals.close(stepPurpose, d.now().Add(stepLifetime), pendingLogin{u.ID, hashSecret(u.PasswordHash)})
}

// stepOf is what a user has to prove after the password; nothing at all where
// they have no authenticator app and no role that asks for more.
func stepOf(r store.Reader, u *User, now time.Time) (LoginStep, error) {
	factor, err := optional(secondFactors.Get(r, key(u.ID)))
	if err != nil {
		return LoginStep{}, err
	}
	keys, err := passkeysOf(r, u.ID)
	if err != nil {
		return LoginStep{}, err
	}
	required, from, err := needsSecondFactor(r, u.Role)
	switch {
	case err != nil || (factor == nil && !required):
		return LoginStep{}, err
	case factor == nil && from.After(now) && len(keys) > 0: // what will be needed is there
		return LoginStep{}, nil
	case factor == nil && from.After(now):
		return LoginStep{User: u, Enrol: true, Until: from}, nil
	}
	return LoginStep{User: u, Code: factor != nil, Passkey: len(keys) > 0, Enrol: factor == nil && len(keys) == 0}, nil
}

// needsSecondFactor reports whether users of a role need more than a password,
// and from when on where that is not at once.
func needsSecondFactor(r store.Reader, role Role) (required bool, from time.Time, err error) {
	s, err := readSettings(r)
	rule, required := s.SecondFactorRule(role)
	return required, rule.From, err
}

// StepOf returns what is left of a login, or CodeUnauthorized where it took too
// long.
func (d *Desk) StepOf(ctx context.Context, sealed string) (*LoginStep, error) {
	var s pendingLogin
	if err := d.seals.open(stepPurpose, sealed, d.now(), &s); err != nil {
		return nil, err
	}
	var step LoginStep
	err := d.view(ctx, func(r store.Reader) error {
		u, err := activeUser(r, s.UserID)
		if err != nil {
			return err
		}
		if hashSecret(u.PasswordHash) != s.Password {
			return unauthorized("login_step_over", "the password has changed meanwhile; begin anew")
		}
		step, err = stepOf(r, u, d.now())
		step.User = u
		return err
	})
	if err != nil {
		return nil, err
	}
	return &step, nil
}

// errWrongCode ends a transaction that found a code to be wrong.
var errWrongCode = errors.New("wrong code")

// LoginCode takes the step after the password with a code of the authenticator
// app, or a recovery code. trust makes the device skip it for a while.
func (d *Desk) LoginCode(ctx context.Context, v Visitor, sealed, code string, trust bool) (*Entry, error) {
	step, err := d.StepOf(ctx, sealed)
	if err != nil {
		return nil, err
	}
	u := step.User
	if !step.Code {
		return nil, unauthorized("login_step_over", "there is no code to type; begin anew")
	}
	var tried []bucket
	err = d.view(ctx, func(r store.Reader) error {
		tried, err = loginBuckets(r, u, "code of "+u.ID, v)
		return err
	})
	if err == nil {
		err = d.tryLogin(ctx, tried)
	}
	if err != nil {
		return nil, err
	}
	how := &entering{tried: tried, trust: trust}
	var left int
	how.prove = func(c *command) (err error) {
		how.by, left, err = c.useCode(u, code)
		return err
	}
	entry, err := d.enter(ctx, v, u, how)
	if errors.Is(err, errWrongCode) {
		return nil, d.failedLogin(ctx, v, u, "code_wrong", "the code is wrong, or was used before")
	}
	if err != nil {
		return nil, err
	}
	entry.CodesLow = how.by == LoginRecovery && left < fewCodes
	return entry, nil
}

// fewCodes is how many recovery codes are enough not to speak of them.
const fewCodes = 3

// useCode uses a code up, and says what kind it was of and how many recovery codes are left.
func (c *command) useCode(u *User, code string) (by LoginMethod, left int, err error) {
	factor, err := secondFactors.Get(c, key(u.ID))
	if err != nil {
		return "", 0, err
	}
	if by = factor.accept(code, c.now); by == "" {
		return "", 0, errWrongCode
	}
	if by == LoginRecovery {
		if _, err := c.record(Event{Kind: EventSecondFactorCodeUsed, Data: details{"user": u.Email}.with("left", strconv.Itoa(len(factor.Codes)))}); err != nil {
			return "", 0, err
		}
	}
	return by, len(factor.Codes), secondFactors.Put(c, factor)
}

// LoginEnrol takes the step after the password by setting up the authenticator
// app that the user's role asks for. It returns the recovery codes.
func (d *Desk) LoginEnrol(ctx context.Context, v Visitor, sealed, enrolment, code string) (*Entry, []string, error) {
	step, err := d.StepOf(ctx, sealed)
	if err != nil {
		return nil, nil, err
	}
	if !step.Enrol {
		return nil, nil, unauthorized("login_step_over", "there is nothing to set up; begin anew")
	}
	factor, err := d.confirmed(step.User.ID, enrolment, code)
	if err != nil {
		return nil, nil, err
	}
	codes := factor.renewCodes(d.now())
	entry, err := d.enter(ctx, v, step.User, &entering{by: LoginCode, prove: func(c *command) error {
		left, err := stepOf(c, step.User, c.now)
		if err == nil && !left.Enrol { // somebody else with the password was faster
			err = unauthorized("login_step_over", "there is nothing to set up; begin anew")
		}
		if err != nil {
			return err
		}
		return c.enrol(step.User, factor)
	}})
	return entry, codes, err
}

// LoginLater puts off what the user's role will ask for, and logs in by the password
// alone as long as that is possible.
func (d *Desk) LoginLater(ctx context.Context, v Visitor, sealed string) (*Entry, error) {
	step, err := d.StepOf(ctx, sealed)
	if err != nil {
		return nil, err
	}
	return d.enter(ctx, v, step.User, &entering{by: LoginPassword, prove: func(c *command) error {
		left, err := stepOf(c, step.User, c.now)
		if err == nil && (left.Code || left.Passkey || left.Enrol && left.Until.IsZero()) {
			err = unauthorized("second_factor_now", "this cannot be put off any longer; set up a second factor to log in")
		}
		return err
	}})
}

// StepEnrolment begins the setting up that a step asks for.
func (d *Desk) StepEnrolment(ctx context.Context, sealed string) (*Enrolment, error) {
	step, err := d.StepOf(ctx, sealed)
	if err != nil {
		return nil, err
	}
	if !step.Enrol {
		return nil, unauthorized("login_step_over", "there is nothing to set up; begin anew")
	}
	return d.newEnrolment(ctx, step.User)
}
