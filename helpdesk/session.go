package helpdesk

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// Session is a browser that is logged in.
type Session struct {
	Hash   string // SHA-256 of the cookie's value, hex
	UserID string
	// By is how the user proved who they are.
	By LoginMethod `cbor:",omitempty"`
	// Browser says the browser and its system in a few words, "" where unknown.
	Browser string `cbor:",omitempty"`
	// From is the network address that it was last used from.
	From      string `cbor:",omitempty"`
	CreatedAt time.Time
	// ProvenAt is when the user proved to the sign-on provider who they are, as far
	// as it said so; zero for all other ways in, where that is CreatedAt.
	ProvenAt time.Time `cbor:",omitzero"`
	// UsedAt is when it was last used, as far as that was written down: every few
	// minutes.
	UsedAt    time.Time
	ExpiresAt time.Time // however much it is used
}

var sessions = store.NewTable(store.Spec[Session]{Name: "session", Version: 1,
	Key: func(s *Session) []byte { return key(s.Hash) },
	Indexes: []store.Index[Session]{
		{Name: "user", Keys: func(s *Session) [][]byte { return one(key(s.UserID)) }},
		{Name: "expiry", Keys: func(s *Session) [][]byte { return one(key(s.ExpiresAt)) }},
	}})

// sessionUseEvery is how often the use of a session is written down, from one
// network address.
const sessionUseEvery = 5 * time.Minute

// ID names the session without giving it away: the beginning of its hash.
func (s *Session) ID() string { return s.Hash[:min(tokenIDLength, len(s.Hash))] }

// proven is when the user last proved who they are, zero where nobody knows: a
// provider lets people in without asking as long as they are logged in there.
func (s *Session) proven() time.Time {
	if s.By == LoginSignOn {
		return s.ProvenAt
	}
	return s.CreatedAt
}

// clockMistake is how far ahead a session may begin: one of a clock that was wrong by more
// would outlive every other.
const clockMistake = 24 * time.Hour

// over reports whether a session has ended by itself.
func (d *Desk) over(s *Session) bool {
	used := s.UsedAt
	if used.IsZero() { // opened by a program that did not write it down
		used = s.CreatedAt
	}
	return s.CreatedAt.After(d.now().Add(clockMistake)) || !s.ExpiresAt.After(d.now()) || !used.Add(d.options.SessionIdle).After(d.now())
}

// openSession opens a session for a user who has proven who they are, within
// the command of their login.
func (c *command) openSession(u *User, e *entering, v Visitor) (token string, err error) {
	if err := c.forgetExpiredSessions(); err != nil {
		return "", err
	}
	if e.by == LoginSignOn { // asked here, since the policy may have changed since they began
		if may, err := c.desk.policy.Load().SignOn.lets(c, u.ID); err != nil {
			return "", err
		} else if !may {
			return "", strangeDomain()
		}
	}
	if v.Session != "" { // a browser has one session; and whoever planted it there has none
		if err := sessions.Delete(c, key(hashSecret(v.Session))); err != nil {
			return "", err
		}
	}
	token, hash := newSecret()
	return token, sessions.Put(c, &Session{Hash: hash, UserID: u.ID, By: e.by, Browser: v.browser(), From: v.IP, ProvenAt: e.provenAt,
		CreatedAt: c.now, UsedAt: c.now, ExpiresAt: c.now.Add(c.desk.options.SessionLifetime)})
}

func (c *command) forgetExpiredSessions() error {
	var expired []string
	for s, err := range sessions.ScanIndex(c, "expiry", store.Range{End: key(c.now)}) {
		if err != nil {
			return err
		}
		expired = append(expired, s.Hash)
	}
	for _, hash := range expired {
		if err := sessions.Delete(c, key(hash)); err != nil {
			return err
		}
	}
	return nil
}

// UserBySession returns whose session token is, and the session; or
// CodeUnauthorized.
func (d *Desk) UserBySession(ctx context.Context, token string) (u *User, s *Session, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		s, err = sessions.Get(r, key(hashSecret(token)))
		if errors.Is(err, store.ErrNotFound) || (err == nil && d.over(s)) {
			return unauthorized("session_over", "the session is over; log in again")
		}
		if err != nil {
			return err
		}
		u, err = activeUser(r, s.UserID)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return u, s, nil
}

// UsedSession writes down that a session is used from a network address, every
// few minutes while that does not change. s is as UserBySession returned it.
func (d *Desk) UsedSession(ctx context.Context, s *Session, remoteIP string) error {
	if s.From == remoteIP && d.now().Sub(s.UsedAt) < sessionUseEvery {
		return nil
	}
	return d.update(ctx, System("session"), func(c *command) error {
		now, err := sessions.Get(c, key(s.Hash))
		if err != nil { // it was ended meanwhile
			return gone(err)
		}
		now.From, now.UsedAt = remoteIP, c.now
		return sessions.Put(c, now)
	})
}

func activeUser(r store.Reader, id string) (*User, error) {
	u, err := users.Get(r, key(id))
	if errors.Is(err, store.ErrNotFound) || (err == nil && u.Disabled) {
		return nil, unauthorized("user_gone", "this user can no longer log in")
	}
	if err != nil {
		return nil, err
	}
	return withRole(r, u)
}

