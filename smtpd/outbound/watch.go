package outbound

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/mtasts"
)

// TLSSession is how the encryption of one connection came out, in the words of
// SMTP TLS Reporting (RFC 8460, section 4).
type TLSSession struct {
	Domain string // the recipient's
	// Policy is what was found to hold for it: "sts", "tlsa" or "no-policy-found";
	// Text is that policy in lines, MX the hosts that it names.
	Policy   string
	Text, MX []string
	Host     string // empty where none was reached
	Address  string // its address
	Sender   string // ours
	Result   string // a failure's type; empty for a success
	Reason   string
}

// session fills in what holds for the route.
func (r *route) session(s TLSSession) TLSSession {
	s.Domain, s.Policy = r.domain, "no-policy-found"
	if r.sts.Mode == mtasts.Enforce || r.sts.Mode == mtasts.Testing {
		s.Policy, s.MX = "sts", r.sts.MX
		s.Text = strings.Split(strings.TrimSpace(strings.ReplaceAll(r.sts.String(), "\r\n", "\n")), "\n")
	}
	return s
}

func (s *Sender) tell(ctx context.Context, e *envelope, session TLSSession) {
	if s.Watch != nil && !e.mail.Unwatched {
		s.Watch(context.WithoutCancel(ctx), session)
	}
}

// watch tells of a new connection to a host of the recipient's domain. One that
// failed before its encryption says nothing of it.
func (s *Sender) watch(ctx context.Context, c *conversation, e *envelope, r route, failure *Error) {
	if s.Watch == nil || r.domain == "" || !c.policy.wanted {
		return
	}
	session := r.session(TLSSession{Host: c.target.host, Address: hostOf(c.target.address), Sender: hostOf(c.transport.LocalAddr().String())})
	if len(c.policy.keys) > 0 {
		session.Policy, session.Text, session.MX = "tlsa", nil, []string{c.target.host}
		for _, k := range c.policy.keys {
			session.Text = append(session.Text, fmt.Sprintf("%d %d %d %x", k.Usage, k.Selector, k.Matching, k.Data))
		}
	}
	switch {
	case failure != nil && failure.tlsFailed:
		session.Result, session.Reason = resultOf(failure.cause), failure.Message
	case failure != nil && failure.Command == "STARTTLS":
		session.Result = "starttls-not-supported"
	case failure != nil:
		return
	default:
		session.Result, session.Reason = c.unproven(session.Policy, r.sts)
	}
	s.tell(ctx, e, session)
}

// unproven is what a connection that was made lacks nevertheless: where a policy
// is only tested, mail goes over it.
func (c *conversation) unproven(kind string, policy mtasts.Policy) (result, reason string) {
	state, encrypted := c.client.TLSConnectionState()
	if !encrypted {
		return "starttls-not-supported", ""
	}
	if kind != "sts" || c.policy.verify {
		return "", ""
	}
	if !policy.Allows(c.target.host) {
		return "validation-failure", "the policy does not name this host"
	}
	config := c.tlsConfig()
	intermediates := x509.NewCertPool()
	for _, certificate := range state.PeerCertificates[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: config.ServerName, Roots: config.RootCAs, Intermediates: intermediates, CurrentTime: time.Now()})
	if err == nil {
		return "", ""
	}
	return resultOf(err), err.Error()
}

// resultOf is the type of a failed handshake (RFC 8460, section 4.3.1).
func resultOf(err error) string {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "certificate-host-mismatch"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "certificate-not-trusted"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "certificate-expired"
	}
	return "validation-failure"
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
