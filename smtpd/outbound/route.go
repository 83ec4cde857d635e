package outbound

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/madoguchi/madoguchi/smtpd/dane"
	"github.com/madoguchi/madoguchi/smtpd/mtasts"
)

// target is one address of one host to try.
type target struct {
	host    string // name for TLS and for people
	address string // ip:port
}

// tlsPolicy says how a connection is encrypted.
type tlsPolicy struct {
	implicit bool // TLS from the first byte
	wanted   bool // STARTTLS where offered
	required bool // no mail without TLS
	verify   bool // the certificate must be valid
	// keys are what the certificate must be instead, by DANE; names are those it
	// may be for where they name an authority.
	keys  []dane.Record
	names []string
}

// route is how a mail goes.
type route struct {
	targets   []target
	policy    tlsPolicy
	smarthost *Smarthost // nil for direct delivery
	// domain is the recipient's, where its DNS says which hosts to go to; port is
	// theirs.
	domain string
	port   int
	// sts is the domain's MTA-STS policy.
	sts mtasts.Policy
}

// route finds the hosts to try, in order.
func (s *Sender) route(ctx context.Context, e *envelope) (r route, err *Error) {
	if r.smarthost = s.smarthostOf(e); r.smarthost != nil {
		r.targets, err = s.smarthostTargets(ctx, r.smarthost)
		r.policy = r.smarthost.policy()
		if e.mail.RequireTLS {
			r.policy.required = true
			r.policy.wanted = !r.policy.implicit
		}
		return r, err
	}
	r.policy = tlsPolicy{wanted: true, required: e.mail.RequireTLS}
	r.port = cmp.Or(s.Port, 25)
	if literal, ok := strings.CutPrefix(e.domain, "["); ok {
		literal = strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(literal), "]"), "ipv6:")
		ip, err := netip.ParseAddr(literal)
		if err != nil || ip.IsUnspecified() {
			return r, permanent("5.1.2", "%s is no address of a server", e.domain)
		}
		r.targets = []target{{e.domain, netip.AddrPortFrom(ip, uint16(r.port)).String()}}
		return r, nil
	}
	hosts, err := s.exchangers(ctx, e.domain)
	if err != nil {
		return r, err
	}
	r.domain = e.domain
	if hosts, err = s.allowed(ctx, &r, hosts, e); err != nil {
		return r, err
	}
	r.targets, err = s.resolve(ctx, hosts, strconv.Itoa(r.port))
	return r, err
}

// smarthostOf is the smarthost that takes a mail, nil for direct delivery.
func (s *Sender) smarthostOf(e *envelope) *Smarthost {
	domain := strings.ToLower(e.from[strings.LastIndexByte(e.from, '@')+1:])
	if account := s.Accounts[domain]; account != nil {
		return account
	}
	return s.Smarthost
}

// smarthostTargets never returns a permanent error: a mistake in the
// configuration must not bounce every mail in the queue.
func (s *Sender) smarthostTargets(ctx context.Context, smarthost *Smarthost) ([]target, *Error) {
	if err := smarthost.Validate(); err != nil {
		return nil, temporary("4.3.5", "%v", err)
	}
	host, port, err := smarthost.hostPort()
	if err != nil {
		return nil, temporary("4.3.5", "%v", err)
	}
	return s.resolve(ctx, []string{host}, port)
}

