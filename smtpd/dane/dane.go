// Package dane is DANE for SMTP (RFC 7672): what the DNS, where DNSSEC proves
// it, says of the certificates of mail hosts.
package dane

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Record is a TLSA record that can be used for SMTP.
type Record struct {
	Usage    uint8 // 2: an authority of the chain, 3: the host's own certificate
	Selector uint8 // 0: the certificate, 1: its public key
	Matching uint8 // 0: itself, 1: its SHA-256, 2: its SHA-512
	Data     []byte
}

// Resolver asks a name server that checks DNSSEC, and over a path that nobody
// can write to: its word (the AD bit, RFC 4035 section 3.2.3) is believed. So it
// has to be on this machine or in its network.
type Resolver struct {
	Address string // host:port
	Timeout time.Duration
}

// Records returns the TLSA records of a mail host and whether there are any that
// hold: those of a domain whose MX is not proven do not (RFC 7672, section 2.2).
// unusable says that proven records are there, but none that we understand: the
// connection is then encrypted without verification. An error says that the
// answer could not be had; the host must then wait, as if it did not answer.
func (r *Resolver) Records(ctx context.Context, domain, host string, port int) (records []Record, unusable bool, err error) {
	mx, err := r.ask(ctx, domain, dns.TypeMX)
	if err != nil {
		return nil, false, err
	}
	if !mx.AuthenticatedData {
		return nil, false, nil
	}
	// The addresses come first: a zone that is not signed has servers that fail at
	// TLSA, which must not hold mail up (RFC 7672, section 2.2.2).
	address, err := r.ask(ctx, host, dns.TypeA)
	if err != nil {
		return nil, false, err
	}
	if !address.AuthenticatedData {
		return nil, false, nil
	}
	answer, err := r.ask(ctx, fmt.Sprintf("_%d._tcp.%s", port, host), dns.TypeTLSA)
	if err != nil || !answer.AuthenticatedData {
		return nil, false, err
	}
	for _, rr := range answer.Answer {
		tlsa, ok := rr.(*dns.TLSA)
		if !ok {
			continue
		}
		data, err := hex.DecodeString(tlsa.Certificate)
		record := Record{tlsa.Usage, tlsa.Selector, tlsa.MatchingType, data}
		if err != nil || !record.usable() {
			unusable = true
			continue
		}
		records = append(records, record)
	}
	return records, unusable && len(records) == 0, nil
}

// usable leaves out usages 0 and 1, which SMTP does not know (RFC 7672, section 3.1.3).
func (r Record) usable() bool {
	length := map[uint8]int{1: sha256.Size, 2: sha512.Size}[r.Matching]
	return (r.Usage == 2 || r.Usage == 3) && r.Selector <= 1 && r.Matching <= 2 && len(r.Data) > 0 && (length == 0 || length == len(r.Data))
}

func (r *Resolver) ask(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	question := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	question.AuthenticatedData = true
	question.SetEdns0(1232, true)
	client := &dns.Client{Timeout: r.Timeout}
	answer, _, err := client.ExchangeContext(ctx, question, r.Address)
	// A server that is reached over TCP alone is rare, but all mail would wait for it.
	if err != nil && ctx.Err() == nil || err == nil && answer.Truncated {
		client.Net = "tcp"
		answer, _, err = client.ExchangeContext(ctx, question, r.Address)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask %s for %s of %s: %w", r.Address, dns.TypeToString[kind], name, err)
	case answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError:
		return nil, fmt.Errorf("%s of %s: the DNS answers %s", dns.TypeToString[kind], name, dns.RcodeToString[answer.Rcode])
	}
	return answer, nil
}

// errNoMatch says that a host shows another certificate than its records say.
var errNoMatch = errors.New("its certificate is none of those that its TLSA records name")

// Verify checks the certificates that a host showed, the host's own first. host
// and domain are the names that an authority's certificate may be for; usage 3
// looks neither at names nor at dates (RFC 7672, section 3.1.1).
func Verify(records []Record, chain []*x509.Certificate, now time.Time, names ...string) error {
	if len(chain) == 0 {
		return errors.New("it shows no certificate")
	}
	for _, r := range records {
		if r.Usage == 3 && r.matches(chain[0]) {
			return nil
		}
		if r.Usage == 2 && r.anchors(chain, now, names) {
			return nil
		}
	}
	return errNoMatch
}

func (r Record) matches(c *x509.Certificate) bool {
	data := c.Raw
	if r.Selector == 1 {
		data = c.RawSubjectPublicKeyInfo
	}
	switch r.Matching {
	case 1:
		sum := sha256.Sum256(data)
		data = sum[:]
	case 2:
		sum := sha512.Sum512(data)
		data = sum[:]
	}
	return bytes.Equal(data, r.Data)
}

// anchors reports whether the chain leads to a certificate that r names.
func (r Record) anchors(chain []*x509.Certificate, now time.Time, names []string) bool {
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	for _, c := range chain[1:] {
		if !r.matches(c) {
			continue
		}
		roots := x509.NewCertPool()
		roots.AddCert(c)
		for _, name := range names {
			if _, err := chain[0].Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: intermediates, CurrentTime: now}); err == nil {
				return true
			}
		}
	}
	return false
}

// Trusted reports whether a name server can be believed as it is: it is on this
// machine.
func Trusted(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}
