package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/smtpd"
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

// incomingConfig is what stands between the internet and the desk.
type incomingConfig struct {
	Exempt []string `toml:"exempt"`
	// TrustedForwarders are domains whose word counts on mail that they forward.
	TrustedForwarders []string     `toml:"trusted_forwarders"`
	Limits            limitsConfig `toml:"limits"`
	Tarpit            tarpitConfig `toml:"tarpit"`
	DMARC             dmarcConfig  `toml:"dmarc"`
	// QuarantineKeep is how long a rejected mail is kept.
	QuarantineKeep duration `toml:"quarantine_keep"`

	DNSBL        []dnsblConfig `toml:"dnsbl"`
	DNSBLTimeout duration      `toml:"dnsbl_timeout"`

	Greylist greylistConfig `toml:"greylist"`
	Rspamd   rspamdConfig   `toml:"rspamd"`
}

// greylistConfig is whether and how senders that are new are put off.
type greylistConfig struct {
	Enabled bool     `toml:"enabled"`
	Delay   duration `toml:"delay"`
	Within  duration `toml:"within"`
	Keep    duration `toml:"keep"`
}

// rspamdConfig is a content filter, and what is done with what it advises.
type rspamdConfig struct {
	URL            string   `toml:"url"`
	Timeout        duration `toml:"timeout"`
	Reject         string   `toml:"reject"`
	AddHeader      string   `toml:"add_header"`
	RewriteSubject string   `toml:"rewrite_subject"`
}

// What is done with a mail on a filter's account.
const (
	filterRefuse     = "refuse"
	filterQuarantine = "quarantine"
	filterMark       = "mark"
	filterAccept     = "accept"
)

// dnsblConfig is a list of bad senders in the DNS.
type dnsblConfig struct {
	Zone    string   `toml:"zone"`
	Action  string   `toml:"action"`
	Answers []string `toml:"answers"`
	Lookup  string   `toml:"lookup"`
}

// The values of incoming.dnsbl.action.
const (
	dnsblRefuse = "refuse"
	dnsblMark   = "mark"
)

// limitsConfig bounds what one address and one network may do.
type limitsConfig struct {
	SessionsPerNetwork          int `toml:"sessions_per_network"`
	ConnectionsPerMinute        int `toml:"connections_per_minute"`
	ConnectionsPerMinuteNetwork int `toml:"connections_per_minute_network"`
	MailsPerMinute              int `toml:"mails_per_minute"`
	MailsPerMinuteNetwork       int `toml:"mails_per_minute_network"`
}

// tarpitConfig is how those are slowed down who only try.
type tarpitConfig struct {
	After    int      `toml:"after"`
	Delay    duration `toml:"delay"`
	Longest  duration `toml:"longest"`
	Sessions int      `toml:"sessions"`
}

func defaultIncoming() incomingConfig {
	l, g := smtpd.DefaultLimits(), helpdesk.DefaultGreylisting()
	return incomingConfig{
		DMARC: dmarcConfig{Reject: "quarantine", Quarantine: "quarantine", None: "accept"}, QuarantineKeep: duration{30 * day},
		Exempt:            []string{"127.0.0.0/8", "::1"},
		TrustedForwarders: []string{},
		Limits:            limitsConfig{l.SessionsPerNetwork, l.ConnectionsPerMinute, l.ConnectionsPerMinuteNetwork, l.MailsPerMinute, l.MailsPerMinuteNetwork},
		Greylist:          greylistConfig{Delay: duration{g.Delay}, Within: duration{g.Within}, Keep: duration{g.Keep}},
		Rspamd:            rspamdConfig{Timeout: duration{15 * time.Second}, Reject: filterRefuse, AddHeader: filterMark, RewriteSubject: filterMark},
		DNSBLTimeout:      duration{5 * time.Second},
		Tarpit:            tarpitConfig{l.Tarpit.After, duration{l.Tarpit.Delay}, duration{l.Tarpit.Longest}, l.Tarpit.Sessions},
	}
}

