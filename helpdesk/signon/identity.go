package signon

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// claims are those that we read. Some providers write the flag as a text.
type claims struct {
	Email    string `json:"email"`
	Verified any    `json:"email_verified"`
	Name     string `json:"name"`
	ProvenAt any    `json:"auth_time"`
}

// askedWithin is how long before its ID token a provider may have asked for the
// proof that was wanted anew: people type, and clocks differ.
const askedWithin = 5 * time.Minute

// clockLeeway is how far our clock may be ahead of the provider's: some let their tokens
// end after a minute. For one that is behind, the library has a leeway of five minutes,
// of which this is taken (OpenID Connect Core, section 3.1.3.7, rule 9).
const clockLeeway = 2 * time.Minute

// provenAt is when people proved who they are, as far as the provider says so. It
// is an error where that was to happen anew and did not.
func (c *claims) provenAt(again bool, issued time.Time) (time.Time, error) {
	seconds, said := c.ProvenAt.(float64)
	switch {
	case !again && !said:
		return time.Time{}, nil
	case !said: // it was asked to, and does not contradict
		return issued, nil
	}
	at := time.Unix(int64(seconds), 0)
	if again && at.Before(issued.Add(-askedWithin)) {
		return time.Time{}, fmt.Errorf("%w: the last proof is of %s", ErrNotAsked, at.UTC().Format(time.RFC3339))
	}
	return at, nil
}

func (c *claims) verified() bool { return c.Verified == true || c.Verified == "true" }

// identity reads the ID token (OpenID Connect Core, section 3.1.3.7), and asks for
// what it does not say.
func (p *Provider) identity(ctx context.Context, d *discovered, token *oauth2.Token, m Memory) (Identity, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return Identity{}, fmt.Errorf("%w: there is no ID token", ErrForged)
	}
	id, err := d.provider.Verifier(&oidc.Config{ClientID: p.config.ClientID, Now: func() time.Time { return time.Now().Add(-clockLeeway) }}).Verify(p.with(ctx), raw)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrForged, err)
	}
	if m.Nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(m.Nonce)) != 1 {
		return Identity{}, fmt.Errorf("%w: nonce", ErrForged)
	}
	var said claims
	if err := id.Claims(&said); err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrForged, err)
	}
	proven, err := said.provenAt(m.Again, id.IssuedAt)
	if err != nil {
		return Identity{}, err
	}
	if said.Email == "" {
		info, err := d.provider.UserInfo(p.with(ctx), oauth2.StaticTokenSource(token))
		if err != nil {
			return Identity{}, fmt.Errorf("%w: ask for the address: %w", ErrUnavailable, err)
		}
		if info.Subject != id.Subject { // OpenID Connect Core, section 5.3.2
			return Identity{}, fmt.Errorf("%w: subject", ErrForged)
		}
		name := said.Name
		if err := info.Claims(&said); err != nil {
			return Identity{}, fmt.Errorf("%w: %w", ErrForged, err)
		}
		if said.Name == "" {
			said.Name = name
		}
	}
	return Identity{Issuer: id.Issuer, Subject: id.Subject, Email: said.Email, EmailVerified: said.verified(), Name: said.Name, ProvenAt: proven, Token: raw}, nil
}
