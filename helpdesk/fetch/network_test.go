package fetch_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/helpdesk/fetch/fetchtest"
)

// Addresses that nothing may come from, each range with its first, last or an
// embedded address.
var insideAddresses = []string{
	"0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
	"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
	"198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:192.168.1.1", "::ffff:0.0.0.0",
	"::", "::1", "::7f00:1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "ff0e::1", "100::1", "5f00::1",
	"64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "::ffff:0:127.0.0.1",
	"2001::1", "2001:0:7f00:1::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::1", "2002:808:808::1", "3fff::1",
}

func TestOnlyPublicAddressesAreReached(t *testing.T) {
	for _, text := range insideAddresses {
		for _, port := range []uint16{80, 443} {
			refused := (*fetch.RefusedAddressError)(nil)
			if err := fetch.RefuseInside(netip.AddrPortFrom(netip.MustParseAddr(text), port)); !errors.As(err, &refused) {
				t.Errorf("%s port %d: %v, want it refused", text, port, err)
			}
		}
	}
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::1111", "2a00:1450:4001::1", "2400:cb00::1"} {
		for _, port := range []uint16{80, 443} {
			if err := fetch.RefuseInside(netip.AddrPortFrom(netip.MustParseAddr(text), port)); err != nil {
				t.Errorf("%s port %d: %v", text, port, err)
			}
		}
		for _, port := range []uint16{0, 22, 25, 8080, 8443} {
			if fetch.RefuseInside(netip.AddrPortFrom(netip.MustParseAddr(text), port)) == nil {
				t.Errorf("%s port %d is reached", text, port)
			}
		}
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil || len(interfaces) == 0 {
		t.Fatalf("no interface to try: %v", err)
	}
	for _, i := range interfaces {
		address, _ := netip.AddrFromSlice(i.(*net.IPNet).IP)
		if fetch.RefuseInside(netip.AddrPortFrom(address, 443)) == nil {
			t.Errorf("our own address %s is reached", address)
		}
	}
}

// Names are judged by what is connected to in the end.
func TestNamesLeadNowhereInside(t *testing.T) {
	answers := map[string][]string{"rebinding.test": {"8.8.8.8", "127.0.0.1"}}
	for i, text := range insideAddresses {
		answers[nameOf(i)] = []string{text}
	}
	resolver := fetchtest.Resolver(t, answers)
	dial := fetch.DialPublic(resolver)
	for i, text := range insideAddresses {
		address := netip.MustParseAddr(text)
		if address.Is6() && !address.Is4In6() {
			continue // hosts without IPv6 have no socket for it; judged above
		}
		for _, host := range []string{nameOf(i), text} {
			conn, err := dial(t.Context(), "tcp", net.JoinHostPort(host, "443"))
			if refused := (*fetch.RefusedAddressError)(nil); !errors.As(err, &refused) {
				t.Errorf("%s (%s): %v, want it refused", host, text, err)
			}
			if conn != nil {
				conn.Close()
			}
		}
	}
	found, err := resolver.LookupHost(t.Context(), "rebinding.test")
	if err != nil || len(found) != 1 || found[0] != "8.8.8.8" {
		t.Fatalf("first answer %v, %v", found, err)
	}
	_, err = dial(t.Context(), "tcp", "rebinding.test:80")
	if refused := (*fetch.RefusedAddressError)(nil); !errors.As(err, &refused) || refused.Address.Addr().String() != "127.0.0.1" {
		t.Errorf("second answer: %v, want it refused", err)
	}
}

func nameOf(i int) string {
	return "inside" + string(rune('a'+i/10)) + string(rune('0'+i%10)) + ".test"
}
