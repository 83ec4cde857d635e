// Package auth judges who really sent a mail, and signs the mails that go out.
//
// A Verifier computes SPF (RFC 7208), DKIM (RFC 6376, RFC 8301, RFC 8463),
// DMARC (RFC 7489) and ARC (RFC 8617) for one received mail under one time
// budget. It never fails: trouble with the DNS is a temperror in the Verdict.
// Authentication-Results fields found inside a mail are never read, save those that
// a trusted forwarder has sealed (ARC).
package auth

import (
	"context"
	"net/netip"
	"time"
)

// Result is a result word of RFC 8601 section 2.7.
type Result string

// The result words. Policy means that a signature verified or might have, but
// is not accepted here: the reason beside it says why.
const (
	None      Result = "none"
	Neutral   Result = "neutral"
	Pass      Result = "pass"
	Fail      Result = "fail"
	SoftFail  Result = "softfail"
	Policy    Result = "policy"
	TempError Result = "temperror"
	PermError Result = "permerror"
)

// defaultTimeout is the budget of one Verify where Verifier.Timeout is zero.
const defaultTimeout = 10 * time.Second

// Verifier authenticates received mails. It may be used by several goroutines
// at once as long as its fields are not changed.
type Verifier struct {
	// Resolver answers the DNS questions; nil stands for the system's.
	Resolver Resolver
	// Timeout is the budget of a whole Verify; zero stands for 10 seconds.
	Timeout time.Duration
	// Now is the clock that the expiry of signatures is judged by; nil stands
	// for time.Now.
	Now func() time.Time
	// Hostname is the authserv-id (RFC 8601 section 2.5) under which this
	// server reports its verdicts.
	Hostname string
	// Forwarders are the domains, with all below them, whose ARC seals are trusted:
	// what fails DMARC here, and passed it there, passes.
	Forwarders []string
}

// Request is one received mail and how it came.
type Request struct {
	// RemoteIP is the peer's address. The zero Addr (a unix socket) has no SPF.
	RemoteIP netip.Addr
	// HELO is the name the peer gave; MailFrom the envelope sender, empty for
	// a bounce, without angle brackets.
	HELO, MailFrom string
	// Raw is the mail as received. Lines may end in LF alone.
	Raw []byte
}

// Verdict is what is known of a mail's sender. Its strings are valid UTF-8
// without control characters, and bounded in length.
type Verdict struct {
	SPF   SPF
	DKIM  []DKIM
	DMARC DMARC
	// ARC is the state of the chain: none, pass, fail or temperror.
	ARC string
	// Forwarder is the trusted domain by whose word DMARC passes, or "".
	Forwarder string
}

// SPF is the result of RFC 7208 for the MAIL FROM identity, or for the HELO
// identity where MAIL FROM was empty.
type SPF struct {
	Result Result
	// Domain is the domain that was checked, in lower case and ASCII.
	Domain string
	Reason string
	// HELO says that Domain was taken from HELO.
	HELO bool
}

// DKIM is the result of one signature.
type DKIM struct {
	Result Result
	// Domain, Selector and Identity are the tags d=, s= and i=.
	Domain, Selector, Identity string
	Reason                     string
}

// DMARC is the result of RFC 7489 for the domain of the From field.
type DMARC struct {
	Result Result
	// Domain is the domain of the From field, in lower case and ASCII.
	Domain string
	// Policy is what the domain asks to be done with this mail when it fails:
	// none, quarantine or reject; empty where the domain publishes nothing. The
	// policy for subdomains (sp=) and the sampling (pct=) have been applied.
	Policy string
	Reason string
	// AlignedBy is "dkim" or "spf" when that proves the From domain: when Result
	// is Pass, or by relaxed alignment when it is None because the domain has no
	// policy. It is "arc" where a trusted forwarder proved it.
	AlignedBy string
}

// Verify authenticates a mail. It returns within the budget, and within ctx:
// what has no answer by then is TempError. The four methods run side by side.
func (v *Verifier) Verify(ctx context.Context, r Request) Verdict {
	timeout := v.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, noAnswer(timeout))
	defer cancel()

	m := parseMessage(r.Raw)
	dns := lookups{resolver: v.Resolver}
	if dns.resolver == nil {
		dns.resolver = NewResolver("")
	}
	from := m.fromDomain()
	keys := newPublishedKeys(ctx, dns)

	spfDone := start(func() SPF { return checkSPF(ctx, dns, r) })
	policyDone := start(func() policyLookup { return discoverPolicy(ctx, dns, from.domain) })
	var arcDone <-chan outcome[arcChain]
	sealed := m.has(arcFields...)
	if sealed {
		arcDone = start(func() arcChain { return checkARC(ctx, keys, m, v.now()) })
	}

	signatures := checkDKIM(ctx, keys, m, v.now())
	spf := await(ctx, spfDone, func() SPF { return lateSPF(ctx, r) })
	policy := await(ctx, policyDone, func() policyLookup { return policyLookup{err: context.Cause(ctx)} })
	arc := arcChain{state: string(None)}
	if sealed {
		arc = await(ctx, arcDone, func() arcChain { return arcChain{state: string(TempError)} })
	}
	verdict := Verdict{
		SPF:   spf,
		DKIM:  signatures,
		DMARC: evaluate(from, policy, spf, signatures, r.Raw),
		ARC:   arc.state,
	}
	verdict.believe(arc.vouch(v.Forwarders, from.domain))
	return verdict
}

// AuthenticationResults is Verdict.AuthenticationResults under the verifier's
// own Hostname.
func (v *Verifier) AuthenticationResults(d Verdict) string {
	return d.AuthenticationResults(v.Hostname)
}

func (v *Verifier) now() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}

// noAnswer is the cause of the end of the budget.
type noAnswer time.Duration

// Error writes whole seconds as "10s", never "10.000s".
func (n noAnswer) Error() string {
	budget := time.Duration(n)
	if budget >= time.Second {
		budget = budget.Round(time.Second)
	}
	return "no answer from DNS within " + budget.String()
}
