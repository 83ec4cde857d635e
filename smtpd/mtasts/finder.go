package mtasts

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// Kept is a policy as it is remembered.
type Kept struct {
	ID     string // of its record
	Policy string // as it was served
	At     time.Time
}

// Memory remembers policies beyond a restart: who could make the policy of a
// domain be forgotten could have its mail sent in clear.
type Memory interface {
	// PolicyOf returns what is remembered of a domain; false for nothing.
	PolicyOf(ctx context.Context, domain string) (Kept, bool, error)
	KeepPolicy(ctx context.Context, domain string, k Kept) error
}

// Resolver looks up TXT records; a *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// Finder finds the policies of domains that mail is sent to.
type Finder struct {
	Resolver Resolver
	// Client fetches policies: over https with a verified certificate, following
	// no redirect (RFC 8461, section 3.3).
	Client *http.Client
	Memory Memory
	Now    func() time.Time

	failed failures
}

const (
	fetchPatience = time.Minute // RFC 8461, section 3.3
	maxPolicy     = 64 << 10
)

// Find returns the policy of a domain, of mode None where there is none. An error
// says why a policy that should be there could not be had; the policy is then the
// one that is remembered, or None (RFC 8461, section 5).
func (f *Finder) Find(ctx context.Context, domain string) (Policy, error) {
	kept, known, err := f.Memory.PolicyOf(ctx, domain)
	if err != nil {
		return Policy{Mode: None}, err
	}
	before := Policy{Mode: None}
	if known {
		if p, err := Parse(kept.Policy); err == nil && f.Now().Before(kept.At.Add(p.MaxAge)) {
			before = p
		} else {
			known = false
		}
	}
	records, _ := f.Resolver.LookupTXT(ctx, "_mta-sts."+domain+".")
	id := RecordID(records)
	if id == "" || known && id == kept.ID {
		// Without a record, or an answer, nothing is fetched, and what is remembered
		// still holds: it may be an attacker who keeps it away.
		return before, nil
	}
	if err := f.failed.lately(domain, id, f.Now()); err != nil {
		return before, err
	}
	p, text, err := f.get(ctx, domain)
	if err != nil {
		if ctx.Err() == nil { // else it was the caller who gave up
			f.failed.remember(domain, id, err, f.Now())
		}
		return before, err
	}
	return p, f.Memory.KeepPolicy(ctx, domain, Kept{ID: id, Policy: text, At: f.Now()})
}

// get fetches and reads the policy of a domain.
func (f *Finder) get(ctx context.Context, domain string) (p Policy, text string, err error) {
	if text, err = f.fetch(ctx, domain); err != nil {
		return p, "", fmt.Errorf("fetch the MTA-STS policy of %s: %w", domain, err)
	}
	if p, err = Parse(text); err != nil {
		return p, "", fmt.Errorf("read the MTA-STS policy of %s: %w", domain, err)
	}
	return p, text, nil
}

func (f *Finder) fetch(ctx context.Context, domain string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://mta-sts."+domain+"/.well-known/mta-sts.txt", nil)
	if err != nil {
		return "", err
	}
	response, err := f.Client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the server answered %s", response.Status)
	}
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return "", fmt.Errorf("it is %.100q, not text/plain", response.Header.Get("Content-Type"))
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxPolicy+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxPolicy {
		return "", fmt.Errorf("it has more than %d bytes", maxPolicy)
	}
	return string(text), nil
}