// exchangers returns the mail hosts of a domain, best first (RFC 5321 section
// 5.1), equals in random order.
func (s *Sender) exchangers(ctx context.Context, domain string) ([]string, *Error) {
	records, err := s.resolver().LookupMX(ctx, domain+".")
	// The resolver may return what it could read beside an error about the rest.
	if err != nil && len(records) == 0 {
		if !isNotFound(err) {
			return nil, temporary("4.4.3", "the MX of %s cannot be looked up: %v", domain, err)
		}
		return s.implicitExchanger(ctx, domain)
	}
	// RFC 7505: one MX, "."; several of that kind say no more.
	if !slices.ContainsFunc(records, func(mx *net.MX) bool { return strings.Trim(mx.Host, ".") != "" }) {
		return nil, permanent("5.1.10", "%s accepts no mail (null MX)", domain)
	}
	rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	slices.SortStableFunc(records, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	var hosts []string
	for _, record := range records {
		host := strings.ToLower(strings.TrimSuffix(record.Host, "."))
		if s.isSelf(host) {
			// Going on to hosts of this rank or below would hand the mail round in
			// circles. Those of the same rank may stand before or behind.
			hosts = hosts[:0]
			for _, better := range records {
				if name := strings.ToLower(strings.TrimSuffix(better.Host, ".")); name != "" && better.Pref < record.Pref {
					hosts = append(hosts, name)
				}
			}
			if len(hosts) == 0 {
				return nil, loops(domain)
			}
			break
		}
		if host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts, nil
}

// implicitExchanger is the domain itself, where it has an address but no MX.
func (s *Sender) implicitExchanger(ctx context.Context, domain string) ([]string, *Error) {
	if s.isSelf(domain) {
		return nil, loops(domain)
	}
	_, err := s.resolver().LookupIPAddr(ctx, domain+".")
	switch {
	case err == nil:
		return []string{domain}, nil
	case isNotFound(err):
		return nil, permanent("5.1.2", "the domain %s does not exist or takes no mail", domain)
	}
	return nil, temporary("4.4.3", "the address of %s cannot be looked up: %v", domain, err)
}

func loops(domain string) *Error {
	return permanent("5.4.6", "the MX of %s is this server itself", domain)
}

func (s *Sender) isSelf(host string) bool {
	return s.Hostname != "" && strings.EqualFold(host, strings.TrimSuffix(s.Hostname, "."))
}

// resolve looks up the hosts until there are addresses enough to try.
func (s *Sender) resolve(ctx context.Context, hosts []string, port string) ([]target, *Error) {
	var targets []target
	var failure *Error
	for _, host := range hosts {
		if len(targets) >= maxAttempts {
			break
		}
		addresses, err := s.addresses(ctx, host)
		if err != nil {
			failure = temporary("4.4.3", "the address of %s cannot be looked up: %v", host, err)
			continue
		}
		for _, ip := range addresses {
			targets = append(targets, target{host, net.JoinHostPort(ip, port)})
		}
	}
	switch {
	case len(targets) > 0:
		return targets[:min(len(targets), maxAttempts)], nil
	case failure != nil:
		return nil, failure
	}
	return nil, temporary("4.4.4", "no usable address of %s", strings.Join(hosts, ", "))
}

// addresses returns at most two addresses of a host, of both kinds where it has
// both, in the resolver's order.
func (s *Sender) addresses(ctx context.Context, host string) ([]string, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []string{ip.String()}, nil
	}
	name := host
	if strings.Contains(host, ".") {
		name += "."
	}
	found, err := s.resolver().LookupIPAddr(ctx, name)
	if err != nil {
		return nil, err
	}
	// 0.0.0.0 and :: would connect to this machine.
	found = slices.DeleteFunc(slices.Clone(found), func(a net.IPAddr) bool { return a.IP.IsUnspecified() })
	if len(found) > 2 {
		isIPv4 := func(a net.IPAddr) bool { return a.IP.To4() != nil }
		other := slices.IndexFunc(found, func(a net.IPAddr) bool { return isIPv4(a) != isIPv4(found[0]) })
		found = []net.IPAddr{found[0], found[max(other, 1)]}
	}
	var addresses []string
	for _, a := range found {
		addresses = append(addresses, a.String())
	}
	return addresses, nil
}

func isNotFound(err error) bool {
	dnsError, ok := errors.AsType[*net.DNSError](err)
	return ok && dnsError.IsNotFound
}
