package auth

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Setup is what the DNS must say of a domain so that mail arrives from it and
// is believed.
type Setup struct {
	Domain string
	// Hostname is the name of the server that takes the domain's mail.
	Hostname string
	// Sender is the host that the domain's mail leaves from: Hostname, or a
	// smarthost. A smarthost may send on from addresses that it alone knows.
	Sender    string
	Smarthost bool
	// Keys are the domain's DKIM keys (RFC 6376, section 3.6).
	Keys []SetupKey
	// PolicyRecord is the TXT record of the MTA-STS policy that this server serves
	// for the domain (RFC 8461, section 3.1); empty where it serves none.
	PolicyRecord string
	// Reports and TLSReports are the addresses that DMARC reports, and those on
	// encryption, are to go to; the postmaster's where they are empty.
	Reports, TLSReports string
}

// SetupKey is a DKIM key as the DNS should know it.
type SetupKey struct {
	Selector, Record string
	Algorithm        string // "rsa" or "ed25519"
	// Withdrawn says that the record is needed no more.
	Withdrawn bool
	// Phase is carried into the part: "first" while no key is used, "new", "used",
	// "retired" or "withdrawn".
	Phase string
}

// SetupState is how a part of the DNS is.
type SetupState string

// The states. Missing and Wrong keep mail from arriving or from being believed.
const (
	SetupFine    SetupState = "fine"
	SetupMissing SetupState = "missing" // there is no such record
	SetupWrong   SetupState = "wrong"   // it says something else
	SetupUnsure  SetupState = "unsure"  // it may be right; only people can tell
	SetupUnknown SetupState = "unknown" // the DNS did not answer in time
	SetupUnset   SetupState = "unset"   // the server itself is not set up for it
	SetupSurplus SetupState = "surplus" // it is needed no more
)

// SetupPart is one part of a domain's DNS: "mx", "host", "spf", "dkim", "dmarc",
// "mta_sts", "mta_sts_host", "tls_rpt" or "ptr".
type SetupPart struct {
	Kind  string
	State SetupState
	// Key and Phase tell DKIM keys apart: the algorithm, and where in its life the
	// key is; empty for all else.
	Key, Phase string
	// Found is what the DNS says now.
	Found []string
	// Name, Type and Value are the record that should be there; Value is empty
	// where nobody here can know it.
	Name, Type, Value string
	// Detail is what the other side said, for SetupUnknown and SetupWrong.
	Detail string
}

// CheckSetup asks the DNS what it says of a domain. It answers when ctx ends at
// the latest; parts not known by then are SetupUnknown. Parts come in the order
// mx, host, spf, dkim (one for each key), dmarc, mta_sts, mta_sts_host, tls_rpt,
// ptr; those of MTA-STS only where there is a policy.
func CheckSetup(ctx context.Context, r Resolver, s Setup) []SetupPart {
	dns := lookups{resolver: r}
	checks := []func(context.Context, lookups) SetupPart{s.mx, s.host, s.spf}
	for _, k := range s.Keys {
		checks = append(checks, func(ctx context.Context, dns lookups) SetupPart { return s.dkim(ctx, dns, k) })
	}
	if len(s.Keys) == 0 {
		checks = append(checks, func(context.Context, lookups) SetupPart { return SetupPart{Kind: "dkim", State: SetupUnset} })
	}
	checks = append(checks, s.dmarc)
	if s.PolicyRecord != "" {
		checks = append(checks, s.policyRecord, s.policyHost)
	}
	checks = append(checks, s.tlsReports, s.ptr)
	outcomes := make([]outcome[SetupPart], len(checks))
	var group sync.WaitGroup
	for i, check := range checks {
		group.Go(func() { outcomes[i] = attempt(func() SetupPart { return check(ctx, dns) }) })
	}
	group.Wait()
	parts := make([]SetupPart, len(checks))
	for i, o := range outcomes {
		parts[i] = o.get()
	}
	return parts
}

func unknown(p SetupPart, err error) SetupPart {
	p.State, p.Detail = SetupUnknown, clean(err.Error())
	return p
}

func (s Setup) mx(ctx context.Context, dns lookups) SetupPart {
	p := SetupPart{Kind: "mx", State: SetupMissing, Name: s.Domain, Type: "MX", Value: "10 " + s.Hostname + "."}
	records, err := dns.LookupMX(ctx, s.Domain)
	if err != nil && !isNotFound(err) {
		return unknown(p, err)
	}
	for _, mx := range records {
		p.Found = append(p.Found, fmt.Sprintf("%d %s", mx.Pref, clean(mx.Host)))
		if sameHost(mx.Host, s.Hostname) {
			p.State = SetupFine
		}
	}
	if p.State != SetupFine && len(p.Found) > 0 {
		// Another server may well take the mail and pass it on.
		p.State = SetupUnsure
	}
	return p.settled()
}

// settled puts what is there in place of the record to create, where it is in
// order: others may have reasons for the rest of what it says.
func (p SetupPart) settled() SetupPart {
	if p.State == SetupFine && p.Type == "TXT" && len(p.Found) == 1 {
		p.Value = p.Found[0]
	}
	return p
}

