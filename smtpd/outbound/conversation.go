package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"time"

	"github.com/madoguchi/madoguchi/smtpd/dane"
)

// conversation is one SMTP session with one address. It uses net/smtp, since
// go-smtp's client says "EHLO localhost" before STARTTLS, and leaves the writing
// of a mail without a deadline.
type conversation struct {
	sender    *Sender
	target    target
	policy    tlsPolicy
	transport *transport
	client    *smtp.Client
	patience  time.Duration // that the peer last had to answer, for messages
	smarthost *Smarthost
	mails     int // that were sent over it
}

// attempt delivers a mail to one address, over a connection that is there from
// an earlier mail, or a new one. A server that has had enough of the former may
// take the mail over the latter.
func (s *Sender) attempt(ctx context.Context, t target, e *envelope, r route, policy tlsPolicy) (Outcome, *Error) {
	if c := s.idle.take(connectionKey(t, r.smarthost, policy)); c != nil && c.wake(ctx) {
		outcome, err := s.converse(ctx, c, e, r)
		if err == nil || !err.tryNext || ctx.Err() != nil {
			return outcome, err
		}
	}
	c := &conversation{sender: s, target: t, policy: policy, smarthost: r.smarthost}
	if err := c.connect(ctx); err != nil {
		return Outcome{}, err
	}
	return s.converse(ctx, c, e, r)
}

// converse delivers a mail over a connection.
func (s *Sender) converse(ctx context.Context, c *conversation, e *envelope, r route) (Outcome, *Error) {
	// Ends whatever waits on the network once ctx does.
	stop := context.AfterFunc(ctx, func() { c.transport.Close() })
	kept := false
	defer func() {
		if !kept {
			c.transport.Close()
		}
	}()
	defer stop()
	if c.client == nil {
		err := c.open(ctx)
		s.watch(ctx, c, e, r, err)
		if err != nil {
			return Outcome{}, err
		}
		if err := c.authenticate(ctx); err != nil {
			return Outcome{}, err
		}
	}
	response, err := c.transact(ctx, e)
	outcome := Outcome{Host: c.target.host, RemoteAddr: c.target.address, TLS: c.describeTLS(), Response: response}
	c.mails++
	if err == nil && stop() && s.idle.keep(c, s.Idle) {
		kept = true
		return outcome, nil
	}
	// After 421, or without an answer, nobody is there to take leave of.
	if err == nil || err.Code != 0 && err.Code != 421 {
		c.quit()
	}
	return outcome, err
}

// wake makes sure that an idle connection is still there.
func (c *conversation) wake(ctx context.Context) bool {
	c.transport.renew(ctx)
	c.wait(min(c.sender.timeout(), quitTimeout))
	err := c.client.Text.PrintfLine("RSET")
	if err == nil {
		_, _, err = c.client.Text.ReadResponse(250)
	}
	if err != nil {
		c.transport.Close()
	}
	return err == nil
}

func (c *conversation) connect(ctx context.Context) *Error {
	c.patience = min(c.sender.timeout(), dialTimeout)
	dialer := net.Dialer{Timeout: c.patience}
	conn, err := dialer.DialContext(ctx, "tcp", c.target.address)
	if err != nil {
		return c.failure(ctx, "connect", err)
	}
	c.transport = newTransport(ctx, conn, c.sender.timeout())
	return nil
}

// wait gives the peer a time for its next answer.
func (c *conversation) wait(d time.Duration) {
	c.patience = d
	c.transport.expect(d)
}

