package helpdesk

import (
	"context"
	"fmt"

	"github.com/madoguchi/madoguchi/store"
)

// verifyAccess checks that every way in is somebody's.
func verifyAccess(_ context.Context, r store.Reader) (problems []string, err error) {
	check := func(what, id, userID string) error {
		has, err := users.Has(r, key(userID))
		if err == nil && !has {
			problems = append(problems, fmt.Sprintf("%s %s is of user %s, who does not exist", what, id, userID))
		}
		return err
	}
	for s, err := range sessions.Scan(r, store.Range{}) {
		if err == nil {
			err = check("session", s.ID(), s.UserID)
		}
		if err != nil {
			return problems, err
		}
	}
	for d, err := range devices.Scan(r, store.Range{}) {
		if err == nil {
			err = check("device", d.Hash[:min(tokenIDLength, len(d.Hash))], d.UserID)
		}
		if err != nil {
			return problems, err
		}
	}
	for f, err := range secondFactors.Scan(r, store.Range{}) {
		if err == nil {
			err = check("authenticator app", "", f.UserID)
		}
		if err != nil {
			return problems, err
		}
	}
	for k, err := range passkeys.Scan(r, store.Range{}) {
		if err == nil {
			err = check("passkey", k.ID, k.UserID)
		}
		if err != nil {
			return problems, err
		}
	}
	for i, err := range identities.Scan(r, store.Range{}) {
		if err == nil {
			err = check("identity", i.Issuer+" "+i.Subject, i.UserID)
		}
		if err != nil {
			return problems, err
		}
	}
	return problems, nil
}