func sameHost(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// txt returns the TXT records at name that begin with a version tag.
func txt(ctx context.Context, dns lookups, name, version string) ([]string, error) {
	records, err := dns.LookupTXT(ctx, name)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	return slices.DeleteFunc(records, func(record string) bool {
		return !strings.HasPrefix(strings.ToLower(strings.TrimSpace(record)), version)
	}), nil
}

// cleaned are records as people read and copy them: whole, for half a key or half a policy
// would be put into the DNS.
func cleaned(list []string) (out []string) {
	for _, text := range list {
		out = append(out, legible(text))
	}
	return out
}

// spf checks that the domain's policy lets the sending host pass, from each of
// its addresses (RFC 7208).
func (s Setup) spf(ctx context.Context, dns lookups) SetupPart {
	mechanism := "a:" + s.Sender
	if s.Smarthost {
		mechanism = "include:" + organisationalDomain(s.Sender)
		if ip, err := netip.ParseAddr(strings.Trim(s.Sender, "[]")); err == nil { // which has no record to include
			mechanism = map[bool]string{true: "ip4:", false: "ip6:"}[ip.Unmap().Is4()] + ip.Unmap().String()
		}
	}
	p := SetupPart{Kind: "spf", State: SetupMissing, Name: s.Domain, Type: "TXT", Value: "v=spf1 " + mechanism + " ~all"}
	records, err := txt(ctx, dns, s.Domain, "v=spf1")
	if err != nil {
		return unknown(p, err)
	}
	p.Found = cleaned(records)
	switch len(records) {
	case 0:
		return p
	case 1:
		p.Value = withMechanism(withoutMistakes(records[0]), mechanism)
	default:
		p.State, p.Detail = SetupWrong, "several SPF records; only one may be there (RFC 7208, section 3.2)"
		return p
	}
	addresses, err := dns.LookupIPAddr(ctx, s.Sender)
	if err != nil {
		if isNotFound(err) {
			p.State, p.Detail = SetupUnsure, s.Sender+" has no address"
			return p
		}
		return unknown(p, err)
	}
	p.State = SetupFine
	for _, address := range addresses {
		ip, _ := netip.AddrFromSlice(address.IP)
		verdict := checkSPF(ctx, dns, Request{RemoteIP: ip.Unmap(), HELO: s.Hostname, MailFrom: "postmaster@" + s.Domain})
		switch {
		case verdict.Result == TempError:
			p.State, p.Detail = SetupUnknown, verdict.Reason
			return p
		case verdict.Result == PermError: // for every host
			p.State, p.Detail = SetupWrong, verdict.Reason
			return p
		case verdict.Result != Pass && p.State == SetupFine:
			p.State, p.Detail = SetupWrong, verdict.Reason
		}
	}
	if p.State == SetupWrong && s.Smarthost {
		p.State = SetupUnsure // it may send from other addresses
		if strings.Contains(strings.ToLower(records[0]), organisationalDomain(s.Sender)) {
			p.State = SetupFine
		}
	}
	return p.settled()
}

// withoutMistakes is a policy without the terms that make it void.
func withoutMistakes(record string) string {
	words := strings.Split(record, " ")
	for {
		wrong := spfMistake(strings.Join(words, " "))
		if wrong == "" {
			return strings.Join(words, " ")
		}
		words = slices.DeleteFunc(words, func(w string) bool { return w == wrong })
	}
}

// withMechanism is a policy that lets one more host pass, before what holds for
// all others.
func withMechanism(record, mechanism string) string {
	words := strings.Fields(legible(record))
	if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(strings.TrimPrefix(w, "+"), mechanism) }) {
		return strings.Join(words, " ")
	}
	at := slices.IndexFunc(words, func(w string) bool {
		w = strings.ToLower(w)
		return strings.HasSuffix(w, "all") && len(w) <= 4 || strings.HasPrefix(w, "redirect=")
	})
	if at < 0 {
		return strings.Join(append(words, mechanism), " ")
	}
	return strings.Join(slices.Insert(words, at, mechanism), " ")
}

func (s Setup) dmarc(ctx context.Context, dns lookups) SetupPart {
	p := SetupPart{Kind: "dmarc", State: SetupMissing, Name: "_dmarc." + s.Domain, Type: "TXT", Value: "v=DMARC1; p=none; rua=mailto:" + asciiAddress(cmp.Or(s.Reports, "postmaster@"+s.Domain))}
	found := discoverPolicy(ctx, dns, s.Domain)
	switch {
	case found.err != nil:
		return unknown(p, found.err)
	case found.record == nil:
		if records, err := txt(ctx, dns, p.Name, "v=dmarc1"); err == nil && len(records) > 0 {
			p.State, p.Found, p.Detail = SetupWrong, cleaned(records), clean(found.problem)
		}
		return p
	}
	if records, err := txt(ctx, dns, "_dmarc."+found.domain, "v=dmarc1"); err == nil {
		p.Found = cleaned(records)
	}
	p.State = SetupFine
	return p.settled()
}

// ptr checks that the addresses of the sending host lead back to it, which
// many servers ask for. That of a smarthost is not ours to look after.
func (s Setup) ptr(ctx context.Context, dns lookups) SetupPart {
	p := SetupPart{Kind: "ptr", State: SetupFine, Type: "PTR", Value: s.Sender + "."}
	if s.Smarthost {
		return SetupPart{Kind: "ptr", State: SetupFine}
	}
	addresses, err := dns.LookupIPAddr(ctx, s.Sender)
	if err != nil {
		if isNotFound(err) {
			p.State, p.Detail = SetupUnsure, s.Sender+" has no address"
			return p
		}
		return unknown(p, err)
	}
	for _, address := range addresses {
		names, err := dns.LookupAddr(ctx, address.IP.String())
		if err != nil && !isNotFound(err) {
			return unknown(p, err)
		}
		p.Found = append(p.Found, cleaned(names)...)
		if !slices.ContainsFunc(names, func(name string) bool { return sameHost(name, s.Sender) }) {
			p.State, p.Name = SetupUnsure, address.IP.String()
		} else if p.Name == "" {
			p.Name = address.IP.String()
		}
	}
	return p
}
