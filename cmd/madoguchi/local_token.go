package main

import (
	"context"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// Tokens implements operations.
func (l *local) Tokens(ctx context.Context) ([]tokenInfo, error) {
	tokens, err := l.desk.Tokens(ctx, l.actor)
	if err != nil {
		return nil, err
	}
	describe, err := l.tokenDescriber(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]tokenInfo, 0, len(tokens))
	for _, t := range tokens {
		list = append(list, describe(&t))
	}
	return list, nil
}

// tokenDescriber gives a token's user an address.
func (l *local) tokenDescriber(ctx context.Context) (func(*helpdesk.APIToken) tokenInfo, error) {
	users, err := l.desk.Users(ctx, l.actor)
	if err != nil {
		return nil, err
	}
	emails := map[string]string{}
	for _, u := range users {
		emails[u.ID] = u.Email
	}
	return func(t *helpdesk.APIToken) tokenInfo {
		return tokenInfo{ID: t.ID(), User: emails[t.UserID], Scope: string(t.Scope), CreatedAt: t.CreatedAt, Name: t.Name, Ends: t.Ends, UsedAt: t.UsedAt}
	}, nil
}

// RevokeToken implements operations.
func (l *local) RevokeToken(ctx context.Context, t namedToken) (tokenInfo, error) {
	describe, err := l.tokenDescriber(ctx)
	if err != nil {
		return tokenInfo{}, err
	}
	revoked, err := l.desk.RevokeToken(ctx, l.actor, t.ID)
	if err != nil {
		return tokenInfo{}, err
	}
	return describe(revoked), nil
}
