package helpdesk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/madoguchi/madoguchi/store"
)

// Passkey is a key pair that a user's device or security key holds (Web
// Authentication, level 3). We keep the public half.
type Passkey struct {
	ID         string // of the credential, base64url
	UserID     string
	Name       string
	Credential []byte // the credential's record as JSON, with its counter
	CreatedAt  time.Time
	UsedAt     time.Time // zero until the first login
}

var passkeys = store.NewTable(store.Spec[Passkey]{Name: "passkey", Version: 1,
	Key: func(p *Passkey) []byte { return key(p.ID) },
	Indexes: []store.Index[Passkey]{
		{Name: "user", Keys: func(p *Passkey) [][]byte { return one(key(p.UserID, p.CreatedAt)) }},
	}})

// PasskeyView is a passkey as it is shown.
type PasskeyView struct {
	ID, Name          string
	CreatedAt, UsedAt time.Time
}

const (
	maxPasskeys    = 20 // of one user
	maxPasskeyName = 60 // characters
	passkeyPurpose = "passkey of "
)

// Site is where browsers reach this server: passkeys are bound to it.
type Site struct {
	ID     string // the host name alone, "" where there can be no passkeys
	Origin string // as "https://desk.example.com"
}

func (s Site) webauthn() (*webauthn.WebAuthn, error) {
	if s.ID == "" {
		return nil, conflict("passkey_address", "passkeys need a web address with a name, not numbers: set web.url")
	}
	w, err := webauthn.New(&webauthn.Config{RPID: s.ID, RPDisplayName: "Madoguchi", RPOrigins: []string{s.Origin}})
	if err != nil {
		return nil, fmt.Errorf("passkeys for %s: %w", s.Origin, err)
	}
	return w, nil
}

// passkeyUser is a user as the library wants them. The handle that devices keep
// is the user's ID, which says nothing about them.
type passkeyUser struct {
	*User
	keys []*Passkey
}

func (u passkeyUser) WebAuthnID() []byte          { return []byte(u.ID) }
func (u passkeyUser) WebAuthnName() string        { return u.Email }
func (u passkeyUser) WebAuthnDisplayName() string { return u.Name }
func (u passkeyUser) WebAuthnCredentials() (list []webauthn.Credential) {
	for _, k := range u.keys {
		var credential webauthn.Credential
		if err := json.Unmarshal(k.Credential, &credential); err == nil { // what cannot be read proves nobody
			list = append(list, credential)
		}
	}
	return list
}

func passkeysOf(r store.Reader, userID string) (list []*Passkey, err error) {
	for k, err := range passkeys.ScanIndex(r, "user", store.Prefix(key(userID))) {
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

func (d *Desk) passkeyUser(ctx context.Context, userID string) (u passkeyUser, err error) {
	err = d.view(ctx, func(r store.Reader) error {
		if u.User, err = activeUser(r, userID); err != nil {
			return err
		}
		u.keys, err = passkeysOf(r, userID)
		return err
	})
	return u, err
}

// BeginPasskey begins to make a passkey of the actor's own. It returns what the
// browser is asked (PublicKeyCredentialCreationOptions as JSON), and what is to be
// given back with its answer.
func (d *Desk) BeginPasskey(ctx context.Context, a Actor, site Site) (options []byte, sealed string, err error) {
	if err := a.mayChangeOwnAccess("add a passkey", d.now()); err != nil {
		return nil, "", err
	}
	w, err := site.webauthn()
	if err != nil {
		return nil, "", err
	}
	u, err := d.passkeyUser(ctx, a.UserID)
	if err != nil {
		return nil, "", err
	}
	creation, session, err := w.BeginRegistration(u,
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired}),
		webauthn.WithExclusions(webauthn.Credentials(u.WebAuthnCredentials()).CredentialDescriptors()),
		webauthn.WithConveyancePreference(protocol.PreferNoAttestation))
	if err != nil {
		return nil, "", fmt.Errorf("begin a passkey: %w", err)
	}
	return d.ceremony(passkeyPurpose+a.UserID, creation.Response, ceremony{Session: *session})
}

// ceremony is what is remembered of a question to a browser.
type ceremony struct {
	Session webauthn.SessionData
	Step    string // of a login after a password, or ""
}

func (d *Desk) ceremony(purpose string, question any, c ceremony) (options []byte, sealed string, err error) {
	if options, err = json.Marshal(question); err != nil {
		return nil, "", fmt.Errorf("write what the browser is asked: %w", err)
	}
	sealed, err = d.seals.close(purpose, d.now().Add(stepLifetime), c)
	return options, sealed, err
}

