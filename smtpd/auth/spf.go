package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"blitiri.com.ar/go/spf"
)

// spfIdentity returns the identity SPF is asked about: MAIL FROM, or
// postmaster@HELO for a bounce (RFC 7208 section 2.4).
func spfIdentity(r Request) (sender, domain string, helo bool) {
	if at := strings.LastIndexByte(r.MailFrom, '@'); at >= 0 {
		// The library splits at the first @; one inside a quoted local part
		// must not move the domain.
		return strings.ReplaceAll(r.MailFrom[:at], "@", "_"), r.MailFrom[at+1:], false
	}
	return "postmaster", r.HELO, true
}

func checkSPF(ctx context.Context, dns lookups, r Request) SPF {
	local, name, helo := spfIdentity(r)
	domain, ok := asciiDomain(name)
	switch {
	// RFC 7208 section 4.3: no fully qualified name, no check.
	case !ok || !strings.Contains(domain, "."):
		return SPF{Result: None, Domain: clean(name), HELO: helo, Reason: "no fully qualified domain name to check"}
	case !r.RemoteIP.IsValid():
		return SPF{Result: None, Domain: domain, HELO: helo, Reason: "the peer has no IP address"}
	}
	ip := r.RemoteIP.Unmap().WithZone("")
	result, err := spf.CheckHostWithSender(ip.AsSlice(), r.HELO, local+"@"+domain,
		spf.WithContext(ctx), spf.WithResolver(spfLookups{dns}))
	s := SPF{Result: Result(result), Domain: domain, HELO: helo}
	switch {
	case ctx.Err() != nil && result == spf.TempError:
		return lateSPF(ctx, r)
	case errors.Is(err, spf.ErrNoResult) && result == spf.None:
		s.Reason = "the domain publishes no SPF record"
	case err == nil:
		s.Reason = fmt.Sprintf("%s: no mechanism matched", ip)
	default:
		s.Reason = clean(fmt.Sprintf("%s: %v", ip, err))
	}
	return s
}

func lateSPF(ctx context.Context, r Request) SPF {
	_, name, helo := spfIdentity(r)
	domain, ok := asciiDomain(name)
	if !ok {
		domain = clean(name)
	}
	return SPF{Result: TempError, Domain: domain, HELO: helo, Reason: clean(context.Cause(ctx).Error())}
}
