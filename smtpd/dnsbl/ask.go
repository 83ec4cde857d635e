package dnsbl

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// The answers of a list (RFC 5782, section 2.3).
var (
	loopback = netip.MustParsePrefix("127.0.0.0/8")
	// refusals are errors by agreement: Spamhaus and others tell a name server so
	// that they do not answer it.
	refusals = netip.MustParsePrefix("127.255.255.0/24")
	// notice is what SURBL, URIBL and others say for the same.
	notice = netip.MustParseAddr("127.0.0.1")
)

var (
	errNonsense = errors.New("not the answer of a list")
	errRefused  = errors.New("the list refuses to answer")
)

// ask asks a list about an address, and for its reason where it is listed.
func (c *Checker) ask(ctx context.Context, list List, ip netip.Addr) (*Listing, time.Duration, error) {
	name := reversed(ip) + "." + dns.Fqdn(list.Zone)
	reply, err := c.exchange(ctx, name, dns.TypeA)
	if err != nil {
		return nil, 0, err
	}
	var answers []netip.Addr
	for _, rr := range reply.Answer {
		if a, ok := rr.(*dns.A); ok {
			if address, ok := netip.AddrFromSlice(a.A.To4()); ok {
				answers = append(answers, address)
			}
		}
	}
	code, err := list.judge(answers)
	if err != nil {
		return nil, 0, err
	}
	ttl := timeToLive(reply)
	if !code.IsValid() {
		return nil, ttl, nil
	}
	text := "" // without one it is listed all the same
	if reply, err := c.exchange(ctx, name, dns.TypeTXT); err == nil {
		for _, rr := range reply.Answer {
			if t, ok := rr.(*dns.TXT); ok && text == "" {
				text = strings.Join(t.Txt, "")
			}
		}
	}
	return &Listing{Zone: list.Zone, Refuse: list.Refuse, Answer: code, Reason: list.reason(text, ip)}, ttl, nil
}

// timeToLive is that of the answer, or of there being none (RFC 2308, section 5).
func timeToLive(reply *dns.Msg) time.Duration {
	seconds := uint32(longestTTL / time.Second)
	for _, rr := range reply.Answer {
		seconds = min(seconds, rr.Header().Ttl)
	}
	for _, rr := range reply.Ns {
		if soa, ok := rr.(*dns.SOA); ok && len(reply.Answer) == 0 {
			seconds = min(seconds, soa.Hdr.Ttl, soa.Minttl)
		}
	}
	return time.Duration(seconds) * time.Second
}

// reversed is an address as lists are asked for it (RFC 5782, sections 2.1 and
// 2.4): bytes of IPv4, nibbles of IPv6, the last first.
func reversed(ip netip.Addr) string {
	var parts []string
	if ip.Is4() {
		for _, b := range ip.As4() {
			parts = append(parts, strconv.Itoa(int(b)))
		}
	} else {
		for _, b := range ip.As16() {
			parts = append(parts, strconv.FormatUint(uint64(b>>4), 16), strconv.FormatUint(uint64(b&15), 16))
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}

// Servers are the name servers that the system asks, as in resolv.conf(5).
func Servers() []string {
	config, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	var servers []string
	for _, server := range config.Servers {
		servers = append(servers, netip.AddrPortFrom(parseOrZero(server), 53).String())
	}
	return servers
}

func parseOrZero(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// State is how a list is.
type State string

// The states of a list.
const (
	Fine       State = "fine"
	Silent     State = "silent"     // it does not answer
	Refused    State = "refused"    // it refuses this name server
	Nonsense   State = "nonsense"   // it answers what no list does
	Dead       State = "dead"       // it does not list its own test entry
	Everything State = "everything" // it lists what it must not
)

// Test asks a list for the entries that every list has for this (RFC 5782,
// section 5): 127.0.0.2 is on it, 127.0.0.1 is not. It asks anew each time.
func (c *Checker) Test(ctx context.Context, list List) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	list.Answers = nil
	listed, _, err := c.ask(ctx, list, netip.MustParseAddr("127.0.0.2"))
	switch {
	case errors.Is(err, errRefused):
		return Refused, err
	case errors.Is(err, errNonsense):
		return Nonsense, err
	case err != nil:
		return Silent, err
	case listed == nil:
		return Dead, nil
	}
	if all, _, err := c.ask(ctx, list, netip.MustParseAddr("127.0.0.1")); err == nil && all != nil {
		return Everything, nil
	}
	return Fine, nil
}
