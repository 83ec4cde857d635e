package fetch_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
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

// What the configuration allows opens its own addresses and no others.
func TestAllowedNetworksOpenNothingElse(t *testing.T) {
	dial := fetch.DialAllowed(fetchtest.Resolver(t, map[string][]string{"shop.test": {"127.0.0.2"}, "metadata.test": {"169.254.169.254"}}), []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")})
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, host := range []string{"127.0.0.2", "::ffff:127.0.0.2", "shop.test"} {
		conn, err := dial(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Errorf("%s, which is allowed: %v", host, err)
			continue
		}
		conn.Close()
	}
	for _, host := range []string{"127.0.0.1", "127.0.0.3", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "metadata.test", "localhost"} {
		conn, err := dial(t.Context(), "tcp", net.JoinHostPort(host, "443"))
		if refused := (*fetch.RefusedAddressError)(nil); !errors.As(err, &refused) {
			t.Errorf("%s: %v, want it refused", host, err)
		}
		if conn != nil {
			conn.Close()
		}
	}
}

// Nobody connects in our place, and no answer sends us on.
func TestTheClientGoesStraight(t *testing.T) {
	heard := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard++ }))
	t.Cleanup(elsewhere.Close)
	t.Setenv("HTTP_PROXY", elsewhere.URL)
	t.Setenv("HTTPS_PROXY", elsewhere.URL)
	network := fetchtest.Network(t, nil, map[string]http.Handler{"hooks.test:80": http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect)})
	response, err := network.Client(1).Post("http://hooks.test/", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("the redirect itself was to come: %s", response.Status)
	}
	if _, err := network.Client(1).Get("http://127.0.0.1/"); err == nil {
		t.Error("an address inside was reached")
	}
	if heard > 0 {
		t.Errorf("another server was asked %d times", heard)
	}
}
