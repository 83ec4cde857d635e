package auth

import (
	"context"
	"strings"
)

// KeyPublished reports whether the DNS says of a selector what record says. The
// error is temporary: the DNS did not answer.
func KeyPublished(ctx context.Context, r Resolver, domain, selector, record string) (bool, error) {
	records, err := lookups{resolver: r}.LookupTXT(ctx, selector+"._domainkey."+domain)
	if err != nil && !isNotFound(err) {
		return false, err
	}
	return len(records) == 1 && publicKey(records[0]) == publicKey(record), nil
}

// dkim checks that the key in the DNS is the one that we sign with.
func (s Setup) dkim(ctx context.Context, dns lookups, k SetupKey) SetupPart {
	p := SetupPart{Kind: "dkim", Key: k.Algorithm, Phase: k.Phase, State: SetupMissing, Name: k.Selector + "._domainkey." + s.Domain, Type: "TXT", Value: k.Record}
	records, err := dns.LookupTXT(ctx, p.Name)
	if err != nil && !isNotFound(err) {
		return unknown(p, err)
	}
	p.Found = cleaned(records)
	switch {
	case k.Withdrawn && len(records) > 0:
		p.State, p.Value = SetupSurplus, ""
		return p
	case k.Withdrawn:
		p.State = SetupFine
	case len(records) == 0:
		return p
	case len(records) == 1 && publicKey(records[0]) == publicKey(k.Record):
		p.State = SetupFine
	default:
		p.State = SetupWrong
	}
	return p.settled()
}

// publicKey is the p= tag of a key record, without the white space that may be
// in it.
func publicKey(record string) string {
	for tag := range strings.SplitSeq(record, ";") {
		name, value, _ := strings.Cut(tag, "=")
		if strings.TrimSpace(name) == "p" {
			return strings.Join(strings.Fields(value), "")
		}
	}
	return ""
}