// limits are the listener's.
func (c incomingConfig) limits() smtpd.Limits {
	return smtpd.Limits{
		Exempt:                      networksOf(c.Exempt),
		SessionsPerNetwork:          c.Limits.SessionsPerNetwork,
		ConnectionsPerMinute:        c.Limits.ConnectionsPerMinute,
		ConnectionsPerMinuteNetwork: c.Limits.ConnectionsPerMinuteNetwork,
		MailsPerMinute:              c.Limits.MailsPerMinute,
		MailsPerMinuteNetwork:       c.Limits.MailsPerMinuteNetwork,
		Tarpit:                      smtpd.Tarpit{After: c.Tarpit.After, Delay: c.Tarpit.Delay.Duration, Longest: c.Tarpit.Longest.Duration, Sessions: c.Tarpit.Sessions},
	}
}

func (k *checker) gate(c incomingConfig) {
	k.greylist(c.Greylist)
	k.rspamd(c.Rspamd)
	k.networks("incoming.exempt", c.Exempt)
	k.quarantine(c)
	for _, limit := range []struct {
		key string
		n   int
	}{
		{"limits.sessions_per_network", c.Limits.SessionsPerNetwork},
		{"limits.connections_per_minute", c.Limits.ConnectionsPerMinute}, {"limits.connections_per_minute_network", c.Limits.ConnectionsPerMinuteNetwork},
		{"limits.mails_per_minute", c.Limits.MailsPerMinute}, {"limits.mails_per_minute_network", c.Limits.MailsPerMinuteNetwork},
		{"tarpit.after", c.Tarpit.After}, {"tarpit.sessions", c.Tarpit.Sessions},
	} {
		k.natural("incoming."+limit.key, int64(limit.n))
	}
	for i, domain := range c.TrustedForwarders {
		if strings.ContainsAny(domain, " /@:*") || !strings.Contains(domain, ".") {
			k.add(fmt.Sprintf("incoming.trusted_forwarders[%d]", i), `%q is not a domain; write it like "example.com"`, domain)
		}
	}
	k.positive("incoming.dnsbl_timeout", int64(c.DNSBLTimeout.Duration))
	for i, list := range c.DNSBL {
		at := fmt.Sprintf("incoming.dnsbl[%d].", i)
		if list.Zone == "" || strings.ContainsAny(list.Zone, " /@:") || !strings.Contains(list.Zone, ".") {
			k.add(at+"zone", `%q is not the domain of a list; write it like "zen.spamhaus.org"`, list.Zone)
		}
		k.oneOf(at+"action", list.Action, dnsblRefuse, dnsblMark)
		k.networks(at+"answers", list.Answers)
		if slices.ContainsFunc(c.DNSBL[:i], func(other dnsblConfig) bool { return strings.EqualFold(other.Zone, list.Zone) }) {
			k.add(at+"zone", "%q stands there already", list.Zone)
		}
	}
	if c.Tarpit.Longest.Duration > longestTarpit {
		k.add("incoming.tarpit.longest", "%s is longer than mail servers wait for an answer; write at most %s", c.Tarpit.Longest, duration{longestTarpit})
	}
}

func (k *checker) greylist(c greylistConfig) {
	k.positive("incoming.greylist.delay", int64(c.Delay.Duration))
	k.positive("incoming.greylist.keep", int64(c.Keep.Duration))
	if c.Within.Duration <= c.Delay.Duration {
		k.add("incoming.greylist.within", "%s leaves no time after the delay of %s; write more, such as \"24h\"", c.Within, c.Delay)
	}
}

func (k *checker) rspamd(c rspamdConfig) {
	if u, err := url.Parse(c.URL); c.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		k.add("incoming.rspamd.url", `%q is not the address of an rspamd; write it like "http://127.0.0.1:11333"`, c.URL)
	}
	k.positive("incoming.rspamd.timeout", int64(c.Timeout.Duration))
	k.oneOf("incoming.rspamd.reject", c.Reject, filterRefuse, filterQuarantine, filterMark)
	k.oneOf("incoming.rspamd.add_header", c.AddHeader, filterMark, filterQuarantine, filterAccept)
	k.oneOf("incoming.rspamd.rewrite_subject", c.RewriteSubject, filterMark, filterQuarantine, filterAccept)
}

// longestTarpit is under the five minutes of RFC 5321, section 4.5.3.2.
const longestTarpit = 2 * time.Minute

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