// AddPasskey keeps the passkey that a browser made, under a name.
func (d *Desk) AddPasskey(ctx context.Context, a Actor, site Site, sealed, name string, answer []byte) error {
	if err := a.mayChangeOwnAccess("add a passkey", d.now()); err != nil {
		return err
	}
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	var began ceremony
	if err := d.seals.open(passkeyPurpose+a.UserID, sealed, d.now(), &began); err != nil {
		return err
	}
	w, err := site.webauthn()
	if err != nil {
		return err
	}
	u, err := d.passkeyUser(ctx, a.UserID)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return d.passkeyRefused(ctx, passkeyMade, began.Session.Challenge, err)
	}
	credential, err := w.CreateCredential(u, began.Session, parsed)
	if err != nil {
		return d.passkeyRefused(ctx, passkeyMade, began.Session.Challenge, err)
	}
	record, err := json.Marshal(credential)
	if err != nil {
		return fmt.Errorf("write a passkey: %w", err)
	}
	made := &Passkey{ID: base64.RawURLEncoding.EncodeToString(credential.ID), UserID: a.UserID, Name: name, Credential: record}
	return d.update(ctx, a, func(c *command) error { return c.addPasskey(u.User, made) })
}

func (c *command) addPasskey(u *User, made *Passkey) error {
	keys, err := passkeysOf(c, u.ID)
	if err != nil {
		return err
	}
	if len(keys) >= maxPasskeys {
		return conflict("passkeys_many", "there are %d passkeys already; remove one that is no longer used", maxPasskeys)
	}
	if has, err := passkeys.Has(c, key(made.ID)); err != nil || has {
		if err == nil {
			err = conflict("passkey_known", "this passkey is kept already")
		}
		return err
	}
	made.CreatedAt = c.now
	if err := passkeys.Put(c, made); err != nil {
		return err
	}
	_, err = c.record(Event{Kind: EventPasskeyAdded, Data: details{"user": u.Email, "passkey": made.Name}})
	return err
}

func passkeyName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", invalid("name", "name_empty", "the passkey has no name")
	case utf8.RuneCountInString(name) > maxPasskeyName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return "", invalid("name", "passkey_name", "the name of a passkey has at most %d characters, in one line", maxPasskeyName)
	}
	return name, nil
}

// When a browser's answer is checked.
const (
	passkeyMade = "made"
	passkeyUsed = "used"
)

// passkeyRefused logs why a browser's answer was not accepted, and says that it
// was not. The library quotes the challenge, which is for that browser alone.
func (d *Desk) passkeyRefused(ctx context.Context, what, challenge string, cause error) error {
	text := cause.Error()
	if e, ok := cause.(*protocol.Error); ok {
		text = e.Details + " " + e.DevInfo
	}
	if challenge != "" {
		text = strings.ReplaceAll(text, challenge, "(secret)")
	}
	d.log.InfoContext(ctx, "a passkey was not accepted", "when", what, "error", text)
	if what == passkeyUsed {
		return unauthorized("passkey_unknown", "this passkey cannot log anybody in, it may have been removed; log in another way")
	}
	return unauthorized("passkey_refused", "the passkey was not accepted; try again")
}

// ownPasskey returns one of the actor's own.
func (c *command) ownPasskey(id string) (*Passkey, error) {
	k, err := passkeys.Get(c, key(id))
	if k, err = found(k, err, "passkey", id); err != nil {
		return nil, err
	}
	if k.UserID != c.actor.UserID {
		return nil, notFound("passkey", id)
	}
	return k, nil
}

// RenamePasskey gives one of the actor's own passkeys another name.
func (d *Desk) RenamePasskey(ctx context.Context, a Actor, id, name string) error {
	if err := a.mayChangeOwn("rename a passkey"); err != nil {
		return err
	}
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		k, err := c.ownPasskey(id)
		if err != nil || k.Name == name {
			return err
		}
		data := changesOf(change{"name", k.Name, name})
		k.Name = name
		if err := passkeys.Put(c, k); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventPasskeyRenamed, Data: data})
		return err
	})
}

// RemovePasskey takes one of the actor's own passkeys away.
func (d *Desk) RemovePasskey(ctx context.Context, a Actor, id string) error {
	if err := a.mayChangeOwnAccess("remove a passkey", d.now()); err != nil {
		return err
	}
	return d.update(ctx, a, func(c *command) error {
		k, err := c.ownPasskey(id)
		if err != nil {
			return err
		}
		u, err := users.Get(c, key(k.UserID))
		if err != nil {
			return err
		}
		keys, err := passkeysOf(c, u.ID)
		if err != nil {
			return err
		}
		left := len(keys) - 1
		if has, err := secondFactors.Has(c, key(u.ID)); err != nil || has {
			left++
		}
		if err := c.leavesSecondFactor(u, left); err != nil {
			return err
		}
		if err := passkeys.Delete(c, key(id)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventPasskeyRemoved, Data: details{"user": u.Email, "passkey": k.Name}})
		return err
	})
}