// open exchanges greetings and encrypts.
func (c *conversation) open(ctx context.Context) *Error {
	c.wait(c.sender.timeout())
	var conn net.Conn = c.transport
	if c.policy.implicit {
		encrypted := tls.Client(c.transport, c.tlsConfig())
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return c.failure(ctx, "connect", fmt.Errorf("TLS: %w", err))
		}
		conn = encrypted
	}
	client, err := smtp.NewClient(conn, c.target.host)
	if err != nil {
		return c.failure(ctx, "greeting", err)
	}
	c.client = client
	name := strings.TrimSuffix(c.sender.Hostname, ".")
	if name == "" {
		name = "localhost"
	}
	c.wait(c.sender.timeout())
	if err := client.Hello(name); err != nil {
		return c.failure(ctx, "EHLO", err)
	}
	if !c.policy.wanted {
		return nil
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		if c.policy.required {
			e := temporary("4.7.10", "the server offers no STARTTLS, and this mail must be encrypted")
			e.Host, e.Command, e.tryNext = c.target.host, "STARTTLS", true
			return e
		}
		return nil
	}
	c.wait(c.sender.timeout())
	if err := client.StartTLS(c.tlsConfig()); err != nil {
		e := c.failure(ctx, "STARTTLS", err)
		e.Permanent, e.tryNext, e.tlsFailed, e.cause = false, true, true, err
		return e
	}
	return nil
}

func (c *conversation) tlsConfig() *tls.Config {
	config := &tls.Config{}
	if c.sender.TLS != nil {
		config = c.sender.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = c.target.host
	}
	switch {
	case len(c.policy.keys) > 0:
		config.InsecureSkipVerify = true // what stands in its place is stricter
		config.MinVersion = tls.VersionTLS12
		config.VerifyConnection = func(state tls.ConnectionState) error {
			return dane.Verify(c.policy.keys, state.PeerCertificates, time.Now(), c.policy.names...)
		}
	case !c.policy.verify:
		// Without DANE or MTA-STS nobody says which name an MX must prove, and the
		// alternative is to send in clear. Old encryption is better than none too.
		config.InsecureSkipVerify = true
		config.MinVersion = tls.VersionTLS10
	}
	return config
}

func (c *conversation) describeTLS() string {
	if c.client == nil {
		return ""
	}
	state, ok := c.client.TLSConnectionState()
	if !ok || len(state.PeerCertificates) == 0 {
		return ""
	}
	config := c.tlsConfig()
	intermediates := x509.NewCertPool()
	for _, certificate := range state.PeerCertificates[1:] {
		intermediates.AddCert(certificate)
	}
	if len(c.policy.keys) > 0 {
		return tls.VersionName(state.Version) + ", certificate verified by DANE"
	}
	verified := "certificate verified"
	if _, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
		DNSName: config.ServerName, Roots: config.RootCAs, Intermediates: intermediates,
	}); err != nil {
		verified = "certificate not verified"
	}
	return tls.VersionName(state.Version) + ", " + verified
}

// authenticate logs in at a smarthost. A refusal is temporary: the fault is in
// the configuration, and the mails in the queue must outlive its mending.
func (c *conversation) authenticate(ctx context.Context) *Error {
	if c.smarthost == nil || c.smarthost.Username == "" {
		return nil
	}
	_, encrypted := c.client.TLSConnectionState()
	if !encrypted && !c.smarthost.onLoopback() {
		return c.loginError("the connection is not encrypted, so the password is not sent")
	}
	offered, mechanisms := c.client.Extension("AUTH")
	login := chooseLogin(c.smarthost, strings.Fields(strings.ToUpper(mechanisms)))
	if !offered || login == nil {
		return c.loginError("the server offers neither AUTH PLAIN nor AUTH LOGIN, but a username is configured")
	}
	c.wait(c.sender.timeout())
	if err := c.client.Auth(login); err != nil {
		e := c.failure(ctx, "AUTH", err)
		e.Permanent = false
		return e
	}
	return nil
}

func (c *conversation) loginError(message string) *Error {
	e := temporary("4.7.0", "%s", message)
	e.Host, e.Command = c.target.host, "AUTH"
	return e
}

// redact takes the password out of a server's words, should it repeat them.
func (c *conversation) redact(text string) string {
	if c.smarthost == nil || c.smarthost.Password == "" {
		return text
	}
	user, password := c.smarthost.Username, c.smarthost.Password
	for _, secret := range []string{
		password,
		base64.StdEncoding.EncodeToString([]byte(password)),
		base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password)),
	} {
		text = strings.ReplaceAll(text, secret, "[password]")
	}
	return text
}

// quit ends the session politely; what becomes of it no longer matters.
func (c *conversation) quit() {
	c.wait(min(c.sender.timeout(), quitTimeout))
	_ = c.client.Quit()
}