// Logout ends a session. An unknown one is no error.
func (d *Desk) Logout(ctx context.Context, token string) error {
	return d.update(ctx, System("logout"), func(c *command) error {
		return sessions.Delete(c, key(hashSecret(token)))
	})
}

// SessionView is a session as it is shown.
type SessionView struct {
	ID                string
	By                LoginMethod
	Browser           string
	From              string
	CreatedAt, UsedAt time.Time
	Current           bool // it is the one that asks
}

// Sessions returns where a user is logged in, the one that asks first and then
// the last used. People see their own, who may change users everybody's.
func (d *Desk) Sessions(ctx context.Context, a Actor, userID string) (list []SessionView, err error) {
	if err := a.mayAccess("see where others are logged in", userID, ScopeRead); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		list = nil
		for s, err := range sessions.ScanIndex(r, "user", store.Prefix(key(userID))) {
			if err != nil {
				return err
			}
			if !d.over(s) {
				list = append(list, SessionView{ID: s.ID(), By: s.By, Browser: s.Browser, From: s.From,
					CreatedAt: s.CreatedAt, UsedAt: s.UsedAt, Current: s.Hash == a.session})
			}
		}
		return nil
	})
	slices.SortFunc(list, func(a, b SessionView) int {
		if a.Current != b.Current {
			return map[bool]int{true: -1, false: 1}[a.Current]
		}
		return b.UsedAt.Compare(a.UsedAt)
	})
	return list, err
}

// mayAccess is for what people may do to their own way in, and who may change
// users to everybody's; a program's token needs the given scope.
func (a Actor) mayAccess(action, userID string, s Scope) error {
	if a.Kind == ActorUser && a.UserID == userID && userID != "" && a.Permissions() != 0 {
		if a.Scope.rank() < s.rank() {
			return refusedScope(a.Scope, s, action)
		}
		return nil
	}
	return a.may(action, PermitUsers)
}

// EndSession logs a user out of one browser, by the ID of its session.
func (d *Desk) EndSession(ctx context.Context, a Actor, userID, id string) error {
	return d.endSessions(ctx, a, userID, func(s *Session) bool { return s.ID() == id }, func(ended int) error {
		if ended == 0 {
			return notFound("session", id)
		}
		return nil
	})
}

// EndSessions logs a user out everywhere but in the browser that asks. It
// returns how many sessions ended.
func (d *Desk) EndSessions(ctx context.Context, a Actor, userID string) (ended int, err error) {
	err = d.endSessions(ctx, a, userID, func(s *Session) bool { return s.Hash != a.session }, func(n int) error {
		ended = n
		return nil
	})
	return ended, err
}

// endSessions ends those sessions of a user that which names, and tells counted
// how many those were. Nobody logs out who may do more than themselves.
func (d *Desk) endSessions(ctx context.Context, a Actor, userID string, which func(*Session) bool, counted func(int) error) error {
	if err := a.mayAccess("log others out", userID, ScopeWrite); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		u, err := c.personBelow(userID)
		if err != nil {
			return err
		}
		ended, err := c.endSessions(u, which)
		if err != nil {
			return err
		}
		return counted(ended)
	})
}

// personBelow returns a user who may not do more than the actor.
func (c *command) personBelow(id string) (*User, error) {
	u, err := users.Get(c, key(id))
	if u, err = found(u, err, "user", id); err != nil {
		return nil, err
	}
	if u, err = withRole(c, u); err != nil {
		return nil, err
	}
	if id == c.actor.UserID {
		return u, nil
	}
	return u, c.actor.mayGive(u.Granted)
}

// endSessions ends sessions of a user, each with an event; which is nil for all.
func (c *command) endSessions(u *User, which func(*Session) bool) (ended int, err error) {
	var list []*Session
	for s, err := range sessions.ScanIndex(c, "user", store.Prefix(key(u.ID))) {
		if err != nil {
			return 0, err
		}
		if which == nil || which(s) {
			list = append(list, s)
		}
	}
	for _, s := range list {
		if err := sessions.Delete(c, key(s.Hash)); err != nil {
			return 0, err
		}
		if c.desk.over(s) {
			continue
		}
		ended++
		if _, err := c.record(Event{Kind: EventSessionEnded, Data: details{"user": u.Email, "session": s.ID()}.with("browser", s.Browser)}); err != nil {
			return 0, err
		}
	}
	return ended, nil
}

// endSessionsAfter logs a user out everywhere where a change of theirs asks for
// it: who has another role, a new password or no access any more begins anew.
// The browser that made the change stays, and no device skips a code any more.
func (c *command) endSessionsAfter(before, u *User) error {
	if !u.Disabled && u.PasswordHash == before.PasswordHash && u.Role == before.Role {
		return nil
	}
	if u.Disabled || u.PasswordHash != before.PasswordHash {
		if err := c.distrustDevices(u.ID); err != nil {
			return err
		}
	}
	_, err := c.endSessions(u, func(s *Session) bool { return u.Disabled || s.Hash != c.actor.session })
	return err
}
