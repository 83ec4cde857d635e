package outbound

import (
	"context"
	"slices"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/mtasts"
)

// allowed leaves of the hosts of a domain those that its MTA-STS policy names,
// and has them prove themselves, where it is to be enforced (RFC 8461, section 5).
func (s *Sender) allowed(ctx context.Context, r *route, hosts []string, e *envelope) ([]string, *Error) {
	if s.Policies == nil {
		return hosts, nil
	}
	policy, err := s.Policies.Find(ctx, r.domain)
	r.sts = policy
	if err != nil {
		s.tell(ctx, e, TLSSession{Domain: r.domain, Policy: "sts", Result: "sts-policy-fetch-error", Reason: err.Error()})
		s.log().WarnContext(ctx, "MTA-STS", "domain", r.domain, "error", err)
	}
	named := slices.DeleteFunc(slices.Clone(hosts), func(host string) bool { return !policy.Allows(host) })
	switch {
	case policy.Mode == mtasts.Enforce && len(named) == 0:
		s.tell(ctx, e, r.session(TLSSession{Host: hosts[0], Result: "validation-failure", Reason: "the policy names none of the hosts"}))
		return nil, temporary("4.7.0", "the MTA-STS policy of %s names none of its hosts (%s)", r.domain, strings.Join(hosts, ", "))
	case policy.Mode == mtasts.Enforce:
		r.policy.required, r.policy.verify = true, true
		return named, nil
	case policy.Mode == mtasts.Testing && len(named) < len(hosts):
		s.log().InfoContext(ctx, "MTA-STS in testing: hosts that the policy does not name", "domain", r.domain, "hosts", hosts)
	}
	return hosts, nil
}

// attemptProven tries one address, its certificate proven as DANE or else
// MTA-STS ask: DANE comes first (RFC 8461, section 2).
func (s *Sender) attemptProven(ctx context.Context, t target, e *envelope, r route) (Outcome, *Error) {
	policy := r.policy
	if s.Keys != nil && r.domain != "" {
		records, unusable, err := s.Keys.Records(ctx, r.domain, t.host, r.port)
		if err != nil {
			failure := temporary("4.7.0", "whether %s is protected by DANE is not known: %v", t.host, err)
			failure.Host, failure.tryNext = t.host, true
			return Outcome{}, failure
		}
		if len(records) > 0 || unusable {
			policy = tlsPolicy{wanted: true, required: true, keys: records, names: []string{t.host, r.domain}}
		}
	}
	return s.attemptWithFallback(ctx, t, e, r, policy)
}
