package auth

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

// Resolver answers DNS questions. A *net.Resolver is one. Names given to it are
// fully qualified: they end in a dot, so that no search list applies.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// NewResolver returns a resolver that asks the server at address, host or
// host:port (port 53 where none is given), for everything. An empty address
// stands for the system's resolver. A server that is silent over UDP is asked over TCP.
func NewResolver(address string) *net.Resolver {
	paths := newPaths()
	if address == "" {
		return &net.Resolver{PreferGo: true, Dial: paths.dial}
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "53")
	}
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			conn, err := paths.dial(ctx, network, address)
			if packets, ok := conn.(packetConn); ok {
				return finalAnswers{packets}, err
			}
			return conn, err
		},
	}
}

// NamedResolver is a resolver whose errors name the server that was asked. Those of the
// standard library name the first one of the system, whichever was.
type NamedResolver struct {
	*net.Resolver
	server string // as configured, or empty for those of the system
}

// NewNamedResolver is NewResolver with errors that name address.
func NewNamedResolver(address string) NamedResolver {
	return NamedResolver{NewResolver(address), address}
}

// LookupMX is as a *net.Resolver's.
func (r NamedResolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	records, err := r.Resolver.LookupMX(ctx, name)
	return records, r.named(err)
}

// LookupIPAddr is as a *net.Resolver's.
func (r NamedResolver) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	addresses, err := r.Resolver.LookupIPAddr(ctx, host)
	return addresses, r.named(err)
}

func (r NamedResolver) named(err error) error {
	failed, ok := errors.AsType[*net.DNSError](err)
	if !ok || r.server == "" || failed.Server == "" {
		return err
	}
	named := *failed
	named.Server = r.server
	return &named
}

// finalAnswers marks every empty answer that refers to no other server as
// recursive. Small DNS servers, of one zone or of a test network, leave that
// mark out, and Go then takes "there is no such record" for a broken server.
type finalAnswers struct{ packetConn }

func (c finalAnswers) Read(b []byte) (int, error) {
	n, err := c.packetConn.Read(b)
	// RFC 1035 section 4.1.1: bytes 6 and 7 count answers, 8 and 9 referrals.
	if n >= 12 && b[6]|b[7]|b[8]|b[9] == 0 {
		b[3] |= 0x80
	}
	return n, err
}

// lookups is a Resolver whose names are made fully qualified and ASCII, and
// whose errors are always *net.DNSError: either "not found" or temporary. The
// libraries above it tell the two apart by type assertion alone, and take a
// refusal of the server or an expired context for a permanent answer.
type lookups struct{ resolver Resolver }

func (l lookups) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return ask(ctx, name, l.resolver.LookupTXT)
}

func (l lookups) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return ask(ctx, name, l.resolver.LookupMX)
}

func (l lookups) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return ask(ctx, host, l.resolver.LookupIPAddr)
}

func (l lookups) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	names, err := l.resolver.LookupAddr(ctx, addr)
	return names, classify(ctx, addr, err)
}

func ask[T any](ctx context.Context, name string, lookup func(context.Context, string) ([]T, error)) ([]T, error) {
	ascii, ok := asciiDomain(name)
	if !ok {
		return nil, &net.DNSError{Err: "not a domain name", Name: clean(name), IsNotFound: true}
	}
	answers, err := lookup(ctx, ascii+".")
	return answers, classify(ctx, ascii, err)
}

func classify(ctx context.Context, name string, err error) error {
	if err == nil {
		return nil
	}
	// A connection's deadline can strike a moment before the context's own.
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return &net.DNSError{Err: context.Cause(ctx).Error(), Name: name, IsTimeout: true, IsTemporary: true}
	}
	if dnsError, ok := errors.AsType[*net.DNSError](err); ok {
		if dnsError.IsNotFound {
			return &net.DNSError{Err: "no such record", Name: name, IsNotFound: true}
		}
		return &net.DNSError{Err: dnsError.Err, Name: name, IsTimeout: dnsError.IsTimeout, IsTemporary: true}
	}
	return &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
}

// isNotFound tells an honest "there is no such record" from trouble.
func isNotFound(err error) bool {
	dnsError, ok := errors.AsType[*net.DNSError](err)
	return ok && dnsError.IsNotFound
}

// domainProfile maps internationalised names as a lookup does, but lets the
// underscore labels of DKIM and DMARC through.
var domainProfile = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// asciiDomain returns the domain in lower case, ASCII and without a final dot;
// false where it cannot be a domain name.
func asciiDomain(name string) (string, bool) {
	name = strings.TrimSuffix(name, ".")
	for i := range len(name) {
		if name[i] >= 0x80 {
			ascii, err := domainProfile.ToASCII(name)
			if err != nil {
				return "", false
			}
			name = ascii
			break
		}
	}
	if name == "" || len(name) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return "", false
		}
	}
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>[]:;@\,"`, c) >= 0 {
			return "", false
		}
	}
	return strings.ToLower(name), true
}

// asciiAddress writes the domain of an address in ASCII, as records in the DNS need it.
func asciiAddress(address string) string {
	at := strings.LastIndexByte(address, '@')
	if domain, ok := asciiDomain(address[at+1:]); ok {
		return address[:at+1] + domain
	}
	return address
}
