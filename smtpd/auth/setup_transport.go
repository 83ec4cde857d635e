package auth

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// host checks that the server's name has an address: the MX record leads to it.
func (s Setup) host(ctx context.Context, dns lookups) SetupPart {
	p := SetupPart{Kind: "host", State: SetupMissing, Name: s.Hostname, Type: "A"}
	addresses, err := dns.LookupIPAddr(ctx, s.Hostname)
	if err != nil && !isNotFound(err) {
		return unknown(p, err)
	}
	for _, address := range addresses {
		p.Found = append(p.Found, address.String())
	}
	if len(addresses) > 0 {
		p.State = SetupFine
	}
	return p.settled()
}

// policyRecord checks the record that says that there is an MTA-STS policy, and
// which (RFC 8461, section 3.1).
func (s Setup) policyRecord(ctx context.Context, dns lookups) SetupPart {
	p := SetupPart{Kind: "mta_sts", State: SetupMissing, Name: "_mta-sts." + s.Domain, Type: "TXT", Value: s.PolicyRecord}
	return p.oneText(ctx, dns, "v=stsv1", func(record string) bool { return tagOf(record, "id") == tagOf(s.PolicyRecord, "id") })
}

// policyHost checks that the name under which the policy is fetched leads to
// this server.
func (s Setup) policyHost(ctx context.Context, dns lookups) SetupPart {
	p := SetupPart{Kind: "mta_sts_host", State: SetupMissing, Name: "mta-sts." + s.Domain, Type: "CNAME", Value: s.Hostname + "."}
	addresses, err := dns.LookupIPAddr(ctx, p.Name)
	if err != nil && !isNotFound(err) {
		return unknown(p, err)
	}
	if len(addresses) == 0 {
		return p
	}
	ours, err := dns.LookupIPAddr(ctx, s.Hostname)
	if err != nil && !isNotFound(err) {
		return unknown(p, err)
	}
	p.State = SetupUnsure // a proxy may stand there
	for _, address := range addresses {
		p.Found = append(p.Found, address.String())
		for _, other := range ours {
			if address.IP.Equal(other.IP) {
				p.State = SetupFine
			}
		}
	}
	return p.settled()
}

// tlsReports checks that others know where to report failures of encryption to
// (RFC 8460, section 3).
func (s Setup) tlsReports(ctx context.Context, dns lookups) SetupPart {
	p := SetupPart{Kind: "tls_rpt", State: SetupMissing, Name: "_smtp._tls." + s.Domain, Type: "TXT", Value: "v=TLSRPTv1; rua=mailto:" + asciiAddress(cmp.Or(s.TLSReports, "postmaster@"+s.Domain))}
	return p.oneText(ctx, dns, "v=tlsrptv1", func(record string) bool { return tagOf(record, "rua") != "" })
}

// oneText looks for the one TXT record of a version, which has to be right.
func (p SetupPart) oneText(ctx context.Context, dns lookups, version string, right func(string) bool) SetupPart {
	records, err := txt(ctx, dns, p.Name, version)
	if err != nil {
		return unknown(p, err)
	}
	p.Found = cleaned(records)
	switch {
	case len(records) == 0:
		return p
	case len(records) == 1 && right(records[0]):
		p.State = SetupFine
	default:
		p.State = SetupWrong
	}
	return p.settled()
}

func tagOf(record, name string) string {
	for tag := range strings.SplitSeq(record, ";") {
		if key, value, found := strings.Cut(tag, "="); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Bad reports whether mail does not arrive, or is not believed, because of a
// part. MTA-STS and its reports only add to what works without them, and a key
// that is to replace another is not needed yet.
func (p SetupPart) Bad() bool {
	optional := []string{"mta_sts", "mta_sts_host", "tls_rpt"}
	return (p.State == SetupMissing || p.State == SetupWrong) && !slices.Contains(optional, p.Kind) && p.Phase != "new"
}
