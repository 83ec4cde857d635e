// Package fetch reaches web addresses that strangers have named: images of
// mails, a browser's push service. It connects to nothing but the public
// internet, whatever a name leads to.
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Network is how such addresses are reached. The zero value is the public
// internet with the system's resolver and certificates.
type Network struct {
	// Dial opens connections; DialPublic(nil) when nil. Whatever stands in its
	// place answers for where it connects to.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// RootCAs are trusted instead of the system's when not nil.
	RootCAs *x509.CertPool
	// Timeout limits one fetch, redirects and all; 10 s when zero.
	Timeout time.Duration
}

// defaultTimeout is that of a Network that names none.
const defaultTimeout = 10 * time.Second

// Limit is how long one fetch may take.
func (n Network) Limit() time.Duration {
	if n.Timeout == 0 {
		return defaultTimeout
	}
	return n.Timeout
}

// Client returns a client for the network. It follows no redirect, uses no
// proxy (which would connect in our place, and nobody judged to where), sends no
// cookie and asks for nothing compressed; connections lie idle for half a minute,
// at most atOnce of them.
func (n Network) Client(atOnce int) *http.Client {
	dial := n.Dial
	if dial == nil {
		dial = DialPublic(nil)
	}
	transport := &http.Transport{
		Proxy:                  nil,
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{RootCAs: n.RootCAs},
		TLSHandshakeTimeout:    4 * time.Second,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           atOnce,
		IdleConnTimeout:        30 * time.Second,
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// DialPublic returns a dial function for ports 80 and 443 of public addresses. It
// judges the very address that is about to be connected to, after resolution by
// resolver (the system's when nil), so that no name can lead inside, however often
// its answer changes.
func DialPublic(resolver *net.Resolver) func(ctx context.Context, network, address string) (net.Conn, error) {
	return DialAllowed(resolver, nil)
}

// DialAllowed is DialPublic with networks of the house's own, which it names in its
// configuration: their addresses are reached on every port.
func DialAllowed(resolver *net.Resolver, allowed []netip.Prefix) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 4 * time.Second, Resolver: resolver,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			target, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("read the address %q: %w", address, err)
			}
			if slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(target.Addr().Unmap()) }) {
				return nil
			}
			return refuseInside(target)
		}}
	return dialer.DialContext
}

// RefusedAddressError says that an address is not one of the public internet.
type RefusedAddressError struct {
	Address netip.AddrPort
	Reason  string
}

func (e *RefusedAddressError) Error() string {
	return fmt.Sprintf("connect to %s: refused: %s", e.Address, e.Reason)
}

func refuseInside(target netip.AddrPort) error {
	if port := target.Port(); port != 80 && port != 443 {
		return &RefusedAddressError{target, "only ports 80 and 443 are fetched from"}
	}
	if !isPublic(target.Addr()) {
		return &RefusedAddressError{target, "not an address of the public internet"}
	}
	own, err := isOwn(target.Addr())
	if err != nil {
		return fmt.Errorf("list the addresses of this host: %w", err)
	}
	if own {
		return &RefusedAddressError{target, "an address of this host"}
	}
	return nil
}

// Ranges of IPv4 that are not the public internet: the IANA special-purpose
// registry (RFC 6890), multicast (RFC 5771) and what is reserved above it, the
// broadcast address among it.
var insideIPv4 = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4")

var (
	// globalIPv6 is all that is assigned for unicast (RFC 3513); loopback, local,
	// mapped, multicast and all other addresses lie outside of it.
	globalIPv6 = netip.MustParsePrefix("2000::/3")
	// Within it: protocol assignments with Teredo and ORCHID (RFC 2928),
	// documentation (RFC 3849, RFC 9637), and 6to4, which carries any IPv4
	// address (RFC 3056).
	insideIPv6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
	// translated addresses carry an IPv4 address in their last four bytes, and are
	// all there is of IPv4 in networks without it (RFC 6052).
	translated = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(list ...string) (all []netip.Prefix) {
	for _, p := range list {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

// isPublic reports whether an address belongs to the public internet. An IPv4
// address inside of another is judged for itself.
func isPublic(address netip.Addr) bool {
	if address.Zone() != "" {
		return false
	}
	address = address.Unmap()
	if translated.Contains(address) {
		bytes := address.As16()
		address = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	inside := insideIPv6
	if address.Is4() {
		inside = insideIPv4
	} else if !globalIPv6.Contains(address) {
		return false
	}
	for _, p := range inside {
		if p.Contains(address) {
			return false
		}
	}
	return true
}

// isOwn reports whether an address is one of this host's interfaces: they may come
// and go, so they are read each time.
func isOwn(address netip.Addr) (bool, error) {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return false, err
	}
	for _, i := range interfaces {
		if n, ok := i.(*net.IPNet); ok && n.IP.Equal(net.IP(address.Unmap().AsSlice())) {
			return true, nil
		}
	}
	return false, nil
}
