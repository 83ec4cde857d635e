package main

import (
	"fmt"
	"net/netip"
	"slices"
)

// proxyConfig is whose word about the client's address is taken (PROXY protocol).
type proxyConfig struct {
	Trusted   []string `toml:"trusted"`
	Listeners []string `toml:"listeners"`
	Timeout   duration `toml:"timeout"`
	Missing   string   `toml:"missing"`
}

// The values of proxy_protocol.listeners and of proxy_protocol.missing.
const (
	proxySMTP     = "smtp"
	proxyWeb      = "web"
	missingRefuse = "refuse"
	missingAccept = "accept"
)

func (k *checker) proxyProtocol(c proxyConfig) {
	k.networks("proxy_protocol.trusted", c.Trusted)
	for i, name := range c.Listeners {
		k.oneOf(fmt.Sprintf("proxy_protocol.listeners[%d]", i), name, proxySMTP, proxyWeb)
	}
	k.positive("proxy_protocol.timeout", int64(c.Timeout.Duration))
	k.oneOf("proxy_protocol.missing", c.Missing, missingRefuse, missingAccept)
}

// networks checks addresses and networks.
func (k *checker) networks(key string, list []string) {
	for i, text := range list {
		if _, err := parseNetwork(text); err != nil {
			k.add(fmt.Sprintf("%s[%d]", key, i), `%q is no network; write an address or a prefix, such as "192.0.2.7", "10.0.0.0/8" or "2001:db8::/32"`, text)
		}
	}
}

// parseNetwork reads a prefix, or an address as the network of it alone.
func parseNetwork(text string) (netip.Prefix, error) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked(), nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}

// networksOf are the networks of a list that was checked.
func networksOf(list []string) (networks []netip.Prefix) {
	for _, text := range list {
		if prefix, err := parseNetwork(text); err == nil {
			networks = append(networks, prefix)
		}
	}
	return networks
}

// on says whether headers are expected at a listener.
func (c proxyConfig) on(listener string) bool {
	return len(c.Trusted) > 0 && slices.Contains(c.Listeners, listener)
}
