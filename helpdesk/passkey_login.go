package helpdesk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/madoguchi/madoguchi/store"
)

const passkeyLoginPurpose = "passkey login"

// BeginPasskeyLogin begins a login with a passkey: alone, or as the step that is
// left of a login by password. It returns what the browser is asked
// (PublicKeyCredentialRequestOptions as JSON), and what is to be given back with its
// answer. Alone, the question is the same for everybody.
func (d *Desk) BeginPasskeyLogin(ctx context.Context, site Site, step string) (options []byte, sealed string, err error) {
	w, err := site.webauthn()
	if err != nil {
		return nil, "", err
	}
	verified := webauthn.WithUserVerification(protocol.VerificationRequired)
	if step == "" {
		question, session, err := w.BeginDiscoverableLogin(verified)
		if err != nil {
			return nil, "", fmt.Errorf("begin a login by passkey: %w", err)
		}
		return d.ceremony(passkeyLoginPurpose, question.Response, ceremony{Session: *session})
	}
	left, err := d.StepOf(ctx, step)
	if err != nil {
		return nil, "", err
	}
	if !left.Passkey {
		return nil, "", unauthorized("login_step_over", "there is no passkey to use; begin anew")
	}
	u, err := d.passkeyUser(ctx, left.User.ID)
	if err != nil {
		return nil, "", err
	}
	question, session, err := w.BeginLogin(u, verified)
	if err != nil {
		return nil, "", fmt.Errorf("begin a login by passkey: %w", err)
	}
	return d.ceremony(passkeyLoginPurpose, question.Response, ceremony{Session: *session, Step: step})
}

// errCopiedPasskey ends a login by a passkey whose counter went backwards.
var errCopiedPasskey = errors.New("the passkey's counter went backwards")

// LoginPasskey logs in by a browser's answer to BeginPasskeyLogin. A passkey
// proves its holder by itself: the device has verified them.
func (d *Desk) LoginPasskey(ctx context.Context, v Visitor, site Site, sealed string, answer []byte) (*Entry, error) {
	if err := d.refuseBesideSignOn(); err != nil {
		return nil, err
	}
	var began ceremony
	if err := d.seals.open(passkeyLoginPurpose, sealed, d.now(), &began); err != nil {
		return nil, err
	}
	if began.Step != "" { // the password may have changed meanwhile
		if _, err := d.StepOf(ctx, began.Step); err != nil {
			return nil, err
		}
	}
	w, err := site.webauthn()
	if err != nil {
		return nil, err
	}
	u, credential, err := d.verifyPasskey(ctx, w, began, answer)
	if err != nil {
		if CodeOf(err) == CodeInternal {
			err = d.passkeyRefused(ctx, passkeyUsed, began.Session.Challenge, err)
			return nil, errors.Join(err, d.countFailedPasskey(ctx, v, u))
		}
		return nil, err
	}
	if !d.seals.spend("passkey "+began.Session.Challenge, d.now(), d.now().Add(stepLifetime)) {
		return nil, unauthorized("login_step_over", "this answer was used before; begin anew")
	}
	entry, err := d.enter(ctx, v, u, &entering{by: LoginPasskey, prove: func(c *command) error { return c.usePasskey(credential) }})
	if errors.Is(err, errCopiedPasskey) {
		return nil, d.reportCopiedPasskey(ctx, v, u, credential)
	}
	return entry, err
}

// verifyPasskey checks a browser's answer, and says whose it is.
func (d *Desk) verifyPasskey(ctx context.Context, w *webauthn.WebAuthn, began ceremony, answer []byte) (*User, *webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, nil, err
	}
	if len(began.Session.UserID) > 0 {
		u, err := d.passkeyUser(ctx, string(began.Session.UserID))
		if err != nil {
			return nil, nil, err
		}
		credential, err := w.ValidateLogin(u, began.Session, parsed)
		return u.User, credential, err
	}
	var whose passkeyUser
	credential, err := w.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
		whose, err = d.passkeyUser(ctx, string(handle))
		return whose, err
	}, began.Session, parsed)
	return whose.User, credential, err
}

// usePasskey writes down that a passkey was used, with its new counter.
func (c *command) usePasskey(credential *webauthn.Credential) error {
	k, err := passkeys.Get(c, key(base64.RawURLEncoding.EncodeToString(credential.ID)))
	if errors.Is(err, store.ErrNotFound) {
		return unauthorized("passkey_unknown", "the passkey was removed; log in another way")
	}
	if err != nil {
		return err
	}
	if credential.Authenticator.CloneWarning {
		return errCopiedPasskey
	}
	if k.Credential, err = json.Marshal(credential); err != nil {
		return fmt.Errorf("write a passkey: %w", err)
	}
	k.UsedAt = c.now
	return passkeys.Put(c, k)
}

// countFailedPasskey writes down a login by passkey that failed.
func (d *Desk) countFailedPasskey(ctx context.Context, v Visitor, u *User) error {
	if err := d.failedLogin(ctx, v, u, "passkey_refused", ""); CodeOf(err) != CodeUnauthorized {
		return err
	}
	return nil
}

// reportCopiedPasskey tells that two devices hold what should be one key: its
// counter went backwards (Web Authentication, section 6.1.1).
func (d *Desk) reportCopiedPasskey(ctx context.Context, v Visitor, u *User, credential *webauthn.Credential) error {
	err := d.update(ctx, System("login").At(v.IP), func(c *command) error {
		k, err := passkeys.Get(c, key(base64.RawURLEncoding.EncodeToString(credential.ID)))
		if err != nil {
			return gone(err)
		}
		_, err = c.record(Event{Kind: EventPasskeyCopied, Data: details{"user": u.Email, "passkey": k.Name}})
		return err
	})
	if err != nil {
		return err
	}
	return unauthorized("passkey_copied", "this passkey seems to have been copied; remove it, and make a new one")
}
