package helpdesk

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

const (
	replyPrefix  = "reply+"
	bouncePrefix = "bounce+"
	tokenLength  = 16
)

// tokenAlphabet has 32 characters that survive being read aloud: no 0, 1, l, o.
const tokenAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// newToken returns 16 characters, 80 random bits.
func newToken() string {
	var random [10]byte
	rand.Read(random[:]) // never fails, see crypto/rand
	return base32.NewEncoding(tokenAlphabet).EncodeToString(random[:])
}

// RecipientProblem says why mail to an address is not taken.
type RecipientProblem string

// The problems of a recipient.
const (
	RecipientUnknown  RecipientProblem = "unknown"
	RecipientExpired  RecipientProblem = "expired"
	RecipientDisabled RecipientProblem = "disabled"
)

// RecipientError refuses a recipient for good. Its text is for the sender of
// the mail.
type RecipientError struct {
	Address string
	Problem RecipientProblem
	// WriteTo is where to write instead, or "".
	WriteTo string
}

func (e *RecipientError) Error() string {
	switch e.Problem {
	case RecipientExpired:
		return fmt.Sprintf("this reply address has expired; please write to <%s> instead", e.WriteTo)
	case RecipientDisabled:
		return "this address no longer takes mail"
	}
	return "there is no such address here"
}

// recipient is what an address of ours stands for: an alias, or a token with
// the alias that its ticket answers from.
type recipient struct {
	address    string
	alias      *Alias
	token      *Token
	postmaster bool
}

// Recipient says whether mail to address is taken: an alias, a live token, or
// the postmaster of a domain of ours. The error is a *RecipientError when it is
// refused for good.
func (d *Desk) Recipient(ctx context.Context, address string) error {
	if d.policy.Load().toReports([]string{address}) {
		return nil
	}
	return d.view(ctx, func(r store.Reader) error {
		_, err := findRecipient(r, address, d.now())
		return err
	})
}

// AuthorizeInbound checks that a may hand in mail for Receive, and say where it
// came from.
func (d *Desk) AuthorizeInbound(_ context.Context, a Actor) error {
	return a.may("hand in mail", PermitInbound)
}

func findRecipient(r store.Reader, address string, now time.Time) (*recipient, error) {
	address = mailboxOf(address)
	local, domain, _ := cutLast(address, "@")
	unknown := &RecipientError{Address: address, Problem: RecipientUnknown}
	if local == "" {
		return nil, unknown
	}
	if strings.HasPrefix(local, replyPrefix) || strings.HasPrefix(local, bouncePrefix) {
		return findToken(r, address, local, domain, now)
	}
	if local == "postmaster" {
		return findPostmaster(r, address, domain)
	}
	alias, err := aliases.First(r, "address", key(address))
	if errors.Is(err, store.ErrNotFound) {
		return nil, unknown
	}
	if err != nil {
		return nil, err
	}
	if alias.Disabled {
		return nil, &RecipientError{Address: address, Problem: RecipientDisabled}
	}
	return &recipient{address: address, alias: alias}, nil
}

func findToken(r store.Reader, address, local, domain string, now time.Time) (*recipient, error) {
	unknown := &RecipientError{Address: address, Problem: RecipientUnknown}
	_, value, _ := strings.Cut(local, "+")
	if len(value) != tokenLength {
		return nil, unknown
	}
	token, err := tokens.Get(r, key(value))
	if errors.Is(err, store.ErrNotFound) {
		return nil, unknown
	}
	if err != nil {
		return nil, err
	}
	bounce := strings.HasPrefix(local, bouncePrefix)
	if bounce != (token.Kind == TokenBounce) || domain != domainOf(token.Alias) {
		return nil, unknown
	}
	if !token.ExpiresAt.After(now) {
		return nil, &RecipientError{Address: address, Problem: RecipientExpired, WriteTo: token.Alias}
	}
	found := &recipient{address: address, token: token}
	found.alias, err = aliases.First(r, "address", key(token.Alias))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return found, nil
}

// findPostmaster takes mail to the postmaster of every domain of ours (RFC
// 5321, section 4.5.1), as mail to the domain's first alias.
func findPostmaster(r store.Reader, address, domain string) (*recipient, error) {
	alias, err := aliases.First(r, "address", key(address))
	if err == nil && !alias.Disabled {
		return &recipient{address: address, alias: alias}, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	index, prefix := "domain", key(domain)
	if domain == "" { // "RCPT TO:<postmaster>"
		prefix = nil
	}
	for alias, err := range aliases.ScanIndex(r, index, store.Prefix(prefix)) {
		if err != nil {
			return nil, err
		}
		if !alias.Disabled {
			return &recipient{address: address, alias: alias, postmaster: true}, nil
		}
	}
	return nil, &RecipientError{Address: address, Problem: RecipientUnknown}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func replyAddress(token, domain string) string  { return replyPrefix + token + "@" + domain }
func bounceAddress(token, domain string) string { return bouncePrefix + token + "@" + domain }
