package helpdesk

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// LoginMethod is how somebody proved who they are.
type LoginMethod string

// The methods.
const (
	LoginPassword LoginMethod = "password"
	LoginCode     LoginMethod = "code"     // a password, and a code of an authenticator app
	LoginRecovery LoginMethod = "recovery" // a password, and a recovery code
	LoginPasskey  LoginMethod = "passkey"  // a passkey, alone or after a password
	LoginSignOn   LoginMethod = "oidc"     // the house's sign-on provider
)

// Visitor is from where somebody comes to log in.
type Visitor struct {
	IP string // network address
	// Browser says the browser and its system in a few words, as "Chrome, Windows";
	// "" where that is not known.
	Browser string
	// Device is what an earlier login left in the browser's cookie for that, or "".
	Device string
	// Session is the browser's session until now, which a login ends, or "".
	Session string
}

const maxBrowser = 80 // bytes

func (v Visitor) browser() string {
	return strings.ToValidUTF8(v.Browser[:min(len(v.Browser), maxBrowser)], "")
}

// Entry is what a login leads to: a session, or a further step.
type Entry struct {
	User *User
	// Step names the step that is left, for StepOf; "" where there is a session.
	Step string
	// Session is the value of the session's cookie.
	Session string
	// Device is the value of the cookie that tells the browser at its next login.
	Device string
	// CodesLow says that a recovery code was used, and hardly any are left.
	CodesLow bool
}

// Login checks a password, and opens a session where no further step is needed.
// Anything wrong is
// CodeUnauthorized, without saying what; too many failures are CodeLimited with
// the time to wait.
func (d *Desk) Login(ctx context.Context, v Visitor, email, password string) (*Entry, error) {
	if err := d.refuseBesideSignOn(); err != nil {
		return nil, err
	}
	email = strings.ToLower(strings.TrimSpace(email))
	u, buckets, err := d.account(ctx, v, email)
	if err != nil {
		return nil, err
	}
	if err := d.tryLogin(ctx, buckets); err != nil {
		return nil, err
	}
	hash := d.passwords.absent()
	if u != nil && !u.Disabled && u.PasswordHash != "" {
		hash = u.PasswordHash
	}
	if !d.passwords.match(password, hash) {
		return nil, d.failedLogin(ctx, v, u, "login_failed", "the address or the password is wrong")
	}
	step, err := d.nextStep(ctx, v, u)
	if err != nil {
		return nil, err
	}
	if step != "" {
		err := d.update(ctx, System("login"), func(c *command) error { return c.forgiveAttempts(buckets) })
		return &Entry{User: u, Step: step}, err
	}
	return d.enter(ctx, v, u, &entering{by: LoginPassword, tried: buckets})
}

// account returns the user with an address, nil where there is none, and what
// attempts at it are counted by.
func (d *Desk) account(ctx context.Context, v Visitor, email string) (u *User, buckets []bucket, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		if u, err = optional(users.First(r, "email", key(email))); err != nil {
			return err
		}
		if u != nil {
			if u, err = withRole(r, u); err != nil {
				return err
			}
		}
		buckets, err = loginBuckets(r, u, email, v)
		return err
	})
	return u, buckets, err
}

// entering is how somebody gets in.
type entering struct {
	by    LoginMethod
	tried []bucket // the attempts to forgive
	trust bool     // the device skips the second step from now on
	// provenAt is when they proved it, where that is not now.
	provenAt time.Time
	// prove checks, within the transaction, what is used up by it. Nil for nothing.
	prove func(*command) error
}

// enter opens a session for whoever has proven that they are u.
func (d *Desk) enter(ctx context.Context, v Visitor, u *User, e *entering) (*Entry, error) {
	entry := &Entry{}
	err := d.update(ctx, u.Actor().At(v.IP), func(c *command) (err error) {
		if entry.User, err = activeUser(c, u.ID); err != nil {
			return err
		}
		if entry.User.PasswordHash != u.PasswordHash {
			return unauthorized("login_step_over", "the password has changed meanwhile; begin anew")
		}
		if e.prove != nil {
			if err := e.prove(c); err != nil {
				return err
			}
		}
		if err := c.forgiveAttempts(e.tried); err != nil {
			return err
		}
		entry.Session, entry.Device, err = c.enter(u, e, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	d.logins.count(loginDone)
	return entry, nil
}

func (c *command) enter(u *User, e *entering, v Visitor) (session, device string, err error) {
	device, isNew, err := c.meetDevice(u, v, e.trust)
	if err != nil {
		return "", "", err
	}
	data := details{"user": u.Email, "by": string(e.by)}.with("browser", v.browser())
	if isNew {
		data["device"] = newDevice
	}
	if _, err := c.record(Event{Kind: EventLogin, Data: data}); err != nil {
		return "", "", err
	}
	session, err = c.openSession(u, e, v)
	return session, device, err
}

func unauthorized(key, message string, args ...any) error {
	return &Error{Code: CodeUnauthorized, Key: "error." + key, Message: message, Args: args}
}

// failedLogin writes down that somebody failed to log in, u where that is known,
// and returns the refusal. What was typed is recorded only where it is the
// address of a user: it might be a password.
func (d *Desk) failedLogin(ctx context.Context, v Visitor, u *User, key, message string) error {
	d.logins.count(loginFailed)
	d.log.InfoContext(ctx, "login failed", "ip", v.IP)
	refused := unauthorized(key, message)
	others, record := d.logins.tally(d.now())
	if !record {
		return refused
	}
	data := details{"why": key}
	if u != nil {
		data["user"] = u.Email
	}
	if others > 0 {
		data["others"] = strconv.Itoa(others)
	}
	err := d.update(ctx, System("login").At(v.IP), func(c *command) error {
		_, err := c.record(Event{Kind: EventLoginFailed, Data: data})
		return err
	})
	if err != nil {
		return err
	}
	return refused
}

// LoginCounts is how logins ended since the program started.
type LoginCounts struct{ Done, Failed, Limited uint64 }

// LoginCounts returns how logins ended since the program started.
func (d *Desk) LoginCounts() LoginCounts {
	d.logins.mu.Lock()
	defer d.logins.mu.Unlock()
	return LoginCounts{Done: d.logins.counts[loginDone], Failed: d.logins.counts[loginFailed], Limited: d.logins.counts[loginLimited]}
}

type loginOutcome int

const (
	loginDone loginOutcome = iota
	loginFailed
	loginLimited
	loginOutcomes
)

// maxFailedLoginEvents is how many failed logins an hour get a line of their
// own; more are counted in the next line, so that guessing cannot fill the log.
const maxFailedLoginEvents = 20

// loginTally counts logins by how they end, in memory.
type loginTally struct {
	mu     sync.Mutex
	counts [loginOutcomes]uint64
	// Of the failures, how many got a line in the log this hour, and how many
	// none since the last line.
	hour                 time.Time
	recorded, unrecorded int
}

func newLoginTally() *loginTally { return &loginTally{} }

func (l *loginTally) count(o loginOutcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[o]++
}

// tally decides whether a failed login gets a line, and with how many others
// that got none.
func (l *loginTally) tally(now time.Time) (others int, record bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.hour) >= time.Hour || now.Before(l.hour) {
		l.hour, l.recorded = now, 0
	}
	if l.recorded >= maxFailedLoginEvents {
		l.unrecorded++
		return 0, false
	}
	l.recorded++
	others, l.unrecorded = l.unrecorded, 0
	return others, true
}
